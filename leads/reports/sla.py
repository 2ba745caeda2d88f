"""Promises: kept, broken, and still running; and what the ladder did about the rest."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from leads.models import Lead
from leads.reports import charts
from leads.reports.figures import breached, overdue
from leads.reports.filters import Filters
from leads.reports.frame import Frame, load_asked
from leads.reports.names import Names
from leads.reports.page import (
    COUNT,
    DURATION,
    SHARE,
    TEXT,
    Cell,
    Panel,
    Report,
    Row,
    Scope,
    Table,
    counted,
    share_of,
    tile,
)
from leads.sla.selectors import overdue_at
from leads.speed.days import ESCALATED, PAGED
from leads.templatetags.reports import share
from routing.engine.hours import microseconds

_OLDEST = 12


class Kept(NamedTuple):
    """Promises by how they stand. Together they are all."""

    attained: int
    breached: int
    running: int
    dropped: int  # closed in time without an answer: neither kept nor broken

    @property
    def all(self) -> int:
        return sum(self)

    @property
    def share(self) -> float | None:
        """Of those that are decided, the kept ones."""
        return share_of(self.attained, self.attained + self.breached)


def build(scope: Scope, filters: Filters) -> Report:
    names = Names(scope.workspace)
    leads = _promised(scope, filters)
    everything = np.zeros(len(leads), np.int64)
    whole = kept(leads, everything, 1, microseconds(scope.at))[0]
    before = None
    if filters.compare:
        earlier = _promised(scope, filters.before())
        before = kept(earlier, np.zeros(len(earlier), np.int64), 1, microseconds(scope.at))[0]
    oldest = _oldest(scope, filters, names)
    panels = [
        _standing(scope, filters, whole),
        _ladder(scope, filters, leads),
        _breakdown(scope, filters, leads, names, "rule"),
        *([] if scope.agent else [_breakdown(scope, filters, leads, names, "agent")]),
        oldest,
    ]
    if not whole.all:
        # Who came before the period may still wait.
        panels = [oldest] if oldest.table.rows else []
    return Report(
        title=_("Promises (SLA)"),
        tiles=_tiles(scope, filters, leads, whole, before),
        panels=panels,
        filters=filters,
        at=scope.at,
        options=dict(leads.words),
        empty=_(
            "Nothing was promised about the leads of this period. A rule promises an answer once it has an SLA;"
            " managers set that under Rules, and publish it."
        ),
    )


def kept(leads: Frame, codes: NDArray[Any], count: int, at: int) -> list[Kept]:
    """How the promises of each code below `count` stand at an instant."""
    is_broken = breached(leads, at)
    is_answered, is_closed = leads["response"] >= 0, leads["closed"] >= 0
    parts = (
        is_answered & ~is_broken,
        is_broken,
        ~is_answered & ~is_closed & ~is_broken,
        ~is_answered & is_closed & ~is_broken,
    )
    counted = [np.bincount(codes[part], minlength=count) for part in parts]
    return [Kept(*(int(part[code]) for part in counted)) for code in range(count)]


def _promised(scope: Scope, filters: Filters) -> Frame:
    leads = load_asked(filters, ("due", "closed", "steps"), workspace_id=scope.workspace.pk).counting()
    return leads.where(leads["due"] >= 0)


def _tiles(scope: Scope, filters: Filters, leads: Frame, whole: Kept, before: Kept | None) -> list[Any]:
    link = scope.link
    was = before or Kept(0, 0, 0, 0)
    late = int(overdue(leads, microseconds(scope.at)).sum())
    given: dict[str, Any] = {"compares": before is not None}
    return [
        tile(_("Promises"), COUNT, whole.all, was.all, link=link(filters, "promised"), **given),
        tile(
            _("Kept"), SHARE, whole.share, was.share, less_is_better=False, link=link(filters, "attained"),
            behind=whole.attained, hint=_("of those decided"), **given,
        ),
        tile(_("Answered in time"), COUNT, whole.attained, was.attained, link=link(filters, "attained"), **given),
        tile(
            _("Not in time"), COUNT, whole.breached, was.breached, less_is_better=True,
            link=link(filters, "breached"), **given,
        ),
        tile(_("Still running"), COUNT, whole.running, was.running, link=link(filters, "running"), **given),
        tile(_("Open and overdue"), COUNT, late, link=link(filters, "overdue"), hint=_("now")),
    ]  # fmt: skip


def _standing(scope: Scope, filters: Filters, whole: Kept) -> Panel:
    link = scope.link
    found = [
        (_("Answered in time"), whole.attained, link(filters, "attained"), "good"),
        (_("Not in time"), whole.breached, link(filters, "breached"), "bad"),
        (_("Still running"), whole.running, link(filters, "running"), ""),
        (_("Closed unanswered"), whole.dropped, link(filters, "dropped"), "warn"),
    ]
    rows = [Row(label, counted(number, whole.all, address)) for label, number, address, _style in found]
    drawn = [
        (label, share_of(number, whole.all), share(share_of(number, whole.all)), style)
        for label, number, _address, style in found
    ]
    chart = charts.bars(_("How promises stand"), _("Of all leads with a promise."), drawn)
    return Panel("standing", _("How promises stand"), Table([_("Promise"), _("Leads"), _("Share")], rows), chart)


def _ladder(scope: Scope, filters: Filters, leads: Frame) -> Panel:
    reminders, moves = leads["steps"] & 15, leads["steps"] >> 4
    told, paged = int(leads.marked(ESCALATED).sum()), int(leads.marked(PAGED).sum())
    found = (
        (_("Agents reminded"), "reminded", int((reminders > 0).sum()), int(reminders.sum())),
        (_("Given to somebody else"), "reassigned", int((moves > 0).sum()), int(moves.sum())),
        (_("Managers told"), "escalated", told, told),
        (_("Given to people on call"), "paged", paged, paged),
    )
    rows = [
        Row(label, [Cell(number, COUNT, scope.link(filters, what), behind=leads_) for number in (leads_, times)])
        for label, what, leads_, times in found
    ]
    return Panel("ladder", _("What the ladder did"), Table([_("Step"), _("Leads"), _("Times")], rows))


def _breakdown(scope: Scope, filters: Filters, leads: Frame, names: Names, column: str) -> Panel:
    words = leads.words[column]
    found = kept(leads, leads[column], len(words), microseconds(scope.at))
    rows = [
        Row(
            names.of(column, word),
            [
                Cell(each.all, COUNT, scope.link(theirs, "promised")),
                Cell(each.attained, COUNT, scope.link(theirs, "attained")),
                Cell(each.breached, COUNT, scope.link(theirs, "breached")),
                Cell(each.running, COUNT, scope.link(theirs, "running")),
                Cell(each.share, SHARE, scope.link(theirs, "attained"), behind=each.attained),
            ],
        )
        for word, each in zip(words, found, strict=True)
        if each.all
        for theirs in [filters.only(**{column: word})]
    ]
    rows.sort(key=lambda row: (-row.cells[2].value, row.label))
    heading = _("Rule") if column == "rule" else _("Agent")
    columns = [heading, _("Promises"), _("In time"), _("Not in time"), _("Running"), _("Kept")]
    return Panel(column, _("By rule") if column == "rule" else _("By agent"), Table(columns, rows))


def _oldest(scope: Scope, filters: Filters, names: Names) -> Panel:
    """Whatever the period: who waits longest must be seen."""
    # While nobody has answered, a lead is of whoever has it, and of its own team and rule: as the figures have it.
    narrowed = {name: word or (None if name in ("agent", "team") else "") for name, word in filters.narrowed}
    leads = Lead.objects.for_workspace(scope.workspace).filter(overdue_at(scope.at), **narrowed)
    oldest = leads.only("reference", "received_at", "respond_by", "agent_id", "rule").order_by("respond_by", "pk")
    rows = [
        Row(
            lead.reference,
            [
                Cell((scope.at - lead.received_at).total_seconds(), DURATION),
                Cell((scope.at - lead.respond_by).total_seconds() if lead.respond_by else None, DURATION, is_bad=True),
                Cell(names.of("agent", lead.agent_id or 0), TEXT),
                Cell(names.of("rule", lead.rule), TEXT),
            ],
            link=scope.link_to_lead(lead, filters),
        )
        for lead in oldest[:_OLDEST]
    ]
    columns = [_("Lead"), _("Waits"), _("Overdue for"), _("Agent"), _("Rule")]
    note = _("Of any period, the longest overdue first.")
    table = Table(columns, rows, empty=_("Nobody waits beyond what was promised."))
    return Panel("oldest", _("Oldest open and overdue"), table, note=note)
