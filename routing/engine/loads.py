"""What agents carry now: open leads, and how many they were given this hour, day and week."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple


class PeriodKeys(NamedTuple):
    """The clock hour, local date and ISO week of an agent's wall clock, as text."""

    hour: str
    day: str
    week: str


@dataclass(frozen=True, slots=True)
class Caps:
    """The most leads an agent takes: open at once, and per clock hour, local date and ISO week. None: no limit."""

    open: int | None = None
    hour: int | None = None
    day: int | None = None
    week: int | None = None

    def __bool__(self) -> bool:
        return not (self.open is self.hour is self.day is self.week is None)


UNLIMITED = Caps()


class Limit(NamedTuple):
    """One cap while a period lasts: reached by a load whose field at `counted` is no less than `most`, if that
    counts in this period: if the field at `period` is `key` (None: the cap holds at any time)."""

    counted: int
    most: int
    period: int
    key: str | None


def limits_of(caps: Caps, keys: PeriodKeys) -> Iterator[Limit]:
    """The caps that there are, at an instant with these period keys."""
    place = Load._fields.index
    if caps.open is not None:
        yield Limit(place("open"), caps.open, 0, None)
    for name, most in (("hour", caps.hour), ("day", caps.day), ("week", caps.week)):
        if most is not None:
            yield Limit(place(name), most, place(f"{name}_key"), getattr(keys, name))


class Load(NamedTuple):  # a tuple: a lead makes one
    """An agent's load. A count belongs to the period its key names; under another key it is worth nothing."""

    open: int = 0
    hour_key: str = ""
    hour: int = 0
    day_key: str = ""
    day: int = 0
    week_key: str = ""
    week: int = 0
    last_assigned_at: datetime | None = None

    def reaches(self, caps: Caps, keys: PeriodKeys) -> bool:
        """Whether any cap is reached at an instant with these period keys."""
        return (
            (caps.open is not None and self.open >= caps.open)
            or (caps.hour is not None and self.hour_key == keys.hour and self.hour >= caps.hour)
            or (caps.day is not None and self.day_key == keys.day and self.day >= caps.day)
            or (caps.week is not None and self.week_key == keys.week and self.week >= caps.week)
        )

    def with_assignment(self, keys: PeriodKeys, at: datetime) -> Load:
        """The load after one more assignment."""
        return Load(
            open=self.open + 1,
            hour_key=keys.hour,
            hour=self.hour + 1 if self.hour_key == keys.hour else 1,
            day_key=keys.day,
            day=self.day + 1 if self.day_key == keys.day else 1,
            week_key=keys.week,
            week=self.week + 1 if self.week_key == keys.week else 1,
            last_assigned_at=at,
        )

    def with_closing(self) -> Load:
        """The load after an open lead of theirs was closed or moved on."""
        return self._replace(open=max(0, self.open - 1))


IDLE = Load()
