"""Leads that never came: when they would have, who would have been there, and whose turn it would have been.

They are decided as the product decides them: what comes in while nobody can take it is held until somebody can, and
everything goes by the turns of the team's ledger, in the order in which it is decided.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from routing.engine import Entry, Ledger, U
from routing.engine.hours import MINUTE, microseconds

# How many leads come at an hour of the day, of a working day and of a weekend.
WORKING = (2, 1, 1, 1, 1, 2, 5, 14, 40, 78, 96, 100, 92, 70, 62, 74, 88, 90, 74, 52, 36, 24, 12, 6)
WEEKEND = (2, 1, 1, 1, 1, 1, 2, 4, 9, 16, 22, 25, 24, 20, 17, 16, 17, 19, 20, 18, 15, 11, 7, 4)
# What languages they speak.
LANGUAGES = {"es": 82, "en": 12, "pt": 6}
# So often somebody of a team is paused for a day.
_PAUSED = 0.12
_HELD = -1
_HOUR = 60 * MINUTE


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of a team. `shift`: weekdays (0: Monday), and the hours between which they are there. `leave`: days,
    `[from, until)`."""

    id: int
    languages: Collection[str]
    shift: tuple[Collection[int], int, int]
    leave: Sequence[tuple[date, date]] = ()

    def state(self, local: datetime) -> str:
        """Why they could not take a lead at this hour of their clock; '' where they could."""
        days, begins, ends = self.shift
        if any(since <= local.date() < until for since, until in self.leave):
            return "time_off"
        return "" if local.weekday() in days and begins <= local.hour < ends else "off_shift"


@dataclass(slots=True)
class Past:
    """The hours `[start, end)` on the clock of a zone, and what was decided in them. `decisions` are the engine's, as
    JSON; leads name them by their place."""

    start: datetime
    end: datetime
    zone: ZoneInfo
    dice: np.random.Generator
    decisions: list[str] = field(default_factory=list)
    hours: list[datetime] = field(init=False)

    def __post_init__(self) -> None:
        start = self.start.astimezone(UTC)
        count = (self.end - start) // timedelta(hours=1)
        self.hours = [(start + timedelta(hours=hour)).astimezone(self.zone) for hour in range(count)]

    @property
    def start_us(self) -> int:
        return microseconds(self.start.astimezone(UTC))

    def add(self, decision: str) -> int:
        self.decisions.append(decision)
        return len(self.decisions) - 1


@dataclass(slots=True)
class Team:
    """People of one weight who take turns. `standing` are their credits and last turns, by place in `people`."""

    id: int
    rule: str
    people: Sequence[Person]
    credits: list[int] = field(init=False)
    last_turns: list[int] = field(init=False)
    turns: int = 0

    def __post_init__(self) -> None:
        self.credits, self.last_turns = [0] * len(self.people), [0] * len(self.people)

    @property
    def ledger(self) -> Ledger:
        places = zip(self.people, self.credits, self.last_turns, strict=True)
        return Ledger({person.id: Entry(credit, last) for person, credit, last in places if last or credit}, self.turns)


@dataclass(slots=True)
class _Pool:
    """Who could take a lead of one language in one hour, and what was decided then, by who was chosen (-1: it was
    held)."""

    takers: tuple[int, ...]
    states: tuple[str, ...]
    made: dict[int, int] = field(default_factory=dict)


