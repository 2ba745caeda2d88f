"""Facts sorted: those that no decision can tell apart, whenever it is made, are one sort.

What decisions look at is which rules hold and, of the people they ask, language, channel, country and region. Which
rules hold may change with the clock, so they are asked for every kind of moment that the policy knows: all
combinations of weekday, of times between those that its conditions name, and of somebody being there or not.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from itertools import product

from routing.engine.facts import Facts, Value
from routing.engine.policy import Policy

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MOST_MOMENTS = 200  # more would cost more than they save
_MOST_KEPT = 1_024


class Sorting:
    """Sorts facts by one policy."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._scores = bool(policy.scoring) or not policy.fields.isdisjoint({"score", "intent"})
        moments = list(_moments(policy))
        self._moments = moments if len(moments) <= _MOST_MOMENTS else None
        self._kept: dict[Hashable, Hashable] = {}

    def sort(self, facts: Facts, returning: bool) -> Hashable | None:
        """The same for facts of one sort. None where the policy knows too many kinds of moments to tell."""
        if self._moments is None:
            return None
        given = (frozenset(facts.values.items()), facts.language, returning)
        found = self._kept.get(given)
        if found is None:
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            found = self._kept[given] = self._sort(facts, returning, self._moments)
        return found

    def _sort(self, facts: Facts, returning: bool, moments: list[Mapping[str, Value]]) -> Hashable:
        values, language = facts.values, facts.language
        held = tuple(self._holding(facts.with_values({"returning": returning, **moment})) for moment in moments)
        return language, values.get("channel"), values.get("country"), values.get("region"), held

    def _holding(self, facts: Facts) -> tuple[int, ...]:
        policy = self._policy
        if self._scores:
            score = policy.score(facts.values, facts.language)
            facts = facts.with_values({"score": score, "intent": policy.intent(score)})
        return tuple(rule.position for rule in policy.matching(facts.values, facts.language))


def _moments(policy: Policy) -> Iterator[Mapping[str, Value]]:
    choices: dict[str, tuple[Value, ...]] = {}
    if "weekday" in policy.fields:
        choices["weekday"] = _WEEKDAYS
    if "in_hours" in policy.fields:
        choices["in_hours"] = (True, False)
    if "local_time" in policy.fields:
        choices["local_time"] = tuple(sorted(_times(policy)))
    for moment in product(*choices.values()):
        yield dict(zip(choices, moment, strict=True))


def _times(policy: Policy) -> set[str]:
    """Midnight, every time that a condition names, and the minute after it: one of each stretch between."""
    found = {"00:00"}
    whens = [rule.when for rule in policy.rules] + [rule.when for rule in policy.scoring]
    for group in (group for when in whens for group in when.groups):
        for condition in group:
            if condition.field == "local_time" and condition.value is not None:
                named = condition.value if isinstance(condition.value, tuple) else (condition.value,)
                for time in map(str, named):
                    found |= {time, _minute_after(time)}
    return found


def _minute_after(time: str) -> str:
    hour, minute = map(int, time.split(":"))
    return f"{hour + (minute + 1) // 60:02}:{(minute + 1) % 60:02}"
