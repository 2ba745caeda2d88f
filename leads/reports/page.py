"""What a report is made of: tiles, charts and tables of plain values. Pages, files and mails show the same ones."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.translation import gettext as _

from agents.models import Agent, Workspace
from leads.models import Lead
from leads.reports.filters import Filters

COUNT, DURATION, SHARE, TEXT, NUMBER = "count", "duration", "share", "text", "number"
ACT = "act"  # a text that leads to something to do: of no use on paper


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose leads are reported, as of when. `agent`: somebody who sees their own only. `manages`: who reads may enter
    the administration. `report`: the name of the one that is made."""

    workspace: Workspace
    at: datetime
    agent: Agent | None = None
    manages: bool = False
    report: str = ""

    def link(self, filters: Filters, what: str, **asked: Any) -> str:
        """The address of the leads behind a number."""
        if self.report:
            asked["report"] = self.report
        return f"{_begin('reports:leads', filters)}&{_end(what, self.at, *asked.items())}"

    def link_to_decisions(self, filters: Filters, what: str, **asked: Any) -> str:
        """The address of the decisions behind a number."""
        return f"{_begin('reports:decisions', filters)}&{_end(what, self.at, *asked.items())}"

    def link_to_lead(self, lead: Lead, filters: Filters) -> str:
        """The page of one lead that waits, for managers and its agent; else a list of it alone."""
        if self.manages:
            return reverse("admin:leads_lead_change", args=[lead.pk])
        if self.agent is not None:
            return reverse("inbox:lead", args=[lead.pk])
        day = lead.received_at.astimezone(ZoneInfo(filters.zone)).date()
        return self.link(replace(filters, first=day, last=day, narrowed=()), "waiting", lead=lead.reference)

    def link_to_agent(self, agent: int) -> str:
        """The page of somebody's week, for managers."""
        return reverse("admin:agents_agent_change", args=[agent]) if self.manages else ""


@lru_cache(maxsize=1024)
def _begin(page: str, filters: Filters) -> str:
    """A page has many links of the same leads: writing their days and narrowing each time would take longest of all."""
    return f"{reverse(page)}?{filters.fixed().query()}"


@lru_cache(maxsize=1024)
def _end(what: str, at: datetime, *asked: tuple[str, Any]) -> str:
    """Likewise what is asked of everybody's leads alike."""
    return urlencode([("what", what), ("at", at.isoformat()), *asked])


@dataclass(frozen=True, slots=True)
class Cell:
    """`value` as it is counted (durations in seconds, shares from 0 to 1, None: there is none); `link` leads to what is
    behind it. A text may have parts, each with a link of its own. `note` says what there is no room for. `behind`: how
    many the link leads to, where the value is another number, such as the share that they are."""

    value: Any
    kind: str = COUNT
    link: str = ""
    is_bad: bool = False
    parts: Sequence[tuple[str, str]] = ()
    note: str = ""
    behind: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    label: str
    cells: Sequence[Cell]
    strip: Any = None  # a small picture of the row
    note: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """`columns` are the headings; the first is that of the rows' labels."""

    columns: Sequence[str]
    rows: Sequence[Row]
    empty: str = ""
    has_strips: bool = False


