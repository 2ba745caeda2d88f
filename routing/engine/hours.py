"""When people work, read off the wall clock of their own zone.

One definition carries everything: somebody is on shift at an instant iff the wall clock of their zone, at that
instant, lies in one of their windows `[start, end)` and in nothing that cuts it. Nights on which clocks change need
no rule of their own: minutes that do not exist count nothing, folded ones count twice.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import TypeVar
from zoneinfo import ZoneInfo

Point = TypeVar("Point", int, datetime)

DAY_MINUTES = 24 * 60
WEEK_MINUTES = 7 * DAY_MINUTES
MONDAY = 4 * DAY_MINUTES  # the first of 1970, in minutes since its beginning

MICROSECOND = timedelta(microseconds=1)
SECOND = timedelta(seconds=1) // MICROSECOND
MINUTE = timedelta(minutes=1) // MICROSECOND
HOUR = timedelta(hours=1) // MICROSECOND
DAY = timedelta(days=1) // MICROSECOND

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAYS_TO_1970 = date(1970, 1, 1).toordinal()
_WALL_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - a wall clock has no zone


class Kind(StrEnum):
    REGULAR = "regular"
    ON_CALL = "on_call"


@dataclass(frozen=True, slots=True)
class ShiftSpec:
    """A weekly window, in minutes of the day: `start` 0..1439, `end` 1..1440, never equal.

    With `end` before `start` it crosses midnight: it begins on `weekday` (0 = Monday) and ends on the next day.
    """

    weekday: int
    start: int
    end: int
    kind: Kind = Kind.REGULAR


@dataclass(frozen=True, slots=True)
class LocalSpan:
    """Time off by the wall clock: naive datetimes, the end excluded."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Schedule:
    """What one person works. Holidays cut their whole local date out of regular shifts, time off cuts both kinds."""

    zone: str
    shifts: tuple[ShiftSpec, ...] = ()
    time_off: tuple[LocalSpan, ...] = ()
    holidays: frozenset[date] = frozenset()


def local(at: datetime, zone: str) -> datetime:
    """Return the wall clock of the zone at an aware instant, as a naive datetime."""
    return at.astimezone(_zone(zone)).replace(tzinfo=None, fold=0)


def minute_of_week(wall: datetime) -> int:
    """Return 0 for Monday 00:00 up to 10,079 for Sunday 23:59."""
    return wall.weekday() * DAY_MINUTES + wall.hour * 60 + wall.minute


def wall_minute(wall: datetime) -> int:
    """Return the minutes on the wall clock since 1970-01-01 00:00: the axis of time off and holidays."""
    return (wall - _WALL_EPOCH) // MICROSECOND // MINUTE


def weekly_minutes(shifts: Iterable[ShiftSpec], kind: Kind) -> tuple[tuple[int, int], ...]:
    """Return the minutes of the week in which shifts of this kind run: sorted, apart, ends excluded.

    What crosses from Sunday into Monday is split there: the axis is 0..10,080.
    """
    spans = []
    for shift in shifts:
        if shift.kind is not kind:
            continue
        start = shift.weekday * DAY_MINUTES + shift.start
        end = shift.weekday * DAY_MINUTES + shift.end + (DAY_MINUTES if shift.end < shift.start else 0)
        spans.append((start, min(end, WEEK_MINUTES)))
        if end > WEEK_MINUTES:
            spans.append((0, end - WEEK_MINUTES))
    return tuple(merged(sorted(spans)))


def merged(spans: Iterable[tuple[Point, Point]]) -> Iterator[tuple[Point, Point]]:
    """Join what overlaps or touches; takes the spans by their start, and reads no further than it must."""
    found: tuple[Point, Point] | None = None
    for start, end in spans:
        if found is None:
            found = (start, end)
        elif start <= found[1]:
            found = (found[0], max(found[1], end))
        else:
            yield found
            found = (start, end)
    if found is not None:
        yield found


def on_shift(schedule: Schedule, *, at: datetime, kind: Kind) -> bool:
    """Tell whether a shift of this kind runs at the instant, net of time off and (regular only) holidays."""
    wall = local(at, schedule.zone)
    if kind is Kind.REGULAR and wall.date() in schedule.holidays:
        return False
    if any(span.start <= wall < span.end for span in schedule.time_off):
        return False
    minute = minute_of_week(wall)
    return any(start <= minute < end for start, end in weekly_minutes(schedule.shifts, kind))


def period_keys(at: datetime, zone: str) -> tuple[str, str, str]:
    """Name the clock hour, the date and the ISO week of the zone: `2026-03-02T10`, `2026-03-02`, `2026-W10`."""
    wall = local(at, zone)
    year, week, _ = wall.isocalendar()
    return f"{wall:%Y-%m-%dT%H}", f"{wall:%Y-%m-%d}", f"{year:04}-W{week:02}"


