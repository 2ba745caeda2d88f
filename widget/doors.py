"""Who may come in: visitors by the key of a site and its origins, servers by an API key and its scopes."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import OuterRef, Subquery
from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotFound, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from agents.models import ApiKey, Site, Workspace
from agents.models.access import hash_of


@dataclass(frozen=True, slots=True)
class Server:
    """Who came with an API key. `site_key` is of the workspace's first site: there the status of its leads is read.

    `remembered`: it was looked up a while ago, and may be another by now.
    """

    api_key: ApiKey
    site_key: str | None
    remembered: bool = False

    @property
    def workspace(self) -> Workspace:
        return self.api_key.workspace


class SiteKeyAuthentication(BaseAuthentication):
    """The key stands in the address. One query brings site, workspace, and how fresh a snapshot must be."""

    def authenticate(self, request: Request) -> tuple[None, Site]:
        key = request.parser_context["kwargs"]["key"]
        site = Site.objects.filter(key=key, is_active=True).select_related("workspace").first()
        if site is None:
            raise NotFound(_("There is no site with this key. Copy the key from the site's page in the admin."))
        return None, site


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer KEY`. No sessions here: a browser that is logged in somewhere can do nothing."""

    def authenticate(self, request: Request) -> tuple[None, Server] | None:
        scheme, _space, key = request.META.get("HTTP_AUTHORIZATION", "").strip().partition(" ")
        if scheme.lower() != "bearer" or not key.strip():
            return None
        return None, self.find(hash_of(key.strip()))

    def find(self, key_hash: str) -> Server:
        """Raises AuthenticationFailed."""
        sites = Site.objects.filter(workspace=OuterRef("workspace"), is_active=True).order_by("id")
        found = (
            ApiKey.objects.filter(hash=key_hash, revoked_at=None)
            .select_related("workspace")
            .annotate(site_key=Subquery(sites.values("key")[:1]))
            .first()
        )
        if found is None:
            raise AuthenticationFailed(
                _("This API key is unknown or revoked. Make one with manage.py create_api_key, and send it whole.")
            )
        return Server(found, found.site_key)

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


_REMEMBERED_S = 10.0
_MOST_REMEMBERED = 10_000
_remembered: dict[str, tuple[float, Server]] = {}  # by the key's hash, with when it is forgotten


class RememberedApiKeyAuthentication(ApiKeyAuthentication):
    """The same without a query, for what looks again itself before it does anything: see `leads.together`."""

    def find(self, key_hash: str) -> Server:
        now = time.monotonic()
        until, server = _remembered.get(key_hash, (0.0, None))
        if server is not None and now < until:
            return server
        found = super().find(key_hash)
        if len(_remembered) >= _MOST_REMEMBERED:
            _remembered.clear()
        _remembered[key_hash] = (now + _REMEMBERED_S, replace(found, remembered=True))
        return found


def look_again(server: Server) -> Server:
    """Who the key's holder is now. Raises AuthenticationFailed where they are nobody any more."""
    _remembered.pop(server.api_key.hash, None)
    return RememberedApiKeyAuthentication().find(server.api_key.hash)


class AnybodyWithTheKey(BasePermission):
    """Site keys are public; what they open is nobody's secret."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return isinstance(request.auth, Site)


class OriginIsListed(BasePermission):
    """Only pages of the site hand in leads: whoever copies the snippet elsewhere gets nowhere."""

    def has_permission(self, request: Request, view: Any) -> bool:
        origin = request.META.get("HTTP_ORIGIN", "")
        if isinstance(request.auth, Site) and request.auth.allows_origin(origin):
            return True
        if not origin:
            raise PermissionDenied(
                _("Leads come from a page of the site, with its Origin. From a server, use POST /api/v1/leads.")
            )
        raise PermissionDenied(
            _("This site does not allow the origin “%(origin)s”. Add it to the site's origins.")
            % {"origin": origin[:200]}
        )


class HasScope(BasePermission):
    """The scope that a view names for the method under `scopes`."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not isinstance(request.auth, Server):
            return False  # 401: nobody has said who they are
        scope = view.scopes["GET" if request.method == "HEAD" else request.method]
        if not request.auth.api_key.allows(scope):
            raise PermissionDenied(
                _("This API key lacks the scope %(scope)s. Make one that has it with manage.py create_api_key.")
                % {"scope": scope}
            )
        return True
