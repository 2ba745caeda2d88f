"""What stands on an agent's pages, and a stamp by which a page that asks again learns cheaply that nothing changed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.timesince import timesince, timeuntil
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from agents.channels import CHANNELS
from agents.models import Agent
from leads.models import Decision, Event, Lead, Status
from routing.engine import Outcome, Reason

MOST = 200  # on one page
MOST_CLOSED = 50
# What of a lead can change while somebody looks at it.
_LOOK = (
    *("pk", "status", "closed_as", "agent_id", "joined_count", "name", "intent"),
    *("first_response_at", "respond_by", "release_at", "closed_at"),
)


@dataclass(frozen=True, slots=True)
class Card:
    """A lead as an agent reads it. `left` is the time to answer it, or to take what is on offer; '' where none runs."""

    lead: Lead
    channel: str
    age: str
    left: str
    is_overdue: bool
    is_mine: bool
    is_offer: bool
    is_queued: bool

    @property
    def is_open(self) -> bool:
        return self.lead.status == Status.OPEN

    @property
    def is_closed(self) -> bool:
        return self.lead.status == Status.CLOSED


@dataclass(frozen=True, slots=True)
class Board:
    """One page's leads."""

    cards: list[Card]

    @property
    def offers(self) -> list[Card]:
        return [card for card in self.cards if card.is_offer]

    @property
    def open(self) -> list[Card]:
        return [card for card in self.cards if card.is_mine and card.is_open]

    @property
    def answered(self) -> list[Card]:
        return [card for card in self.cards if card.is_mine and not card.is_open]


def own(agent: Agent) -> QuerySet[Lead]:
    """What the agent has, open first and the oldest first, and what is on offer."""
    rows = Lead.objects.for_workspace(agent.workspace).filter(
        Q(agent=agent) | Q(outcome=Outcome.HELD.value, reason=Reason.CLAIM.value),
        status__in=[Status.OPEN, Status.ANSWERED],
    )
    return rows.order_by("-status", "received_at", "pk")[:MOST]


def queue(agent: Agent) -> QuerySet[Lead]:
    """The nurture queue, from which everybody takes, the oldest first."""
    rows = Lead.objects.for_workspace(agent.workspace).filter(outcome=Outcome.QUEUED.value, status=Status.OPEN)
    return rows.order_by("received_at", "pk")[:MOST]


def closed(agent: Agent) -> QuerySet[Lead]:
    """What the agent closed last."""
    rows = Lead.objects.for_workspace(agent.workspace).filter(agent=agent, status=Status.CLOSED)
    return rows.order_by("-received_at", "-pk")[:MOST_CLOSED]


def board(rows: QuerySet[Lead], agent: Agent, *, at: datetime) -> Board:
    """Those of these leads that are for the agent, as they read them: one statement."""
    shown = (
        *("workspace_id", "status", "outcome", "reason", "agent_id", "channel", "received_at", "first_response_at"),
        *("closed_as", "closed_at", "name", "email", "phone", "message", "language", "country", "reference"),
        *("joined_count", "intent", "respond_by", "release_at", "held_available"),
    )
    return Board([card_of(lead, agent, at=at) for lead in rows.only(*shown) if _is_for(lead, agent)])


def stamp(rows: QuerySet[Lead], agent: Agent, *, at: datetime) -> str:
    """Changes with whatever the page with these leads shows, and with the minute, for the ages on it.

    Two hundred agents ask every few seconds, mostly in vain: nothing more is read than what can change.
    """
    return _stamp(agent, at, list(rows.values_list(*_LOOK, "held_available")))


def find(agent: Agent, lead_id: UUID) -> Lead | None:
    """A lead that this agent may see: theirs, on offer to them, or in the queue."""
    lead = Lead.objects.for_workspace(agent.workspace).select_related("site").filter(pk=lead_id).first()
    return lead if lead is not None and _is_for(lead, agent) else None


def was_for(agent: Agent, lead_id: UUID) -> bool:
    """Whether the agent could have seen this lead once: it was on offer to them, or lay in the queue."""
    once = Decision.objects.filter(workspace=agent.workspace, lead=lead_id).defer("request", "loads", "ledger")
    return any(
        decision.outcome == Outcome.QUEUED.value
        or (decision.reason == Reason.CLAIM.value and [agent.pk, "offered"] in _looked_at(decision))
        for decision in once
    )


def _looked_at(decision: Decision) -> list[list[Any]]:
    pools = decision.decision["pools"] if decision.decision is not None else []
    return [candidate[:2] for pool in pools for candidate in pool[2]]


def card_of(lead: Lead, agent: Agent, *, at: datetime) -> Card:
    is_offer, is_mine = _is_offer(lead), lead.agent_id == agent.pk
    until = lead.release_at if is_offer else lead.respond_by if is_mine and lead.status == Status.OPEN else None
    return Card(
        lead=lead,
        channel=str(CHANNELS[lead.channel].label) if lead.channel in CHANNELS else lead.channel,
        age=timesince(lead.received_at, at, depth=1),
        left=_time_left(until, at) if until else "",
        is_overdue=is_mine and until is not None and until <= at,
        is_mine=is_mine,
        is_offer=is_offer,
        is_queued=lead.outcome == Outcome.QUEUED.value and lead.status == Status.OPEN,
    )


def stamp_of_lead(lead: Lead, agent: Agent, *, at: datetime) -> str:
    """Of the page of one lead: everything that happens to one is an event."""
    last = Event.objects.filter(lead=lead).order_by("-pk").values_list("pk", flat=True).first()
    return _stamp(agent, at, [*(getattr(lead, name) for name in _LOOK), last])


def _is_for(lead: Lead, agent: Agent) -> bool:
    if lead.agent_id is not None or lead.status == Status.CLOSED:
        return lead.agent_id == agent.pk
    return lead.outcome == Outcome.QUEUED.value or (_is_offer(lead) and agent.pk in lead.held_available)


def _is_offer(lead: Lead) -> bool:
    return (lead.outcome, lead.reason, lead.status) == (Outcome.HELD.value, Reason.CLAIM.value, Status.OPEN)


def _stamp(agent: Agent, at: datetime, shown: list[Any]) -> str:
    said = [agent.pk, agent.is_paused, agent.is_active, get_language(), f"{at:%Y-%m-%dT%H:%M}", shown]
    return hashlib.sha256(json.dumps(said, default=str).encode()).hexdigest()[:24]


def _time_left(respond_by: datetime, at: datetime) -> str:
    if respond_by <= at:
        return _("%(time)s over") % {"time": timesince(respond_by, at, depth=1)}
    return _("%(time)s left") % {"time": timeuntil(respond_by, at, depth=1)}
