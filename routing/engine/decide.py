"""Deciding: facts + snapshot + loads + ledgers + instant -> decision.

In three steps, so that nothing is locked longer than it must be: `match` finds the rules that hold (no loads, no
ledger); `Match.shortlist` asks their people in order until somebody can take the lead (loads); and
`Shortlist.decide` chooses among the takers (the one ledger it names). `decide` is the three in one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import NamedTuple

from routing.engine.asking import ANY, FORM, Answer, Wanted, ask, channel_of, fulfilling
from routing.engine.conditions import Reading
from routing.engine.covered import hours_within
from routing.engine.crowd import Crowd, Presence
from routing.engine.decision import ANYBODY, Asked, Decision, Outcome, Pool, Reason, Target, Verdict
from routing.engine.facts import Facts, Value
from routing.engine.hours import DAY_MINUTES, MINUTE, MONDAY, WEEK_MINUTES, microseconds, offset_at
from routing.engine.index import RuleIndex
from routing.engine.ledger import EVEN, NEWCOMER, Ledger, Turn, take_turn
from routing.engine.loads import IDLE, Load
from routing.engine.policy import CLOCK_FIELDS, Policy, Rule
from routing.engine.roster import Crew, Roster

ON_CALL_LEDGER = 0

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TIMES = tuple(f"{minute // 60:02}:{minute % 60:02}" for minute in range(DAY_MINUTES))


class Known(NamedTuple):
    """What is known of the person: whether they were here before, and the agent they had (None: none)."""

    returning: bool = False
    agent: int | None = None


STRANGER = Known()


class Request(NamedTuple):
    """A lead as the engine sees it.

    `channels` are the site's, in order: a fallback agent without a handle for the lead's channel is reached by
    the first of them that they have. `tried` are excluded. `claim_over`: nobody took the offer in time, so a
    `claim` rule goes by turn.
    """

    facts: Facts
    known: Known = STRANGER
    channels: tuple[str, ...] = ()
    tried: frozenset[int] = frozenset()
    claim_over: bool = False


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The published policy and the roster, compiled."""

    policy: Policy
    roster: Roster


def decide(
    request: Request, snapshot: Snapshot, loads: Mapping[int, Load], ledgers: Mapping[int, Ledger], at: datetime
) -> Decision:
    """Give the lead to somebody of the first matching rule that has a taker.

    A matching rule without takers acts as its `if_nobody` says; its candidates stay in the decision, so that
    "why not me" has an answer. `ledgers` are by team id, `ON_CALL_LEDGER` for the workspace's on-call people.
    """
    shortlist = match(request, snapshot, at).shortlist(loads)
    return shortlist.decide(EVEN if shortlist.ledger is None else ledgers.get(shortlist.ledger, EVEN))


def match(request: Request, snapshot: Snapshot, at: datetime) -> Match:
    """Find the rules that hold for the lead at an instant. Needs no loads and no ledger, so no lock either."""
    facts, reading = _completed(request, snapshot, at)
    return Match(request, snapshot, at, facts, Matching(snapshot.policy.index, reading))


def complete(request: Request, snapshot: Snapshot, at: datetime, *, everything: bool = False) -> Facts:
    """The facts with what the engine adds: the clock's, whether the person is known, score and intent.

    Only what the policy looks at, unless `everything` is asked for.
    """
    return _completed(request, snapshot, at, everything=everything)[0]


def _completed(
    request: Request, snapshot: Snapshot, at: datetime, *, everything: bool = False
) -> tuple[Facts, Reading]:
    """The same, with how rules go on reading them."""
    policy, facts = snapshot.policy, request.facts
    values: dict[str, Value] = {**facts.values, "returning": request.known.returning}
    if clock := CLOCK_FIELDS if everything else policy.clock_fields:
        values |= clock_facts(snapshot.roster, at, clock)
    reading = Reading(values, facts.language)
    if everything or policy.scores:
        score = policy.score_for(reading)
        values["score"], values["intent"] = score, policy.intent(score)
    return Facts(values, facts.language), reading