class Turns:
    """One team's past, hour by hour."""

    def __init__(self, past: Past, team: Team) -> None:
        self.past, self.team = past, team
        states = [[person.state(local) for person in team.people] for local in past.hours]
        self._pause(states)
        pools: dict[tuple[str, ...], _Pool] = {}
        self.pools: dict[str, list[_Pool]] = {}
        # The first hour, from each on, in which somebody can take it.
        self.opens: dict[str, NDArray[np.int64]] = {}
        for language in LANGUAGES:
            by_hour = []
            for of in states:
                verdicts = tuple(
                    state or ("" if language in person.languages else "language")
                    for state, person in zip(of, team.people, strict=True)
                )
                takers = tuple(place for place, verdict in enumerate(verdicts) if not verdict)
                by_hour.append(pools.setdefault(verdicts, _Pool(takers, verdicts)))
            opens, following = np.full(len(by_hour), -1, np.int64), -1
            for hour in reversed(range(len(by_hour))):
                following = opens[hour] = hour if by_hour[hour].takers else following
            self.pools[language], self.opens[language] = by_hour, opens

    def _pause(self, states: list[list[str]]) -> None:
        """On some days one of those who are there is paused."""
        for first in range(0, len(states), 24):
            place = int(self.past.dice.integers(len(self.team.people)))
            if self.past.dice.random() < _PAUSED:
                for of in states[first : first + 24]:
                    of[place] = of[place] if of[place] == "time_off" else "paused"

    def taken(
        self, came: NDArray[np.int64], languages: NDArray[np.int64]
    ) -> Iterator[tuple[int, int, int, int, int, int]]:
        """For each lead, in the order in which they are decided: its place, when it was given (microseconds), to whom
        (place), by which decision, by which it was held before (-1: it was not), and the credit that the chosen one
        had before. `came` in order, microseconds."""
        team, start, known = self.team, self.past.start_us, list(LANGUAGES)
        hours = (came - start) // _HOUR
        opens = np.stack([self.opens[name] for name in known])[languages, hours]
        given_at = np.where(opens == hours, came, start + opens * _HOUR)
        order = np.lexsort((came, given_at))
        credits_, last_turns, turn, before_us = team.credits, team.last_turns, team.turns, -1
        for lead, given, hour, opening, language in zip(
            *(column[order].tolist() for column in (np.arange(len(came)), given_at, hours, opens, languages)),
            strict=True,
        ):
            if given <= before_us:  # those that were held go one after the other
                given = before_us + 1_000
            before_us = given
            pools = self.pools[known[language]]
            pool = pools[opening]
            share = U // len(pool.takers)
            chosen, most = -1, 0
            # Of one weight, whoever is owed most: `routing.engine.ledger`, without its weights.
            for place in pool.takers:
                credit = credits_[place] = credits_[place] + share
                if chosen < 0 or credit > most or (credit == most and last_turns[place] < last_turns[chosen]):
                    chosen, most = place, credit
            credits_[chosen] = most - share * len(pool.takers)
            turn += 1
            last_turns[chosen] = turn
            if chosen not in pool.made:
                pool.made[chosen] = self.past.add(self._assigned(pool, chosen))
            held = -1
            if opening != hour:
                waiting = pools[hour]
                if _HELD not in waiting.made:
                    waiting.made[_HELD] = self.past.add(self._held(waiting))
                held = waiting.made[_HELD]
            yield lead, given, chosen, pool.made[chosen], held, most - share
        team.turns = turn

    def _assigned(self, pool: _Pool, chosen: int) -> str:
        people = self.team.people
        share = U // len(pool.takers)
        turn = [
            people[chosen].id, [[people[taker].id, share] for taker in pool.takers], share * len(pool.takers), 1, []
        ]  # fmt: skip
        verdicts = [
            state or ("chosen" if place == chosen else "not_their_turn") for place, state in enumerate(pool.states)
        ]
        return self._decision("assigned", verdicts, agent=people[chosen].id, turn=turn)

    def _held(self, pool: _Pool) -> str:
        return self._decision("held", pool.states)

    def _decision(
        self, outcome: str, verdicts: Sequence[str], *, agent: int | None = None, turn: list[object] | None = None
    ) -> str:
        candidates = [
            [person.id, verdict, None] for person, verdict in zip(self.team.people, verdicts, strict=True)
        ]  # fmt: skip
        return json.dumps(
            {
                "outcome": outcome,
                "agent": agent,
                "rule": self.team.rule,
                "reason": "nobody" if turn is None else "round_robin",
                "channel": None,
                "pools": [[self.team.rule, "regular", candidates, outcome]],
                "turn": turn,
                "ledger": None if turn is None else self.team.id,
                "target": ["team", self.team.id] if turn is None else None,
                "score": None,
                "intent": None,
            }
        )


def arrivals(past: Past, count: int, teams: Sequence[Turns]) -> tuple[NDArray[np.int64], ...]:
    """When so many leads came (microseconds, in order), to which team and in which language (places). What nobody could
    have taken until the end is left out: it would wait still."""
    weights = [(WEEKEND if local.weekday() > 4 else WORKING)[local.hour] for local in past.hours]
    passed = np.cumsum(np.array(weights, float)) / sum(weights)
    speaking = np.cumsum(list(LANGUAGES.values())) / sum(LANGUAGES.values())
    opens = np.stack([np.stack([turns.opens[name] for name in LANGUAGES]) for turns in teams])
    parts: list[NDArray[np.int64]] = []
    found = 0
    while found < count:
        draw = past.dice.random((4, count + 100))
        hour = np.searchsorted(passed, draw[0], side="right")
        team = (draw[1] * len(teams)).astype(np.int64)
        language = np.searchsorted(speaking, draw[2], side="right")
        came = past.start_us + hour * _HOUR + (draw[3] * _HOUR).astype(np.int64)
        part = np.stack([came, team, language])[:, opens[team, language, hour] >= 0]
        if not part.shape[1]:
            raise ValueError("nobody is ever there")
        parts.append(part)
        found += part.shape[1]
    leads = np.concatenate(parts, axis=1)[:, :count]
    return tuple(leads[:, np.argsort(leads[0], kind="stable")])
