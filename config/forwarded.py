"""Whether a visitor came by HTTPS, where a reverse proxy knows and the web server does not."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from widget.client_address import comes_from_trusted_proxy


class ForwardedScheme:
    """Believes X-Forwarded-Proto of TRUSTED_PROXIES, and of nobody else."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        scheme = request.META.get("HTTP_X_FORWARDED_PROTO")
        if scheme in ("http", "https") and comes_from_trusted_proxy(request):
            request.META["wsgi.url_scheme"] = scheme
        return self.get_response(request)
