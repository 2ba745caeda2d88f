"""Leads that decisions cannot tell apart, told by the conditions that hold for them.

What decisions see of a lead is which of the policy's conditions hold, and, of the people they ask, language, channel,
country and region. A policy has few conditions on each field, and few values are new.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from datetime import datetime
from typing import TypeVar

from routing.engine.conditions import Condition, Reading
from routing.engine.decide import Match, Request, Snapshot, clock_facts, complete, minute_of_week_at
from routing.engine.facts import Facts, Value
from routing.engine.hours import microseconds
from routing.engine.policy import CLOCK_FIELDS, SCORE_FIELDS, Policy, Rule

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

_SEEN_WHOLE = frozenset({"language", "channel", "country", "region"})
_MOST_KEPT = 4_096
_LONGEST_KEPT = 200  # characters


class Holdings:
    """Which conditions of a policy hold for values, as bits for each field."""

    def __init__(self, policy: Policy, *, but: Collection[str]) -> None:
        """Of all fields but these."""
        conditions: dict[str, dict[tuple[str, object], Condition]] = {}
        whens = [rule.when for rule in policy.rules] + [rule.when for rule in policy.scoring]
        for condition in (condition for when in whens for group in when.groups for condition in group):
            if condition.field not in but:
                conditions.setdefault(condition.field, {})[condition.op, condition.value] = condition
        self._tests = {
            field: tuple(condition.test for condition in asked.values()) for field, asked in conditions.items()
        }
        self._kept: dict[tuple[str, Value | None], int] = {}

    def of(self, values: Mapping[str, Value]) -> Hashable:
        """The same for values for which the same conditions hold."""
        kept, get = self._kept, values.get
        try:
            return tuple([kept[field, get(field)] for field in self._tests])
        except KeyError:
            return tuple([self._holding(field, get(field)) for field in self._tests])

    def _holding(self, field: str, value: Value | None) -> int:
        held = self._kept.get((field, value))
        if held is None:
            reading = Reading({} if value is None else {field: value}, None)
            held = sum(1 << bit for bit, test in enumerate(self._tests[field]) if test(reading))
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            if not isinstance(value, str) or len(value) <= _LONGEST_KEPT:
                self._kept[field, value] = held
        return held


class Sorting:
    """Sorts facts by one policy: those that no decision can tell apart, whenever it is made, are one sort.

    What the clock and the score add follows from these.
    """

    def __init__(self, policy: Policy) -> None:
        self._holdings = Holdings(policy, but=_SEEN_WHOLE)

    def sort(self, facts: Facts) -> Hashable:
        """The same for facts of one sort."""
        values = facts.values
        held = self._holdings.of(values)
        return facts.language, values.get("channel"), values.get("country"), values.get("region"), held


class Recall:
    """The rules that hold, worked out once for all leads of which the same conditions hold.

    Its matches give no reasons: for leads by the million, of whom only who gets them is asked.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._knows_the_hours = "in_hours" in snapshot.policy.fields
        # Score and intent follow from the other conditions.
        self._of_lead = Holdings(snapshot.policy, but=SCORE_FIELDS | CLOCK_FIELDS | {"language", "returning"})
        self._of_clock = Holdings(snapshot.policy, but=snapshot.policy.fields - CLOCK_FIELDS)
        self._of_language = Holdings(snapshot.policy, but=snapshot.policy.fields - {"language"})
        self._clocks: dict[tuple[int, bool], Hashable] = {}
        self._rules: dict[Hashable, tuple[Rule, ...]] = {}
        # By what people are asked about: which conditions on the language hold, and who is able to take the lead.
        self._asked: dict[Hashable, tuple[Hashable, dict[int, int]]] = {}

    def match(self, request: Request, at: datetime) -> Match:
        """What `decide.match` finds, without reasons."""
        facts, values = request.facts, request.facts.values
        tag = None if facts.language is None else facts.language.tag
        asked = tag, values.get("channel"), values.get("country"), values.get("region")
        kept = self._asked.get(asked)
        if kept is None:
            spoken = self._of_language.of({} if tag is None else {"language": tag})
            kept = _keep(self._asked, asked, (spoken, {}))
        spoken, able = kept
        held = self._of_lead.of(values), spoken, request.known.returning, self._clock(at)
        rules = self._rules.get(held)
        if rules is None:
            whole = complete(request, self._snapshot, at)
            rules = _keep(self._rules, held, tuple(self._snapshot.policy.matching(whole.values, whole.language)))
        return Match(request, self._snapshot, at, facts, rules, able)

    def _clock(self, at: datetime) -> Hashable:
        """Which of the conditions on weekday, time and hours hold."""
        policy, roster = self._snapshot.policy, self._snapshot.roster
        if not policy.clock_fields:
            return None
        minute = minute_of_week_at(roster, microseconds(at)), self._knows_the_hours and roster.in_hours(at)
        held = self._clocks.get(minute)
        if held is None:
            held = self._clocks[minute] = self._of_clock.of(clock_facts(roster, at))
        return held


def _keep(kept: dict[K, V], key: K, value: V) -> V:
    if len(kept) >= _MOST_KEPT:
        kept.clear()
    kept[key] = value
    return value
