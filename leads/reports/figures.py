"""What is figured out of response times: percentiles, shares, and the same for each of many groups.

Percentiles interpolate between the two nearest values, as `percentile_cont` of PostgreSQL does (definition 7 of Hyndman
and Fan, "Sample quantiles in statistical packages", The American Statistician 50, 1996). They are of the answered
leads; shares are of all of them, so that who never answers does not look fast.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leads.reports.frame import Frame
from routing.engine.hours import SECOND

# So many seconds an answer may take to be within them.
LIMITS = (60, 300, 900, 3_600, 86_400)
QUANTILES = (0.5, 0.75, 0.9, 0.95)


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast these leads were answered, in seconds. Percentiles and mean are None where nobody answered.

    `overdue` are the unanswered ones whose promised time is over; `within` counts answers by the most seconds they
    may have taken.
    """

    n: int = 0
    answered: int = 0
    overdue: int = 0
    p50: float | None = None
    p75: float | None = None
    p90: float | None = None
    p95: float | None = None
    mean: float | None = None
    within: Mapping[int, int] = field(default_factory=lambda: dict.fromkeys(LIMITS, 0))

    @property
    def unanswered(self) -> int:
        return self.n - self.answered

    def share(self, limit: int) -> float | None:
        """Of all of them, those that were answered within so many seconds."""
        return self.within[limit] / self.n if self.n else None


def overall(leads: Frame, *, clock: str, at: int) -> Speed:
    """All leads as one. `at`: the instant (microseconds since 1970) at which promises are over or not."""
    return by_codes(leads, np.zeros(len(leads), np.int64), 1, clock=clock, at=at)[0]


def by_column(leads: Frame, name: str, *, clock: str, at: int) -> dict[Any, Speed]:
    """One for each word of a coded column that any of the leads has."""
    words = leads.words[name]
    found = by_codes(leads, leads[name], len(words), clock=clock, at=at)
    return {word: speed for word, speed in zip(words, found, strict=True) if speed.n}


def by_codes(leads: Frame, codes: NDArray[Any], count: int, *, clock: str, at: int) -> list[Speed]:
    """One for each code below `count`."""
    values = leads[CLOCKS[clock]]
    is_answered = leads["response"] >= 0
    n = np.bincount(codes, minlength=count)
    late = np.bincount(codes[overdue(leads, at)], minlength=count)
    values, codes = values[is_answered], codes[is_answered]
    if not _is_sorted(values):
        order = np.argsort(values)
        values, codes = values[order], codes[order]
    answered = np.bincount(codes, minlength=count)
    ordered, starts = _by_group(values, codes, count)
    sums = [int(part) for part in np.add.reduceat(np.append(ordered, 0), starts[:-1])] if count else []
    ends = np.searchsorted(values, [limit * SECOND for limit in LIMITS], side="right")
    within = {limit: np.bincount(codes[:end], minlength=count) for limit, end in zip(LIMITS, ends, strict=True)}
    quantiles = [_quantile(ordered, starts, q) for q in QUANTILES]

    def speed(code: int) -> Speed:
        counted = {limit: int(within[limit][code]) for limit in LIMITS}
        number = int(answered[code])
        if not number:
            return Speed(int(n[code]), 0, int(late[code]), within=counted)
        p50, p75, p90, p95 = (float(each[code]) / SECOND for each in quantiles)
        return Speed(int(n[code]), number, int(late[code]), p50, p75, p90, p95, sums[code] / number / SECOND, counted)

    return [speed(code) for code in range(count)]


# The column that each clock reads.
CLOCKS = {"wall": "response", "covered": "covered"}


def overdue(leads: Frame, at: int) -> NDArray[np.bool_]:
    """Which are open, and past what was promised about them."""
    if "due" not in leads.columns:
        return np.zeros(len(leads), bool)
    due = leads["due"]
    return (leads["response"] < 0) & (leads["closed"] < 0) & (due >= 0) & (due <= at)


def breached(leads: Frame, at: int) -> NDArray[np.bool_]:
    """Which broke their promise: `leads.sla.ladder.breach_of`, for columns."""
    due, received, response, closed = (leads[name] for name in ("due", "received", "response", "closed"))
    ended = np.where(response >= 0, received + response, np.where(closed >= 0, closed, np.int64(-1)))
    is_late = np.where(ended >= 0, ended > due, at >= due)
    return (due >= 0) & is_late


def histogram(values: NDArray[np.int64], edges_s: Sequence[float]) -> list[int]:
    """How many lie in each `(edge before, edge]`, of values in microseconds; the last has no end."""
    places = np.searchsorted(np.array([int(edge * SECOND) for edge in edges_s], np.int64), values, side="left")
    return [int(count) for count in np.bincount(places, minlength=len(edges_s) + 1)]


def medians(values: NDArray[np.int64], codes: NDArray[Any], count: int) -> list[tuple[int, float | None]]:
    """How many values each code below `count` has, and their median in seconds."""
    if not _is_sorted(values):
        order = np.argsort(values)
        values, codes = values[order], codes[order]
    ordered, starts = _by_group(values, codes, count)
    middle = _quantile(ordered, starts, 0.5)
    sizes = np.diff(starts)
    return [
        (int(size), float(value) / SECOND if size else None)
        for size, value in zip(sizes[:count], middle[:count], strict=True)
    ]


def in_order(leads: Frame, *, clock: str) -> Frame:
    """The same leads, the fastest answered first: what is figured of many groups is sorted once."""
    order = np.argsort(leads[CLOCKS[clock]])
    return Frame({name: column[order] for name, column in leads.columns.items()}, leads.words)


def _is_sorted(values: NDArray[Any]) -> bool:
    return bool((values[:-1] <= values[1:]).all())


def _by_group(values: NDArray[np.int64], codes: NDArray[Any], count: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Sorted values group after group, and where each group starts (with the end as the last)."""
    # Of 16 bits, they are put in order by counting; of more, by comparing.
    order = np.argsort(codes.astype(np.uint16), kind="stable") if count < 1 << 16 else np.argsort(codes, kind="stable")
    sizes = np.bincount(codes, minlength=count)
    return values[order], np.concatenate(([0], np.cumsum(sizes)))


def _quantile(ordered: NDArray[Any], starts: NDArray[Any], q: float) -> NDArray[np.float64]:
    sizes = np.diff(starts)
    if not len(ordered):
        return np.zeros(len(sizes))
    place = np.maximum(sizes - 1, 0) * q
    below = np.floor(place).astype(np.int64)
    above = np.minimum(below + 1, np.maximum(sizes - 1, 0))
    begins = np.minimum(starts[:-1], len(ordered) - 1)
    last = len(ordered) - 1
    low, high = ordered[np.minimum(begins + below, last)], ordered[np.minimum(begins + above, last)]
    return low + (high - low) * (place - below)
