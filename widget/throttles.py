"""How often visitors and servers may ask."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from agents.models import Site
from widget import counting
from widget.client_address import client_address, counted_as

_READS_A_WRITE = 10


@dataclass(frozen=True, slots=True)
class Verdict:
    """`refused`: the limit that was passed, None where the request may go on. `over_site_limit`: it is a lead that goes
    on although its site has too many; it is held for a manager to look at."""

    refused: counting.Passed | None = None
    over_site_limit: bool = False


def count_visit(request: HttpRequest, site: Site, *, at: datetime) -> Verdict:
    """Count a visitor's request against the limits of their address and of the site."""
    if settings.THROTTLE_WIDGET is None:
        return Verdict()
    of_address, of_site = settings.THROTTLE_WIDGET
    writes = request.method == "POST"
    more = 1 if writes else _READS_A_WRITE
    scope = f"{'post' if writes else 'get'}:{site.pk}"
    by_address = counting.Limit(
        f"{scope}:{counted_as(client_address(request))}", of_address.limit * more, of_address.seconds
    )
    by_site = counting.Limit(scope, of_site.limit * more, of_site.seconds)
    passed = counting.count([by_address, by_site], at=at)
    if writes and passed is not None and passed.limit is by_site:
        return Verdict(over_site_limit=True)
    return Verdict(passed)


class WidgetThrottle(BaseThrottle):
    """Per address and per site. A lead over the site's limit is not refused: `view.over_site_limit` says so."""

    verdict = Verdict()

    def allow_request(self, request: Request, view: Any) -> bool:
        self.verdict = count_visit(request._request, cast(Site, request.auth), at=timezone.now())
        view.over_site_limit = self.verdict.over_site_limit
        return self.verdict.refused is None

    def wait(self) -> float | None:
        return self.verdict.refused.wait_s if self.verdict.refused else None


class ApiThrottle(BaseThrottle):
    """Per API key."""

    passed: counting.Passed | None = None

    def allow_request(self, request: Request, view: Any) -> bool:
        if settings.THROTTLE_API is None:
            return True
        (of_key,) = settings.THROTTLE_API
        limit = counting.Limit(f"key:{request.auth.api_key.pk}", of_key.limit, of_key.seconds)
        self.passed = counting.count_in_lots(limit, at=timezone.now())
        return self.passed is None

    def wait(self) -> float | None:
        return self.passed.wait_s if self.passed else None
