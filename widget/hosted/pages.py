"""The pages themselves. They are made without the request, so that nothing of a session can get into them."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_skeleton, format_time, format_timedelta, get_datetime_format, get_timezone_location
from babel.lists import format_list
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from agents.channel_icons import ICONS
from agents.languages import language_name, own_name
from agents.models import Site
from leads.intake import Promise
from leads.models import Lead
from leads.promises import spoken
from widget.answers import status_url
from widget.hosted.forms import ChoiceForm, MessageForm
from widget.hosted.handing_in import HandedIn, Refused
from widget.hosted.page_token import PageToken, new_token
from widget.hosted.qr import qr_svg
from widget.labels import channel_label
from widget.site_config import consent_of, own_words, site_config
from widget.submissions import FORM
from widget.visitor_language import offered_variant, visitor_language

# Letters of a link: beyond, phones have trouble reading the code.
_LONGEST_IN_QR = 400


class _LanguageLink(NamedTuple):
    tag: str
    name: str


def choice_page(site: Site, language: str, *, at: datetime, refused: Refused | None = None) -> HttpResponse:
    """The ways to talk; with what was refused, if anything, and what was typed."""
    config = site_config(site, language=language, at=at)
    with translation.override(spoken(language)):
        typed = refused.form if refused is not None else None
        own = config["texts"].get("title")
        context = {
            **_shared(site, language, title=own or _("How would you like to talk?"), own_title=bool(own)),
            **_message_form(site, language, new_token(site, at=at), typed=typed),
            "channels": [channel for channel in config["channels"] if channel["id"] != FORM],
            "online": config["online"],
            "intro": config["texts"].get("intro" if config["online"] else "away", ""),
            "presence": _presence(config, site, language),
            "refused": refused,
            "languages": [_LanguageLink(tag, own_name(tag)) for tag in config["languages"]]
            if len(config["languages"]) > 1
            else [],
        }
        response = _rendered("hosted/choice.html", context, status=refused.status if refused else 200)
    if refused is not None and refused.wait_s is not None:
        response["Retry-After"] = str(max(1, math.ceil(refused.wait_s)))
    return response


def answer_page(site: Site, language: str, handed_in: HandedIn) -> HttpResponse:
    """Who takes care of the visitor and the link to them; or when somebody will.

    Who chose a channel and found nobody may still leave a message: it joins what they began.
    """
    accepted = handed_in.accepted
    with translation.override(spoken(language)):
        link = accepted.channel if accepted.channel is not None and accepted.channel.id != FORM else None
        title = accepted.promise.text
        own = own_words(site, language).get("thanks") if handed_in.is_message else None
        if handed_in.is_message:
            title = own or _("Thank you. We have your message.")
        context = {
            **_shared(site, language, title=title, own_title=bool(own)),
            "agent": accepted.agent,
            "initials": "".join(word[0] for word in accepted.agent.name.split()[:2]) if accepted.agent else "",
            "promise": accepted.promise.text if handed_in.is_message else "",
            "opens": _moment(accepted.promise.at, site, language),
            "link": link,
            # A number keeps its order in a line that runs from right to left.
            "handle": f"\u2066{link.display}\u2069" if link else "",
            "label": channel_label(link.id, language) if link else "",
            "icon": ICONS[link.id] if link else None,
            "qr": _qr(link.url or link.display) if link else "",
            "reference": accepted.reference,
            "status_url": status_url(site.key, accepted.status_token),
        }
        if accepted.agent is None and not handed_in.is_message:
            context |= _message_form(site, language, handed_in.token)
        return _rendered("hosted/answer.html", context)


def status_page(site: Site, lead: Lead | None, *, promise: Promise | None, accept_language: str) -> HttpResponse:
    """When somebody answers, and nothing that the visitor typed. `lead` None: the address is wrong, or too old.

    In the lead's language; the browser's, where there is no lead.
    """
    offered = site.workspace.languages
    language = offered_variant(lead.language if lead else visitor_language(accept_language, offered), offered)
    with translation.override(spoken(language)):
        if lead is None or promise is None:
            title = _("This address is wrong, or older than seven days.")
            return _rendered("hosted/status.html", _shared(site, language, title=title), status=404)
        context = {
            **_shared(site, language, title=promise.text),
            "agent": lead.agent,
            "opens": _moment(promise.at, site, language),
            "reference": lead.reference,
            "again": True,
        }
        return _rendered("hosted/status.html", context)


def _shared(site: Site, language: str, *, title: str, own_title: bool = False) -> dict[str, Any]:
    """`own_title`: in words of the site's, whatever language they are in."""
    return {
        "own_title": own_title,
        "site": site,
        "workspace": site.workspace,
        "language": language,
        "title": title,
        "page": f"{reverse('hosted-page', kwargs={'key': site.key})}?{urlencode({'lang': language})}",
        "look": reverse("hosted-look", kwargs={"key": site.key}),
    }


def _message_form(site: Site, language: str, token: PageToken, *, typed: ChoiceForm | None = None) -> dict[str, Any]:
    consent = consent_of(site, language)
    empty = MessageForm(offered=[*site.channels, FORM], consent=consent)
    return {
        "form": typed if isinstance(typed, MessageForm) else empty,
        "consent": consent,
        "page_token": str(token),
    }


def _presence(config: dict[str, Any], site: Site, language: str) -> list[str]:
    """Who is there without saying who, in a sentence each; or when somebody will be."""
    if not config["online"]:
        return [_("Nobody is here right now."), *_opening(_moment(config["opens_at"], site, language))]
    team, locale, said = config["team"], Locale.parse(spoken(language), sep="-"), []
    if number := team["on_shift"]:
        said.append(ngettext("One person is here now.", "%(number)d people are here now.", number) % {"number": number})
    if seconds := team["typical_reply_s"]:
        said.append(_("They usually answer within %(time)s.") % {"time": format_timedelta(seconds, locale=locale)})
    if names := [language_name(tag, str(locale)) for tag in team["languages"]]:
        said.append(_("We speak: %(languages)s") % {"languages": format_list(names, locale=locale)})
    return said


def _opening(moment: str) -> list[str]:
    return [_("We open: %(when)s") % {"when": moment}] if moment else []


def _moment(at: datetime | None, site: Site, language: str) -> str:
    """In the workspace's zone, which is named: a page without script cannot know the visitor's."""
    if at is None:
        return ""
    locale, zone = Locale.parse(spoken(language), sep="-"), ZoneInfo(site.workspace.timezone)
    day = format_skeleton("MMMMEEEEd", at, tzinfo=zone, locale=locale)
    place = get_timezone_location(zone, locale=locale, return_city=True)
    time = format_time(at, "short", tzinfo=zone, locale=locale)
    when = str(get_datetime_format("medium", locale=locale)).replace("{0}", time).replace("{1}", day)
    return f"{when} ({place})"


def _qr(text: str) -> str:
    return "" if len(text) > _LONGEST_IN_QR else qr_svg(text)


def _rendered(template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    response = HttpResponse(render_to_string(template, context), status=status)
    response["Content-Language"] = translation.get_language() or ""
    response["Cache-Control"] = "no-store"  # it holds a token, or somebody's affairs
    return response
