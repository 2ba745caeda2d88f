"""The one transaction: who takes the lead, and everything that follows from it, or nothing of it.

Locks are taken in one order, by everybody: idempotency key, the person's contact keys, the lead (where there is one
already), the ledger, loads, the queue of held leads. Nothing slow happens in between.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import BigIntegerField, Case, Value, When
from django.db.models.functions import Least

from leads import loads, records, wake
from leads.actor import ITSELF, Actor
from leads.alerts import tell_of_trouble
from leads.basis import Basis
from leads.models import Assignment, Decision, Event, EventKind, HeldQueue, Lead, Outbox, Trigger
from leads.promises import opening_of
from leads.sla import ladder
from leads.speed import stamps
from routing import engine
from routing.engine import Outcome, Reason, Target, Verdict, holding
from routing.models import Ledger

# After so long an offer that nobody took goes by turn.
OFFER_LIMIT = timedelta(minutes=5)

Values = dict[str, Any]

_KINDS = {Outcome.HELD: EventKind.HELD, Outcome.QUEUED: EventKind.QUEUED}


class PlaceTaken(Exception):
    """Somebody else's lead filled the chosen agent's last place meanwhile: roll back and decide again."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A decision, and what was read to reach it. `row` is the ledger's locked row, None where no turn is taken.

    `team` is the one that gave the agent, or that a held lead waits for. `by_rules` False: the rules were not asked,
    so asking them again would decide otherwise.
    """

    basis: Basis
    request: engine.Request
    decision: engine.Decision
    loads: Mapping[int, engine.Load]
    ledger: engine.Ledger | None = None
    row: Ledger | None = None
    team: int | None = None
    by_rules: bool = True


def judge(request: engine.Request, basis: Basis) -> Judgement:
    """Decide, holding the ledger that the choice needs from here until the transaction ends.

    Matching needs no lock and comes first. Only the ledger of the first rule that has takers is locked: a
    catch-all's would make all leads of the workspace wait for each other.
    """
    match = engine.match(request, basis.snapshot, basis.at)
    carried = loads.read(match.load_agents)
    shortlist = match.shortlist(carried)
    row = ledger = None
    if shortlist.ledger is not None:
        row = lock_ledger(basis.workspace_id, shortlist.ledger)
        ledger = row.standing
    decision = shortlist.decide(ledger or engine.EVEN)
    team = shortlist.team
    if decision.target is not None and decision.target.kind == Target.TEAM:
        team = decision.target.id
    return Judgement(basis, request, decision, carried, ledger, row, team)


def lock_ledger(workspace_id: int, team: int) -> Ledger:
    """A team's ledger (`engine.ON_CALL_LEDGER`: the workspace's own), locked. One that is missing is made."""
    owner = {"workspace_id": workspace_id, "team_id": team or None}
    rows = Ledger.objects.select_for_update(no_key=True).filter(**owner)
    row = rows.first()
    if row is None:
        Ledger.objects.bulk_create([Ledger(**owner)], ignore_conflicts=True)
        row = rows.get()
    return row


@dataclass(frozen=True, slots=True)
class Following:
    """What is written beside a lead that was decided: who has it, why, what happened, and whom to tell.

    Values by column, stored nowhere yet; what is not named has its model's default.
    """

    assignments: list[Values]
    decision: Values
    events: list[Values]
    messages: list[Values]

    def save(self) -> None:
        """The lead is stored."""
        for assignment in self.assignments:
            Assignment.objects.create(**assignment)
        Decision.objects.create(**self.decision)
        Event.objects.bulk_create(Event(**event) for event in self.events)
        if self.messages:
            Outbox.objects.bulk_create(Outbox(**message) for message in self.messages)
            wake.after_commit()


def following(
    lead: Lead, judgement: Judgement, *, trigger: Trigger, takes_turn: bool, by: Actor = ITSELF, why: str = ""
) -> Following:
    """What follows from a judgement about a lead that is settled in memory. `takes_turn`: the ledger moves."""
    decision, basis = judgement.decision, judgement.basis
    return Following(
        assignments=[] if decision.agent is None else [_assignment_of(lead, at=basis.at)],
        decision=records.decision_of(lead, judgement, trigger=trigger, took_turn=takes_turn),
        events=_events_of(lead, judgement, trigger=trigger, is_new=lead._state.adding, by=by, why=why),
        messages=_messages_of(lead, judgement, trigger),
    )


def place(
    lead: Lead,
    judgement: Judgement,
    *,
    trigger: Trigger,
    before: holding.Standing | None = None,
    takes_turn: bool = True,
    by: Actor = ITSELF,
    why: str = "",
) -> None:
    """Write a judgement with its turn. The lead is new, or locked.

    `before`: the lead was held, with this standing of its target. `takes_turn` False: the ledger was looked at and
    stays as it is. `by` somebody who asked for it, and said `why`. Raises PlaceTaken.
    """
    decision, basis = judgement.decision, judgement.basis
    reason: Reason = decision.reason
    if before is not None and decision.agent is not None and decision.outcome is Outcome.ASSIGNED:
        reason = holding.release_reason(decision.agent, before)
    had_it = lead.agent_id
    # The fallback agent takes leads over any cap.
    move(lead, basis, agent=decision.agent, under_caps=decision.outcome is Outcome.ASSIGNED)
    _set_down(lead, judgement, reason)
    is_new = lead._state.adding
    takes_turn = takes_turn and judgement.row is not None and decision.turn is not None
    follows = following(lead, judgement, trigger=trigger, takes_turn=takes_turn, by=by, why=why)
    lead.save(force_insert=is_new)
    follows.save()
    if is_new and lead.flagged:
        tell_of_trouble(lead, at=basis.at)
    if takes_turn:
        assert judgement.row is not None
        assert judgement.ledger is not None
        assert decision.turn is not None
        judgement.row.standing = judgement.ledger.after(decision.turn)
        judgement.row.save(update_fields=["entries", "turns"])
    if decision.outcome is Outcome.HELD:
        look_at_held(basis.workspace_id, roster_version=basis.roster_version, at=basis.at)
    elif had_it is not None:
        somebody_freed(basis.workspace_id, at=basis.at)


def move(lead: Lead, basis: Basis, *, agent: int | None, under_caps: bool) -> None:
    """Count the lead as this agent's (None: nobody's), and no longer as that of whoever had it.

    Writes loads and the end of the assignment before; the lead only in memory. Raises PlaceTaken.
    """
    had_it = lead.agent_id
    if had_it is not None and agent is not None:
        loads.lock((had_it, agent))
    if had_it is not None:
        loads.free_place(had_it)
        Assignment.objects.filter(lead=lead).open().update(closed_at=basis.at)
    if agent is not None and not loads.take_place(
        agent,
        workspace_id=basis.workspace_id,
        caps=basis.agent(agent).caps if under_caps else engine.Caps(),
        keys=basis.periods(agent),
        at=basis.at,
    ):
        raise PlaceTaken
    _give(lead, basis, agent)


def _give(lead: Lead, basis: Basis, agent: int | None) -> None:
    """Set in memory who has the lead from now on."""
    lead.agent_id = agent
    lead.assigned_at = lead.click_until = None
    if agent is not None:
        lead.assigned_at = basis.at
        stamps.given(lead, at=basis.at, zone=basis.agent(agent).zone)


def _set_down(lead: Lead, judgement: Judgement, reason: Reason) -> None:
    """Set in memory what was decided about a lead whose agent is set."""
    decision = judgement.decision
    settle(lead, outcome=decision.outcome, reason=reason, team=judgement.team)
    lead.rule = decision.rule or ""
    lead.reached_on = decision.channel or ""
    lead.score, lead.intent = decision.score, decision.intent or ""
    if decision.outcome is Outcome.HELD:
        _hold(lead, judgement)
    ladder.lay(lead, judgement.basis, pages=decision.reason is Reason.ON_CALL)


def assigned(lead: Lead, judgement: Judgement) -> Following:
    """Set in memory that a new lead went to an agent by turn, and make what follows; write nothing.

    For whoever counts the load and moves the ledger in the statement that writes all of it.
    """
    _give(lead, judgement.basis, judgement.decision.agent)
    _set_down(lead, judgement, judgement.decision.reason)
    return following(lead, judgement, trigger=Trigger.INTAKE, takes_turn=True)


def settle(lead: Lead, *, outcome: Outcome, reason: str, team: int | None = None) -> None:
    """Set in memory how the lead stands now, and forget what it waited for."""
    lead.outcome, lead.reason, lead.team_id = outcome.value, str(reason), team
    lead.held_for, lead.held_for_id, lead.held_available, lead.held_capped = "", None, [], []
    lead.release_at = lead.opens_at = None


def assign(lead: Lead, *, at: datetime) -> None:
    """Write down that the lead's agent has it from now on. The lead is stored, and has no open assignment."""
    Assignment.objects.create(**_assignment_of(lead, at=at))


