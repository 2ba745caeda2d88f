"""How often visitors and servers may ask."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from widget import counting
from widget.client_address import client_address, counted_as

_READS_A_WRITE = 10


class WidgetThrottle(BaseThrottle):
    """Per address and per site. A lead over the site's limit is not refused: `view.over_site_limit` says so."""

    passed: counting.Passed | None = None

    def allow_request(self, request: Request, view: Any) -> bool:
        if settings.THROTTLE_WIDGET is None:
            return True
        of_address, of_site = settings.THROTTLE_WIDGET
        writes = request.method == "POST"
        more = 1 if writes else _READS_A_WRITE
        scope = f"{'post' if writes else 'get'}:{request.auth.pk}"
        address = counting.Limit(
            f"{scope}:{counted_as(client_address(request))}", of_address.limit * more, of_address.seconds
        )
        site = counting.Limit(scope, of_site.limit * more, of_site.seconds)
        self.passed = counting.count([address, site], at=timezone.now())
        if writes and self.passed is not None and self.passed.limit is site:
            view.over_site_limit = True
            return True
        return self.passed is None

    def wait(self) -> float | None:
        return self.passed.wait_s if self.passed else None


class ApiThrottle(BaseThrottle):
    """Per API key."""

    passed: counting.Passed | None = None

    def allow_request(self, request: Request, view: Any) -> bool:
        if settings.THROTTLE_API is None:
            return True
        (of_key,) = settings.THROTTLE_API
        limit = counting.Limit(f"key:{request.auth.api_key.pk}", of_key.limit, of_key.seconds)
        self.passed = counting.count([limit], at=timezone.now())
        return self.passed is None

    def wait(self) -> float | None:
        return self.passed.wait_s if self.passed else None
