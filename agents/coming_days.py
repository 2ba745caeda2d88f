"""The coming weeks of one person, day by day: when they work, and what cuts into it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from agents.holiday_dates import holiday_names
from agents.models import Agent, Shift, TimeOff
from agents.models.hours import ShiftKind
from agents.week import in_words

WEEKS = 5


@dataclass(frozen=True, slots=True)
class Day:
    """One local date. `off` is a note of time off ('' where none is written), None where there is none that day."""

    date: date
    hours: str
    on_call: str
    holiday: str
    off: str | None
    is_today: bool
    is_past: bool

    @property
    def state(self) -> str:
        """What the day looks like at a glance."""
        if self.off is not None:
            return "off"
        if self.holiday and self.hours:
            return "holiday"
        return "works" if self.hours else "on-call" if self.on_call else "free"


def coming_weeks(
    agent: Agent, *, today: date, shifts: Sequence[Shift], time_off: Sequence[TimeOff], weeks: int = WEEKS
) -> list[list[Day]]:
    """Whole weeks from this Monday on. `today` is the agent's own date."""
    monday = today - timedelta(days=today.weekday())
    dates = [monday + timedelta(days=n) for n in range(7 * weeks)]
    holidays: dict[date, str] = {}
    for year in {each.year for each in dates}:
        holidays |= holiday_names(agent.holiday_calendar, year)
    days = [
        Day(
            date=each,
            hours=_hours(shifts, each, ShiftKind.REGULAR),
            on_call=_hours(shifts, each, ShiftKind.ON_CALL),
            holiday=holidays.get(each, ""),
            off=_off(time_off, each),
            is_today=each == today,
            is_past=each < today,
        )
        for each in dates
    ]
    return [days[n : n + 7] for n in range(0, len(days), 7)]


def _hours(shifts: Sequence[Shift], day: date, kind: str) -> str:
    return in_words(
        (each.start_minute, each.end_minute) for each in shifts if each.weekday == day.weekday() and each.kind == kind
    )


def _off(time_off: Sequence[TimeOff], day: date) -> str | None:
    starts, ends = f"{day}T00:00", f"{day + timedelta(days=1)}T00:00"
    notes = [each.note for each in time_off if each.starts_local < ends and starts < each.ends_local]
    return next(filter(None, notes), "") if notes else None
