"""A week of shifts as people write and see it: `09:00–13:00, 15:00–18:00`, and bars on a line of 24 hours."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from agents.models.hours import MINUTES_A_DAY, Shift, ShiftKind, clock

_CLOCK = r"(\d{1,2})(?:[:.hH](\d{2}))?\s*[hH]?"
_WINDOW = re.compile(rf"{_CLOCK}\s*(?:-|–|—|\bto\b|\ba\b)\s*{_CLOCK}", re.IGNORECASE)


class Window(NamedTuple):
    """One shift: minutes of the day it begins on; an end at or before the start lies on the next day."""

    weekday: int
    start: int
    end: int
    kind: str = ShiftKind.REGULAR


@dataclass(frozen=True, slots=True)
class Bar:
    """A part of a window that lies on one day. `continues`: it came over from the day before."""

    start: int
    end: int
    kind: str
    continues: bool = False

    @property
    def left(self) -> str:
        """Where it begins, as a share of the day in per cent, for a style sheet."""
        return f"{self.start * 100 / MINUTES_A_DAY:.3f}"

    @property
    def width(self) -> str:
        return f"{(self.end - self.start) * 100 / MINUTES_A_DAY:.3f}"


def read_windows(text: str) -> list[tuple[int, int]]:
    """`9-13, 15:00–18:00` as minutes of the day, in order. Raises ValidationError with a sentence."""
    found = []
    for part in filter(None, (part.strip() for part in re.split(r"[,;\n]", text))):
        said = _WINDOW.fullmatch(part)
        start = _minute(said[1], said[2]) if said else None
        end = _minute(said[3], said[4]) if said else None
        if start is None or end is None:
            raise ValidationError(
                _("“%(text)s” is no window of time. Write one like 09:00–18:00, with commas between several.")
                % {"text": part},
                code="window",
            )
        end = end or MINUTES_A_DAY
        if start == MINUTES_A_DAY:
            raise ValidationError(_("A shift starts between 00:00 and 23:59."), code="window")
        if start == end:
            raise ValidationError(
                _("“%(text)s” ends when it starts. For a whole day write 00:00–24:00.") % {"text": part}, code="window"
            )
        found.append((start, end))
    return sorted(set(found))


def in_words(windows: Iterable[tuple[int, int]]) -> str:
    """The text that `read_windows` reads."""
    return ", ".join(f"{clock(start)}–{clock(end)}" for start, end in sorted(windows))


def windows_of(shifts: Iterable[Shift]) -> set[Window]:
    return {Window(each.weekday, each.start_minute, each.end_minute, each.kind) for each in shifts}


def bars(windows: Iterable[Window]) -> list[list[Bar]]:
    """What is drawn on each day, Monday first."""
    days: list[list[Bar]] = [[] for _day in range(7)]
    for day, start, end, kind in sorted(windows):
        if end > start:
            days[day].append(Bar(start, end, kind))
        else:
            days[day].append(Bar(start, MINUTES_A_DAY, kind))
            days[(day + 1) % 7].append(Bar(0, end, kind, continues=True))
    return days


def _minute(hour: str, minute: str | None) -> int | None:
    total = int(hour) * 60 + int(minute or 0)
    return total if total <= MINUTES_A_DAY and int(minute or 0) < 60 else None
