"""The definition of being on shift, spelt out minute by minute, to check the arithmetic against; and its cases."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from routing.engine.hours import Kind, LocalSpan, Schedule, ShiftSpec

MINUTE = timedelta(minutes=1)
MON, TUE, WED, THU, FRI, SAT, SUN = range(7)

# Each with instants (UTC) near which its clock is moved: spring and autumn, half an hour, at midnight, a whole day.
CHANGES = {
    "Europe/Berlin": [datetime(2026, 3, 29, 1), datetime(2026, 10, 25, 1)],
    "Europe/London": [datetime(2026, 3, 29, 1), datetime(2026, 10, 25, 1)],
    "America/New_York": [datetime(2026, 3, 8, 7), datetime(2026, 11, 1, 6)],
    "Australia/Lord_Howe": [datetime(2026, 4, 4, 15), datetime(2026, 10, 3, 15, 30)],
    "Africa/Cairo": [datetime(2026, 4, 23, 22), datetime(2026, 10, 29, 21)],
    "America/Santiago": [datetime(2026, 4, 5, 3), datetime(2026, 9, 6, 4)],
    "Asia/Kathmandu": [datetime(2026, 1, 1)],
    "Pacific/Apia": [datetime(2011, 12, 30, 10), datetime(2026, 1, 1)],
}


def hhmm(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def shift(weekday: int, start: str, end: str, kind: Kind = Kind.REGULAR) -> ShiftSpec:
    return ShiftSpec(weekday, hhmm(start), hhmm(end), kind)


def berlin(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Berlin"))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


WEEKDAYS = tuple(shift(day, "09:00", "17:00") for day in (MON, TUE, WED, THU, FRI))


def wall(at: datetime, zone: str) -> datetime:
    return at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def is_on(schedule: Schedule, at: datetime, kind: Kind) -> bool:
    clock = wall(at, schedule.zone)
    if any(span.start <= clock < span.end for span in schedule.time_off):
        return False
    if kind is Kind.REGULAR and clock.date() in schedule.holidays:
        return False
    today, yesterday = clock.weekday(), (clock.weekday() - 1) % 7
    minute = clock.hour * 60 + clock.minute
    for spec in schedule.shifts:
        if spec.kind is not kind:
            continue
        crosses = spec.end < spec.start
        if spec.weekday == today and spec.start <= minute and (crosses or minute < spec.end):
            return True
        if crosses and spec.weekday == yesterday and minute < spec.end:
            return True
    return False


def minutes_on(schedules: list[Schedule], start: datetime, end: datetime, kind: Kind) -> list[datetime]:
    found = []
    while start < end:
        if any(is_on(schedule, start, kind) for schedule in schedules):
            found.append(start)
        start += MINUTE
    return found


def runs(minutes: list[datetime]) -> list[tuple[datetime, datetime]]:
    found: list[tuple[datetime, datetime]] = []
    for minute in minutes:
        if found and found[-1][1] == minute:
            found[-1] = (found[-1][0], minute + MINUTE)
        else:
            found.append((minute, minute + MINUTE))
    return found


@st.composite
def instants(draw: st.DrawFn, zone: str) -> datetime:
    """A whole minute up to a day and a half before or after the clock of the zone is moved."""
    change = draw(st.sampled_from(CHANGES[zone])).replace(tzinfo=UTC)
    return change + MINUTE * draw(st.integers(-2160, 2160))


@st.composite
def schedules(draw: st.DrawFn, zone: str, near: datetime) -> Schedule:
    """A schedule whose shifts and cuts fall, for the most part, around the instant."""
    clock = wall(near, zone)
    quarters = st.integers(0, 95).map(lambda quarter: quarter * 15)
    shifts = []
    for _ in range(draw(st.integers(0, 5))):
        start, end = draw(quarters | st.integers(0, 1439)), draw(quarters | st.integers(1, 1440)) or 1440
        if start != end:
            weekday = (clock.weekday() + draw(st.integers(-2, 2))) % 7
            shifts.append(ShiftSpec(weekday, start, end, draw(st.sampled_from(Kind))))
    midnight = clock.replace(hour=0, minute=0)
    time_off = []
    for _ in range(draw(st.integers(0, 2))):
        start_at = midnight + MINUTE * draw(st.integers(-2880, 2880))
        time_off.append(LocalSpan(start_at, start_at + MINUTE * draw(st.integers(1, 1500))))
    days = draw(st.sets(st.integers(-2, 2), max_size=2))
    holidays: frozenset[date] = frozenset((midnight + timedelta(days=day)).date() for day in days)
    return Schedule(zone, tuple(shifts), tuple(time_off), holidays)


zones = st.sampled_from(sorted(CHANGES))
