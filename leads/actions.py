"""What people do with leads: answer, hand on, take, close, reopen. Doing it twice does it once.

Each locks the lead first, then what `leads.placing` locks, in its order.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import OperationalError, transaction
from django.utils.translation import gettext as _

from agents.models import Agent
from leads import loads, records
from leads.actor import ITSELF, Actor
from leads.arrivals import FORM, request_again
from leads.basis import Basis
from leads.contention import is_collision
from leads.models import Assignment, ClosedAs, Event, EventKind, Lead, Status, Trigger
from leads.models.lead import NOT_A_LEAD
from leads.models.reasons import MANUAL, REOPENED, TAKEN
from leads.people import agent_they_had
from leads.placing import PlaceTaken, assign, judge, move, notify, place, settle, somebody_freed
from leads.sla import ladder
from leads.speed import clicks, response
from leads.turns import give_back
from routing.engine import Outcome, Reason

HUMAN, AUTOMATIC = "human", "automatic"

_TRIES = 20


def respond(
    *,
    lead: Lead,
    at: datetime,
    kind: str = HUMAN,
    note: str = "",
    responded_at: datetime | None = None,
    by: Actor = ITSELF,
) -> Lead:
    """Write down an answer to the visitor, given at `responded_at` (default: now).

    The first human one stops the clock, however late it is reported; automatic ones never do. Raises
    ValidationError for an unknown kind and for a time outside the lead's life.
    """  # fmt: skip
    responded_at = responded_at or at
    if kind not in (HUMAN, AUTOMATIC):
        raise ValidationError({"kind": _("An answer is human or automatic.")})
    with _locked(lead) as lead:
        if responded_at > at:
            raise ValidationError({"at": _("This lies in the future.")})
        if responded_at < lead.received_at:
            raise ValidationError({"at": _("The lead had not been received then.")})
        agent = None if lead.agent is None else lead.agent.slug
        _event(lead, EventKind.RESPONDED, responded_at, by, {"kind": kind, "note": note, "agent": agent})
        if kind == HUMAN:
            response.record(lead, responded_at=responded_at, at=at)
            clicks.confirm(lead, at=responded_at)
            if lead.status == Status.OPEN:
                lead.status = Status.ANSWERED
            ladder.stop(lead)
            lead.save(update_fields=["status", *response.FIELDS, *clicks.FIELDS, *ladder.FIELDS])
        return lead


def confirm(*, lead: Lead, at: datetime, by: Actor = ITSELF) -> Lead:
    """The visitor really wrote: a conversation, not only a click. No answer: the clock runs on."""
    with _locked(lead) as lead:
        if clicks.confirm(lead, at=at):
            lead.save(update_fields=clicks.FIELDS)
            _event(lead, EventKind.CONFIRMED, at, by, {})
        return lead


def reassign(
    *,
    lead: Lead,
    at: datetime,
    to: Agent | None = None,
    exclude: Collection[Agent] = (),
    reason: str = "",
    by: Actor = ITSELF,
) -> Lead:
    """Give the lead to this agent, over any cap; or, without `to`, to whom the rules choose among the others.

    Neither moves a ledger. Others: not those in `exclude`, and nobody who had the lead. Where nobody is left, the
    lead is held or queued as its rule says. Raises ValidationError for a closed lead or an agent who is inactive.
    """
    if to is None:
        return _reroute(lead, exclude=exclude, why=reason, by=by, at=at)
    if to.workspace_id != lead.workspace_id:
        raise ValidationError({"to": _("There is no such agent.")})
    with _locked(lead) as lead:
        _refuse_closed(lead)
        if lead.agent_id == to.pk:
            return lead
        if not Agent.objects.filter(pk=to.pk, is_active=True).exists():
            raise ValidationError({"to": _("%(name)s is inactive. Choose somebody else.") % {"name": to.name}})
        basis = Basis.current(workspace_id=lead.workspace_id, at=at)
        _hand_to(lead, to, basis, reason=MANUAL, trigger=Trigger.MANUAL, under_caps=False, why=reason, by=by)
        return lead


def take(*, lead: Lead, agent: Agent, at: datetime, by: Actor = ITSELF) -> Lead:
    """The agent takes a lead that is on offer to them, or in the nurture queue. The first one has it.

    Moves no ledger. Raises ValidationError where somebody else was faster, it is not for them, or a cap is reached.
    """
    with _locked(lead) as lead:
        if lead.agent_id == agent.pk:
            return lead
        on_offer = lead.outcome == Outcome.HELD and lead.reason == Reason.CLAIM
        is_theirs = agent.pk in lead.held_available if on_offer else lead.outcome == Outcome.QUEUED
        if lead.status == Status.CLOSED or lead.agent_id is not None:
            raise ValidationError(_("Somebody else was faster: this lead is taken."))
        if not is_theirs or agent.workspace_id != lead.workspace_id:
            raise ValidationError(_("This lead is not on offer to you."))
        basis = Basis.current(workspace_id=lead.workspace_id, at=at)
        if not basis.roster.bit(agent.pk) & basis.roster.active:
            raise ValidationError(_("You are inactive, so you cannot take leads."))
        reason = Reason.CLAIM.value if on_offer else TAKEN
        try:
            _hand_to(lead, agent, basis, reason=reason, trigger=Trigger.TAKEN, under_caps=True, why="", by=by)
        except PlaceTaken:
            raise ValidationError(_("You have as many leads as you may have. Close one first.")) from None
        return lead


def close(*, lead: Lead, at: datetime, closed_as: str, by: Actor = ITSELF) -> Lead:
    """Close the lead, or say anew as what it ended. What was no lead gives its turn back, once.

    Raises ValidationError for an unknown end.
    """
    if closed_as not in ClosedAs.values:
        raise ValidationError({"as": _("A lead ends as one of: %(all)s.") % {"all": ", ".join(ClosedAs.values)}})
    with _locked(lead) as lead:
        if lead.status == Status.CLOSED and lead.closed_as == closed_as:
            return lead
        was_open = lead.status != Status.CLOSED
        if was_open:
            lead.status, lead.closed_at, lead.release_at = Status.CLOSED, at, None
        lead.closed_as = closed_as
        if closed_as not in NOT_A_LEAD:
            clicks.confirm(lead, at=at)
        ladder.stop(lead)
        lead.save(update_fields=["status", "closed_as", "closed_at", "release_at", *clicks.FIELDS, *ladder.FIELDS])
        if closed_as in NOT_A_LEAD:
            give_back(lead, at=at)
        _event(lead, EventKind.CLOSED, at, by, {"as": closed_as})
        if was_open and lead.agent_id is not None:
            Assignment.objects.filter(lead=lead).open().update(closed_at=at)
            loads.free_place(lead.agent_id)
            somebody_freed(lead.workspace_id, at=at)
        return lead


def reopen(*, lead: Lead, at: datetime, by: Actor = ITSELF) -> Lead:
    """Open a closed lead again, with the agent who had it. Its first response stays what it was.

    Raises ValidationError for what a bot sent, and where nobody had it: that is handed in anew.
    """
    with _locked(lead) as lead:
        if lead.status != Status.CLOSED:
            return lead
        if lead.agent_id is None:
            raise ValidationError(_("Nobody had this lead, so there is nobody to reopen it for."))
        lead.status = Status.OPEN if lead.first_response_at is None else Status.ANSWERED
        lead.closed_as, lead.closed_at = "", None
        ladder.resume(lead, Basis.current(workspace_id=lead.workspace_id, at=at))
        lead.save(update_fields=["status", "closed_as", "closed_at", *ladder.FIELDS])
        Assignment.objects.create(
            workspace_id=lead.workspace_id, lead=lead, agent_id=lead.agent_id, reason=REOPENED, assigned_at=at
        )
        loads.reopen_place(lead.agent_id)
        _event(lead, EventKind.REOPENED, at, by, {})
        return lead


def clear_flag(*, lead: Lead, at: datetime, by: Actor = ITSELF) -> Lead:
    """A manager looked at it."""
    with _locked(lead) as lead:
        if lead.flagged:
            lead.flagged = ""
            lead.save(update_fields=["flagged"])
            _event(lead, EventKind.FLAGGED, at, by, {"why": ""})
        return lead


def _reroute(lead: Lead, *, exclude: Collection[Agent], why: str, by: Actor, at: datetime) -> Lead:
    for tries_left in reversed(range(_TRIES)):
        try:
            with _locked(lead) as locked:
                _refuse_closed(locked)
                _route_on(locked, {agent.pk for agent in exclude}, why, by, at)
                return locked
        except PlaceTaken:
            if not tries_left:
                raise
        except OperationalError as problem:
            if not (is_collision(problem) and tries_left):
                raise
    raise AssertionError("unreachable")


def _route_on(lead: Lead, excluded: set[int], why: str, by: Actor, at: datetime) -> None:
    had_it = set(Assignment.objects.filter(lead=lead).values_list("agent_id", flat=True))
    lead.tried = sorted({*lead.tried, *excluded, *had_it})
    basis = Basis.current(workspace_id=lead.workspace_id, at=at)
    request = request_again(lead, known_agent=agent_they_had(lead.person_id))
    place(lead, judge(request, basis), trigger=Trigger.REROUTE, takes_turn=False, by=by, why=why)


def _hand_to(
    lead: Lead, agent: Agent, basis: Basis, *, reason: str, trigger: Trigger, under_caps: bool, why: str, by: Actor
) -> None:
    had_it = lead.agent_id
    move(lead, basis, agent=agent.pk, under_caps=under_caps)
    settle(lead, outcome=Outcome.ASSIGNED, reason=reason)
    channels = basis.agent(agent.pk).channels
    lead.reached_on = lead.channel if lead.channel == FORM or lead.channel in channels else ""
    ladder.lay(lead, basis)
    lead.save()
    assign(lead, at=basis.at)
    records.keep_choice(
        lead,
        trigger=trigger,
        policy_version=basis.policy_version,
        roster_version=basis.roster_version,
        at=basis.at,
    )
    _event(lead, EventKind.ASSIGNED, basis.at, by, {"agent": agent.slug, "reason": reason, "why": why})
    notify(lead, kind="assigned", agents=[agent.pk], at=basis.at)
    if had_it is not None:
        somebody_freed(lead.workspace_id, at=basis.at)


def _refuse_closed(lead: Lead) -> None:
    if lead.status == Status.CLOSED:
        raise ValidationError(_("This lead is closed. Reopen it first."))


def _event(lead: Lead, kind: EventKind, at: datetime, by: Actor, data: dict[str, Any]) -> None:
    said = {name: value for name, value in data.items() if value not in ("", None)}
    Event.objects.create(
        workspace_id=lead.workspace_id, lead=lead, kind=kind, at=at, actor=by.user, actor_text=by.text, data=said
    )


@contextmanager
def _locked(lead: Lead) -> Iterator[Lead]:
    """The lead as it is now, for us alone, in a transaction."""
    with transaction.atomic():
        rows = Lead.objects.select_for_update(no_key=True, of=("self",)).select_related("agent", "site")
        yield rows.get(pk=lead.pk, workspace_id=lead.workspace_id)
