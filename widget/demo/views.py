"""The sample customer's page, and beside it who got the lead and why. For the demo workspace alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from secrets import token_hex
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from agents import languages, places
from agents.channels import CHANNELS
from agents.models import Site
from leads import selectors
from leads.explaining import explain_lead
from leads.intake import Submission, accept_lead
from leads.models import Lead
from routing.explaining import explain_facts, reason_in_words
from widget.demo.texts import TEXTS
from widget.demo.workspace import demo_site
from widget.submissions import door_of_site

_COUNTRIES = ("ES", "PT", "FR", "DE", "AT", "CH", "GB", "IE", "US", "MX", "CO", "AR", "BR", "JP")
_TAGS = ("en", "es", "es-MX", "pt", "pt-BR", "fr", "de", "it", "ca", "ja")


@require_GET
def page(request: HttpRequest) -> HttpResponse:
    """The page in the language asked for, with the contracted snippet and nothing else of the widget."""
    site = demo_site()
    if site is None:
        return render(request, "demo/missing.html", status=404)
    language = request.GET.get("lang", "")
    if language not in TEXTS:
        language = "en"
    return render(
        request,
        "demo/page.html",
        {
            "language": language,
            "text": TEXTS[language],
            "languages": [(code, text["name"]) for code, text in TEXTS.items()],
            "countries": sorted(((code, places.country_name(code)) for code in _COUNTRIES), key=lambda pair: pair[1]),
            "spoken": [(code, languages.language_name(code)) for code in _TAGS],
            "channels": [(name, CHANNELS[name].label) for name in [*site.channels, "form"]],
            "zone": site.workspace.timezone,
            "site_key": site.key,
            "public_url": settings.PUBLIC_URL,
        },
    )


@require_POST
def try_lead(request: HttpRequest) -> HttpResponse:
    """A lead from where the panel pretends the visitor is: a real one; or, at another time, a dry run."""
    site = _site_or_404()
    channel = request.POST.get("channel", "")
    country = request.POST.get("country", "")
    language = request.POST.get("language", "")
    if channel not in [*site.channels, "form"] or language not in _TAGS or country not in ("", *_COUNTRIES):
        return _answer(request, problem=_("Choose a country, a language and a channel from the lists."))
    if wanted := request.POST.get("at", ""):
        try:
            wall = datetime.fromisoformat(wanted).replace(tzinfo=None)
        except ValueError:
            return _answer(request, problem=_("This is no date and time."))
        values = {"channel": channel, "language": language, "country": country or None, "source": "widget"}
        at = wall.replace(tzinfo=ZoneInfo(site.workspace.timezone))
        return _answer(request, explained=explain_facts(site.workspace, values, at=at), wall=wall)
    accepted = accept_lead(
        door=replace(door_of_site(site), trusted=True),  # the panel's country is believed, as a server's is
        submission=Submission(
            channel=channel, language=language, country=country or None, visitor_id=f"demo-{token_hex(8)}"
        ),
        at=timezone.now(),
    )
    lead = Lead.objects.select_related("agent", "site").get(pk=accepted.lead_id)
    return _answer(request, explained=explain_lead(lead), lead=lead, channel=accepted.channel)


@require_GET
def why(request: HttpRequest, token: str) -> HttpResponse:
    """Who got a lead that the widget handed in, and why."""
    site = _site_or_404()
    lead = selectors.lead_of_token(workspace=site.workspace, token=token, at=timezone.now())
    if lead is None or selectors.latest_decision(lead) is None:
        return _answer(request, problem=_("Nothing was decided about this lead."))
    return _answer(request, explained=explain_lead(lead), lead=lead)


def _site_or_404() -> Site:
    site = demo_site()
    if site is None:
        raise Http404
    return site


def _answer(request: HttpRequest, *, explained: dict[str, Any] | None = None, **context: Any) -> HttpResponse:
    if explained is not None:
        context["explained"] = explained
        context["reason"] = explained.get("reason_text") or reason_in_words(explained["reason"])
    return render(request, "demo/why.html", context)