def _assignment_of(lead: Lead, *, at: datetime) -> Values:
    assert lead.agent_id is not None
    return {
        "workspace_id": lead.workspace_id,
        "lead_id": lead.pk,
        "agent_id": lead.agent_id,
        "reason": lead.reason,
        "assigned_at": at,
    }


def look_at_held(workspace_id: int, *, roster_version: int, at: datetime) -> None:
    """Make the workspace's held leads due, once this transaction is committed: something was held, by this roster.

    Every hold does, as what it waits for may have come between its reading and its commit.
    """
    rows = HeldQueue.objects.filter(workspace_id=workspace_id)
    # Where others wait already, they were last looked at by an older roster, or a newer one.
    oldest = Case(
        When(due_at=None, then=Value(roster_version, BigIntegerField())),
        default=Least("roster_version", roster_version),
    )
    if not rows.update(due_at=at, roster_version=oldest):
        heal = HeldQueue(workspace_id=workspace_id, due_at=at, roster_version=roster_version)
        HeldQueue.objects.bulk_create([heal], ignore_conflicts=True)
        rows.update(due_at=at, roster_version=oldest)
    wake.after_commit()


def somebody_freed(workspace_id: int, *, at: datetime) -> None:
    """A place became free: make held leads due where there are any."""
    if HeldQueue.objects.filter(workspace_id=workspace_id, due_at__isnull=False).update(due_at=at):
        wake.after_commit()


