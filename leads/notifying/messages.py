"""What a row of the outbox says to its recipient: checked against how the lead stands now, then put into words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils import translation
from django.utils.dateparse import parse_datetime

from agents import languages, places
from agents.channels import CHANNELS
from leads.arrivals import FORM
from leads.inbox.reaching import Way, ways_to
from leads.models import Lead, Outbox, Status
from leads.notifications.message import Kind, Message, render
from leads.notifying import pages
from leads.notifying.recipients import Recipient
from leads.one_click import links_for
from leads.speed.response import first_response

# How the rows name what happened, where that is not the message's own name. Released leads make a digest.
_KINDS = {"assigned": Kind.ASSIGNED, "released": Kind.DIGEST, "offered": Kind.OFFER}
# What is told about a lead of one's own, and is worth nothing once somebody else has it.
_OWN = {Kind.ASSIGNED, Kind.DIGEST, Kind.REMINDER}
# Not always about a lead.
_ABOUT_NO_LEAD = {Kind.COVERAGE_WARNING, Kind.TROUBLE, Kind.TRIAL}
_UNANSWERED = {Kind.REMINDER, Kind.ESCALATION, Kind.PAGE, Kind.PROMISE_LATE}


def kind_of(rows: Sequence[Outbox]) -> Kind | None:
    """The message that these rows make together. None: nothing that we have words for."""
    if len(rows) > 1:
        return Kind.DIGEST
    name = rows[0].kind
    return _KINDS.get(name) or (Kind(name) if name in list(Kind) else None)


def message_of(
    rows: Sequence[Outbox], kind: Kind, recipient: Recipient, leads: Mapping[str, Lead], *, at: datetime
) -> Message | None:
    """None where nothing of it is true any more: taken, closed, answered meanwhile."""
    payload = rows[0].payload
    found = [leads[row.payload["lead"]] for row in rows if row.payload.get("lead") in leads]
    current = [lead for lead in found if _is_current(lead, kind, payload)]
    if not current and ("lead" in payload or kind not in _ABOUT_NO_LEAD):
        return None
    with translation.override(recipient.language):
        context: dict[str, Any] = {
            **_extras(payload),
            "workspace": {"name": recipient.workspace.name},
            "settings_url": pages.settings_page(recipient),
        }
        if kind is Kind.DIGEST:
            current.sort(key=lambda lead: (lead.received_at, lead.pk))
            context |= {
                "leads": [_about(lead, recipient, at) for lead in current],
                "storm": rows[0].kind == "assigned",
                "url": pages.inbox(),
            }
        elif current:
            (lead,) = current
            context |= _more_about(lead, kind, context, at=at)
            context |= {
                "lead": _about(lead, recipient, at),
                "url": pages.lead_page(lead, recipient),
                "actions": links_for(lead, kind, agent=recipient.slug, at=at) if recipient.slug else [],
            }
        else:
            context["url"] = pages.start() if kind is not Kind.TRIAL else pages.inbox()
    return render(
        message_id=rows[0].message_id,
        kind=kind,
        context=context,
        language=recipient.language,
        zone=recipient.zone,
        at=rows[0].created_at,
    )


def _is_current(lead: Lead, kind: Kind, payload: Mapping[str, Any]) -> bool:
    if lead.status == Status.CLOSED:
        return False
    if kind in _UNANSWERED and first_response(lead) is not None:
        return False
    if kind in _OWN:
        return lead.agent_id == payload.get("agent")
    if kind is Kind.OFFER:
        return lead.agent_id is None
    if kind is Kind.PAGE:
        return lead.acknowledged_at is None and lead.agent_id == payload.get("agent")
    if kind is Kind.REROUTED_AWAY:
        return lead.agent_id != payload.get("agent")
    if kind is Kind.TROUBLE:
        return lead.agent_id is None or bool(lead.flagged)
    return True


def _extras(payload: Mapping[str, Any]) -> dict[str, Any]:
    """What the row says beyond whom and about what; instants as such."""
    return {key: _with_instants(key, value) for key, value in payload.items() if key not in ("lead", "agent", "user")}


def _with_instants(key: str, value: Any) -> Any:
    if isinstance(value, list):
        return [_with_instants(key, item) for item in value]
    if isinstance(value, Mapping):
        return {name: _with_instants(name, item) for name, item in value.items()}
    if isinstance(value, str) and key.endswith(("_at", "_by")):
        return parse_datetime(value)
    return value


def _more_about(lead: Lead, kind: Kind, given: Mapping[str, Any], *, at: datetime) -> dict[str, Any]:
    """What the kind shows and the row did not say, as it stands now."""
    respond_by = given.get("respond_by") or lead.respond_by
    more: dict[str, Any] = {}
    if respond_by is not None:
        more["respond_by"] = respond_by
    if kind is Kind.REMINDER:
        more["left_s"] = int((respond_by - at).total_seconds()) if respond_by is not None else given.get("left_s", 0)
    if kind is Kind.OFFER and lead.release_at is not None:
        more["until_at"] = lead.release_at
    if kind in (Kind.ESCALATION, Kind.PROMISE_LATE):
        more["holder"] = lead.agent.name if lead.agent else ""
    if kind is Kind.REROUTED_AWAY:
        more["taker"] = lead.agent.name if lead.agent else ""
    if kind is Kind.TROUBLE:
        more["why"] = given.get("why") or lead.flagged
    return more


def _about(lead: Lead, recipient: Recipient, at: datetime) -> dict[str, Any]:
    """The lead in words, in the language that is active."""
    channel = CHANNELS.get(lead.channel)
    way = _way_back(lead, recipient.zone)
    return {
        "reference": lead.reference,
        "name": lead.name,
        "contact": " · ".join(text for text in (lead.phone, lead.email) if text),
        "channel": str(channel.label) if channel else lead.channel,
        "language": languages.language_name(lead.language) if lead.language else "",
        "country": places.country_name(lead.country) if lead.country else "",
        "page": lead.page_url,
        "message": lead.message,
        "received_at": lead.received_at,
        "waited_s": max(0, int((at - lead.received_at).total_seconds())),
        "url": pages.lead_page(lead, recipient),
        "reply_url": way.url if way else "",
        "reply_on": way.label if way else "",
    }


def _way_back(lead: Lead, zone: str) -> Way | None:
    """Opens the conversation with the visitor on the channel they chose, where their contact is enough for that. A
    form says nothing of how to answer: mail, else the phone."""
    ways = {way.channel: way for way in ways_to(lead, zone=zone)}
    wanted = ("email", "phone") if lead.channel == FORM else (lead.channel,)
    return next((ways[channel] for channel in wanted if channel in ways), None)
