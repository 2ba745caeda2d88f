"""Facts sorted: those that no decision can tell apart, whenever it is made, are one sort.

What decisions see of facts is which of the policy's conditions hold, and, of the people they ask, language, channel,
country and region. What the clock and the score add follows from these.
"""

from __future__ import annotations

from collections.abc import Hashable

from routing.engine.conditions import Condition, Reading
from routing.engine.facts import Facts, Value
from routing.engine.policy import Policy

_SEEN_WHOLE = frozenset({"language", "channel", "country", "region"})
_MOST_KEPT = 4_096
_LONGEST_KEPT = 200  # characters


class Sorting:
    """Sorts facts by one policy."""

    def __init__(self, policy: Policy) -> None:
        conditions: dict[str, dict[tuple[str, object], Condition]] = {}
        whens = [rule.when for rule in policy.rules] + [rule.when for rule in policy.scoring]
        for condition in (condition for when in whens for group in when.groups for condition in group):
            if condition.field not in _SEEN_WHOLE:
                conditions.setdefault(condition.field, {})[condition.op, condition.value] = condition
        self._tests = tuple(
            (field, tuple(condition.test for condition in asked.values())) for field, asked in conditions.items()
        )
        self._kept: dict[tuple[str, Value | None], int] = {}

    def sort(self, facts: Facts) -> Hashable:
        """The same for facts of one sort."""
        values = facts.values
        held = tuple(self._holding(place, values.get(field)) for place, (field, _) in enumerate(self._tests))
        return facts.language, values.get("channel"), values.get("country"), values.get("region"), held

    def _holding(self, place: int, value: Value | None) -> int:
        """Which of a field's conditions hold for a value, as bits. Few values are new."""
        field, tests = self._tests[place]
        held = self._kept.get((field, value))
        if held is None:
            reading = Reading({} if value is None else {field: value}, None)
            held = sum(1 << bit for bit, test in enumerate(tests) if test(reading))
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            if not isinstance(value, str) or len(value) <= _LONGEST_KEPT:
                self._kept[field, value] = held
        return held