def clock_facts(roster: Roster, at: datetime, fields: Collection[str] = CLOCK_FIELDS) -> dict[str, Value]:
    """Weekday and time on the workspace's wall clock, and whether anybody is on regular shift."""
    found = {name: value for name, value in wall_facts(minute_of_week_at(roster, microseconds(at))) if name in fields}
    if "in_hours" in fields:
        found["in_hours"] = roster.in_hours(at)
    return found


def minute_of_week_at(roster: Roster, now: int) -> int:
    """The minute of the week (0: Monday 00:00) on the workspace's wall clock, `now` in microseconds."""
    return ((now + offset_at(roster.spec.zone, now)[0]) // MINUTE - MONDAY) % WEEK_MINUTES


def wall_facts(minute: int) -> tuple[tuple[str, Value], ...]:
    """The weekday and the time of a minute of the week."""
    return ("weekday", _WEEKDAYS[minute // DAY_MINUTES]), ("local_time", _TIMES[minute % DAY_MINUTES])


@dataclass(frozen=True, slots=True)
class Matching:
    """The rules that hold for a lead, in order, each found when it is asked for."""

    index: RuleIndex[Rule]
    reading: Reading

    def __iter__(self) -> Iterator[Rule]:
        return self.index.matching_for(self.reading)


class Match:
    """The rules that hold for a lead, in order."""

    __slots__ = ("_able", "_rules", "at", "at_us", "facts", "request", "snapshot")

    def __init__(
        self,
        request: Request,
        snapshot: Snapshot,
        at: datetime,
        facts: Facts,
        rules: Iterable[Rule],
        able: dict[int, int] | None = None,
    ) -> None:
        """`rules` can be gone through again.

        With `able` decisions say who gets the lead and no more: nobody is asked where none of those who are there is
        able to take it. It is shared by leads that people look at alike, and holds by rule who of its people is.
        """
        self.request = request
        self.snapshot = snapshot
        self.at = at
        self.at_us = microseconds(at)
        self.facts = facts
        self._rules = rules
        self._able = able

    @property
    def reasons(self) -> bool:
        """Whether decisions name everybody who was asked."""
        return self._able is None

    @property
    def presence(self) -> Presence:
        """Who of the roster is where."""
        return self.snapshot.roster.presence_at(self.at_us)

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
        if agent := self._their_agent(rule, loads, pools):
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
        answer = self.ask(Crew(roster, roster.bit(agent)), ANY, Asked.REGULAR, loads)
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
            return Shortlist(self, loads, pools, rule.name, answer, crew, wanted, _strategy(rule))
        if if_nobody == "on_call":
            self._note(pools, rule.name, answer, if_nobody)
            answer = self._ask(rule.position, crew, wanted, Asked.ON_CALL, loads)
            if answer.takers:
                return Shortlist(self, loads, pools, rule.name, answer, crew, wanted, Reason.ON_CALL)
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
        if people := roster.on_call_people:
            crew = Crew(roster, people, ON_CALL_LEDGER)
            answer = self._ask(_AT_THE_END, crew, ANY, Asked.ON_CALL, loads)
            if answer.takers:
                return Shortlist(self, loads, pools, last, answer, crew, ANY, Reason.ON_CALL, by_rule=False)
            then = Outcome.HELD if self._fallback() is None else Outcome.FALLBACK
            self._note(pools, None, answer, then.value)
        if self._fallback() is not None:
            return self._to_fallback(last, pools)
        return self._decided(Outcome.HELD, Reason.NOBODY, last, pools, target=ANYBODY)

    def _note(self, pools: list[Pool], rule: str | None, answer: Answer, then: str) -> None:
        """Keep who was asked without having it, for the reasons."""
        if self.reasons:
            pools.append(Pool(rule, answer.asked, answer.candidates(Verdict.CHOSEN), then))

    def _ask(self, rule: int, crew: Crew, wanted: Wanted, asked: Asked, loads: Mapping[int, Load]) -> Answer:
        if self._able is not None:
            able = self._able.get(rule)
            if able is None:
                able = fulfilling(crew.crowd, self.facts, wanted.require) & crew.people & ~crew.weightless
                self._able[rule] = able
            if not able or not able & crew.crowd.there(self.at_us, asked):
                return NO_TAKERS
        return self.ask(crew, wanted, asked, loads)

    def ask(
        self, crew: Crew, wanted: Wanted, asked: Asked, loads: Mapping[int, Load], *, pardoning_absence: bool = False
    ) -> Answer:
        """Ask some people for this lead."""
        crowd = crew.crowd
        return ask(
            crowd,
            self.facts,
            crew.people,
            wanted,
            asked=asked,
            presence=crowd.presence_at(self.at_us),
            loads=loads,
            tried=self._tried(crowd) if self.request.tried else 0,
            weightless=crew.weightless,
            tiers=crew.tiers,
            pardoning_absence=pardoning_absence,
        )

    def _tried(self, crowd: Crowd) -> int:
        tried = 0
        for agent in self.request.tried:
            tried |= crowd.bit(agent)
        return tried

    def _worth_waiting(self, crew: Crew, wanted: Wanted) -> bool:
        """Whether somebody who could take the lead has regular hours soon, net of leave and holidays."""
        roster, crowd = self.snapshot.roster, crew.crowd
        people = crew.people & crowd.active & ~self._tried(crowd) & ~crew.weightless
        people &= fulfilling(crowd, self.facts, wanted.require)
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
        score, intent = self.facts.values.get("score"), self.facts.values.get("intent")
        return Decision(
            outcome,
            agent,
            rule,
            reason,
            None if agent is None else reached_on(self.snapshot.roster, self.request, agent),
            tuple(pools),
            turn,
            ledger,
            target,
            score if isinstance(score, int) else None,
            intent if isinstance(intent, str) else None,
        )


@dataclass(slots=True)
class Shortlist:
    """Who can take the lead: the takers of the first rule that has any. `decided` where nothing is left to choose."""

    match: Match
    loads: Mapping[int, Load]
    pools: Sequence[Pool]
    rule: str | None
    answer: Answer | None = None
    crew: Crew | None = None
    wanted: Wanted = ANY
    by: Reason = Reason.DIRECT
    decided: Decision | None = None
    by_rule: bool = True  # not at the end of the list

    @property
    def team(self) -> int | None:
        """The team whose people can take the lead, None where it is no team's."""
        return None if self.crew is None else self.crew.ledger or None

    @property
    def ledger(self) -> int | None:
        """The team whose ledger the choice needs, `ON_CALL_LEDGER`, or None where no turn is taken."""
        if self.crew is None or self.by in (Reason.DIRECT, Reason.LEAST_BUSY):
            return None
        if self.by is Reason.CLAIM and not self.match.request.claim_over:
            return None
        return self.crew.ledger

    @property
    def takers(self) -> Sequence[int]:
        """The agents to choose among, by id."""
        return () if self.answer is None or self.crew is None else self.crew.crowd.members(self.answer.takers)

    def decide(self, ledger: Ledger) -> Decision:
        """Choose among the takers. `ledger` is read only where `self.ledger` names one."""
        if self.answer is None or self.crew is None:
            assert self.decided is not None
            return self.decided
        takers = self.takers
        if (of := self.ledger) is not None:
            return self._by_turn(self.answer, self.crew, takers, ledger, of)
        if self.by is Reason.CLAIM:
            return self._offered(self.answer, self.crew)
        if self.by is Reason.LEAST_BUSY:
            return self._least_busy(self.answer, takers)
        return self._given(self.answer, takers[0], {})

    def _by_turn(self, answer: Answer, crew: Crew, takers: Sequence[int], ledger: Ledger, of: int) -> Decision:
        weights = crew.weights
        weighted = [(agent, weights[agent] if weights else 1) for agent in takers]
        away = [(agent, weights[agent]) for agent in self._kept_away(answer, crew)] if weights else []
        turn = take_turn(ledger, weighted, away=away, catch_up=crew.catch_up)
        margins: dict[int, int] = {}
        if self.match.reasons:
            credit_of = ledger.entries.get
            standing = {agent: credit_of(agent, NEWCOMER)[0] + share for agent, share in turn.given}
            best = standing[turn.chosen]
            margins = {agent: best - credit for agent, credit in standing.items()}
        return self._given(answer, turn.chosen, margins, turn, of)

    def _kept_away(self, answer: Answer, crew: Crew) -> Iterable[int]:
        """Members whom nothing but a pause or time off keeps from being takers (asked only where it counts)."""
        if not crew.catch_up:
            return ()
        absent = answer.failing_by(Verdict.PAUSED) | answer.failing_by(Verdict.TIME_OFF)
        if not absent:
            return ()
        if_back = self.match.ask(crew, self.wanted, answer.asked, self.loads, pardoning_absence=True)
        return crew.crowd.members(if_back.takers & absent)

    def _least_busy(self, answer: Answer, takers: Sequence[int]) -> Decision:
        agents = self.match.snapshot.roster.spec.agents
        loads = {agent: self.loads.get(agent, IDLE) for agent in takers}
        caps = {agent: agents[agent].caps.open for agent in takers}
        chosen = least_busy(loads, caps)
        margins = {agent: load.open - loads[chosen].open for agent, load in loads.items()}
        return self._given(answer, chosen, margins)

    def _offered(self, answer: Answer, crew: Crew) -> Decision:
        assert crew.ledger is not None
        pools = [*self.pools]
        if self.match.reasons:
            pools.append(Pool(self.rule, answer.asked, answer.candidates(Verdict.OFFERED), Outcome.HELD.value))
        target = Target(Target.TEAM, crew.ledger)
        return self.match.decision(Outcome.HELD, None, self.rule, Reason.CLAIM, pools, target)

    def _given(
        self,
        answer: Answer,
        chosen: int,
        margins: Mapping[int, int],
        turn: Turn | None = None,
        ledger: int | None = None,
    ) -> Decision:
        pools = self.pools
        if self.match.reasons:
            candidates = answer.candidates(Verdict.NOT_THEIR_TURN, chosen, margins)
            asked_by = self.rule if self.by_rule else None
            pools = [*pools, Pool(asked_by, answer.asked, candidates, _ASSIGNED)]
        return self.match.decision(Outcome.ASSIGNED, chosen, self.rule, self.by, pools, None, turn, ledger)


def least_busy(loads: Mapping[int, Load], caps: Mapping[int, int | None]) -> int:
    """The agent with the fewest open leads relative to their open cap (plain counts if anybody has none); then the
    longest since the last assignment of any kind; then the lowest id."""
    relative = all(caps[agent] for agent in loads)

    def busy(agent: int) -> tuple[Fraction, bool, float, int]:
        load, cap = loads[agent], caps[agent]
        last = load.last_assigned_at
        share = Fraction(load.open, cap) if relative and cap else Fraction(load.open)
        return share, last is not None, last.timestamp() if last else 0.0, agent

    return min(loads, key=busy)


def crew_of(rule: Rule, roster: Roster) -> Crew:
    """The people a rule names, nobody where they are archived or gone. One agent acts like a team of one."""
    slug = rule.route.target_slug or ""
    if rule.route.kind == Target.TEAM:
        team = roster.teams.get(roster.team_slugs.get(slug, 0))
        return NOBODY if team is None else team.crew
    return Crew(roster, roster.bit(roster.slugs.get(slug, 0)))


def _target(rule: Rule, roster: Roster) -> Target:
    slug = rule.route.target_slug or ""
    slugs = roster.team_slugs if rule.route.kind == Target.TEAM else roster.slugs
    return Target(rule.route.kind, slugs[slug])


def reached_on(roster: Roster, request: Request, agent: int) -> str | None:
    """The channel an agent is reached on: the lead's, where it opens on no handle or on one they have; else the
    first of the site's channels for which they have a handle; else None."""
    handles = roster.spec.agents[agent].channels
    asked = channel_of(request.facts)
    if asked is None or asked == FORM or asked in handles:
        return asked
    return next((channel for channel in request.channels if channel in handles), None)


_AT_THE_END = -1
_ASSIGNED = Outcome.ASSIGNED.value
NOBODY = Crew(Crowd({}, {}), 0)
NO_TAKERS = Answer(NOBODY.crowd, Asked.REGULAR, 0, [])


def _strategy(rule: Rule) -> Reason:
    if rule.route.kind == Target.AGENT:
        return Reason.DIRECT
    return _BY_TURN if rule.route.by is None else _STRATEGIES[rule.route.by]


_BY_TURN = Reason.ROUND_ROBIN
_STRATEGIES = {reason.value: reason for reason in Reason}
