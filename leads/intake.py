"""Intake: a submission becomes a lead with somebody who takes it, or joins one that is open already."""

from __future__ import annotations

import logging
from datetime import datetime

from django.db import IntegrityError, OperationalError, transaction
from django.utils.translation import gettext as _

from leads import address_limit, people, rejecting, rescuing, together
from leads.answer import Accepted, AgentCard, ChannelLink, Promise
from leads.answering import answer
from leads.arrivals import Arrival
from leads.basis import Basis
from leads.contention import is_collision, is_outage
from leads.faults import log_fault
from leads.idempotency import IdempotencyBusy, IdempotencyConflict, claim, keep_answer
from leads.joining import join
from leads.models import Lead, Trigger
from leads.people import Found
from leads.placing import Judgement, PlaceTaken, judge, place
from leads.submission import Door, IdempotencyKey, Submission
from leads.together import DoorChanged
from routing import engine
from routing.engine import ANYBODY, Outcome, Reason, holding

__all__ = [
    "Accepted",
    "AgentCard",
    "ChannelLink",
    "Door",
    "DoorChanged",
    "IdempotencyBusy",
    "IdempotencyConflict",
    "IdempotencyKey",
    "Promise",
    "Submission",
    "accept_lead",
]

# Each failed try means that somebody else's lead got a last place, so there cannot be many in a row.
_TRIES = 20

log = logging.getLogger(__name__)


def accept_lead(
    *,
    door: Door,
    submission: Submission,
    at: datetime,
    idempotency: IdempotencyKey | None = None,
    bot: bool = False,
    hold_flag: str = "",
) -> Accepted:
    """Take a submission in: join it to the person's open lead, or decide who gets it, and store all of that or nothing.

    `bot`: answered in the same shape, outcome `rejected`; nobody is asked to answer it and no turn moves.
    `hold_flag` says why a manager must look before anybody gets the lead: it is stored, held and flagged.
    A failure of routing never loses the lead: it goes to the fallback agent or is held, and is flagged.
    Raises IdempotencyBusy, IdempotencyConflict, and the database's OperationalError where it does not answer;
    DoorChanged where the door was remembered: look it up, and hand the lead in again.
    """
    if bot:
        return rejecting.reject(door=door, submission=submission, at=at, key=idempotency)
    try:
        basis = Basis.of(
            workspace_id=door.workspace_id,
            policy_version=door.policy_version,
            roster_version=door.roster_version,
            at=at,
        )
        arrival = Arrival.of(door, submission, basis)
        if not hold_flag and (accepted := _together(arrival, idempotency)) is not None:
            return accepted
        if door.remembered:
            raise DoorChanged
        return _until_placed(arrival, idempotency, hold_flag)
    except (DoorChanged, IdempotencyBusy, IdempotencyConflict):
        raise
    except Exception as problem:
        if is_outage(problem):
            raise
        log_fault(log, "Routing a lead failed", problem)
        return rescuing.store(door=door, submission=submission, at=at, key=idempotency, problem=problem)


def _together(arrival: Arrival, key: IdempotencyKey | None) -> Accepted | None:
    try:
        return together.take_in(arrival, key)
    except DoorChanged:
        if arrival.door.remembered:
            raise
        return None  # it was as we know it when the lead came in


def _until_placed(arrival: Arrival, key: IdempotencyKey | None, hold_flag: str) -> Accepted:
    for tries_left in reversed(range(_TRIES)):
        try:
            with transaction.atomic():
                return _take_in(arrival, key, hold_flag)
        except PlaceTaken:
            if not tries_left:
                raise
        except IntegrityError:
            # A reference code that exists already: the next one is another.
            if tries_left < _TRIES - 3:
                raise
        except OperationalError as problem:
            if not (is_collision(problem) and tries_left):
                raise
    raise AssertionError("unreachable")


def _take_in(arrival: Arrival, key: IdempotencyKey | None, hold_flag: str) -> Accepted:
    door, basis, contact = arrival.door, arrival.basis, arrival.contact
    claimed = None if key is None else claim(key, door=door, at=basis.at)
    if isinstance(claimed, Accepted):
        return claimed
    address = None if door.trusted else address_limit.key_of(arrival.submission.address)
    people.lock(door.workspace_id, [*contact.keys, *([address] if address else [])])
    found = people.find(door.workspace_id, contact)
    shown = address_limit.shown_to(door.workspace_id, address, at=basis.at) if address else None
    lead = people.joinable_lead(
        door.workspace_id,
        contact,
        found,
        trusted=door.trusted,
        window=basis.snapshot.policy.join_window,
        at=basis.at,
    )
    if lead is not None:
        channel = join(
            lead,
            arrival.submission,
            arrival.facts,
            basis,
            contact=contact,
            channels=door.channels,
            shown=shown,
            hold=bool(hold_flag),
        )
        joined = True
    else:
        lead = _place_new(arrival, found, shown, hold_flag)
        channel, joined = lead.reached_on, False
    accepted = answer(
        lead, channel=channel, joined=joined, shown=shown, message=arrival.submission.message, at=basis.at
    )
    if claimed is not None:
        keep_answer(claimed, accepted)
    return accepted


def _place_new(arrival: Arrival, found: Found, shown: address_limit.Shown | None, hold_flag: str) -> Lead:
    door, basis = arrival.door, arrival.basis
    # Before anything is decided: from then on leads of the same team wait for this one.
    person = people.remember(door.workspace_id, found, trusted=door.trusted, at=basis.at)
    known = engine.Known(found.person is not None, people.agent_they_had(found.person))
    request = engine.Request(arrival.facts, known, channels=door.channels)
    if hold_flag:
        judgement, trigger = _set_aside(request, basis), Trigger.FLAGGED
    elif shown is not None and shown.is_full:
        judgement, trigger = address_limit.judge_again(request, basis, shown), Trigger.ADDRESS_LIMIT
    else:
        judgement, trigger = judge(request, basis), Trigger.INTAKE
    lead = arrival.lead(known)
    lead.person_id = person
    lead.flagged = hold_flag or _why_to_look(judgement)
    place(lead, judgement, trigger=trigger)
    return lead


def _set_aside(request: engine.Request, basis: Basis) -> Judgement:
    """Held for whoever becomes available, without asking anybody who is there now."""
    decision = engine.Decision(Outcome.HELD, None, None, Reason.NOBODY, target=ANYBODY)
    return Judgement(basis, request, decision, {}, by_rules=False)


def _why_to_look(judgement: Judgement) -> str:
    """Why a manager must look at a new lead; '' where nobody must."""
    decision, basis = judgement.decision, judgement.basis
    if decision.outcome is not Outcome.HELD or decision.target != ANYBODY:
        return ""
    if decision.reason is Reason.ADDRESS_LIMIT:
        return _("Many leads came from one address within an hour.")
    fallback = basis.roster.spec.fallback
    if fallback is not None and not basis.roster.bit(fallback) & basis.roster.active:
        return _("Nobody could take this lead, and the fallback agent is inactive.")
    if not holding.worth_waiting(basis.roster, ANYBODY, basis.at):
        return _("Nobody could take this lead, and nobody has any shift in the next 14 days.")
    return ""
