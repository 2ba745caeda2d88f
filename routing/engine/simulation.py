"""A simulation: leads run through the engine in the order of time, from empty ledgers and empty loads.

Everything that happens by itself happens here too: leads are closed, shifts start, caps free up, offers run out, and
held leads are released for it, the oldest first. People are known again by their contact keys.

At one instant closings come first, then releases, then new leads in their order. Held leads are tried again when
somebody of their target becomes available, as long as one of those who became so still is.
"""

from __future__ import annotations

from array import array
from collections.abc import Hashable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from heapq import heappop, heappush
from typing import NamedTuple, Protocol

from routing.engine.asking import FORM, channel_of, here
from routing.engine.crowd import Periods
from routing.engine.decision import Asked, Decision, Outcome, Reason, Target, Verdict
from routing.engine.facts import Facts
from routing.engine.hours import MICROSECOND, instant, microseconds
from routing.engine.ledger import EVEN, Ledger
from routing.engine.loads import IDLE, Load
from routing.engine.record import NEVER, NOBODY, Record
from routing.engine.request import STRANGER, Known, Request, Snapshot
from routing.engine.roster import Roster
from routing.engine.sorting import Recall, Sorting
from routing.engine.tally import Tally
from routing.engine.waiting import Likeness, Round, Waiting, WaitingRoom, Wakes

OFFER = timedelta(minutes=5) // MICROSECOND  # how long a claim is on offer; nobody takes offers in a simulation
AFTERWARDS = timedelta(days=31) // MICROSECOND  # time runs on for held leads

_CLOSING, _WAKE, _OFFER_OVER = range(3)


class FactsStore(Protocol):
    """Keeps facts of leads that wait: messages are long."""

    def keep(self, facts: Facts) -> int: ...

    def facts(self, ticket: int) -> Facts: ...


class People:
    """Who is who, by contact keys, with the last lead of each and the agent of the last lead that had one."""

    def __init__(self) -> None:
        self._people: dict[Hashable, int] = {}
        self.last_lead = array("q")
        self._agents = array("q")
        self._leads_with_agent = array("q")

    def find(self, keys: Iterable[Hashable]) -> int | None:
        """The first key that finds anybody decides."""
        for key in keys:
            if (person := self._people.get(key)) is not None:
                return person
        return None

    def remember(self, person: int | None, keys: Iterable[Hashable]) -> int | None:
        """Keys that nobody had are this person's now: found before, or new. None for somebody without any key."""
        for key in keys:
            if person is None:
                person = len(self.last_lead)
                self.last_lead.append(NEVER)
                self._agents.append(NOBODY)
                self._leads_with_agent.append(NEVER)
            self._people.setdefault(key, person)
        return person

    def agent(self, person: int) -> int | None:
        return self._agents[person] or None

    def gets(self, person: int, agent: int, lead: int) -> None:
        if lead >= self._leads_with_agent[person]:
            self._agents[person] = agent
            self._leads_with_agent[person] = lead


class _There(NamedTuple):
    """Who of some people is available, and whom only a cap keeps from being so (bits)."""

    available: int
    capped: int


class _Standing(NamedTuple):
    """The same on regular shift, and on any."""

    on_shift: _There
    at_all: _There

    def of(self, target: Target) -> _There:
        return self.at_all if target.kind == Target.WORKSPACE else self.on_shift


_NO_CHANGE = _Standing(_There(-1, 0), _There(-1, 0))


class _Full:
    """Who is at a cap, as the roster's bits, looked at again only where something changed."""

    def __init__(self, roster: Roster, loads: Mapping[int, Load]) -> None:
        self._roster = roster
        self._loads = loads
        self._periods: Periods | None = None
        self._full = 0
        self._stale = 0

    def at(self, now: int) -> int:
        periods = self._roster.periods_at(now)
        if periods is not self._periods:  # counts of an hour, a day or a week may have begun anew
            self._periods, self._stale = periods, self._roster.capped
        if self._stale:
            self._full = self._full & ~self._stale | self._roster.at_cap(self._stale, now, self._loads)
            self._stale = 0
        return self._full

    def look_at(self, agent: int) -> None:
        """The load of an agent has changed."""
        self._stale |= self._roster.bit(agent) & self._roster.capped


