"""Quiet hours on somebody's wall clock, and which way to reach them first. Pure: the instant is given."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_MINUTE = timedelta(minutes=1)
_DAY_MINUTES = 1_440


def is_quiet(*, at: datetime, zone: ZoneInfo, start_minute: int, end_minute: int) -> bool:
    """Whether the wall clock of `zone` lies in `[start, end)`, minutes of the day; an end before the start is that of
    the next morning. Equal: no quiet hours."""
    local = at.astimezone(zone)
    since_start = (local.hour * 60 + local.minute - start_minute) % _DAY_MINUTES
    return since_start < (end_minute - start_minute) % _DAY_MINUTES


def quiet_ends_at(*, at: datetime, zone: ZoneInfo, start_minute: int, end_minute: int) -> datetime:
    """The first instant from `at` on, in UTC, that is not quiet: `at` itself where it is none.

    Where the clocks change meanwhile, the end may come early or twice, so the minutes are walked.
    """
    if not is_quiet(at=at, zone=zone, start_minute=start_minute, end_minute=end_minute):
        return at.astimezone(UTC)
    ends_at = at.astimezone(UTC).replace(second=0, microsecond=0)
    local = at.astimezone(zone)
    left = timedelta(minutes=(end_minute - local.hour * 60 - local.minute) % _DAY_MINUTES)
    if (ends_at + left).astimezone(zone).utcoffset() == local.utcoffset():
        return ends_at + left
    while is_quiet(at=ends_at, zone=zone, start_minute=start_minute, end_minute=end_minute):
        ends_at += _MINUTE
    return ends_at


@dataclass(frozen=True, slots=True)
class QuietHours:
    zone: ZoneInfo
    start_minute: int
    end_minute: int

    def ends_at(self, at: datetime) -> datetime:
        return quiet_ends_at(at=at, zone=self.zone, start_minute=self.start_minute, end_minute=self.end_minute)


@dataclass(frozen=True, slots=True)
class Way:
    """A way to reach somebody. `transport`: a key of TRANSPORTS. `id` tells two ways of one transport apart.

    `wakes`: it makes a sound, so it waits for the end of the quiet hours; mail usually does not.
    """

    id: str
    transport: str
    wakes: bool = True


@dataclass(frozen=True, slots=True)
class Choice:
    way: Way
    at: datetime


def choose(
    ways: Sequence[Way],
    *,
    at: datetime,
    quiet_hours: QuietHours | None,
    failed: Collection[str] = (),
    is_urgent: bool = False,
) -> Choice | None:
    """The first way, in order of preference, that has not failed and may be used now; else the first of all, when the
    quiet hours end. Urgent messages wake people. None: no way is left.
    """
    left = [way for way in ways if way.id not in failed]
    now_ok = is_urgent or quiet_hours is None or quiet_hours.ends_at(at) <= at
    for way in left:
        if now_ok or not way.wakes:
            return Choice(way, at)
    if left and quiet_hours is not None:
        return Choice(left[0], quiet_hours.ends_at(at))
    return None
