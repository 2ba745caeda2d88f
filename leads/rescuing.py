"""When routing fails, the lead is stored all the same: the fallback agent gets it, or it is held; a manager looks."""

from __future__ import annotations

import logging
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from agents.models import Agent, Handle
from leads import loads, records
from leads.alerts import tell_of_trouble
from leads.answer import Accepted
from leads.answering import answer
from leads.arrivals import FORM, language_of, new_lead
from leads.faults import log_fault
from leads.idempotency import claim, keep_answer
from leads.models import Event, EventKind, Lead, Trigger
from leads.people import Contact
from leads.placing import assign, look_at_held, notify
from leads.speed import stamps
from leads.submission import Door, IdempotencyKey, Submission
from routing import engine
from routing.engine import ANYBODY, Outcome, PeriodKeys, Reason
from routing.engine.hours import period_keys

log = logging.getLogger(__name__)


def store(
    *, door: Door, submission: Submission, at: datetime, key: IdempotencyKey | None, problem: Exception
) -> Accepted:
    """Store a lead with nothing of what may just have failed: no facts, no rules, no looking people up.

    Raises IdempotencyBusy, IdempotencyConflict.
    """
    with transaction.atomic():
        row = claim(key, door=door, at=at) if key is not None else None
        if isinstance(row, Accepted):
            return row
        lead = new_lead(
            door=door,
            submission=submission,
            contact=Contact(visitor_id=submission.visitor_id or None),
            facts=None,
            language=_language(submission, door),
            at=at,
        )
        lead.flagged = _("Routing failed (%(problem)s), so nobody was chosen by the rules.") % {
            "problem": type(problem).__name__
        }
        fallback = _fallback_agent(door.workspace_id)
        if fallback is None:
            lead.outcome, lead.reason = Outcome.HELD.value, Reason.NOBODY.value
            # With nobody noted as there, whoever is there now is newly available: the next sweep tries again.
            lead.held_for, lead.held_for_id = ANYBODY.kind, ANYBODY.id
            lead.save(force_insert=True)
        else:
            _give_to(fallback, lead, channels=door.channels, at=at)
        records.keep_choice(
            lead,
            trigger=Trigger.RESCUE,
            policy_version=door.policy_version,
            roster_version=door.roster_version,
            at=at,
        )
        Event.objects.bulk_create(
            Event(workspace_id=lead.workspace_id, lead=lead, kind=kind, at=at, data=data) for kind, data in _said(lead)
        )
        tell_of_trouble(lead, at=at)
        if fallback is None:
            look_at_held(lead.workspace_id, roster_version=door.roster_version, at=at)
        accepted = answer(lead, channel=lead.reached_on, joined=False, at=at)
        if row is not None:
            keep_answer(row, accepted)
        return accepted


def _language(submission: Submission, door: Door) -> str:
    try:
        return language_of(submission, door)
    except Exception as problem:
        log_fault(log, "The language of a lead could not be made out", problem)
        return ""


def _fallback_agent(workspace_id: int) -> Agent | None:
    agents = Agent.objects.filter(fallback_of=workspace_id, workspace_id=workspace_id, is_active=True)
    return agents.select_related("workspace").first()


def _give_to(agent: Agent, lead: Lead, *, channels: tuple[str, ...], at: datetime) -> None:
    lead.outcome, lead.reason = Outcome.FALLBACK.value, Reason.FALLBACK.value
    lead.agent, lead.assigned_at = agent, at
    stamps.given(lead, at=at, zone=agent.zone_name())
    handles = set(Handle.objects.filter(agent=agent).values_list("channel", flat=True))
    wanted = [lead.channel, *channels]
    lead.reached_on = next((channel for channel in wanted if channel == FORM or channel in handles), "")
    loads.take_place(
        agent.pk,
        workspace_id=lead.workspace_id,
        caps=engine.Caps(),
        keys=PeriodKeys(*period_keys(at, agent.zone_name())),
        at=at,
    )
    lead.save(force_insert=True)
    assign(lead, at=at)
    notify(lead, kind="assigned", agents=[agent.pk], at=at)


def _said(lead: Lead) -> list[tuple[EventKind, dict[str, str]]]:
    arrival = {"source": lead.source, "channel": lead.channel}
    kind = EventKind.HELD if lead.agent_id is None else EventKind.ASSIGNED
    return [
        (EventKind.RECEIVED, arrival),
        (kind, {"reason": lead.reason, "trigger": Trigger.RESCUE.value}),
        (EventKind.FLAGGED, {"why": lead.flagged}),
    ]
