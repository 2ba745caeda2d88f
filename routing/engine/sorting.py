"""Leads that decisions cannot tell apart, told by the conditions that hold for them.

What decisions see of a lead is which of the policy's conditions hold, and, of the people they ask, language, channel,
country and region. A policy has few conditions on each field, and few values are new.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Hashable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from routing.engine.asking import regarding
from routing.engine.choosing import Shortlist
from routing.engine.conditions import Condition, Reading
from routing.engine.crowd import Presence
from routing.engine.decide import Match
from routing.engine.facts import Facts, Value
from routing.engine.hours import DAY_MINUTES, MINUTE, instant, offset_at
from routing.engine.loads import Load
from routing.engine.policy import CLOCK_FIELDS, SCORE_FIELDS, Policy, Rule
from routing.engine.request import Request, Snapshot, clock_facts, complete, minute_of_week_at, wall_facts

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

_SEEN_WHOLE = frozenset({"language", "channel", "country", "region"})
_MOST_KEPT = 32_768
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


class _Clock:
    """Which conditions on weekday, time and hours hold, looked at again only when it can be others."""

    def __init__(self, snapshot: Snapshot) -> None:
        policy = snapshot.policy
        self._policy, self._roster = policy, snapshot.roster
        self._conditions = Holdings(policy, but=policy.fields - CLOCK_FIELDS)
        of_time = Holdings(policy, but=policy.fields - {"local_time"})
        held = [of_time.of(dict(wall_facts(minute))) for minute in range(DAY_MINUTES)]
        # The minutes of the day from which other conditions hold than just before.
        self._turns = [minute for minute in range(DAY_MINUTES) if not minute or held[minute] != held[minute - 1]]
        self._kept: dict[tuple[int, bool], Hashable] = {}
        self._since = self._until = 0
        self._presence: Presence | None = None
        self._held: Hashable = None

    def at(self, now: int, presence: Presence) -> Hashable:
        """The same while the same conditions hold."""
        if not self._policy.clock_fields:
            return None
        if presence is not self._presence or not self._since <= now < self._until:
            self._look(now, presence)
        return self._held

    def _look(self, now: int, presence: Presence) -> None:
        offset, changes = offset_at(self._roster.spec.zone, now)
        of_week = minute_of_week_at(self._roster, now)
        of_day = of_week % DAY_MINUTES
        place = bisect_right(self._turns, of_day)
        turn = self._turns[place] if place < len(self._turns) else DAY_MINUTES
        self._since, self._until = now, min(changes, now - (now + offset) % MINUTE + (turn - of_day) * MINUTE)
        self._presence = presence
        alike = of_week - of_day + self._turns[place - 1], self._roster.in_hours_at(now)
        held = self._kept.get(alike)
        if held is None:
            held = self._kept[alike] = self._conditions.of(clock_facts(self._roster, instant(now)))
        self._held = held


class _Regard:
    """How people regard leads of some language, channel, country and region: one object for all that they regard
    alike. `able` are the people of each rule who are able to take them at all, as they are found."""

    __slots__ = ("able",)

    def __init__(self) -> None:
        self.able: dict[int, int] = {}


class Recall:
    """Shortlists, worked out once for all leads that are alike while the same people are there and at their caps.

    Decisions say who gets the lead and no more: for leads by the million.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        policy = snapshot.policy
        self._to_same_agent = policy.returning == "same_agent"
        # Score and intent follow from the other conditions.
        self._of_lead = Holdings(policy, but=SCORE_FIELDS | CLOCK_FIELDS | {"language", "returning"})
        self._clock = _Clock(snapshot)
        self._of_language = Holdings(policy, but=policy.fields - {"language"})
        self._rules: dict[Hashable, tuple[Rule, ...]] = {}
        self._same_rules: dict[tuple[int, ...], tuple[Rule, ...]] = {}
        self._asked: dict[Hashable, tuple[Hashable, _Regard]] = {}
        self._regards: dict[Hashable, _Regard] = {}
        self._shortlists: dict[Hashable, tuple[Any, ...]] = {}

    def shortlist(self, request: Request, at: datetime, now: int, loads: Mapping[int, Load], full: int) -> Shortlist:
        """What `decide.match(...).shortlist(loads)` finds, without reasons. `now` are the microseconds of `at` since
        1970, `full` the roster's bits of those at a cap."""
        facts = request.facts
        presence = self._snapshot.roster.presence_at(now)
        spoken, regard = self._regarded(facts)
        held = self._of_lead.of(facts.values), spoken, request.known.returning, self._clock.at(now, presence)
        rules = self._rules.get(held)
        if rules is None:
            rules = self._matching(held, request, at)
        match = Match(request, self._snapshot, at, now, facts, rules, regard.able)
        if request.tried or (self._to_same_agent and request.known.agent is not None):
            return match.shortlist(loads)
        alike = id(rules), regard, request.claim_over, full, presence
        found = self._shortlists.get(alike)
        if found is not None:
            return Shortlist(match, loads, (), *found)
        shortlist = match.shortlist(loads)
        if match.lasts:
            _keep(self._shortlists, alike, shortlist.found)
        return shortlist

    def _regarded(self, facts: Facts) -> tuple[Hashable, _Regard]:
        """Which conditions on the language hold, and how people regard such a lead."""
        get, tag = facts.values.get, None if facts.language is None else facts.language.tag
        asked = tag, get("channel"), get("country"), get("region")
        kept = self._asked.get(asked)
        if kept is None:
            alike = regarding(self._snapshot.roster, facts)
            regard = self._regards.get(alike) or _keep(self._regards, alike, _Regard())
            kept = self._of_language.of({} if tag is None else {"language": tag}), regard
            _keep(self._asked, asked, kept)
        return kept

    def _matching(self, held: Hashable, request: Request, at: datetime) -> tuple[Rule, ...]:
        """The rules that hold, one object for the same rules, which stays as long as shortlists are kept by it."""
        whole = complete(request, self._snapshot, at)
        rules = tuple(self._snapshot.policy.matching(whole.values, whole.language))
        if len(self._same_rules) >= _MOST_KEPT:  # what is kept by which object they are goes with them
            for kept in (self._same_rules, self._rules, self._shortlists):
                kept.clear()
        rules = self._same_rules.setdefault(tuple([rule.position for rule in rules]), rules)
        return _keep(self._rules, held, rules)


def _keep(kept: dict[K, V], key: K, value: V) -> V:
    if len(kept) >= _MOST_KEPT:
        kept.clear()
    kept[key] = value
    return value
