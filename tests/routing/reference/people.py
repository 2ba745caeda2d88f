"""Agents: when they are there, and below their caps."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import holidays

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
REGULAR, ON_CALL = "regular", "on_call"
CAPPED = ("hour", "day", "week")


@cache
def _calendar(code: str, year: int) -> Any:
    country, _, region = code.partition("-")
    return holidays.country_holidays(country, subdiv=region or None, years=year)


def minutes_of(clock: str) -> int:
    hour, minute = clock.split(":")
    return int(hour) * 60 + int(minute)


@dataclass(eq=False)
class Agent:
    entry: dict[str, Any]
    number: int  # by age
    zone: ZoneInfo
    open: int = 0
    counts: dict = field(default_factory=lambda: defaultdict(int))
    last_assigned_at: float = 0.0
    _there: dict = field(default_factory=dict)  # by quarter of an hour, within which nothing of it changes

    @property
    def slug(self) -> str:
        return self.entry["slug"]

    @property
    def is_active(self) -> bool:
        return self.entry.get("active", True)

    @property
    def caps(self) -> dict[str, int]:
        return self.entry.get("caps", {})

    def wall(self, at: datetime) -> datetime:
        return at.astimezone(self.zone).replace(tzinfo=None)

    def is_scheduled(self, at: datetime, kind: str) -> bool:
        wall = self.wall(at)
        minute, day, day_before = wall.hour * 60 + wall.minute, DAYS[wall.weekday()], DAYS[wall.weekday() - 1]
        for shift in self.entry.get("shifts", ()):
            if shift.get("kind", REGULAR) != kind:
                continue
            start, end = minutes_of(shift["start"]), minutes_of(shift["end"])
            if start < end:
                if day in shift["days"] and start <= minute < end:
                    return True
            elif (day in shift["days"] and minute >= start) or (day_before in shift["days"] and minute < end):
                return True
        return False

    def is_on_leave(self, at: datetime) -> bool:
        wall = self.wall(at)
        return any(
            datetime.fromisoformat(leave["from"]) <= wall < datetime.fromisoformat(leave["to"])
            for leave in self.entry.get("time_off", ())
        )

    def is_there(self, at: datetime, kind: str = REGULAR, *, whatever_leave: bool = False) -> bool:
        asked = int(at.timestamp()) // 900, kind, whatever_leave
        if asked not in self._there:
            self._there[asked] = self._is_there(at, kind, whatever_leave)
        return self._there[asked]

    def _is_there(self, at: datetime, kind: str, whatever_leave: bool) -> bool:
        calendar = self.entry.get("holidays")
        if kind == REGULAR and calendar and self.wall(at).date() in _calendar(calendar, self.wall(at).year):
            return False
        return self.is_scheduled(at, kind) and (whatever_leave or not self.is_on_leave(at))

    def periods(self, at: datetime) -> dict[str, tuple]:
        wall = self.wall(at)
        return dict(zip(CAPPED, [(wall.date(), wall.hour), (wall.date(),), wall.isocalendar()[:2]], strict=True))

    def is_below_caps(self, at: datetime) -> bool:
        periods = self.periods(at)
        return self.open < self.caps.get("open", self.open + 1) and all(
            self.counts[period, periods[period]] < self.caps[period] for period in CAPPED if period in self.caps
        )

    def is_available(self, at: datetime, kind: str = REGULAR, *, whatever_leave: bool = False) -> bool:
        if not self.is_active or (self.entry.get("paused") and not whatever_leave):
            return False
        return self.is_there(at, kind, whatever_leave=whatever_leave) and self.is_below_caps(at)

    def is_only_capped(self, at: datetime, kind: str) -> bool:
        awake = self.is_active and not self.entry.get("paused")
        return awake and self.is_there(at, kind) and not self.is_below_caps(at)
