"""A lead as people read it: what came in, how to reach whoever wrote, and what happened since."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from agents import languages, places
from agents.channels import CHANNELS
from agents.contacts import display_phone
from agents.models import Agent
from leads import selectors
from leads.admin.lead_list import channel_label
from leads.models import ClosedAs, Event, Lead, Trigger
from leads.models.reasons import REASONS
from routing.rulebook.words import INTENT_LABELS, SOURCE_LABELS


@dataclass(frozen=True, slots=True)
class Way:
    """One way to reach whoever wrote: what is shown, and the link that opens it."""

    icon: str
    text: str
    link: str


@dataclass(frozen=True, slots=True)
class EventTold:
    """One thing that happened: what, with what beside it, who did it, when."""

    what: Any
    details: str
    by: str
    at: datetime


def contact_of(lead: Lead) -> list[Way]:
    ways = []
    if lead.email:
        ways.append(Way("mail", lead.email, f"mailto:{lead.email}" if _is_plain(lead.email) else ""))
    if lead.phone:
        is_number = lead.phone.startswith("+") and lead.phone[1:].isdigit()
        shown = display_phone(lead.phone) if is_number else lead.phone
        ways.append(Way("call", shown, f"tel:{lead.phone}" if is_number else ""))
    return ways


def facts_of(lead: Lead) -> list[tuple[Any, Any]]:
    """What is known of the lead, what is unknown left out."""
    place = ", ".join(part for part in (lead.city, lead.region) if part)
    country = places.country_name(lead.country) if lead.country else ""
    intent = INTENT_LABELS.get(lead.intent, lead.intent)
    said = [
        (_("Message"), lead.message),
        (_("Channel"), channel_label(lead.channel)),
        (_("Reached on"), channel_label(lead.reached_on) if lead.reached_on != lead.channel else ""),
        (_("Language"), languages.language_name(lead.language) if lead.language else ""),
        (_("Country"), f"{country} ({place})" if country and place else country or place),
        (_("Page"), lead.page_url),
        (_("Website before ours"), lead.referrer),
        (_("Site"), lead.site.name if lead.site else ""),
        (_("Came by"), SOURCE_LABELS.get(lead.source, lead.source)),
        (
            _("Intent"),
            _now("%(intent)s (%(score)s points)") % {"intent": intent, "score": lead.score} if intent else "",
        ),
        *((name, value) for name, value in sorted((lead.attributes or {}).items())),
        (_("Reference"), lead.reference),
    ]
    return [(label, value) for label, value in said if value not in ("", None)]


def told_events(lead: Lead) -> list[EventTold]:
    """What happened, in order, with names instead of slugs."""
    events = list(selectors.timeline(lead))
    slugs = {str(slug) for event in events for slug in _agents(event)}
    people = Agent.objects.filter(workspace_id=lead.workspace_id, slug__in=slugs) if slugs else Agent.objects.none()
    names = dict(people.values_list("slug", "name"))
    return [EventTold(event.get_kind_display(), _details(event.data, names), _by(event), event.at) for event in events]


def _agents(event: Event) -> list[Any]:
    said = event.data.get("agent") or []
    return said if isinstance(said, list) else [said]


def _by(event: Event) -> str:
    if event.actor:
        return event.actor.get_full_name() or event.actor.email
    return event.actor_text


def _is_plain(address: str) -> bool:
    """Whether an address says nothing to a mail program but whom to write to."""
    return not any(sign in address for sign in '?&%#"<> ')


# What an event says beside its kind, in the order in which people want to know it; other keys follow as they are.
_SAID_FIRST = ("agent", "rule", "reason", "as", "why", "note")
_WORDS: dict[str, Mapping[str, Any]] = {
    "reason": dict(REASONS),
    "trigger": dict(Trigger.choices),
    "as": dict(ClosedAs.choices),
    "source": SOURCE_LABELS,
    "channel": {channel.id: channel.label for channel in CHANNELS.values()},
}


def _details(data: dict[str, Any], names: dict[str, str]) -> str:
    words: dict[str, Mapping[str, Any]] = {**_WORDS, "agent": names}
    keys = [*(key for key in _SAID_FIRST if key in data), *(key for key in data if key not in _SAID_FIRST)]
    said = []
    for key in keys:
        values = data[key] if isinstance(data[key], list) else [data[key]]
        known = words.get(key, {})
        said += [str(known.get(str(value), value)) for value in values if value not in ("", None, {}, [])]
    return ", ".join(said)