class Simulation:
    """One run. `record` tells what became of each submission, `tally` what the turns came to."""

    def __init__(self, snapshot: Snapshot, store: FactsStore) -> None:
        self.snapshot = snapshot
        self.record = Record()
        self.tally = Tally()
        self._store = store
        self._recall = Recall(snapshot)
        self._sorting = Sorting(snapshot.policy)
        self._tickets: dict[Hashable, int] = {}  # of facts, by their sort
        self._roster = snapshot.roster
        self._join_window = snapshot.policy.join_window // MICROSECOND
        self._to_same_agent = snapshot.policy.returning == "same_agent"
        self._people = People()
        self._loads: dict[int, Load] = {}
        self._full = _Full(snapshot.roster, self._loads)
        self._ledgers: dict[int, Ledger] = {}
        self._events: list[tuple[int, int, int]] = []  # (microseconds, kind, lead or agent)
        self._room = WaitingRoom(snapshot.roster)
        self._wakes = Wakes(snapshot.roster, self._loads)
        self._held_by: dict[int, list[int]] = {}  # leads in the waiting room, by person
        self._round = Round()
        self._last = NEVER
        # By number of submission. A lead has the number of the submission that made it; its teller is the submission
        # whose row tells what became of the lead since.
        self.received = array("q")  # in microseconds since 1970
        self._closed = array("q")
        self._person = array("q")
        self._teller = array("q")
        self._returning = bytearray()
        self._had_turn = bytearray()

    def arrive(
        self, *, at: datetime, facts: Facts, keys: Sequence[Hashable] = (), closed_at: datetime | None = None
    ) -> None:
        """A submission, not before the one before. `keys` know a person again; the first that finds anybody decides."""
        now = microseconds(at)
        while self._events and self._events[0][0] <= now:
            self._pass(self._events[0][0])
        self._last = now
        number = self.record.add()
        known = self._people.find(keys) if keys else None
        person = self._people.remember(known, keys) if keys else None
        self.received.append(now)
        self._closed.append(NEVER)
        self._person.append(NEVER if person is None else person)
        self._teller.append(number)
        self._returning.append(known is not None)
        self._had_turn.append(False)
        if known is not None and self._can_be_joined(lead := self._people.last_lead[known], now):
            self._join(number, lead, facts, at, now)
            return
        if person is not None:
            self._people.last_lead[person] = number
        if closed_at is not None:
            self._closed[number] = microseconds(closed_at)
            heappush(self._events, (self._closed[number], _CLOSING, number))
        decision = self._decide(number, facts, at, now)
        if decision.agent is not None:
            self._give(number, decision.agent, decision, at)
            self._tell(number, decision.outcome, decision.agent, decision.rule, decision.reason, now)
        else:
            self._set_aside(number, Waiting(NEVER), decision, facts, at)

    def finish(self) -> None:
        """Let time run on until no lead is held, 31 days at most."""
        limit = self._last + AFTERWARDS
        while len(self._room) and self._events and self._events[0][0] <= limit:
            self._pass(self._events[0][0])

    # deciding

    def _decide(self, lead: int, facts: Facts, at: datetime, now: int, *, claim_over: bool = False) -> Decision:
        known, person = STRANGER, self._person[lead]
        if person != NEVER and ((agent := self._people.agent(person)) is not None or self._returning[lead]):
            known = Known(bool(self._returning[lead]), agent)
        request = Request(facts, known, claim_over=claim_over)
        shortlist = self._recall.shortlist(request, at, now, self._loads, self._full.at(now))
        ledger = shortlist.ledger
        return shortlist.decide(EVEN if ledger is None else self._ledgers.get(ledger, EVEN))

    def _give(self, lead: int, agent: int, decision: Decision, at: datetime) -> None:
        # One lead never pays in two ledgers, nor twice in one.
        if decision.turn is not None and decision.ledger is not None and not self._had_turn[lead]:
            self._had_turn[lead] = True
            self._ledgers[decision.ledger] = self._ledgers.get(decision.ledger, EVEN).after(decision.turn)
            self.tally.accounts[decision.ledger].add(decision.turn)
        self.tally.got[agent] += 1
        spec = self._roster.spec.agents[agent]
        before = self._loads.get(agent, IDLE)
        if spec.caps:
            keys = self._roster.period_keys(agent, at)
            load = self._loads[agent] = before.with_assignment(keys, at)
            self._full.look_at(agent)
            if load.reaches(spec.caps, keys):
                self._round.is_taken(self._roster.bit(agent))
                if agent in self._wakes:
                    self._expect(agent, at)
        else:  # what an hour, a day or a week came to matters to caps alone
            self._loads[agent] = Load(before.open + 1, "", 0, "", 0, "", 0, at)
        person = self._person[lead]
        if person != NEVER:
            self._people.gets(person, agent, lead)
            if person in self._held_by:
                self._refile_leads_of(person)

    # waiting

    def _set_aside(self, lead: int, waiting: Waiting, decision: Decision, facts: Facts, at: datetime) -> None:
        """Nobody gets the lead now: it goes to the queue, or waits as the decision says."""
        self._tell(lead, decision.outcome, None, decision.rule, decision.reason)
        if decision.target is None:
            return
        if waiting.facts == NEVER:
            waiting.facts = self._ticket(facts)
        if decision.reason is Reason.CLAIM:
            until = microseconds(at) + OFFER
            self._room.offer(lead, waiting, until)
            heappush(self._events, (until, _OFFER_OVER, lead))
        else:
            group = self._room.admit(lead, waiting, decision.target, self._likeness(lead, waiting))
            if group.size == 1:
                for agent in self._wakes.unwatched(group.people):
                    self._expect(agent, at)
        person = self._person[lead]
        if person != NEVER:
            self._held_by.setdefault(person, []).append(lead)

    def _ticket(self, facts: Facts) -> int:
        """Where facts are kept that decisions cannot tell from these."""
        sort = self._sorting.sort(facts)
        ticket = self._tickets.get(sort)
        if ticket is None:
            ticket = self._tickets[sort] = self._store.keep(facts)
        return ticket

    def _leave(self, lead: int) -> None:
        """The lead waits no more."""
        self._room.dismiss(lead)
        person = self._person[lead]
        if person != NEVER:
            others = self._held_by[person]
            others.remove(lead)
            if not others:
                del self._held_by[person]

    def _likeness(self, lead: int, waiting: Waiting) -> Likeness:
        person = self._person[lead]
        if person != NEVER and (not self._to_same_agent or self._people.agent(person) is None):
            person = NEVER
        return Likeness(waiting.facts, bool(self._returning[lead]), waiting.claim_over, person)

    def _refile_leads_of(self, person: int) -> None:
        """The person has an agent, or another one: their waiting leads are no longer like those of others."""
        for lead in self._held_by[person]:
            waiting = self._room.get(lead)
            if waiting is not None and (bucket := self._room.refile(lead, self._likeness(lead, waiting))):
                self._round.add(lead, bucket)

    # time

    def _expect(self, agent: int, at: datetime) -> None:
        heappush(self._events, (self._wakes.watch(agent, at), _WAKE, agent))

    def _pass(self, moment: int) -> None:
        """Everything that happens at an instant by itself."""
        events = self._events
        happening: tuple[list[int], list[int], list[int]] = ([], [], [])
        while events and events[0][0] == moment:
            _, kind, number = heappop(events)
            happening[kind].append(number)
        closing, waking, offers = happening
        waking = [agent for agent in dict.fromkeys(waking) if self._wakes.is_due(agent, moment)]
        offers = list(dict.fromkeys(offers))
        at, people, before = instant(moment), 0, _NO_CHANGE
        if awaited := self._room.people:
            for lead in closing:
                people |= self._roster.bit(self.record.agent(self._teller[lead])) & self._roster.capped
            for agent in waking:
                people |= self._roster.bit(agent)
            people &= awaited
            before = self._standing(people, instant(moment - 1))
        for lead in closing:
            self._close(lead, at)
        for agent in waking:
            if self._roster.bit(agent) & awaited:
                self._expect(agent, at)
            else:
                self._wakes.forget(agent)
        self._release(at, people, before, offers)

    def _close(self, lead: int, at: datetime) -> None:
        if self._room.get(lead) is not None:
            self._leave(lead)
        elif agent := self.record.agent(self._teller[lead]):
            self._lighten(agent, at)

    def _lighten(self, agent: int, at: datetime) -> None:
        """One open lead less."""
        self._loads[agent] = self._loads[agent].with_closing()
        self._full.look_at(agent)
        if agent in self._wakes and self._roster.spec.agents[agent].caps:
            self._expect(agent, at)

    def _standing(self, people: int, at: datetime) -> _Standing:
        if not people:
            return _NO_CHANGE
        on_shift, on_call = (self._there(people, asked, at) for asked in (Asked.REGULAR, Asked.ON_CALL))
        available = on_shift.available | on_call.available
        return _Standing(on_shift, _There(available, (on_shift.capped | on_call.capped) & ~available))

    def _there(self, people: int, asked: Asked, at: datetime) -> _There:
        available, failing = here(self._roster, people, asked, microseconds(at), self._loads)
        return _There(available, next((mask for verdict, mask in failing if verdict is Verdict.AT_CAP), 0))

    # releasing

    def _release(self, at: datetime, people: int, before: _Standing, offers: Iterable[int]) -> None:
        """Try leads for which somebody became available, and those whose offer ran out, the oldest first.

        `before` is how these people stood just before.
        """
        now = self._standing(people, at)
        current = self._round = Round()
        for group in self._room.groups:
            if fresh := group.people & now.of(group.target).available & ~before.of(group.target).available:
                current.begin(group, fresh)
                for alike in tuple(group.buckets.values()):
                    current.add(self._room.oldest(alike), alike)
        for lead in offers:
            waiting = self._room.get(lead)
            if waiting is not None and waiting.offered_until == microseconds(at):
                current.add(lead, None)
        while (turn := current.next()) is not None:
            lead, bucket = turn
            if bucket is None:
                self._try(lead, at, before)
            elif bucket.group.fresh:
                if self._room.oldest(bucket) == lead and not self._try(lead, at, before):
                    continue  # nobody for this one, so nobody for those like it
                current.add(self._room.oldest(bucket), bucket)
        current.end()

    def _try(self, lead: int, at: datetime, before: _Standing) -> bool:
        """Decide a held lead anew. False where it waits on as it did."""
        waiting = self._room.get(lead)
        assert waiting is not None
        target = None if waiting.bucket is None else waiting.bucket.group.target
        waiting.claim_over = waiting.claim_over or target is None
        facts = self._store.facts(waiting.facts)
        decision = self._decide(lead, facts, at, microseconds(at), claim_over=waiting.claim_over)
        if decision.agent is None:
            if target is not None and decision.target == target and decision.reason is Reason.NOBODY:
                return False
            self._leave(lead)
            self._set_aside(lead, waiting, decision, facts, at)
            return True
        reason = decision.reason
        if target is not None and decision.outcome is Outcome.ASSIGNED:
            freed = before.of(target).capped & self._roster.bit(decision.agent)
            reason = Reason.CAP_FREED if freed else Reason.SHIFT_STARTED
        self._leave(lead)
        self._give(lead, decision.agent, decision, at)
        self._tell(lead, Outcome.HELD, decision.agent, decision.rule, reason, microseconds(at))
        return True

    # joining

    def _can_be_joined(self, lead: int, now: int) -> bool:
        is_open = self._closed[lead] == NEVER or self._closed[lead] > now
        return is_open and now - self.received[lead] < self._join_window

    def _join(self, number: int, lead: int, facts: Facts, at: datetime, now: int) -> None:
        """The submission is one more message of an open lead; where nobody has that lead, or its agent cannot answer
        on the channel that is named now, it is decided now with the new facts."""
        channel = channel_of(facts)
        agent = self.record.agent(self._teller[lead])
        if channel is not None and not self._answers(agent, channel):
            self._decide_anew(number, lead, agent, facts, at, now)
        if self._teller[lead] != number:
            self.record.join(number, self._teller[lead])

    def _answers(self, agent: int, channel: str) -> bool:
        spec = self._roster.spec.agents.get(agent)
        return spec is not None and spec.active and (channel == FORM or channel in spec.channels)

    def _decide_anew(self, number: int, lead: int, before: int, facts: Facts, at: datetime, now: int) -> None:
        waiting = self._room.get(lead)
        decision = self._decide(lead, facts, at, now, claim_over=waiting is not None and waiting.claim_over)
        if decision.agent == before or (decision.agent is None and before):
            return  # whoever has it keeps it where nobody else takes it: better somebody who cannot answer there
        if waiting is None and decision.outcome is Outcome.QUEUED:
            return
        offered_until = None
        if waiting is None:
            self._teller[lead] = number
        else:
            offered_until = waiting.offered_until
            self._leave(lead)
        if decision.agent is None:
            waits = waiting or Waiting(NEVER)
            waits.facts = NEVER
            self._set_aside(lead, waits, decision, facts, at)
            if offered_until is not None and waits.offered_until is not None:
                waits.offered_until = offered_until  # the first offer runs on
            return
        bit = self._roster.bit(before) & self._room.people
        standing = self._standing(bit, at)
        if before:
            self._lighten(before, at)
        self._give(lead, decision.agent, decision, at)
        outcome = decision.outcome if waiting is None else Outcome.HELD
        self._tell(lead, outcome, decision.agent, decision.rule, decision.reason, now)
        if before:
            self._release(at, bit, standing, ())

    def _tell(
        self, lead: int, outcome: Outcome, agent: int | None, rule: str | None, reason: Reason, assigned: int = NEVER
    ) -> None:
        teller = self._teller[lead]
        if teller != lead:
            rule, reason = None, Reason.JOINED
        self.record.tell(teller, outcome, agent, rule, reason, assigned)
