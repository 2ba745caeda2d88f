"""Deciding: facts + snapshot + loads + ledgers + instant -> decision.

In three steps, so that nothing is locked longer than it must be: `match` finds the rules that hold (no loads, no
ledger); `Match.shortlist` asks their people in order until somebody can take the lead (loads); and
`Shortlist.decide` chooses among the takers (the one ledger it names). `decide` is the three in one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from routing.engine.asking import ANY, FORM, Answer, Wanted, ask, channel_of, fulfilling
from routing.engine.choosing import Shortlist
from routing.engine.conditions import Reading
from routing.engine.covered import hours_within
from routing.engine.crowd import Crowd
from routing.engine.decision import ANYBODY, Asked, Decision, Outcome, Pool, Reason, Target, Verdict
from routing.engine.facts import Facts
from routing.engine.hours import microseconds
from routing.engine.index import RuleIndex
from routing.engine.ledger import EVEN, Ledger, Turn
from routing.engine.loads import Load
from routing.engine.policy import Rule
from routing.engine.request import Request, Snapshot, completed
from routing.engine.roster import NOBODY, Crew, Roster


def decide(
    request: Request, snapshot: Snapshot, loads: Mapping[int, Load], ledgers: Mapping[int, Ledger], at: datetime
) -> Decision:
    """Give the lead to somebody of the first matching rule that has a taker.

    A matching rule without takers acts as its `if_nobody` says; its candidates stay in the decision, so that
    "why not me" has an answer. `ledgers` are by team id, `ON_CALL_LEDGER` for the workspace's on-call people.
    """
    shortlist = match(request, snapshot, at).shortlist(loads)
    ledger = shortlist.ledger
    return shortlist.decide(EVEN if ledger is None else ledgers.get(ledger, EVEN))


def match(request: Request, snapshot: Snapshot, at: datetime) -> Match:
    """Find the rules that hold for the lead at an instant. Needs no loads and no ledger, so no lock either."""
    facts, reading = completed(request, snapshot, at)
    return Match(request, snapshot, at, microseconds(at), facts, Matching(snapshot.policy.index, reading))


class Matching:
    """The rules that hold for a lead, in order, each found when it is asked for."""

    __slots__ = ("_index", "_reading")

    def __init__(self, index: RuleIndex[Rule], reading: Reading) -> None:
        self._index = index
        self._reading = reading

    def __iter__(self) -> Iterator[Rule]:
        return self._index.matching_for(self._reading)


class Match:
    """The rules that hold for a lead, in order."""

    __slots__ = ("_able", "_rules", "at", "at_us", "facts", "lasts", "reasons", "request", "snapshot")

    def __init__(
        self,
        request: Request,
        snapshot: Snapshot,
        at: datetime,
        now: int,
        facts: Facts,
        rules: Iterable[Rule],
        able: dict[int, int] | None = None,
    ) -> None:
        """`now` are the microseconds of `at` since 1970. `rules` can be gone through again.

        With `able` decisions say who gets the lead and no more: nobody is asked where none of those who are there is
        able to take it. It is shared by leads that people look at alike, and holds by rule who of its people is.
        """
        self.request = request
        self.snapshot = snapshot
        self.at = at
        self.at_us = now
        self.facts = facts
        self._rules = rules
        self._able = able
        self.reasons = able is None  # whether decisions name everybody who was asked
        self.lasts = True  # whether the shortlist is the same as long as the same people are there and at their caps

    @property
    def load_agents(self) -> frozenset[int]:
        """Whose loads the decision can depend on: capped people who are there, and those `least_busy` compares."""
        roster = self.snapshot.roster
        self._rules = tuple(self._rules)
        found = set(self._there(roster, roster.on_call_people & roster.capped))
        for rule in self._rules:
            crew = crew_of(rule, roster)
            compared = -1 if rule.route.by == "least_busy" else crew.crowd.capped
            found.update(self._there(crew.crowd, crew.people & compared))
        if self.request.known.agent is not None:
            found.update(self._there(roster, roster.bit(self.request.known.agent) & roster.capped))
        return frozenset(found)

    def _there(self, crowd: Crowd, people: int) -> Sequence[int]:
        presence = crowd.presence_at(self.at_us)
        return crowd.members(people & (presence.regular | presence.on_call) & crowd.active)

    def shortlist(self, loads: Mapping[int, Load]) -> Shortlist:
        """Ask the rules' people in order until somebody can take the lead, or the list ends."""
        pools: list[Pool] = []
        rules = iter(self._rules)
        rule = next(rules, None)
        if self.request.known.agent is not None and (agent := self._their_agent(rule, loads, pools)):
            return self._decided(Outcome.ASSIGNED, Reason.RETURNING, None, pools, agent=agent)
        last = None
        while rule is not None:
            last = rule.name
            if found := self._ask_rule(rule, loads, pools):
                return found
            rule = next(rules, None)
        return self._end(last, loads, pools)

    def _their_agent(self, rule: Rule | None, loads: Mapping[int, Load], pools: list[Pool]) -> int | None:
        """The agent the person had, where they may take this lead too. Asked before the rules' strategies."""
        agent, roster = self.request.known.agent, self.snapshot.roster
        if agent is None or self.snapshot.policy.returning != "same_agent":
            return None
        if agent not in roster.spec.agents or (rule is not None and rule.route.kind == "queue"):
            return None
        answer = self.ask(roster.agent_crew(agent), ANY, Asked.REGULAR, loads)
        self._note(pools, None, answer, Outcome.ASSIGNED.value if answer.takers else "next_rule")
        return agent if answer.takers else None

    def _ask_rule(self, rule: Rule, loads: Mapping[int, Load], pools: list[Pool]) -> Shortlist | None:
        """Ask one rule's people; where nobody can, do what its `if_nobody` says. None: go on with the next rule."""
        route = rule.route
        if route.kind == "queue":
            return self._decided(Outcome.QUEUED, Reason.DIRECT, rule.name, pools)
        crew = crew_of(rule, self.snapshot.roster)
        wanted, if_nobody = rule.wanted, route.if_nobody
        answer = self._ask(rule.position, crew, wanted, Asked.REGULAR, loads)
        if answer.takers:
            by = rule.strategy
            return Shortlist(self, loads, pools, rule.name, answer, crew, wanted, by, self._ledger(crew, by))
        if if_nobody == "on_call":
            self._note(pools, rule.name, answer, if_nobody)
            answer = self._ask(rule.position, crew, wanted, Asked.ON_CALL, loads)
            if answer.takers:
                return Shortlist(self, loads, pools, rule.name, answer, crew, wanted, Reason.ON_CALL, crew.ledger)
        elif if_nobody == "queue":
            self._note(pools, rule.name, answer, Outcome.QUEUED.value)
            return self._decided(Outcome.QUEUED, Reason.NOBODY, rule.name, pools)
        elif if_nobody == "hold" and self._worth_waiting(crew, wanted):
            self._note(pools, rule.name, answer, Outcome.HELD.value)
            target = _target(rule, self.snapshot.roster)
            return self._decided(Outcome.HELD, Reason.NOBODY, rule.name, pools, target=target)
        elif if_nobody == "fallback" and self._fallback() is not None:
            self._note(pools, rule.name, answer, if_nobody)
            return self._to_fallback(rule.name, pools)
        self._note(pools, rule.name, answer, "next_rule")
        return None

    def _end(self, last: str | None, loads: Mapping[int, Load], pools: list[Pool]) -> Shortlist:
        """The end of the list: whoever is on call, else the fallback agent, else hold."""
        roster = self.snapshot.roster
        if roster.on_call_people:
            crew = roster.on_call_crew
            answer = self._ask(_AT_THE_END, crew, ANY, Asked.ON_CALL, loads)
            if answer.takers:
                return Shortlist(
                    self, loads, pools, last, answer, crew, ANY, Reason.ON_CALL, crew.ledger, by_rule=False
                )
            then = Outcome.HELD if self._fallback() is None else Outcome.FALLBACK
            self._note(pools, None, answer, then.value)
        if self._fallback() is not None:
            return self._to_fallback(last, pools)
        return self._decided(Outcome.HELD, Reason.NOBODY, last, pools, target=ANYBODY)

    def _ledger(self, crew: Crew, by: Reason) -> int | None:
        """The ledger of the turn that a strategy takes, if it takes one."""
        if by in _WITHOUT_TURNS or (by is Reason.CLAIM and not self.request.claim_over):
            return None
        return crew.ledger

    def _note(self, pools: list[Pool], rule: str | None, answer: Answer, then: str) -> None:
        """Keep who was asked without having it, for the reasons."""
        if self.reasons:
            pools.append(Pool(rule, answer.asked, answer.candidates(Verdict.CHOSEN), then))

    def _ask(self, rule: int, crew: Crew, wanted: Wanted, asked: Asked, loads: Mapping[int, Load]) -> Answer:
        if self._able is not None:
            able = self._able.get(rule)
            if able is None:
                able = fulfilling(crew.crowd, self.facts, wanted) & crew.people & ~crew.weightless
                self._able[rule] = able
            if not able or not able & crew.crowd.there(self.at_us, asked):
                return NO_TAKERS
        return self.ask(crew, wanted, asked, loads)

    def ask(
        self, crew: Crew, wanted: Wanted, asked: Asked, loads: Mapping[int, Load], *, pardoning_absence: bool = False
    ) -> Answer:
        """Ask some people for this lead."""
        tried = self._tried(crew.crowd) if self.request.tried else 0
        return ask(crew, self.facts, wanted, asked, self.at_us, loads, tried, pardoning_absence)

    def _tried(self, crowd: Crowd) -> int:
        tried = 0
        for agent in self.request.tried:
            tried |= crowd.bit(agent)
        return tried

    def _worth_waiting(self, crew: Crew, wanted: Wanted) -> bool:
        """Whether somebody who could take the lead has regular hours soon, net of leave and holidays."""
        roster, crowd = self.snapshot.roster, crew.crowd
        self.lasts = False
        people = crew.people & crowd.active & ~self._tried(crowd) & ~crew.weightless
        people &= fulfilling(crowd, self.facts, wanted)
        return any(hours_within(roster.schedule(agent), at=self.at) for agent in crowd.members(people))

    def _fallback(self) -> int | None:
        """The fallback agent, unless there is none, they are inactive or were tried."""
        roster = self.snapshot.roster
        agent = roster.spec.fallback
        if agent is None or agent in self.request.tried or not roster.bit(agent) & roster.active:
            return None
        return agent

    def _to_fallback(self, rule: str | None, pools: list[Pool]) -> Shortlist:
        agent = self._fallback()
        return self._decided(Outcome.FALLBACK, Reason.FALLBACK, rule, pools, agent=agent)

    def _decided(
        self,
        outcome: Outcome,
        reason: Reason,
        rule: str | None,
        pools: list[Pool],
        *,
        agent: int | None = None,
        target: Target | None = None,
    ) -> Shortlist:
        return Shortlist(self, {}, pools, rule, decided=self.decision(outcome, agent, rule, reason, pools, target))

    def decision(
        self,
        outcome: Outcome,
        agent: int | None,
        rule: str | None,
        reason: Reason,
        pools: Sequence[Pool],
        target: Target | None = None,
        turn: Turn | None = None,
        ledger: int | None = None,
    ) -> Decision:
        """A decision about this lead, with the channel its agent is reached on."""
        fact = self.facts.values.get
        score, intent = fact("score"), fact("intent")
        return Decision(
            outcome,
            agent,
            rule,
            reason,
            reached_on(self.snapshot.roster, self.request, agent) if agent is not None and self.reasons else None,
            tuple(pools),
            turn,
            ledger,
            target,
            score if isinstance(score, int) else None,
            intent if isinstance(intent, str) else None,
        )


def crew_of(rule: Rule, roster: Roster) -> Crew:
    """The people a rule names, nobody where they are archived or gone. One agent acts like a team of one."""
    slug = rule.route.target_slug or ""
    return roster.team_crew(slug) if rule.route.kind == Target.TEAM else roster.agent_crew(roster.slugs.get(slug, 0))


def _target(rule: Rule, roster: Roster) -> Target:
    slug = rule.route.target_slug or ""
    slugs = roster.team_slugs if rule.route.kind == Target.TEAM else roster.slugs
    return Target(rule.route.kind, slugs[slug])


def reached_on(roster: Roster, request: Request, agent: int) -> str | None:
    """The channel an agent is reached on: the lead's, where it opens on no handle or on one they have; else the
    first of the site's channels for which they have a handle; else None."""
    handles = roster.spec.agents[agent].channels
    asked = channel_of(request.facts)
    if asked in handles or asked is None or asked == FORM:
        return asked
    return next((channel for channel in request.channels if channel in handles), None)


_AT_THE_END = -1
_WITHOUT_TURNS = (Reason.DIRECT, Reason.LEAST_BUSY)
NO_TAKERS = Answer(NOBODY.crowd, Asked.REGULAR, 0, [])
