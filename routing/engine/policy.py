"""A published policy, compiled: rules in order with their index, scoring, and what to do with people we know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from typing import Any, Literal

from routing.engine.asking import Wanted
from routing.engine.conditions import Reading, When
from routing.engine.decision import Reason
from routing.engine.facts import LanguageTag, Value
from routing.engine.index import RuleIndex

TargetKind = Literal["team", "agent", "queue"]
Returning = Literal["same_agent", "rotate"]
Intent = Literal["hot", "warm", "cold"]


CLOCK_FIELDS = frozenset({"weekday", "local_time", "in_hours"})
SCORE_FIELDS = frozenset({"score", "intent"})

# Rules ask for the same again and again: what they have in common is there once, and stays in the processor's caches.
_wanted = lru_cache(maxsize=4096)(Wanted)
_same = lru_cache(maxsize=4096)(str)


@dataclass(frozen=True, slots=True)
class Route:
    """Where a rule sends a lead. `by` is None unless the target is a team; `target_slug` is None for the queue."""

    kind: TargetKind
    target_slug: str | None
    by: str | None = None
    require: tuple[str, ...] = ()
    prefer: tuple[str, ...] = ()
    if_nobody: str = "next_rule"

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Route:
        to = document["to"]
        if to == "queue":
            return cls("queue", None)
        kind: TargetKind = "team" if "team" in to else "agent"
        return cls(
            kind=kind,
            target_slug=_same(to[kind]),
            by=_same(document.get("by", "round_robin")) if kind == "team" else None,
            require=tuple(document.get("require", ())),
            prefer=tuple(document.get("prefer", ())),
            if_nobody=_same(document.get("if_nobody", "next_rule")),
        )


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of the policy. `position` counts from 0 in the document, inactive rules included."""

    name: str
    position: int
    when: When
    route: Route
    sla: Mapping[str, Any] | None = None
    wanted: Wanted = field(init=False, repr=False, compare=False)
    strategy: Reason = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        route = self.route
        object.__setattr__(self, "wanted", _wanted(route.require, route.prefer, route.by == "priority"))
        direct = Reason.DIRECT if route.kind == "agent" else Reason.ROUND_ROBIN
        object.__setattr__(self, "strategy", direct if route.by is None else Reason(route.by))


@dataclass(frozen=True, slots=True)
class ScoringRule:
    when: When
    points: int


@dataclass(frozen=True, slots=True)
class Policy:
    """What leads are routed by. `fields` are those that any active rule or scoring rule looks at.

    `named` are the rules by name. `sla` is promised where a lead's rule promises nothing itself.
    """

    version: int
    rules: tuple[Rule, ...]
    index: RuleIndex[Rule]
    scoring: tuple[ScoringRule, ...]
    hot: int
    warm: int
    returning: Returning
    join_window: timedelta
    fields: frozenset[str]
    named: Mapping[str, Rule]
    sla: Mapping[str, Any] | None = None
    acknowledge_within: timedelta = timedelta(minutes=5)

    clock_fields: frozenset[str] = field(init=False)
    scores: bool = field(init=False)  # whether leads have a score at all

    def __post_init__(self) -> None:
        object.__setattr__(self, "clock_fields", self.fields & CLOCK_FIELDS)
        object.__setattr__(self, "scores", bool(self.scoring) or not self.fields.isdisjoint(SCORE_FIELDS))

    def matching(self, values: Mapping[str, Value], language: LanguageTag | None) -> Iterator[Rule]:
        """The rules that hold, in their order, each found when it is asked for."""
        return self.index.matching(values, language)

    def score(self, values: Mapping[str, Value], language: LanguageTag | None) -> int:
        """The points of every scoring rule that holds. Scoring looks at neither `score` nor `intent`."""
        return self.score_for(Reading(values, language))

    def score_for(self, reading: Reading) -> int:
        """The same for a lead that is being read already."""
        score = 0
        for rule in self.scoring:
            if rule.when.holds_for(reading):
                score += rule.points
        return score

    def intent(self, score: int) -> Intent:
        if score >= self.hot:
            return "hot"
        return "warm" if score >= self.warm else "cold"


def compile_policy(document: Mapping[str, Any], version: int) -> Policy:
    """Compile a normal-form policy document. It is trusted: it was checked when saved. Inactive rules are left out."""
    rules = tuple(
        Rule(rule["name"], position, When.of(rule.get("when")), Route.of(rule["route"]), rule.get("sla"))
        for position, rule in enumerate(document["rules"])
        if rule.get("active", True)
    )
    scoring = tuple(ScoringRule(When.of(rule.get("when")), rule["points"]) for rule in document["scoring"])
    return Policy(
        version=version,
        rules=rules,
        index=RuleIndex(rules),
        scoring=scoring,
        hot=document["intent"]["hot"],
        warm=document["intent"]["warm"],
        returning=document["returning"],
        join_window=timedelta(seconds=document["join_window"]),
        fields=frozenset().union(*(rule.when.fields for rule in rules), *(rule.when.fields for rule in scoring)),
        named={rule.name: rule for rule in rules},
        sla=document.get("sla"),
        acknowledge_within=timedelta(seconds=document.get("acknowledge_within", 300)),
    )
