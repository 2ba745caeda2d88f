"""Leads that decisions cannot tell apart, told by the conditions that hold for them.

What decisions see of a lead is which of the policy's conditions hold, and, of the people they ask, language, channel,
country and region. A policy has few conditions on each field, and few values are new.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from datetime import datetime

from routing.engine.conditions import Condition, Reading
from routing.engine.decide import Match, Request, Snapshot, clock_facts, complete
from routing.engine.facts import Facts, Value
from routing.engine.policy import SCORE_FIELDS, Policy, Rule

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
        # Score and intent follow from the other conditions.
        self._holdings = Holdings(snapshot.policy, but=SCORE_FIELDS)
        self._rules: dict[Hashable, tuple[Rule, ...]] = {}

    def match(self, request: Request, at: datetime) -> Match:
        """What `decide.match` finds, without reasons."""
        facts, policy = request.facts, self._snapshot.policy
        values: dict[str, Value] = {**facts.values, "returning": request.known.returning}
        if facts.language is not None:
            values["language"] = facts.language.tag
        if policy.clock_fields:
            values |= clock_facts(self._snapshot.roster, at, policy.clock_fields)
        held = self._holdings.of(values)
        rules = self._rules.get(held)
        if rules is None:
            whole = complete(request, self._snapshot, at)
            rules = tuple(policy.matching(whole.values, whole.language))
            if len(self._rules) >= _MOST_KEPT:
                self._rules.clear()
            self._rules[held] = rules
        return Match(request, self._snapshot, at, facts, rules, reasons=False)
