"""A site's own page. Opening it takes no turn, whoever follows every link; its buttons post."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone, translation
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from agents.models import Site
from leads.promises import spoken
from widget.hosted import pages
from widget.hosted.handing_in import Refused, hand_in, too_much
from widget.json_bodies import MOST_BYTES
from widget.throttles import count_visit
from widget.visitor_language import offered_variant, visitor_language

_LOOK_KEPT_S = 300


# No cookie opens anything here, so there is none for a forged form to use: Origin and the page's token are asked for.
@method_decorator(csrf_exempt, name="dispatch")
class HostedPage(View):
    """The site's ways to talk, and what became of the one that was chosen."""

    http_method_names = ["get", "head", "options", "post"]

    def get(self, request: HttpRequest, key: str) -> HttpResponse:
        site, at = _site(key), timezone.now()
        language = _language(request, site)
        refused = None
        if (passed := count_visit(request, site, at=at).refused) is not None:
            with translation.override(spoken(language)):
                refused = too_much(passed)
        return pages.choice_page(site, language, at=at, refused=refused)

    def post(self, request: HttpRequest, key: str) -> HttpResponse:
        site, at = _site(key), timezone.now()
        if not _is_small(request):
            sentence = _("This is larger than 64 kB. Go back and send a shorter message.")
            return HttpResponse(sentence, status=413, content_type="text/plain; charset=utf-8")
        language = _language(request, site)
        try:
            with translation.override(spoken(language)):
                handed_in = hand_in(request, site, language, at=at)
        except Refused as refused:
            return pages.choice_page(site, language, at=at, refused=refused)
        return pages.answer_page(site, language, handed_in)


@require_safe
def look(request: HttpRequest, key: str) -> HttpResponse:
    """The site's colours, as a style sheet: the page's policy allows none inside it."""
    site = _site(key)
    response = HttpResponse(
        f":root {{ --accent: {site.accent}; --on-accent: {site.on_accent}; }}\n", content_type="text/css; charset=utf-8"
    )
    response["Cache-Control"] = f"public, max-age={_LOOK_KEPT_S}"
    return response


def _is_small(request: HttpRequest) -> bool:
    length = request.META.get("CONTENT_LENGTH") or "0"
    return length.isdecimal() and int(length[:20]) <= MOST_BYTES


def _site(key: str) -> Site:
    site = Site.objects.filter(key=key, is_active=True).select_related("workspace").first()
    if site is None:
        raise Http404
    return site


def _language(request: HttpRequest, site: Site) -> str:
    """The offered language that was asked for by a link of the page, else by the browser."""
    offered = site.workspace.languages
    wanted = request.GET.get("lang", "") or request.META.get("HTTP_ACCEPT_LANGUAGE", "")
    return offered_variant(visitor_language(wanted, offered), offered)