def notify(lead: Lead, *, kind: str, agents: list[int], at: datetime, data: Mapping[str, Any] | None = None) -> None:
    """Write what these agents are to be told, together with what it is about. `data` is plain JSON."""
    Outbox.objects.bulk_create(Outbox(**row) for row in messages_to(agents, lead, kind=kind, at=at, data=data))
    wake.after_commit()


def messages_to(
    agents: Iterable[int], lead: Lead, *, kind: str, at: datetime, data: Mapping[str, Any] | None = None
) -> list[Values]:
    """What these agents are to be told, stored nowhere yet."""
    return [
        {
            "workspace_id": lead.workspace_id,
            "kind": kind,
            "payload": {"lead": str(lead.pk), "agent": agent, **(data or {})},
            "created_at": at,
            "next_try_at": at,
        }
        for agent in agents
    ]


def _hold(lead: Lead, judgement: Judgement) -> None:
    decision, basis = judgement.decision, judgement.basis
    target = decision.target or engine.ANYBODY
    lead.held_for, lead.held_for_id = target.kind, target.id
    if decision.reason is Reason.CLAIM:
        lead.held_available = offered_to(decision)
        lead.release_at = basis.at + OFFER_LIMIT
        return
    # By the loads that the decision was reached with: whoever is freed after that is newly available.
    standing = holding.standing(basis.roster, target, judgement.loads, basis.at)
    lead.held_available, lead.held_capped = sorted(standing.available), sorted(standing.capped)
    lead.opens_at = opening_of(basis.roster, target, basis.at)


def offered_to(decision: engine.Decision) -> list[int]:
    return sorted(each.agent for each in decision.candidates if each.verdict is Verdict.OFFERED)


def _events_of(
    lead: Lead, judgement: Judgement, *, trigger: Trigger, is_new: bool, by: Actor, why: str
) -> list[Values]:
    decision, at = judgement.decision, judgement.basis.at
    kind = EventKind.OFFERED if _is_offered(decision) else _KINDS.get(decision.outcome, EventKind.ASSIGNED)
    agent = None if decision.agent is None else judgement.basis.agent(decision.agent).slug
    said = {"reason": lead.reason, "trigger": trigger.value, "rule": lead.rule, "agent": agent, "why": why}
    told: list[tuple[EventKind, dict[str, Any]]] = [(kind, {name: text for name, text in said.items() if text})]
    if is_new:
        told.insert(0, (EventKind.RECEIVED, {"source": lead.source, "channel": lead.channel}))
        if lead.flagged:
            told.append((EventKind.FLAGGED, {"why": lead.flagged}))
    return [
        {
            "workspace_id": lead.workspace_id,
            "lead_id": lead.pk,
            "kind": kind.value,
            "at": at,
            "actor_id": None if by.user is None else by.user.pk,
            "actor_text": by.text,
            "data": data,
        }
        for kind, data in told
    ]


def _messages_of(lead: Lead, judgement: Judgement, trigger: Trigger) -> list[Values]:
    decision, at = judgement.decision, judgement.basis.at
    if decision.agent is None:
        return messages_to(offered_to(decision), lead, kind="offered", at=at) if _is_offered(decision) else []
    if (page_by := ladder.acknowledge_by(lead)) is not None:
        return messages_to([decision.agent], lead, kind="page", at=at, data={"acknowledge_by": page_by.isoformat()})
    is_released = trigger in (Trigger.RELEASE, Trigger.RETRY)
    return messages_to([decision.agent], lead, kind="released" if is_released else "assigned", at=at)


def _is_offered(decision: engine.Decision) -> bool:
    return decision.outcome is Outcome.HELD and decision.reason is Reason.CLAIM
