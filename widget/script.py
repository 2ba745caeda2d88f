"""The embed script under its own short address, which customers' pages have written into them for years, and the files
that it fetches from beside it."""

from __future__ import annotations

import gzip
import hashlib
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from csp.decorators import csp_exempt
from django.conf import settings
from django.contrib.staticfiles import finders
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_safe

# The script's address never changes, so browsers ask for it again; while they ask, they use what they have.
_SCRIPT = "public, max-age=300, stale-while-revalidate=86400"
# The script names these with their version.
_BESIDE = "public, max-age=31536000, immutable"
_TYPES = {".js": "text/javascript", ".json": "application/json", ".ts": "text/plain"}


class _Built(NamedTuple):
    """A built file, ready to be sent."""

    plain: bytes
    compressed: bytes
    digest: str


# What only pages obey is a fiftieth of the whole.
@csp_exempt()
@xframe_options_exempt
@require_safe
def widget_script(request: HttpRequest) -> HttpResponse:
    """The built script. Browsers keep it for five minutes, then ask whether it has changed."""
    return _served(request, "v1.js", _SCRIPT)


@require_safe
def widget_types(request: HttpRequest) -> HttpResponse:
    """What the script offers to the page, as TypeScript declares it."""
    return _served(request, "v1.d.ts", _SCRIPT)


@require_safe
def widget_file(request: HttpRequest, name: str) -> HttpResponse:
    """What the script fetches once somebody opens the panel: kept for good."""
    return _served(request, f"v1/{name}", _BESIDE)


def _served(request: HttpRequest, name: str, cache_control: str) -> HttpResponse:
    path = finders.find(f"widget/{name}")
    if path is None:
        raise Http404(_("The widget has no such file."))
    built = _read(path, Path(path).stat().st_mtime_ns)
    wants_gzip = "gzip" in request.META.get("HTTP_ACCEPT_ENCODING", "")
    etag = f'"{built.digest}{"-gzip" if wants_gzip else ""}"'
    body = built.compressed if wants_gzip else built.plain
    response = HttpResponse(body, content_type=f"{_TYPES[Path(path).suffix]}; charset=utf-8")
    if wants_gzip:
        response["Content-Encoding"] = "gzip"
    response["ETag"] = etag
    response["Cache-Control"] = "no-cache" if settings.DEBUG else cache_control
    patch_vary_headers(response, ["Accept-Encoding"])
    # Any page may load it, also with crossorigin and under a cross-origin embedder policy.
    response["Access-Control-Allow-Origin"] = "*"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return get_conditional_response(request, etag=etag, response=response) or response


@lru_cache(maxsize=64)
def _read(path: str, modified_ns: int) -> _Built:
    """Compressed once a process; `modified_ns` makes it read again what was built anew."""
    plain = Path(path).read_bytes()
    return _Built(plain, gzip.compress(plain, 9, mtime=0), hashlib.sha256(plain).hexdigest()[:20])