@dataclass(frozen=True, slots=True)
class Panel:
    """A part of the page. With a chart the table can be opened beside it; without one it is what is shown. `action`:
    the words of a link, and where it leads."""

    id: str
    title: str
    table: Table
    chart: Any = None
    note: str = ""
    is_wide: bool = False
    template: str = "reports/_table.html"
    action: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure. `before` is the one of the period before; `change` says the difference in words."""

    label: str
    cell: Cell
    before: Cell | None = None
    change: str = ""
    is_better: bool | None = None
    hint: str = ""
    hint_link: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """`options` are the words that leads of the period have, by column, for the filter bar. `has_period`: what is not
    of the days that its filters name, but of now, has none."""

    title: str
    tiles: Sequence[Tile]
    panels: Sequence[Panel]
    filters: Filters
    at: datetime
    options: dict[str, Sequence[Any]] = field(default_factory=dict)
    empty: str = ""
    empty_action: tuple[str, str] | None = None
    intro: str = ""
    extra: dict[str, Any] = field(default_factory=dict)
    has_period: bool = True

    @property
    def days(self) -> list[str]:
        """The first and the last of its period; else the one that it was made on."""
        if self.has_period:
            return [self.filters.first.isoformat(), self.filters.last.isoformat()]
        return [self.at.astimezone(ZoneInfo(self.filters.zone)).date().isoformat()]

    @property
    def query(self) -> str:
        """What was asked for, with what only this report can be asked for."""
        return self.filters.query(**self._options)

    @property
    def fixed_query(self) -> str:
        """The same with the days written out."""
        return self.filters.fixed().query(**self._options)

    @property
    def _options(self) -> dict[str, Any]:
        return {each["name"]: each["selected"] for each in self.extra.get("fields", ())}

    @property
    def groups(self) -> list[list[Panel]]:
        """The panels, in order: wide ones alone, others with those that can stand beside them."""
        found: list[list[Panel]] = []
        for panel in self.panels:
            if found and not panel.is_wide and not found[-1][0].is_wide:
                found[-1].append(panel)
            else:
                found.append([panel])
        return found


Build = Callable[[Scope, Filters], Report]


def share_of(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def counted(number: int, whole: int, link: str) -> list[Cell]:
    """A number of leads and their share of the whole, each with the way to them."""
    return [Cell(number, COUNT, link), Cell(share_of(number, whole), SHARE, link, behind=number)]


def tile(
    label: str, kind: str, value: Any, before: Any = None, *, less_is_better: bool | None = None, link: str = "",
    behind: int | None = None, hint: str = "", hint_link: str = "", is_bad: bool = False, compares: bool = False,
) -> Tile:  # fmt: skip
    """A figure with how it changed, where it is compared."""
    shown = Cell(value, kind, link, is_bad, behind=behind)
    if not compares:
        return Tile(label, shown, hint=hint, hint_link=hint_link)
    change, is_better = "", None
    if value is not None and before is not None:
        if kind == SHARE:
            points = (value - before) * 100
            change = _("%(change)s points") % {"change": _signed(points, 1)}
            is_more = points > 0
            is_same = abs(points) < 0.05
        elif before:
            percent = (value - before) / before * 100
            change = f"{_signed(percent, 0)} %"
            is_more = percent > 0
            is_same = abs(percent) < 0.5
        else:
            is_more = is_same = False
        if change and not is_same and less_is_better is not None:
            is_better = is_more != less_is_better
    return Tile(label, shown, Cell(before, kind), change, is_better, hint, hint_link)


def _signed(number: float, digits: int) -> str:
    """With its sign; ±0 where there is nothing to see of a change."""
    shown = f"{number:+.{digits}f}".replace("-", "−")
    return shown if any(digit in "123456789" for digit in shown) else "±0"


# Files


def as_csv(report: Report) -> str:
    """The tables of a report, one under the other, with figures as they are counted: seconds, shares from 0 to 1."""
    out = io.StringIO()
    writer = csv.writer(out)

    def write(*cells: Any) -> None:
        writer.writerow([neutral(cell) for cell in cells])

    filters = report.filters
    write(report.title)
    write(_("Period") if report.has_period else _("Day"), *report.days, filters.zone)
    write(_("As of"), report.at.isoformat(timespec="seconds"))
    for name, word in filters.narrowed:
        write(name, word)
    write(_("Clock"), filters.clock)
    if report.tiles:
        write()
        for each in report.tiles:
            write(each.label, _plain(each.cell), *([_plain(each.before)] if each.before is not None else []))
    for panel in report.panels:
        write()
        write(panel.title)
        write(*panel.table.columns)
        for row in panel.table.rows:
            write(row.label, *(_plain(cell) for cell in row.cells))
    return out.getvalue()


def neutral(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula. Numbers are numbers, with their sign."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return value


def _plain(cell: Cell) -> Any:
    if cell.value is None:
        return ""
    if cell.kind == DURATION:
        return round(cell.value, 6)
    return round(cell.value, 6) if isinstance(cell.value, float) else cell.value
