"""When shifts run as stretches of real time: next openings, covered hours, deadlines.

All of it reads off one lazy, ordered walk over the windows of the week, each looked at once a week and never minute
by minute. Instants are returned in UTC; intervals exclude their end.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from heapq import merge

from routing.engine.hours import (
    DAY,
    MICROSECOND,
    MINUTE,
    SECOND,
    Kind,
    Schedule,
    instant,
    merged,
    microseconds,
    microseconds_of_wall,
    stretches,
    weekly_minutes,
)

# A schedule that never opens within it has no next opening, and no deadline.
YEAR = timedelta(days=366)
HOLD_HORIZON = timedelta(days=14)

Interval = tuple[datetime, datetime]

_WEEK = 7 * DAY
_MONDAY = 4 * DAY  # 1970-01-05
_DAYS_TO_1970 = date(1970, 1, 1).toordinal()


def covered_intervals(schedule: Schedule, *, start: datetime, end: datetime, kind: Kind) -> list[Interval]:
    """Return when shifts of this kind run within `[start, end)`: sorted, apart, clipped."""
    spans = _covered(schedule, microseconds(start), microseconds(end), kind)
    return [(instant(opens), instant(closes)) for opens, closes in spans]


def next_on_shift(schedule: Schedule, *, at: datetime, kind: Kind, horizon: timedelta = YEAR) -> datetime | None:
    """Return the first instant in `[at, at + horizon)` at which a shift of this kind runs: `at` itself, if now."""
    for opens, _ in _covered(schedule, microseconds(at), _after(at, horizon), kind):
        return instant(opens)
    return None


def off_shift_at(schedule: Schedule, *, at: datetime, kind: Kind, horizon: timedelta = YEAR) -> datetime | None:
    """Return the first instant after `at` at which a shift ends and none goes on; None if none does in the horizon."""
    until = _after(at, horizon)
    for _, closes in _covered(schedule, microseconds(at), until, kind):
        return instant(closes) if closes < until else None
    return None


def hours_within(schedule: Schedule, *, at: datetime, horizon: timedelta = HOLD_HORIZON) -> bool:
    """Tell whether regular hours are left in `[at, at + horizon)`, net of time off and holidays."""
    return next_on_shift(schedule, at=at, kind=Kind.REGULAR, horizon=horizon) is not None


def union(coverages: Iterable[Iterable[Interval]]) -> list[Interval]:
    """Return when at least one is covered. Each coverage is sorted, as `covered_intervals` returns it."""
    return list(merged(merge(*coverages)))


def covered_seconds(schedules: Iterable[Schedule], *, start: datetime, end: datetime) -> float:
    """Return how much of `[start, end)` lies in the regular hours of at least one of them."""
    spans = _covered_by_any(schedules, microseconds(start), microseconds(end))
    return sum(closes - opens for opens, closes in spans) / SECOND


def deadline(
    schedules: Iterable[Schedule], *, start: datetime, seconds: float, horizon: timedelta = YEAR
) -> datetime | None:
    """Return the instant at which so many seconds of their joint regular hours have passed since `start`.

    None where the horizon has fewer. The inverse of `covered_seconds`.
    """
    return deadlines(schedules, start=start, seconds=[seconds], horizon=horizon)[seconds]


def deadlines(
    schedules: Iterable[Schedule], *, start: datetime, seconds: Iterable[float], horizon: timedelta = YEAR
) -> dict[float, datetime | None]:
    """Return the `deadline` of each of these lengths, by one walk over the hours."""
    found: dict[float, datetime | None] = dict.fromkeys(seconds)
    lengths = sorted(found)
    while lengths and round(lengths[0] * SECOND) <= 0:
        found[lengths.pop(0)] = instant(microseconds(start))
    if not lengths:
        return found
    passed = 0
    for opens, closes in _covered_by_any(schedules, microseconds(start), _after(start, horizon)):
        while lengths and (left := round(lengths[0] * SECOND) - passed) <= closes - opens:
            found[lengths.pop(0)] = instant(opens + left)
        if not lengths:
            break
        passed += closes - opens
    return found


def _after(at: datetime, horizon: timedelta) -> int:
    # Not `at + horizon`, which moves the hands of a zone's clock: an hour more or less where it changes meanwhile.
    return microseconds(at) + horizon // MICROSECOND


def _covered_by_any(schedules: Iterable[Schedule], start: int, end: int) -> Iterator[tuple[int, int]]:
    return merged(merge(*(_covered(schedule, start, end, Kind.REGULAR) for schedule in schedules)))


def _covered(schedule: Schedule, start: int, end: int, kind: Kind) -> Iterator[tuple[int, int]]:
    """Yield the intervals of UTC microseconds in order; where the clock is set back, both passes of a window."""
    return merged(
        (opens - offset, closes - offset)
        for begins, ends, offset in stretches(schedule.zone, start, end)
        for opens, closes in _open_by_the_wall(schedule, begins + offset, ends + offset, kind)
    )


def _open_by_the_wall(schedule: Schedule, start: int, end: int, kind: Kind) -> Iterator[tuple[int, int]]:
    time_off = [(microseconds_of_wall(span.start), microseconds_of_wall(span.end)) for span in schedule.time_off]
    holidays = schedule.holidays if kind is Kind.REGULAR else frozenset()
    for opens, closes in windows(weekly_minutes(schedule.shifts, kind), start, end):
        cuts = [span for span in time_off if span[0] < closes and opens < span[1]]
        if holidays:
            cuts += [
                (day * DAY, (day + 1) * DAY)
                for day in range(opens // DAY, (closes - 1) // DAY + 1)
                if date.fromordinal(_DAYS_TO_1970 + day) in holidays
            ]
        yield from _uncut(opens, closes, sorted(cuts))


def windows(weekly: Iterable[tuple[int, int]], start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the windows of the week that reach into `[start, end)`, clipped to it, in order (wall microseconds)."""
    for monday in range(start - (start - _MONDAY) % _WEEK, end, _WEEK):
        for opens, closes in weekly:
            window = max(monday + opens * MINUTE, start), min(monday + closes * MINUTE, end)
            if window[0] < window[1]:
                yield window


def _uncut(start: int, end: int, cuts: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    for cut_start, cut_end in cuts:
        if start < cut_start:
            yield start, cut_start
        start = max(start, cut_end)
    if start < end:
        yield start, end
