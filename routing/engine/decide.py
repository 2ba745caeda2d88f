"""Deciding: facts + snapshot + loads + ledgers + instant -> decision.

In three steps, so that nothing is locked longer than it must be: `match` finds the rules that hold (no loads, no
ledger); `Match.shortlist` asks their people in order until somebody can take the lead (loads); and
`Shortlist.decide` chooses among the takers (the one ledger it names). `decide` is the three in one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction

from routing.engine.asking import ANY, FORM, Answer, Wanted, ask, channel_of, fulfilling
from routing.engine.covered import hours_within
from routing.engine.decision import ANYBODY, Asked, Decision, Outcome, Pool, Reason, Target, Verdict
from routing.engine.facts import Facts, Value
from routing.engine.hours import local
from routing.engine.ledger import EVEN, Ledger, take_turn
from routing.engine.loads import IDLE, Load
from routing.engine.policy import Policy, Rule
from routing.engine.roster import Roster, Team

ON_CALL_LEDGER = 0

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CLOCK_FIELDS = frozenset({"weekday", "local_time", "in_hours"})
_SCORE_FIELDS = frozenset({"score", "intent"})


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the person: whether they were here before, and the agent they had (None: none)."""

    returning: bool = False
    agent: int | None = None


STRANGER = Known()


@dataclass(frozen=True, slots=True)
class Request:
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
    return Match(request, snapshot, at)


def complete(request: Request, snapshot: Snapshot, at: datetime, *, everything: bool = False) -> Facts:
    """The facts with what the engine adds: the clock's, whether the person is known, score and intent.

    Only what the policy looks at, unless `everything` is asked for.
    """
    policy, roster = snapshot.policy, snapshot.roster
    added: dict[str, Value] = {"returning": request.known.returning}
    if everything or not policy.fields.isdisjoint(_CLOCK_FIELDS):
        added |= clock_facts(roster, at)
    facts = request.facts.with_values(added)
    if everything or policy.scoring or not policy.fields.isdisjoint(_SCORE_FIELDS):
        score = policy.score(facts.values, facts.language)
        facts = facts.with_values({"score": score, "intent": policy.intent(score)})
    return facts


def clock_facts(roster: Roster, at: datetime) -> dict[str, Value]:
    """Weekday and time on the workspace's wall clock, and whether anybody is on regular shift."""
    wall = local(at, roster.spec.zone)
    return {
        "weekday": _WEEKDAYS[wall.weekday()],
        "local_time": f"{wall.hour:02}:{wall.minute:02}",
        "in_hours": roster.in_hours(at),
    }


