"""What the widget needs to know before anybody uses it. Public: it says how many are there, never who.

All of it is in one language, `language`: the one asked for, as far as the workspace offers it. A page that changes its
language asks again. Symbols come as data, a path in a box of 24 × 24 and two colours, so that a page under Trusted
Types can draw them and the script needs to carry none.

The preview in the admin gives this to the real widget, made of what stands in the form: see site_preview.js.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from agents.channel_icons import ICONS
from agents.models import Site
from agents.site_texts import in_language
from leads.promises import spoken
from routing.engine import ANYBODY, Asked, Load, Roster
from routing.engine.asking import here
from routing.engine.holding import opening
from routing.engine.hours import microseconds
from routing.models import Load as LoadRow
from routing.snapshots import snapshot
from widget.labels import channel_label
from widget.submissions import FORM
from widget.typical_reply import typical_reply_s

# How long a process believes that nothing opens within the engine's horizon.
_NEVER_FOR = timedelta(minutes=1)


def site_config(site: Site, *, language: str, at: datetime) -> dict[str, Any]:
    """The widget's configuration, in one of the languages that the workspace offers.

    What the widget reads of the parts that managers set; each key may be absent, and then the widget's own word stands:

    - `texts`, in `language`: `launcher` (the button), `title` (greeting), `intro` (the line below it), `away` (the same
      while nobody is there), `thanks` (after a message);
    - `theme`: `accent` (`#rrggbb`), `on_accent` (for words on it, which everybody can read there), `side` (`right`,
      `left`), `scheme` (`auto`, `light`, `dark`), `offset` (pixels from the edges, as text). It acts when the panel is
      opened. What the launcher shall show before stands in the snippet, which costs no request: `data-color`,
      `data-position`, `data-theme`, `data-offset`. `right` is the end of a line: the left where one reads from right
      to left;
    - `consent`: null, or `text` (what a visitor ticks before a message is sent) and `url` (the privacy notice);
    - `fallback`: the link shown where this API does not take a lead (https, mailto, tel, sms); null: `page_url`, the
      site's page without script. A snippet names it as `data-fallback`, for when not even this answer arrives.

    Attributes that a customer's server has signed come with the lead as `signed`: one text, made there and passed on
    untouched (`switchyard.setAttributes(values, signed)`).
    """
    workspace = site.workspace
    roster = snapshot(
        workspace_id=workspace.pk, policy_version=workspace.policy_version, roster_version=workspace.roster_version
    ).roster
    presence = roster.presence(at)
    candidates = (presence.regular | presence.on_call) & roster.active & roster.capped
    loads = _loads(workspace.pk, list(roster.members(candidates)))
    now = microseconds(at)
    regular, _ = here(roster, roster.everybody, Asked.REGULAR, now, loads)
    on_call, _ = here(roster, roster.everybody, Asked.ON_CALL, now, loads)
    there = regular | on_call
    channels = [
        {
            "id": channel,
            "label": channel_label(channel, language),
            "online": bool(there if channel == FORM else there & roster.channels.get(channel, 0)),
            "icon": ICONS[channel]._asdict(),
        }
        for channel in dict.fromkeys([*site.channels, FORM])
    ]
    return {
        "name": workspace.name,
        "language": language,
        "languages": workspace.languages,
        "channels": channels,
        "online": bool(there),
        "opens_at": None if there or not site.hours_shown else _opens_at(workspace.pk, roster, loads, at),
        "hours_shown": site.hours_shown,
        "team": {
            "on_shift": regular.bit_count(),
            "languages": sorted(tag for tag, speakers in roster.languages.items() if speakers & there),
            "speakers": _speakers(roster, regular),
            "typical_reply_s": typical_reply_s(workspace_id=workspace.pk, at=at),
        },
        "texts": own_words(site, language),
        "theme": theme_of(site),
        "consent": consent_of(site, language),
        "fallback": site.fallback_url or None,
        "page_url": page_url(site),
    }


def page_url(site: Site) -> str:
    """The site's own page, with the same choice in plain HTML."""
    return settings.PUBLIC_URL + reverse("hosted-page", kwargs={"key": site.key})


def _speakers(roster: Roster, people: int) -> dict[str, int]:
    """How many of these people speak each language, whatever its region."""
    speaking: dict[str, int] = {}
    for tag, speakers in roster.languages.items():
        language = tag.split("-")[0]
        speaking[language] = speaking.get(language, 0) | speakers & people
    return {language: those.bit_count() for language, those in sorted(speaking.items()) if those}


def theme_of(site: Site) -> dict[str, str]:
    return {
        "accent": site.accent,
        "on_accent": site.on_accent,
        "side": site.side,
        "scheme": site.scheme,
        "offset": str(site.offset),
    }


def own_words(site: Site, language: str) -> dict[str, str]:
    """What the site says in words of its own, without the consent, which has its own place."""
    return {name: text for name, text in in_language(site.texts, language).items() if name != "consent"}


def consent_of(site: Site, language: str) -> dict[str, str | None] | None:
    """What a visitor agrees to before a message is sent; None where the site does not ask."""
    if not site.asks_consent:
        return None
    text = in_language(site.texts, language).get("consent")
    if text is None:
        with translation.override(spoken(language)):
            text = _("I agree that my details are used to answer me.")
    return {"text": text, "url": site.privacy_url or None}


def _loads(workspace_id: int, agents: list[int]) -> dict[int, Load]:
    """What capped people who are there carry; no statement where nobody is capped."""
    if not agents:
        return {}
    rows = LoadRow.objects.filter(workspace_id=workspace_id, agent_id__in=agents)
    return {row.agent_id: row.carried for row in rows}


class _Opening(NamedTuple):
    roster: Roster
    looked_at: datetime
    opens_at: datetime | None

    def holds_at(self, at: datetime) -> bool:
        return self.looked_at <= at < (self.opens_at or self.looked_at + _NEVER_FOR)


_openings: dict[int, _Opening] = {}


def _opens_at(workspace_id: int, roster: Roster, loads: dict[int, Load], at: datetime) -> datetime | None:
    """When somebody will be there next. Looking ahead is dear for large rosters, and the answer stands until then."""
    kept = _openings.get(workspace_id)
    if not loads and kept is not None and kept.roster is roster and kept.holds_at(at):
        return kept.opens_at
    opens_at = opening(roster, ANYBODY, loads, at)
    opens_at = opens_at and opens_at.astimezone(UTC)
    if not loads:
        _openings[workspace_id] = _Opening(roster, at, opens_at)
    return opens_at
