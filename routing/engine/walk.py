"""The full walk: the same decision, reached the slow and obvious way, with everything it looked at.

For explanations, and as the check on `decide`: every rule is tried in turn, every person is asked by themselves.
No index, no bitsets. Only the choice itself (whose turn, who is least busy) has one home and is called here too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from routing.engine.asking import ANY, FORM, TAGS, Wanted, channel_of
from routing.engine.choosing import least_busy
from routing.engine.conditions import Failure
from routing.engine.covered import hours_within
from routing.engine.crowd import AgentSpec
from routing.engine.decide import reached_on
from routing.engine.decision import ANYBODY, Asked, Candidate, Decision, Outcome, Pool, Reason, Target, Verdict
from routing.engine.facts import Facts
from routing.engine.hours import Kind, ShiftSpec, local, period_keys
from routing.engine.ledger import EVEN, Ledger, take_turn
from routing.engine.loads import IDLE, Load, PeriodKeys
from routing.engine.policy import Rule
from routing.engine.request import Request, Snapshot, complete
from routing.engine.roster import ON_CALL_LEDGER, Member


@dataclass(frozen=True, slots=True)
class RuleTrace:
    """One rule of the policy: whether it holds, if not the first condition of each group that failed with the value
    it saw, and whom it asked (empty below the rule that acted)."""

    rule: str
    position: int
    held: bool
    failures: tuple[Failure, ...]
    pools: tuple[Pool, ...]


@dataclass(frozen=True, slots=True)
class Walk:
    """Every rule in order, the facts as rules saw them, and the decision."""

    facts: Facts
    rules: tuple[RuleTrace, ...]
    decision: Decision


@dataclass(frozen=True, slots=True)
class _Group:
    """The people a rule names. `ledger` None: no turns are taken among them."""

    target: Target
    members: tuple[Member, ...]
    ledger: int | None
    catch_up: int = 0


def walk(
    request: Request, snapshot: Snapshot, loads: Mapping[int, Load], ledgers: Mapping[int, Ledger], at: datetime
) -> Walk:
    """Try each rule in turn and say what became of it; the decision is the one `decide` reaches."""
    facts = complete(request, snapshot, at, everything=True)
    failures = [rule.when.failures(facts.values, facts.language) for rule in snapshot.policy.rules]
    decision = _Walker(request, snapshot, loads, ledgers, at, facts).go(
        [rule for rule, failed in zip(snapshot.policy.rules, failures, strict=True) if not failed]
    )
    rules = tuple(
        RuleTrace(
            rule.name,
            rule.position,
            not failed,
            failed,
            tuple(pool for pool in decision.pools if pool.rule == rule.name),
        )
        for rule, failed in zip(snapshot.policy.rules, failures, strict=True)
    )
    return Walk(facts, rules, decision)


@dataclass(slots=True)
class _Walker:
    request: Request
    snapshot: Snapshot
    loads: Mapping[int, Load]
    ledgers: Mapping[int, Ledger]
    at: datetime
    facts: Facts

    def go(self, rules: Sequence[Rule]) -> Decision:
        pools: list[Pool] = []
        known = self._specs.get(self.request.known.agent or 0)
        queued_first = bool(rules) and rules[0].route.kind == "queue"
        if known is not None and self.snapshot.policy.returning == "same_agent" and not queued_first:
            verdicts = self._ask((Member(known.id),), ANY, Asked.REGULAR)
            may = verdicts[known.id] is Verdict.CHOSEN
            then = Outcome.ASSIGNED.value if may else "next_rule"
            pools.append(Pool(None, Asked.REGULAR, _candidates(verdicts), then))
            if may:
                return self._decision(Outcome.ASSIGNED, Reason.RETURNING, None, pools, known.id)
        for rule in rules:
            if decision := self._try(rule, pools):
                return decision
        return self._end(rules[-1].name if rules else None, pools)

    @property
    def _specs(self) -> Mapping[int, AgentSpec]:
        return self.snapshot.roster.spec.agents

    def _try(self, rule: Rule, pools: list[Pool]) -> Decision | None:
        route = rule.route
        if route.kind == "queue":
            return self._decision(Outcome.QUEUED, Reason.DIRECT, rule.name, pools)
        group = self._group(rule)
        wanted = rule.wanted
        verdicts = self._ask(group.members, wanted, Asked.REGULAR)
        if _takers(verdicts):
            by = Reason.DIRECT if group.target.kind == Target.AGENT else Reason(route.by or "")
            return self._choose(rule.name, rule.name, group, wanted, Asked.REGULAR, by, verdicts, pools)
        pool = Pool(rule.name, Asked.REGULAR, _candidates(verdicts), route.if_nobody)
        if route.if_nobody == "on_call":
            pools.append(pool)
            verdicts = self._ask(group.members, wanted, Asked.ON_CALL)
            if _takers(verdicts):
                return self._choose(rule.name, rule.name, group, wanted, Asked.ON_CALL, Reason.ON_CALL, verdicts, pools)
            pool = Pool(rule.name, Asked.ON_CALL, _candidates(verdicts), "next_rule")
        if route.if_nobody == "queue":
            pools.append(pool._replace(then="queued"))
            return self._decision(Outcome.QUEUED, Reason.NOBODY, rule.name, pools)
        if route.if_nobody == "hold" and self._worth_waiting(group, wanted):
            pools.append(pool._replace(then="held"))
            return self._decision(Outcome.HELD, Reason.NOBODY, rule.name, pools, target=group.target)
        if route.if_nobody == "fallback" and (fallback := self._fallback()):
            pools.append(pool)
            return self._decision(Outcome.FALLBACK, Reason.FALLBACK, rule.name, pools, fallback)
        pools.append(pool._replace(then="next_rule"))
        return None

    def _end(self, last: str | None, pools: list[Pool]) -> Decision:
        on_call = tuple(
            Member(agent)
            for agent, spec in sorted(self._specs.items())
            if any(shift.kind is Kind.ON_CALL for shift in spec.shifts)
        )
        fallback = self._fallback()
        if on_call:
            verdicts = self._ask(on_call, ANY, Asked.ON_CALL)
            if _takers(verdicts):
                group = _Group(ANYBODY, on_call, ON_CALL_LEDGER)
                return self._choose(None, last, group, ANY, Asked.ON_CALL, Reason.ON_CALL, verdicts, pools)
            then = Outcome.FALLBACK if fallback else Outcome.HELD
            pools.append(Pool(None, Asked.ON_CALL, _candidates(verdicts), then.value))
        if fallback:
            return self._decision(Outcome.FALLBACK, Reason.FALLBACK, last, pools, fallback)
        return self._decision(Outcome.HELD, Reason.NOBODY, last, pools, target=ANYBODY)

    def _group(self, rule: Rule) -> _Group:
        slug = rule.route.target_slug
        if rule.route.kind == Target.TEAM:
            for team in self.snapshot.roster.spec.teams.values():
                if team.slug == slug and not team.archived:
                    members = tuple(member for member in team.members if member.agent in self._specs)
                    return _Group(Target(Target.TEAM, team.id), members, team.id, team.catch_up)
        else:
            for agent in self._specs.values():
                if agent.slug == slug:
                    return _Group(Target(Target.AGENT, agent.id), (Member(agent.id),), None)
        return _Group(Target(rule.route.kind, 0), (), None)

    def _fallback(self) -> int | None:
        spec = self._specs.get(self.snapshot.roster.spec.fallback or 0)
        return spec.id if spec and spec.active and spec.id not in self.request.tried else None

    def _worth_waiting(self, group: _Group, wanted: Wanted) -> bool:
        return any(
            hours_within(self.snapshot.roster.schedule(member.agent), at=self.at)
            for member in group.members
            if member.weight > 0
            and self._specs[member.agent].active
            and member.agent not in self.request.tried
            and self._unfulfilled(self._specs[member.agent], wanted, level=2) is None
        )

    # asking people, one by one

    def _ask(
        self, members: Iterable[Member], wanted: Wanted, asked: Asked, *, pardon: bool = False
    ) -> dict[int, Verdict]:
        """A verdict for each; `CHOSEN` for those who may take the lead."""
        weights = {member.agent: member.weight for member in members}
        tiers = {member.agent: member.tier for member in members}
        verdicts: dict[int, Verdict] = {}
        there = []
        for agent in weights:
            absent = self._absence(self._specs[agent], asked, pardon)
            if absent is None:
                there.append(agent)
            else:
                verdicts[agent] = absent
        level = self._language_level(there, weights, wanted)
        eligible = []
        for agent in there:
            failed = self._unfulfilled(self._specs[agent], wanted, level)
            if failed is None and agent in self.request.tried:
                failed = Verdict.ALREADY_TRIED
            if failed is None:
                eligible.append(agent)
            else:
                verdicts[agent] = failed
        preferred = eligible
        for preference in wanted.prefer:
            preferred = self._narrowed(preferred, preference)
        lowest = min((tiers[agent] for agent in preferred if weights[agent] > 0), default=None)
        for agent in eligible:
            if agent not in preferred:
                verdicts[agent] = Verdict.NOT_PREFERRED
            elif wanted.by_tier and lowest is not None and tiers[agent] != lowest:
                verdicts[agent] = Verdict.LOWER_TIER
            elif weights[agent] <= 0:
                verdicts[agent] = Verdict.WEIGHT_ZERO
            else:
                verdicts[agent] = Verdict.CHOSEN
        return verdicts

    def _absence(self, spec: AgentSpec, asked: Asked, pardon: bool) -> Verdict | None:
        wall = local(self.at, spec.zone)
        if not spec.active:
            return Verdict.INACTIVE
        if not pardon and spec.paused:
            return Verdict.PAUSED
        if not pardon and any(span.start <= wall < span.end for span in spec.time_off):
            return Verdict.TIME_OFF
        holidays = self.snapshot.roster.spec.calendars[spec.calendar] if spec.calendar else frozenset()
        if asked is Asked.REGULAR and wall.date() in holidays:
            return Verdict.HOLIDAY
        if not any(_covers(shift, wall) for shift in spec.shifts if shift.kind.value == asked.value):
            return Verdict.OFF_SHIFT
        keys = PeriodKeys(*period_keys(self.at, spec.zone))
        return Verdict.AT_CAP if self.loads.get(spec.id, IDLE).reaches(spec.caps, keys) else None

    def _unfulfilled(self, spec: AgentSpec, wanted: Wanted, level: int) -> Verdict | None:
        channel = channel_of(self.facts)
        country, region = self.facts.values.get("country"), self.facts.values.get("region")
        if "language" in wanted.require and self._degree(spec) > level:
            return Verdict.LANGUAGE
        if channel is None:
            if "channel" in wanted.require:
                return Verdict.CHANNEL
        elif channel != FORM and channel not in spec.channels:
            return Verdict.CHANNEL
        covers = not spec.territories or country in spec.territories or region in spec.territories
        if "territory" in wanted.require and not covers:
            return Verdict.TERRITORY
        return Verdict.TAGS if not all(_has_tag(spec, need) for need in wanted.require) else None

    def _degree(self, spec: AgentSpec) -> int:
        """How well they speak the lead's language: 0 by the exact tag, 1 its base, 2 the same language, 3 not."""
        tag = self.facts.language
        if tag is None:
            return 3
        spoken = {language.tag for language in spec.languages}
        if tag.tag in spoken:
            return 0
        if tag.base_script == tag.script and tag.language in spoken:
            return 1
        same = any((other.language, other.script) == (tag.language, tag.script) for other in spec.languages)
        return 2 if same else 3

    def _language_level(self, there: Iterable[int], weights: Mapping[int, int], wanted: Wanted) -> int:
        """The least degree of the language that somebody has who could otherwise take the lead."""
        degrees = [
            self._degree(self._specs[agent])
            for agent in there
            if weights[agent] > 0
            and agent not in self.request.tried
            and self._unfulfilled(self._specs[agent], wanted, level=3) is None
        ]
        return min((degree for degree in degrees if degree < 3), default=2)

    def _narrowed(self, agents: list[int], preference: str) -> list[int]:
        specs = self._specs
        levels: list[list[int]]
        if preference == "language":
            levels = [[agent for agent in agents if self._degree(specs[agent]) <= level] for level in range(3)]
        elif preference == "territory":
            levels = [
                [agent for agent in agents if self.facts.values.get(field) in specs[agent].territories]
                for field in ("region", "country")
            ]
        elif preference == "channel":
            required = Wanted(require=("channel",))
            levels = [[agent for agent in agents if self._unfulfilled(specs[agent], required, 3) is None]]
        else:
            levels = [[agent for agent in agents if _has_tag(specs[agent], preference)]]
        return next((level for level in levels if level), agents)

    # choosing

    def _choose(
        self,
        pool_rule: str | None,
        rule: str | None,
        group: _Group,
        wanted: Wanted,
        asked: Asked,
        by: Reason,
        verdicts: dict[int, Verdict],
        pools: list[Pool],
    ) -> Decision:
        takers = _takers(verdicts)
        if by is Reason.CLAIM and not self.request.claim_over:
            offered = {agent: Verdict.OFFERED if agent in takers else verdict for agent, verdict in verdicts.items()}
            pools.append(Pool(pool_rule, asked, _candidates(offered), "held"))
            return self._decision(Outcome.HELD, Reason.CLAIM, rule, pools, target=group.target)
        turn, margins = None, dict.fromkeys(takers, 0)
        if by is Reason.LEAST_BUSY:
            loads = {agent: self.loads.get(agent, IDLE) for agent in takers}
            chosen = least_busy(loads, {agent: self._specs[agent].caps.open for agent in takers})
            margins = {agent: loads[agent].open - loads[chosen].open for agent in takers}
        elif group.ledger is None:
            chosen = takers[0]
            margins = {}
        else:
            ledger = self.ledgers.get(group.ledger, EVEN)
            weights = {member.agent: member.weight for member in group.members}
            away = self._kept_away(group, wanted, asked, verdicts, weights)
            turn = take_turn(ledger, [(agent, weights[agent]) for agent in takers], away=away, catch_up=group.catch_up)
            chosen = turn.chosen
            credit = {agent: ledger.of(agent).credit + share for agent, share in turn.given}
            margins = {agent: credit[chosen] - credit[agent] for agent in takers}
        final = {
            agent: Verdict.NOT_THEIR_TURN if agent in takers and agent != chosen else verdict
            for agent, verdict in verdicts.items()
        }
        pools.append(Pool(pool_rule, asked, _candidates(final, margins), "assigned"))
        decision = self._decision(Outcome.ASSIGNED, by, rule, pools, chosen)
        return decision if turn is None else decision._replace(turn=turn, ledger=group.ledger)

    def _kept_away(
        self, group: _Group, wanted: Wanted, asked: Asked, verdicts: Mapping[int, Verdict], weights: Mapping[int, int]
    ) -> list[tuple[int, int]]:
        if not group.catch_up:
            return []
        if_back = self._ask(group.members, wanted, asked, pardon=True)
        return [
            (agent, weights[agent])
            for agent in _takers(if_back)
            if verdicts[agent] in (Verdict.PAUSED, Verdict.TIME_OFF)
        ]

    def _decision(
        self,
        outcome: Outcome,
        reason: Reason,
        rule: str | None,
        pools: Sequence[Pool],
        agent: int | None = None,
        *,
        target: Target | None = None,
    ) -> Decision:
        scored = bool(self.snapshot.policy.scoring) or not self.snapshot.policy.fields.isdisjoint({"score", "intent"})
        score, intent = self.facts.values["score"], self.facts.values["intent"]
        return Decision(
            outcome=outcome,
            agent=agent,
            rule=rule,
            reason=reason,
            channel=None if agent is None else reached_on(self.snapshot.roster, self.request, agent),
            pools=tuple(pools),
            target=target,
            score=score if scored and isinstance(score, int) else None,
            intent=intent if scored and isinstance(intent, str) else None,
        )


def _covers(shift: ShiftSpec, wall: datetime) -> bool:
    minute = wall.hour * 60 + wall.minute
    today, yesterday = wall.weekday(), (wall.weekday() - 1) % 7
    if shift.start < shift.end:
        return shift.weekday == today and shift.start <= minute < shift.end
    return (shift.weekday == today and minute >= shift.start) or (shift.weekday == yesterday and minute < shift.end)


def _has_tag(spec: AgentSpec, need: str) -> bool:
    return not need.startswith(TAGS) or need[len(TAGS) :].casefold() in {tag.casefold() for tag in spec.tags}


def _takers(verdicts: Mapping[int, Verdict]) -> list[int]:
    return sorted(agent for agent, verdict in verdicts.items() if verdict is Verdict.CHOSEN)


def _candidates(verdicts: Mapping[int, Verdict], margins: Mapping[int, int] | None = None) -> tuple[Candidate, ...]:
    margins = margins or {}
    return tuple(Candidate(agent, verdicts[agent], margins.get(agent)) for agent in sorted(verdicts))