class Match:
    """The rules that hold for a lead, in order."""

    __slots__ = ("_rules", "at", "facts", "presence", "request", "snapshot", "tried")

    def __init__(self, request: Request, snapshot: Snapshot, at: datetime) -> None:
        self.request = request
        self.snapshot = snapshot
        self.at = at
        self.facts = complete(request, snapshot, at)
        self.presence = snapshot.roster.presence(at)
        self.tried = 0
        for agent in request.tried:
            self.tried |= snapshot.roster.bit(agent)
        self._rules: tuple[Rule, ...] | None = None

    @property
    def load_agents(self) -> frozenset[int]:
        """Whose loads the decision can depend on: capped people who are there, and those `least_busy` compares."""
        roster, presence = self.snapshot.roster, self.presence
        if self._rules is None:
            self._rules = tuple(self._matching())
        wanted = presence.on_call & roster.capped
        for rule in self._rules:
            compared = -1 if rule.route.by == "least_busy" else 0
            wanted |= team_of(rule, roster).mask & (roster.capped | compared)
        if self.request.known.agent is not None:
            wanted |= roster.bit(self.request.known.agent) & roster.capped
        return frozenset(roster.members(wanted & (presence.regular | presence.on_call) & roster.active))

    def shortlist(self, loads: Mapping[int, Load]) -> Shortlist:
        """Ask the rules' people in order until somebody can take the lead, or the list ends."""
        pools: list[Pool] = []
        rules = iter(self._matching() if self._rules is None else self._rules)
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

    def _matching(self) -> Iterator[Rule]:
        return self.snapshot.policy.matching(self.facts.values, self.facts.language)

    def _their_agent(self, rule: Rule | None, loads: Mapping[int, Load], pools: list[Pool]) -> int | None:
        """The agent the person had, where they may take this lead too. Asked before the rules' strategies."""
        agent, roster = self.request.known.agent, self.snapshot.roster
        if agent is None or self.snapshot.policy.returning != "same_agent":
            return None
        if agent not in roster.spec.agents or (rule is not None and rule.route.kind == "queue"):
            return None
        answer = self._ask(roster.bit(agent), ANY, Asked.REGULAR, loads)
        then = Outcome.ASSIGNED.value if answer.takers else "next_rule"
        pools.append(Pool(None, Asked.REGULAR, answer.candidates(roster, Verdict.CHOSEN), then))
        return agent if answer.takers else None

    def _ask_rule(self, rule: Rule, loads: Mapping[int, Load], pools: list[Pool]) -> Shortlist | None:
        """Ask one rule's people; where nobody can, do what its `if_nobody` says. None: go on with the next rule."""
        roster, route = self.snapshot.roster, rule.route
        if route.kind == "queue":
            return self._decided(Outcome.QUEUED, Reason.DIRECT, rule.name, pools)
        team = team_of(rule, roster)
        wanted = wanted_of(rule)
        answer = self._ask(team.mask, wanted, Asked.REGULAR, loads, team)
        if answer.takers:
            return Shortlist(self, loads, tuple(pools), rule.name, answer, team, wanted, _strategy(rule, self.request))
        pool = Pool(rule.name, Asked.REGULAR, answer.candidates(roster, Verdict.CHOSEN), route.if_nobody)
        if route.if_nobody == "on_call":
            pools.append(pool)
            answer = self._ask(team.mask, wanted, Asked.ON_CALL, loads, team)
            if answer.takers:
                return Shortlist(self, loads, tuple(pools), rule.name, answer, team, wanted, Reason.ON_CALL)
            pool = Pool(rule.name, Asked.ON_CALL, answer.candidates(roster, Verdict.CHOSEN), "next_rule")
        elif route.if_nobody == "queue":
            pools.append(replace(pool, then=Outcome.QUEUED.value))
            return self._decided(Outcome.QUEUED, Reason.NOBODY, rule.name, pools)
        elif route.if_nobody == "hold" and self._worth_waiting(team, wanted):
            pools.append(replace(pool, then=Outcome.HELD.value))
            target = Target(route.kind, team.id)
            return self._decided(Outcome.HELD, Reason.NOBODY, rule.name, pools, target=target)
        elif route.if_nobody == "fallback" and self._fallback() is not None:
            pools.append(pool)
            return self._to_fallback(rule.name, pools)
        pools.append(replace(pool, then="next_rule"))
        return None

    def _end(self, last: str | None, loads: Mapping[int, Load], pools: list[Pool]) -> Shortlist:
        """The end of the list: whoever is on call, else the fallback agent, else hold."""
        roster = self.snapshot.roster
        if people := roster.on_call_people:
            answer = self._ask(people, ANY, Asked.ON_CALL, loads)
            if answer.takers:
                return Shortlist(self, loads, tuple(pools), last, answer, None, ANY, Reason.ON_CALL)
            then = Outcome.HELD if self._fallback() is None else Outcome.FALLBACK
            pools.append(Pool(None, Asked.ON_CALL, answer.candidates(roster, Verdict.CHOSEN), then.value))
        if self._fallback() is not None:
            return self._to_fallback(last, pools)
        return self._decided(Outcome.HELD, Reason.NOBODY, last, pools, target=ANYBODY)

    def _ask(
        self, people: int, wanted: Wanted, asked: Asked, loads: Mapping[int, Load], team: Team | None = None
    ) -> Answer:
        return ask(
            self.snapshot.roster,
            self.facts,
            people,
            wanted,
            asked=asked,
            presence=self.presence,
            loads=loads,
            tried=self.tried,
            weightless=team.weightless if team else 0,
            tiers=team.tiers if team else (),
        )

    def _worth_waiting(self, team: Team, wanted: Wanted) -> bool:
        """Whether somebody who could take the lead has regular hours soon, net of leave and holidays."""
        roster = self.snapshot.roster
        people = team.mask & roster.active & ~self.tried & ~team.weightless
        people &= fulfilling(roster, self.facts, wanted.require)
        return any(hours_within(roster.schedule(agent), at=self.at) for agent in roster.members(people))

    def _fallback(self) -> int | None:
        """The fallback agent, unless there is none, they are inactive or were tried."""
        roster = self.snapshot.roster
        agent = roster.spec.fallback
        if agent is None or not roster.bit(agent) & roster.active & ~self.tried:
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
        return Shortlist(
            self, {}, tuple(pools), rule, decided=self.decision(outcome, agent, rule, reason, tuple(pools), target)
        )

    def decision(
        self,
        outcome: Outcome,
        agent: int | None,
        rule: str | None,
        reason: Reason,
        pools: tuple[Pool, ...],
        target: Target | None = None,
    ) -> Decision:
        """A decision about this lead, with the channel its agent is reached on."""
        score, intent = self.facts.values.get("score"), self.facts.values.get("intent")
        return Decision(
            outcome=outcome,
            agent=agent,
            rule=rule,
            reason=reason,
            channel=None if agent is None else reached_on(self.snapshot.roster, self.request, agent),
            pools=pools,
            target=target,
            score=score if isinstance(score, int) else None,
            intent=intent if isinstance(intent, str) else None,
        )


