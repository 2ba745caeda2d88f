"""Replays the slow and obvious way: everything is looked at whenever anything could happen.

Decisions are those of the full walk. Shifts and caps begin at whole hours here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from routing.engine import (
    EVEN,
    IDLE,
    Facts,
    Known,
    Ledger,
    Load,
    Outcome,
    PeriodKeys,
    Reason,
    Request,
    Snapshot,
    Target,
)
from routing.engine.hours import Kind, Schedule, on_shift, period_keys
from routing.engine.walk import walk

OFFER = timedelta(minutes=5)
AFTERWARDS = timedelta(days=31)


@dataclass(frozen=True)
class Submission:
    at: datetime
    facts: Facts
    keys: tuple[str, ...] = ()
    closed_at: datetime | None = None


@dataclass
class Row:
    outcome: str = ""
    agent: int | None = None
    rule: str | None = None
    reason: str = ""
    assigned_at: datetime | None = None

    def as_tuple(self):
        return (self.outcome, self.agent, self.rule, self.reason, self.assigned_at)


@dataclass
class Lead:
    number: int
    received_at: datetime
    closed_at: datetime | None
    facts: Facts
    person: Person | None
    returning: bool
    row: Row
    agent: int | None = None
    held_for: Target | None = None
    offered_until: datetime | None = None
    claim_over: bool = False
    is_closed: bool = False
    had_turn: bool = False

    @property
    def is_held(self) -> bool:
        return self.held_for is not None or self.offered_until is not None


@dataclass
class Person:
    keys: set[str]
    leads: list[Lead] = field(default_factory=list)

    @property
    def agent(self) -> int | None:
        return next((lead.agent for lead in reversed(self.leads) if lead.agent is not None), None)


def moments(submissions: list[Submission]) -> list[datetime]:
    """Whole hours, arrivals and closings; and the ends of offers made at any of these."""
    first, last = submissions[0].at, submissions[-1].at + AFTERWARDS
    hour = first.replace(minute=0, second=0)
    found = {submission.at for submission in submissions} | {s.closed_at for s in submissions if s.closed_at}
    while hour <= last:
        found.add(hour)
        hour += timedelta(hours=1)
    found |= {at + OFFER for at in found}
    return sorted(at for at in found if first <= at <= last)


class Course:
    """One run; `rows` are what is told of each submission."""

    def __init__(self, world: Snapshot) -> None:
        self.world = world
        self.roster = world.roster.spec
        self.loads: dict[int, Load] = {}
        self.ledgers: dict[int, Ledger] = {}
        self.people: list[Person] = []
        self.leads: list[Lead] = []
        self.rows: list[Row | tuple[Lead, Row]] = []
        self.got: dict[int, int] = {}
        self.turns: list[tuple[int, object]] = []

    def run(self, submissions: list[Submission]) -> list[tuple]:
        if not submissions:
            return []
        left = list(submissions)
        for at in moments(submissions):
            if not left and not any(lead.is_held for lead in self.leads):
                break
            self.pass_(at)
            while left and left[0].at == at:
                self.arrive(left.pop(0))
        return [self.told(row) for row in self.rows]

    def told(self, row) -> tuple:
        if isinstance(row, Row):
            return row.as_tuple()
        first = row[1]
        return (first.outcome, first.agent, None, "joined", first.assigned_at)

    # who is there

    def there(self, agent: int, at: datetime, *, on_call: bool) -> str:
        """ "yes", "cap" where only a cap stands in the way, or "no"."""
        spec = self.roster.agents[agent]
        schedule = Schedule(
            spec.zone, spec.shifts, spec.time_off, self.roster.calendars.get(spec.calendar, frozenset())
        )
        kinds = [Kind.REGULAR, Kind.ON_CALL] if on_call else [Kind.REGULAR]
        if not spec.active or spec.paused or not any(on_shift(schedule, at=at, kind=kind) for kind in kinds):
            return "no"
        keys = PeriodKeys(*period_keys(at, spec.zone))
        return "cap" if self.loads.get(agent, IDLE).reaches(spec.caps, keys) else "yes"

    def standing(self, at: datetime) -> dict:
        return {
            (agent, on_call): self.there(agent, at, on_call=on_call)
            for agent in self.roster.agents
            for on_call in (False, True)
        }

    def people_of(self, target: Target) -> list[int]:
        if target.kind == "workspace":
            return list(self.roster.agents)
        if target.kind == "agent":
            return [target.id]
        return [member.agent for member in self.roster.teams[target.id].members]

    # time

    def pass_(self, at: datetime) -> None:
        before = self.standing(at - timedelta(microseconds=1))
        for lead in self.leads:
            if lead.closed_at is not None and lead.closed_at <= at and not lead.is_closed:
                self.close(lead)
        self.release(at, before)

    def close(self, lead: Lead) -> None:
        lead.is_closed = True
        lead.held_for = lead.offered_until = None
        if lead.agent is not None:
            self.loads[lead.agent] = self.loads[lead.agent].with_closing()

    def release(self, at: datetime, before: dict) -> None:
        after = self.standing(at)
        fresh = {who for who in after if after[who] == "yes" and before[who] != "yes"}
        for lead in [lead for lead in self.leads if lead.is_held]:
            if lead.offered_until is not None:
                if lead.offered_until == at:
                    self.retry(lead, at, before, offered=True)
                continue
            on_call = lead.held_for.kind == "workspace"
            people = [agent for agent in self.people_of(lead.held_for) if (agent, on_call) in fresh]
            if any(self.there(agent, at, on_call=on_call) == "yes" for agent in people):
                self.retry(lead, at, before, offered=False)

    def retry(self, lead: Lead, at: datetime, before: dict, *, offered: bool) -> None:
        lead.claim_over = lead.claim_over or offered
        target = lead.held_for
        decision = self.decide(lead, lead.facts, at)
        lead.held_for = lead.offered_until = None
        if decision.agent is None:
            if target is not None and decision.target == target and decision.reason is Reason.NOBODY:
                lead.held_for = target  # it waits on, and nothing more is told of it
            else:
                self.wait(lead, decision, at)
            return
        reason = decision.reason
        if not offered and decision.outcome is Outcome.ASSIGNED:
            on_call = target.kind == "workspace"
            capped = decision.agent in self.people_of(target) and before[decision.agent, on_call] == "cap"
            reason = Reason.CAP_FREED if capped else Reason.SHIFT_STARTED
        self.give(lead, decision, at)
        self.tell(lead, Outcome.HELD, decision.agent, decision.rule, reason, at)

    # leads

    def arrive(self, submission: Submission) -> None:
        person = next((p for key in submission.keys for p in self.people if key in p.keys), None)
        known = person is not None
        taken = {key for p in self.people for key in p.keys}
        if person is None and submission.keys:
            person = Person(set())
            self.people.append(person)
        if person is not None:
            person.keys |= set(submission.keys) - taken
        if known and (lead := self.joinable(person, submission.at)):
            self.join(lead, submission)
            return
        row = Row()
        self.rows.append(row)
        lead = Lead(len(self.leads), submission.at, submission.closed_at, submission.facts, person, known, row)
        self.leads.append(lead)
        if person is not None:
            person.leads.append(lead)
        decision = self.decide(lead, submission.facts, submission.at)
        if decision.agent is None:
            self.wait(lead, decision, submission.at)
        else:
            self.give(lead, decision, submission.at)
            self.tell(lead, decision.outcome, decision.agent, decision.rule, decision.reason, submission.at)
        if lead.closed_at is not None and lead.closed_at <= submission.at:
            before = self.standing(submission.at)
            self.close(lead)
            self.release(submission.at, before)

    def joinable(self, person: Person, at: datetime) -> Lead | None:
        window = self.world.policy.join_window
        fitting = [lead for lead in person.leads if not lead.is_closed and at - lead.received_at < window]
        return fitting[-1] if fitting else None

    def join(self, lead: Lead, submission: Submission) -> None:
        channel = submission.facts.values.get("channel")
        first = lead.row
        if channel is not None and not self.answers(lead.agent, channel):
            self.decide_anew(lead, submission)
        if lead.row is first:
            self.rows.append((lead, first))
        else:
            self.rows.append(lead.row)

    def answers(self, agent: int | None, channel: str) -> bool:
        if agent is None:
            return False
        spec = self.roster.agents[agent]
        return spec.active and (channel == "form" or channel in spec.channels)

    def decide_anew(self, lead: Lead, submission: Submission) -> None:
        at = submission.at
        decision = self.decide(lead, submission.facts, at)
        was_held = lead.is_held
        if decision.agent is None:
            if lead.agent is not None or (not was_held and decision.outcome is Outcome.QUEUED):
                return
            offered_until = lead.offered_until
            if not was_held:
                lead.row = Row()
            lead.held_for = lead.offered_until = None
            lead.facts = submission.facts
            self.wait(lead, decision, at, joined=not was_held)
            if lead.offered_until is not None and offered_until is not None:
                lead.offered_until = offered_until
            return
        if decision.agent == lead.agent:
            return
        before = self.standing(at)
        lead.held_for = lead.offered_until = None
        mover = lead.agent
        if mover is not None:
            self.loads[mover] = self.loads[mover].with_closing()
        self.give(lead, decision, at)
        if was_held:
            self.tell(lead, Outcome.HELD, decision.agent, decision.rule, decision.reason, at)
        else:
            lead.row = Row()
            self.tell(lead, decision.outcome, decision.agent, None, Reason.JOINED, at)
        if mover is not None:
            self.release(at, before)

    def decide(self, lead: Lead, facts: Facts, at: datetime):
        agent = lead.person.agent if lead.person else None
        request = Request(facts, Known(lead.returning, agent), claim_over=lead.claim_over)
        return walk(request, self.world, self.loads, self.ledgers, at).decision

    def wait(self, lead: Lead, decision, at: datetime, *, joined: bool = False) -> None:
        joined = joined or lead.row.reason == "joined"
        rule, reason = (None, Reason.JOINED) if joined else (decision.rule, decision.reason)
        lead.row.outcome, lead.row.rule, lead.row.reason = decision.outcome.value, rule, reason.value
        if decision.outcome is Outcome.HELD:
            if decision.reason is Reason.CLAIM:
                lead.offered_until = at + OFFER
            else:
                lead.held_for = decision.target

    def give(self, lead: Lead, decision, at: datetime) -> None:
        if decision.turn is not None and not lead.had_turn:
            lead.had_turn = True
            self.ledgers[decision.ledger] = self.ledgers.get(decision.ledger, EVEN).after(decision.turn)
            self.turns.append((decision.ledger, decision.turn))
        keys = PeriodKeys(*period_keys(at, self.roster.agents[decision.agent].zone))
        self.loads[decision.agent] = self.loads.get(decision.agent, IDLE).with_assignment(keys, at)
        self.got[decision.agent] = self.got.get(decision.agent, 0) + 1
        lead.agent = decision.agent

    def tell(self, lead: Lead, outcome, agent, rule, reason, at) -> None:
        if lead.row.reason == "joined":
            rule, reason = None, Reason.JOINED
        told = Row(outcome.value, agent, rule, reason.value, at)
        for name in ("outcome", "agent", "rule", "reason", "assigned_at"):
            setattr(lead.row, name, getattr(told, name))
