"""Climbing: each step that is due is done once, whoever sweeps and however often."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import OperationalError, transaction

from leads.alerts import ESCALATION, PROMISE_LATE, alert_managers
from leads.arrivals import request_again
from leads.basis import Basis
from leads.contention import is_collision, is_outage
from leads.faults import log_fault
from leads.models import Assignment, Event, EventKind, Lead, Status, Trigger
from leads.people import agent_they_had
from leads.placing import PlaceTaken, judge, notify, place
from leads.sla.ladder import Act, Step, breach_of, keep_steps, steps_of
from leads.speed.response import first_response
from routing.engine import Outcome

# A lead whose step failed is left alone for so long.
RETRY_AFTER = timedelta(minutes=5)
_TRIES = 20

log = logging.getLogger(__name__)


def climb(*, at: datetime, limit: int = 500) -> int:
    """Do what is due for unanswered leads. Returns how many leads were seen to.

    Any number of these may run at once: a lead is claimed by a conditional UPDATE in the transaction that does its
    steps, so what fails is undone with the claim.
    """
    due = Lead.objects.filter(ladder_at__lte=at).order_by("ladder_at", "pk").values_list("pk", "ladder_at")
    return sum(_climb_one(pk, due_at, at) for pk, due_at in list(due[:limit]))


def _climb_one(pk: UUID, due_at: datetime, at: datetime) -> bool:
    try:
        for tries_left in reversed(range(_TRIES)):
            try:
                with transaction.atomic():
                    # The row stays ours until the end: a second sweep waits here, and then finds nothing due.
                    if not Lead.objects.filter(pk=pk, ladder_at=due_at).update(ladder_at=None):
                        return False
                    _do_what_is_due(Lead.objects.select_related("site").get(pk=pk), at)
                    return True
            except PlaceTaken:
                if not tries_left:
                    raise
            except OperationalError as problem:
                if not (is_collision(problem) and tries_left):
                    raise
    except Exception as problem:
        if is_outage(problem):
            raise
        log_fault(log, f"A step of lead {pk} failed", problem)
        Lead.objects.filter(pk=pk, ladder_at=due_at).update(ladder_at=at + RETRY_AFTER)
    return False


def _do_what_is_due(lead: Lead, at: datetime) -> None:
    if lead.status != Status.OPEN or first_response(lead) is not None:
        return
    steps = steps_of(lead)
    due = [step for step in steps if step.at <= at]
    keep_steps(lead, [step for step in steps if step.at > at])
    lead.save(update_fields=["ladder", "ladder_at"])
    reminded = False
    for step in due:
        if step.act in (Act.REMIND, Act.OPENING) and not reminded:
            # However many are due after a standstill: one.
            reminded = _remind(lead, step, at)
        _ACTS[step.act](lead, step, at)


def _remind(lead: Lead, step: Step, at: datetime) -> bool:
    if lead.agent_id is None or lead.assigned_at is None or lead.assigned_at >= step.at:
        return False  # nobody has it, or they have only just got it
    notify(lead, kind="reminder", agents=[lead.agent_id], at=at)
    _event(lead, EventKind.REMINDED, at, {"agent": lead.agent.slug})
    return True


def _breach(lead: Lead, step: Step, at: datetime) -> None:
    lead.breached_at = breach_of(lead, at=at)
    lead.save(update_fields=["breached_at"])
    _event(lead, EventKind.OVERDUE, step.at, {})


def _opening(lead: Lead, step: Step, at: datetime) -> None:
    if alert_managers(lead, lead.workspace_id, PROMISE_LATE, at):
        _event(lead, EventKind.ESCALATED, at, {"why": PROMISE_LATE})


def _page(lead: Lead, step: Step, at: datetime) -> None:
    """Whoever was paged has not said that they have it: the next in line, else the managers."""
    if has_acknowledged(lead):
        return
    if not _hand_on(lead, at, why="not_acknowledged", to_fallback=False):
        _escalate(lead, step, at)


def _reroute(lead: Lead, step: Step, at: datetime) -> None:
    lead.reroutes += 1
    if not _hand_on(lead, at, why="not_answered", to_fallback=True):
        lead.reroutes -= 1
        _escalate(lead, step, at)


def _escalate(lead: Lead, step: Step, at: datetime) -> None:
    if alert_managers(lead, lead.workspace_id, ESCALATION, at):
        lead.escalated_at = at
        lead.save(update_fields=["escalated_at"])
        _event(lead, EventKind.ESCALATED, at, {})


def has_acknowledged(lead: Lead) -> bool:
    """Whether the lead's agent has said, or shown, that they have it."""
    if lead.acknowledged_at is not None:
        return True
    touched = Event.objects.filter(lead=lead, kind__in=[EventKind.SEEN, EventKind.ATTEMPTED])
    return touched.filter(at__gte=lead.assigned_at).exists()


def _hand_on(lead: Lead, at: datetime, *, why: str, to_fallback: bool) -> bool:
    """Give the lead to somebody who has not had it, by the rules now published; the ledger stays as it is. False:
    nobody else is there, and it stays."""
    had_it = lead.agent_id
    if had_it is None:
        return False
    lead.tried = sorted({*lead.tried, *Assignment.objects.filter(lead=lead).values_list("agent_id", flat=True)})
    basis = Basis.current(workspace_id=lead.workspace_id, at=at)
    # Not offered once more: it has been waiting long enough.
    request = request_again(lead, known_agent=agent_they_had(lead.person_id), claim_over=True)
    judgement = judge(request, basis)
    outcomes = {Outcome.ASSIGNED, Outcome.FALLBACK} if to_fallback else {Outcome.ASSIGNED}
    if judgement.decision.agent is None or judgement.decision.outcome not in outcomes:
        return False
    place(lead, judgement, trigger=Trigger.REROUTE, takes_turn=False, why=why)
    notify(lead, kind="rerouted_away", agents=[had_it], at=at)
    return True


def _event(lead: Lead, kind: EventKind, at: datetime, data: dict[str, Any]) -> None:
    Event.objects.create(workspace_id=lead.workspace_id, lead=lead, kind=kind, at=at, data=data)


def _nothing(lead: Lead, step: Step, at: datetime) -> None:
    """Reminding is done for all that are due together."""


_ACTS: dict[Act, Callable[[Lead, Step, datetime], None]] = {
    Act.REMIND: _nothing,
    Act.BREACH: _breach,
    Act.OPENING: _opening,
    Act.PAGE: _page,
    Act.REROUTE: _reroute,
    Act.ESCALATE: _escalate,
}
