"""The embed script under its own short address, which customers' pages have written into them for years."""

from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import condition, require_safe

_KEPT_S = 300


def _file() -> str | None:
    return finders.find("widget/v1.js")


def _etag(request: HttpRequest) -> str | None:
    path = _file()
    if path is None:
        return None
    stat = Path(path).stat()
    return f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"'


@require_safe
@condition(etag_func=_etag)
def widget_script(request: HttpRequest) -> HttpResponse:
    """The built file. Browsers keep it for five minutes, then ask whether it has changed."""
    path = _file()
    if path is None:
        raise Http404(_("The widget has not been built."))
    response = HttpResponse(Path(path).read_bytes(), content_type="text/javascript; charset=utf-8")
    response["Cache-Control"] = f"public, max-age={0 if settings.DEBUG else _KEPT_S}"
    # Any page may load it, also with crossorigin and under a cross-origin embedder policy.
    response["Access-Control-Allow-Origin"] = "*"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