@dataclass(frozen=True, slots=True)
class Shortlist:
    """Who can take the lead: the takers of the first rule that has any. `decided` where nothing is left to choose."""

    match: Match
    loads: Mapping[int, Load]
    pools: tuple[Pool, ...]
    rule: str | None
    answer: Answer | None = None
    team: Team | None = None
    wanted: Wanted = ANY
    by: Reason = Reason.DIRECT
    decided: Decision | None = None

    @property
    def ledger(self) -> int | None:
        """The team whose ledger the choice needs, `ON_CALL_LEDGER`, or None where no turn is taken."""
        if self.decided is not None or self.by in (Reason.DIRECT, Reason.LEAST_BUSY):
            return None
        if self.by is Reason.CLAIM and not self.match.request.claim_over:
            return None
        if self.team is None:
            return ON_CALL_LEDGER
        return None if self.team.solo else self.team.id

    def decide(self, ledger: Ledger) -> Decision:
        """Choose among the takers. `ledger` is read only where `self.ledger` names one."""
        if self.decided is not None or self.answer is None:
            assert self.decided is not None
            return self.decided
        takers = tuple(self.match.snapshot.roster.members(self.answer.takers))
        if self.ledger is not None:
            return self._by_turn(self.answer, takers, ledger)
        if self.by is Reason.CLAIM:
            return self._offered(self.answer)
        if self.by is Reason.LEAST_BUSY:
            return self._least_busy(self.answer, takers)
        return self._given(self.answer, takers, takers[0], {})

    def _by_turn(self, answer: Answer, takers: tuple[int, ...], ledger: Ledger) -> Decision:
        team = self.team
        weighted = [(agent, team.weights[agent] if team else 1) for agent in takers]
        away = [(agent, team.weights[agent]) for agent in self._kept_away(answer)] if team else []
        turn = take_turn(ledger, weighted, away=away, catch_up=team.catch_up if team else 0)
        standing = {agent: ledger.of(agent).credit + share for agent, share in turn.given}
        margins = {agent: standing[turn.chosen] - standing[agent] for agent in takers}
        return replace(self._given(answer, takers, turn.chosen, margins), turn=turn, ledger=self.ledger)

    def _kept_away(self, answer: Answer) -> Iterable[int]:
        """Members whom nothing but a pause or time off keeps from being takers (asked only where it counts)."""
        match, team = self.match, self.team
        absent = answer.failing_by(Verdict.PAUSED) | answer.failing_by(Verdict.TIME_OFF)
        if not absent or team is None or not team.catch_up:
            return ()
        roster = match.snapshot.roster
        if_back = ask(
            roster,
            match.facts,
            team.mask,
            self.wanted,
            asked=answer.asked,
            presence=match.presence,
            loads=self.loads,
            tried=match.tried,
            weightless=team.weightless,
            tiers=team.tiers,
            pardoning_absence=True,
        )
        return roster.members(if_back.takers & absent)

    def _least_busy(self, answer: Answer, takers: tuple[int, ...]) -> Decision:
        roster = self.match.snapshot.roster
        loads = {agent: self.loads.get(agent, IDLE) for agent in takers}
        caps = {agent: roster.spec.agents[agent].caps.open for agent in takers}
        chosen = least_busy(loads, caps)
        margins = {agent: load.open - loads[chosen].open for agent, load in loads.items()}
        return self._given(answer, takers, chosen, margins)

    def _offered(self, answer: Answer) -> Decision:
        assert self.team is not None
        pool = Pool(
            self.rule,
            answer.asked,
            answer.candidates(self.match.snapshot.roster, Verdict.OFFERED),
            Outcome.HELD.value,
        )
        target = Target(Target.TEAM, self.team.id)
        return self.match.decision(Outcome.HELD, None, self.rule, Reason.CLAIM, (*self.pools, pool), target)

    def _given(self, answer: Answer, takers: tuple[int, ...], chosen: int, margins: Mapping[int, int]) -> Decision:
        verdicts = {agent: Verdict.CHOSEN if agent == chosen else Verdict.NOT_THEIR_TURN for agent in takers}
        candidates = answer.candidates(self.match.snapshot.roster, verdicts, margins)
        asked_by = None if self.team is None else self.rule
        pool = Pool(asked_by, answer.asked, candidates, Outcome.ASSIGNED.value)
        return self.match.decision(Outcome.ASSIGNED, chosen, self.rule, self.by, (*self.pools, pool))


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