def period_ends(at: datetime, zone: str) -> tuple[datetime, datetime, datetime]:
    """Return the first later instants at which the hour, the date and the week of `period_keys` are others.

    An hour that the clock repeats is one hour with one key; a midnight that does not exist ends its day where the
    clock jumps over it.
    """
    wall = local(at, zone)
    hour = wall.replace(minute=0, second=0, microsecond=0)
    day = hour.replace(hour=0)
    week = day - timedelta(days=wall.weekday())
    return (
        _first_outside(hour, hour + timedelta(hours=1), at, zone),
        _first_outside(day, day + timedelta(days=1), at, zone),
        _first_outside(week, week + timedelta(days=7), at, zone),
    )


def _first_outside(start: datetime, end: datetime, at: datetime, zone: str) -> datetime:
    """Return the first instant after `at` whose wall clock is not in `[start, end)`, in which it is now."""
    wall_start, wall_end = microseconds_of_wall(start), microseconds_of_wall(end)
    since = microseconds(at)
    # Clocks have been set back by a day at most, so a week is over within eight days.
    for begins, ends, offset in stretches(zone, since, since + 9 * DAY):
        if not wall_start <= begins + offset < wall_end:
            return instant(begins)
        if wall_end - offset < ends:
            return instant(wall_end - offset)
    raise AssertionError(f"the clock of {zone} does not get past {end}")


# Instants as whole microseconds since 1970: UTC, or by the wall clock of a zone. Plain integers keep sums exact and
# cost a fraction of aware datetimes.


def microseconds(at: datetime) -> int:
    return (at - _EPOCH) // MICROSECOND


def microseconds_of_wall(wall: datetime) -> int:
    return (wall - _WALL_EPOCH) // MICROSECOND


def instant(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)


def day_of_wall(wall: int) -> date:
    """Return the date on a wall clock at so many microseconds since its 1970."""
    return date.fromordinal(_DAYS_TO_1970 + wall // DAY)


def offset_at(zone: str, now: int) -> tuple[int, int]:
    """Return the zone's offset at an instant, and until when it is known not to change (all in microseconds)."""
    since, until, offset = _known_offsets.get(zone, _NOTHING_KNOWN)
    if not since <= now < until:
        since, until, offset = next(stretches(zone, now, now + DAY))
        _known_offsets[zone] = since, until, offset
    return offset, until


_NOTHING_KNOWN = (0, 0, 0)
_known_offsets: dict[str, tuple[int, int, int]] = {}  # by zone, the last that was asked for


def stretches(zone: str, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Cut `[start, end)` (UTC microseconds) where the zone's offset changes: yields (start, end, offset) in order."""
    year = instant(start).year
    changes = _offsets_of_year(zone, year)
    place = bisect_right(changes, start, key=lambda change: change[0]) - 1
    while start < end:
        offset = changes[place][1]
        place += 1
        if place == len(changes):
            year += 1
            changes, place = _offsets_of_year(zone, year), 0
        until = min(changes[place][0], end)
        yield start, until, offset
        start = until


@lru_cache(maxsize=4096)
def _offsets_of_year(zone: str, year: int) -> tuple[tuple[int, int], ...]:
    """Return (UTC microseconds since when, offset in microseconds), from the first instant of the UTC year on.

    zoneinfo tells the offset of an instant but not when it changes, so this looks once a day and halves the days on
    which it changed. No zone of the tz database has ever changed twice within three days.
    """
    tz = _zone(zone)
    first, last = (microseconds(datetime(y, 1, 1, tzinfo=UTC)) // SECOND for y in (year, year + 1))
    found = [(first * SECOND, _offset(tz, first))]
    for second in range(first, last, DAY // SECOND):
        day = range(second, min(second + DAY // SECOND, last - 1) + 1)
        if _offset(tz, day[0]) != _offset(tz, day[-1]):
            changed = _first_change(tz, day)
            found.append((changed * SECOND, _offset(tz, changed)))
    return tuple(found)


def _first_change(tz: ZoneInfo, seconds: range) -> int:
    before = _offset(tz, seconds[0])
    return seconds[bisect_right(seconds, False, key=lambda second: _offset(tz, second) != before)]


def _offset(tz: ZoneInfo, second: int) -> int:
    """Return the offset, in microseconds, at so many seconds since 1970 in UTC."""
    offset = instant(second * SECOND).astimezone(tz).utcoffset()
    assert offset is not None  # a ZoneInfo always has one
    return offset // MICROSECOND


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo:
    # ZoneInfo keeps only the last eight for certain; one installation meets many.
    return ZoneInfo(name)
