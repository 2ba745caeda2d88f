"""The decisions of a period in columns, as they stood at an instant: the packed days, and the decisions themselves for
the days that are not packed; and what is added up of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from leads.models import TurnDay
from leads.reports import packed
from leads.reports.filters import Filters
from leads.speed import days, turn_columns
from leads.speed.days import DAY
from leads.speed.turn_columns import (
    CODED,
    COLUMNS,
    COULD_TAKE,
    IS_FIRST,
    IS_TURN,
    NUMBERS,
    PARTS,
    SETS,
    WAS_EVEN,
    WORDS,
)
from routing.engine import U
from routing.engine.hours import microseconds

_DAY = 86_400_000_000
# Units of a ledger are added in two halves: as a whole, a million leads of them are more than floats tell apart.
_HALF = 1 << 20

_TYPES: dict[str, Any] = {
    **dict.fromkeys((*NUMBERS, "share_units"), np.int64),
    **dict.fromkeys((*CODED, "chosen"), np.uint16),
    **dict.fromkeys(("verdict_sizes", "verdict_agents", "verdict_reasons", "share_sizes", "share_seats"), np.uint16),
    **dict.fromkeys(SETS, np.uint32),
    "marks": np.uint8,
}
# Columns of decisions; the others are those of the sets that decisions name.
_OF_EACH = (*NUMBERS, *CODED, "chosen", "marks", *SETS)
# The words that the codes of a column are places in, where it is not those of its own name.
_CODES = {
    **{name: name for name in CODED}, "chosen": "seat", "verdict_agents": "agent", "verdict_reasons": "reason",
    "share_seats": "seat",
}  # fmt: skip
# What the columns of a set are called; and what is read of decisions to add them up.
OF_VERDICTS = ("verdicts", "verdict_sizes", "verdict_agents", "verdict_reasons")
OF_SHARES = ("shares", "share_sizes", "share_seats", "share_units")
FIGURES = tuple(name for name in COLUMNS if name != "decision")


class Seat(NamedTuple):
    """Somebody who takes turns by a ledger: a team's id, or 0 for the workspace's own."""

    ledger: int
    agent: int


class Standing(NamedTuple):
    """What an agent was due by turns of one ledger, in its units, and how many they got; `could` counts the turns of
    which they were due a part."""

    due: int
    got: int
    could: int

    @property
    def difference(self) -> float:
        """In leads: above zero, more than their part."""
        return self.got - self.due / U


class Looked(NamedTuple):
    """How often somebody was looked at for a lead; why they could not take it; and how many they got, of those that
    they could take, and in any other way: by hand, or as the fallback."""

    asked: int
    missed: Mapping[str, int]
    taken: int
    otherwise: int


@dataclass(frozen=True, slots=True)
class Turns:
    """Decisions in columns of one length, in the order of time. `words`: what codes are places in. `sets`: the columns
    of the sets that they name, with the number of the set of each entry (`verdict_of`, `share_of`). Turns that were
    given back by `at`, microseconds since 1970, count for nobody."""

    columns: Mapping[str, NDArray[Any]]
    words: Mapping[str, Sequence[Any]]
    sets: Mapping[str, NDArray[Any]]
    at: int

    def __len__(self) -> int:
        return len(self.columns["at"])

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.columns[name]

    def where(self, mask: NDArray[np.bool_]) -> Turns:
        """The decisions for which this holds."""
        if mask.all():
            return self
        return replace(self, columns={name: column[mask] for name, column in self.columns.items()})

    def are(self, name: str, word: Any) -> NDArray[np.bool_]:
        """Which have this word in a coded column."""
        known = self.words[_CODES[name]]
        return self[name] == known.index(word) if word in known else np.zeros(len(self), bool)

    def having(self, words: Iterable[tuple[str, Any]]) -> Turns:
        """The decisions that have all of these words."""
        mask = np.ones(len(self), bool)
        for name, word in words:
            mask &= self.are(name, word)
        return self.where(mask)

    def marked(self, bit: int) -> NDArray[np.bool_]:
        """Which have this bit of `marks`."""
        return (self["marks"] & bit) != 0

    def used(self, name: str) -> list[Any]:
        """The words that any of them has in a coded column."""
        counts = np.bincount(self[name], minlength=len(self.words[name]))
        return [word for word, number in zip(self.words[name], counts, strict=True) if number]

    @property
    def were_undone(self) -> NDArray[np.bool_]:
        """Which took a turn that was given back by then."""
        return self.marked(IS_TURN) & (self["undone"] >= 0) & (self["undone"] <= self.at)

    @property
    def are_turns(self) -> NDArray[np.bool_]:
        """Which took a turn that stands."""
        return self.marked(IS_TURN) & ~self.were_undone

    def of_ledgers(self, ledgers: Iterable[int]) -> NDArray[np.bool_]:
        """Which took a turn of one of these."""
        wanted = set(ledgers)
        seats = np.array([seat.ledger in wanted for seat in self.words["seat"]], bool)
        return self.marked(IS_TURN) & seats[self["chosen"]]

    def outcomes(self) -> dict[str, int]:
        """How many leads were first decided so."""
        counts = np.bincount(self["outcome"][self.marked(IS_FIRST)], minlength=len(self.words["outcome"]))
        return {word: int(number) for word, number in zip(self.words["outcome"], counts, strict=True) if number}

    def standings(self) -> dict[Seat, Standing]:
        """Of everybody who was due or got anything by turns that stand."""
        stand = self.are_turns
        got = np.bincount(self["chosen"][stand], minlength=len(self.words["seat"]))
        times = self._times("share", stand)
        could = np.bincount(self.sets["share_seats"], weights=times, minlength=len(got))
        found = zip(self.words["seat"], self._units(times), got.tolist(), could.tolist(), strict=True)
        return {seat: Standing(due, number, int(often)) for seat, due, number, often in found if number or often}

    def turns(self) -> dict[int, int]:
        """How many turns that stand each ledger gave."""
        counts = np.bincount(self["chosen"][self.are_turns], minlength=len(self.words["seat"])).tolist()
        found: dict[int, int] = {}
        for seat, number in zip(self.words["seat"], counts, strict=True):
            if number:
                found[seat.ledger] = found.get(seat.ledger, 0) + number
        return found

    def looked_at(self) -> dict[int, Looked]:
        """Of everybody who was looked at, or got a lead, by their id."""
        agents, reasons = self.words["agent"], self.words["reason"]
        times = self._times("verdict", np.ones(len(self), bool))
        places = self.sets["verdict_agents"].astype(np.int64) * len(reasons) + self.sets["verdict_reasons"]
        counts = np.bincount(places, weights=times, minlength=len(agents) * len(reasons))
        table = counts.astype(np.int64).reshape(len(agents), len(reasons)).tolist()
        could = self.marked(COULD_TAKE)
        taken, otherwise = (np.bincount(self["agent"][of], minlength=len(agents)).tolist() for of in (could, ~could))
        return {
            agent: Looked(
                sum(row),
                {reason: number for reason, number in zip(reasons, row, strict=True) if reason and number},
                got,
                by_hand,
            )
            for agent, row, got, by_hand in zip(agents, table, taken, otherwise, strict=True)
            if agent and (any(row) or got or by_hand)
        }

    def is_bound(self, ledger: int) -> bool:
        """Whether turns of this ledger keep everybody within one lead of their share: it stood even before the first,
        each gave the same shares to the same people, and none was given back."""
        its = self.of_ledgers([ledger])
        if not its.any() or (its & self.were_undone).any() or not self["marks"][its][0] & WAS_EVEN:
            return False
        sets = np.unique(self["shares"][its])
        sizes = self.sets["share_sizes"]
        if (sizes[sets] != sizes[sets[0]]).any():
            return False
        places = (np.cumsum(sizes) - sizes)[sets][:, None] + np.arange(sizes[sets[0]])
        entries = [self.sets[name][places] for name in ("share_seats", "share_units")]
        return all(bool((of == of[0]).all()) for of in entries)

    def course(self, ledger: int) -> tuple[list[date], dict[int, list[float]]]:
        """Leads received less leads due by turns of this ledger, by agent: at the end of each day (UTC) from the first
        decision to the last."""
        if not len(self):
            return [], {}
        first, last = (int(self["at"][place]) // _DAY for place in (0, -1))
        seats = [place for place, seat in enumerate(self.words["seat"]) if seat.ledger == ledger]
        shape = last - first + 1, len(seats)
        place_of = np.zeros(len(self.words["seat"]), np.int64)
        place_of[seats] = np.arange(len(seats))
        its = self.are_turns & self.of_ledgers([ledger])
        day = self["at"][its] // _DAY - first
        got = np.bincount(day * len(seats) + place_of[self["chosen"][its]], minlength=shape[0] * shape[1])
        times = self._times("share", its)
        given = np.flatnonzero(times)
        day_of = np.zeros(len(self.sets["share_sizes"]), np.int64)
        day_of[self["shares"][its]] = day  # the decisions that name a set are all of one day
        places = day_of[self.sets["share_of"][given]] * len(seats) + place_of[self.sets["share_seats"][given]]
        units = self.sets["share_units"][given] * times[given]
        due = np.bincount(places, weights=units, minlength=shape[0] * shape[1]) / U
        standing = np.cumsum((got - due).reshape(shape), axis=0)
        begins = date(1970, 1, 1) + first * DAY
        labels = [begins + place * DAY for place in range(shape[0])]
        return labels, {self.words["seat"][seat].agent: standing[:, place].tolist() for place, seat in enumerate(seats)}

    def gave(self, agent: int) -> NDArray[np.bool_]:
        """Which took a turn that stands, of which this agent was given a part."""
        theirs = np.array([seat.agent == agent for seat in self.words["seat"]], bool)
        found = np.zeros(len(self.sets["share_sizes"]), bool)
        found[self.sets["share_of"][theirs[self.sets["share_seats"]]]] = True
        return self.are_turns & found[self["shares"]]

    def were_given_to(self, agent: int) -> NDArray[np.bool_]:
        """Which took a turn that was this agent's."""
        seats = np.array([seat.agent == agent for seat in self.words["seat"]], bool)
        return self.marked(IS_TURN) & seats[self["chosen"]]

    def found(self, agent: int, reason: str | None = None) -> NDArray[np.bool_]:
        """Which looked at this agent; with a reason, which found it ('': none, they could take it)."""
        known, people = self.words["reason"], self.words["agent"]
        found = np.zeros(len(self.sets["verdict_sizes"]), bool)
        if agent in people and (reason is None or reason in known):
            its = self.sets["verdict_agents"] == people.index(agent)
            if reason is not None:
                its &= self.sets["verdict_reasons"] == known.index(reason)
            found[self.sets["verdict_of"][its]] = True
        return found[self["verdicts"]]

    def _times(self, name: str, mask: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Of each entry of the sets of verdicts or of shares, how many of these decisions name its set."""
        number = len(self.sets[f"{name}_sizes"])
        return np.bincount(self[f"{name}s"][mask], minlength=number)[self.sets[f"{name}_of"]]

    def _units(self, times: NDArray[np.int64]) -> list[int]:
        """What each seat was given, where each entry of the sets of shares was given so often."""
        entries, units = self.sets["share_seats"], self.sets["share_units"]
        high, low = (
            np.bincount(entries, weights=half * times, minlength=len(self.words["seat"])).tolist()
            for half in (units // _HALF, units % _HALF)
        )
        return [int(above) * _HALF + int(below) for above, below in zip(high, low, strict=True)]


def words_of(filters: Filters) -> tuple[tuple[str, Any], ...]:
    """The rule, channel, country and source that decisions are narrowed to."""
    return tuple(each for each in filters.narrowed if each[0] in PARTS)


def load(*, workspace_id: int, start: datetime, end: datetime, at: datetime, names: Iterable[str] = FIGURES) -> Turns:
    """The decisions of `[start, end)` until `at`, as they stood then, with these columns: three statements, four where
    some days are not packed."""
    columns = [name for name in COLUMNS if name in {*names, "at"}]
    end = min(end, at + timedelta(microseconds=1))
    parts: list[Mapping[str, Any]] = []
    if start < end:
        wanted = packed.days_between(start, end)
        stored = packed.stored(TurnDay, workspace_id=workspace_id, wanted=wanted, names=columns)
        found = dict(stored)
        for since, until in packed.stretches(wanted, stored):
            rows = turn_columns.decisions_between(
                workspace_id=workspace_id, start=days.begin_of(since), end=days.begin_of(until)
            )
            # Each day by itself, as they are packed.
            for day, of in groupby(rows, key=lambda row: days.day_of(row[1])):
                found[day] = turn_columns.packed(of)
        parts = [found[day] for day in sorted(found)]
    whole = _joined(parts, columns, microseconds(at))
    return whole.where((whole["at"] >= microseconds(start)) & (whole["at"] < microseconds(end)))


def _joined(parts: Sequence[Mapping[str, Any]], wanted: Sequence[str], at: int) -> Turns:
    known: dict[str, dict[Any, int]] = {name: {} for name in WORDS}
    known["agent"][0] = known["seat"][Seat(0, 0)] = 0
    pieces: dict[str, list[NDArray[Any]]] = {name: [] for name in wanted}
    numbered = [name for name in SETS if name in wanted]
    numbers = dict.fromkeys(SETS, 0)
    spoken = {_CODES[name] for name in wanted if name in _CODES}
    for part in parts:
        codes = {name: np.array(_codes(name, part["words"][name], known[name]), np.uint32) for name in spoken}
        for name in wanted:
            column = np.frombuffer(part[name], _TYPES[name])
            if name in _CODES:
                column = codes[_CODES[name]][column]
            elif name in SETS:
                column = column + np.uint32(numbers[name])
            pieces[name].append(column)
        for name in numbered:
            numbers[name] += len(pieces[f"{name[:-1]}_sizes"][-1])
    columns = {
        name: np.concatenate(of) if of else np.empty(0, np.uint32 if name in _CODES else _TYPES[name])
        for name, of in pieces.items()
    }
    sets = {name: columns.pop(name) for name in wanted if name not in _OF_EACH}
    for name in numbered:
        sizes = sets[f"{name[:-1]}_sizes"] = sets[f"{name[:-1]}_sizes"].astype(np.int64)
        sets[f"{name[:-1]}_of"] = np.repeat(np.arange(len(sizes)), sizes)
    return Turns(columns, {name: list(of) for name, of in known.items()}, sets, at)


def _codes(name: str, words: Sequence[Any], known: dict[Any, int]) -> list[int]:
    """The places of a day's words among those of all days."""
    if name == "seat":
        words = [Seat(*word) for word in words]
    return [known.setdefault(word, len(known)) for word in words]