def team_of(rule: Rule, roster: Roster) -> Team:
    """The people a rule names, nobody where they are archived or gone. One agent acts like a team of one."""
    slug = rule.route.target_slug or ""
    if rule.route.kind == Target.TEAM:
        return roster.teams.get(roster.team_slugs.get(slug, 0), NO_TEAM)
    agent = roster.slugs.get(slug)
    return NO_TEAM if agent is None else Team(agent, slug, roster.bit(agent), 0, {agent: 1}, (), solo=True)


def wanted_of(rule: Rule) -> Wanted:
    """What a rule asks of its people."""
    return Wanted(rule.route.require, rule.route.prefer, rule.route.by == Reason.PRIORITY)


def reached_on(roster: Roster, request: Request, agent: int) -> str | None:
    """The channel an agent is reached on: the lead's, where it opens on no handle or on one they have; else the
    first of the site's channels for which they have a handle; else None."""
    handles = roster.spec.agents[agent].channels
    asked = channel_of(request.facts)
    if asked is None or asked == FORM or asked in handles:
        return asked
    return next((channel for channel in request.channels if channel in handles), None)


NO_TEAM = Team(0, "", 0, 0, {}, ())


def _strategy(rule: Rule, request: Request) -> Reason:
    if rule.route.kind == Target.AGENT:
        return Reason.DIRECT
    return Reason(rule.route.by or Reason.ROUND_ROBIN)
