"""Leads as columns: the packed days of a period, and the leads themselves for the days that are not packed.

This and what needs it is imported by whoever reports, not by every process that takes leads: numpy is large.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from django.db.models import Q
from numpy.typing import NDArray

from leads.models import Lead, LeadDay
from leads.reports import packed
from leads.reports.filters import COVERED, Filters
from leads.speed import days
from leads.speed.days import APART, CODED, COLUMNS, NO_LEAD, NUMBERS
from routing.engine.hours import microseconds, stretches

_DAY, _HOUR = 86_400_000_000, 3_600_000_000
# What every report reads.
BASIC = ("received", "response", "agent", "team", "rule", "channel", "country", "source", "marks")

_TYPES: dict[str, Any] = {
    **dict.fromkeys(NUMBERS, np.int64), **dict.fromkeys(CODED, np.uint16), "marks": np.uint8, "steps": np.uint8
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Frame:
    """Leads in columns of one length. `columns` of `CODED` are codes: places in `words` of the same name."""

    columns: Mapping[str, NDArray[Any]]
    words: Mapping[str, Sequence[Any]]

    def __len__(self) -> int:
        return len(self.columns["received"])

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.columns[name]

    def where(self, mask: NDArray[np.bool_]) -> Frame:
        """The leads for which this holds."""
        if mask.all():
            return self
        return Frame({name: column[mask] for name, column in self.columns.items()}, self.words)

    def are(self, name: str, word: Any) -> NDArray[np.bool_]:
        """Which have this word in a coded column."""
        known = self.words[name]
        return self[name] == known.index(word) if word in known else np.zeros(len(self), bool)

    def marked(self, bit: int) -> NDArray[np.bool_]:
        """Which have this bit of `marks`."""
        return (self["marks"] & bit) != 0

    def counting(self) -> Frame:
        """Without what was no lead, and without clicks that nobody confirmed: what speed is reported of."""
        return self.where((self["marks"] & (NO_LEAD | APART)) == 0)


def load_asked(filters: Filters, names: Iterable[str] = (), *, workspace_id: int) -> Frame:
    """The leads that are asked for, with these columns beside the basic ones."""
    wanted = {*BASIC, *names, *(("covered",) if filters.clock == COVERED else ())}
    found = load(workspace_id=workspace_id, start=filters.start, end=filters.end, names=wanted)
    mask = np.ones(len(found), bool)
    for name, word in filters.narrowed:
        mask &= found.are(name, word)
    return found.where(mask)


def load(*, workspace_id: int, start: datetime, end: datetime, names: Iterable[str] = BASIC) -> Frame:
    """The leads received in `[start, end)`, bots apart, with these columns: four statements, five where some are not
    packed and have promises."""
    columns = [name for name in COLUMNS if name in {*names, "received"}]
    wanted = packed.days_between(start, end)
    stored = packed.stored(LeadDay, workspace_id=workspace_id, wanted=wanted, names=columns)
    parts = list(stored.values())
    if missing := list(packed.stretches(wanted, stored)):
        spans = Q()
        for since, until in missing:
            spans |= Q(received_at__gte=days.begin_of(since), received_at__lt=days.begin_of(until))
        parts.append(days.packed(days.rows_of(Lead.objects.filter(spans, workspace_id=workspace_id))))
    whole = _joined(parts, columns)
    received = whole["received"]
    return whole.where((received >= microseconds(start)) & (received < microseconds(end)))


def local_microseconds(received: NDArray[np.int64], zone: str) -> NDArray[np.int64]:
    """These instants by the wall clock of a zone, as microseconds since 1970 on that clock."""
    if not len(received):
        return received
    cuts = list(stretches(zone, int(received.min()), int(received.max()) + 1))
    begins = np.array([begin for begin, _end, _offset in cuts], np.int64)
    offsets = np.array([offset for _begin, _end, offset in cuts], np.int64)
    return received + offsets[np.searchsorted(begins, received, side="right") - 1]


def hours_of_week(received: NDArray[np.int64], zone: str) -> NDArray[np.int64]:
    """How many came in each of the 168 hours of the week on the zone's clock, from Monday 00:00."""
    return np.bincount(hour_of_week(received, zone), minlength=168)


def hour_of_week(received: NDArray[np.int64], zone: str) -> NDArray[np.int64]:
    """The hour of the week, 0 to 167, in which each came in."""
    local = local_microseconds(received, zone)
    return (local // _DAY + 3) % 7 * 24 + local % _DAY // _HOUR  # 1970 began on a Thursday


def _joined(parts: Sequence[Mapping[str, Any]], wanted: Sequence[str]) -> Frame:
    columns: dict[str, NDArray[Any]] = {}
    words: dict[str, list[Any]] = {}
    for name in wanted:
        kind = _TYPES[name]
        if name not in CODED:
            columns[name] = np.frombuffer(b"".join(bytes(part[name]) for part in parts), kind)
            continue
        known: dict[Any, int] = {}
        pieces = []
        for part in parts:
            codes = [known.setdefault(word, len(known)) for word in part["words"].get(name, ())]
            own = np.frombuffer(part[name], kind)
            pieces.append(np.array(codes, np.uint16)[own] if len(own) else own)
        columns[name] = np.concatenate(pieces) if pieces else np.empty(0, kind)
        words[name] = list(known)
    return Frame(columns, words)
