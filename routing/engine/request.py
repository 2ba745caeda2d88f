"""What a decision is asked: a lead with what is known of its person, and the facts that the instant adds."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from routing.engine.conditions import Reading
from routing.engine.facts import Facts, Value
from routing.engine.hours import DAY_MINUTES, MINUTE, MONDAY, WEEK_MINUTES, microseconds, offset_at
from routing.engine.policy import CLOCK_FIELDS, Policy
from routing.engine.roster import Roster

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


def complete(request: Request, snapshot: Snapshot, at: datetime, *, everything: bool = False) -> Facts:
    """The facts with what the engine adds: the clock's, whether the person is known, score and intent.

    Only what the policy looks at, unless `everything` is asked for.
    """
    return completed(request, snapshot, at, everything=everything)[0]


def completed(request: Request, snapshot: Snapshot, at: datetime, *, everything: bool = False) -> tuple[Facts, Reading]:
    """The same, with the reading that rules go on from."""
    policy, facts = snapshot.policy, request.facts
    values: dict[str, Value] = {**facts.values, "returning": request.known.returning}
    if clock := CLOCK_FIELDS if everything else policy.clock_fields:
        values |= clock_facts(snapshot.roster, at, clock)
    reading = Reading(values, facts.language)
    if everything or policy.scores:
        score = policy.score_for(reading)
        found: dict[str, Value] = {"score": score, "intent": policy.intent(score)}
        values |= found
        reading.folded |= found
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
