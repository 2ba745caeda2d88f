"""What became of leads: how many were won, by how fast they were answered, where they came from, and who had them."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from leads.models import ClosedAs
from leads.reports import charts
from leads.reports.figures import CLOCKS
from leads.reports.filters import Filters
from leads.reports.frame import Frame, load_asked
from leads.reports.names import Names
from leads.reports.page import COUNT, SHARE, TEXT, Cell, Panel, Report, Row, Scope, Table, counted, share_of, tile
from leads.speed.days import APART, CLICK, CONFIRMED, NO_LEAD
from leads.templatetags.reports import brief, count, share
from routing.engine.hours import SECOND

_EDGES = (60, 300, 900, 3_600, 14_400, 86_400)
# A share of fewer leads than that says little: its bar is drawn pale.
_FEW = 10
# Of the normal distribution, for 95 %.
_Z = 1.959964


def build(scope: Scope, filters: Filters) -> Report:
    everything = load_asked(filters, ("ended",), workspace_id=scope.workspace.pk)
    leads, names = everything.counting(), Names(scope.workspace)
    won, n = int(leads.are("ended", ClosedAs.WON.value).sum()), len(leads)
    lost = int(leads.are("ended", ClosedAs.LOST.value).sum())
    before = None
    if filters.compare:
        earlier = load_asked(filters.before(), ("ended",), workspace_id=scope.workspace.pk).counting()
        before = (len(earlier), int(earlier.are("ended", ClosedAs.WON.value).sum()))
    given: dict[str, Any] = {"compares": before is not None}
    was = before or (0, 0)
    return Report(
        title=_("Outcomes"),
        intro=_(
            "“95 % sure between” is figured from the two numbers before it, not counted: were as many leads to come"
            " again and again, 95 of 100 such ranges would hold the true share."
        )
        if n
        else "",
        tiles=[
            tile(_("Leads"), COUNT, n, was[0], link=scope.link(filters, "all"), **given),
            tile(_("Won"), COUNT, won, was[1], less_is_better=False, link=scope.link(filters, "won"), **given),
            tile(
                _("Won of all"),
                SHARE,
                share_of(won, n),
                share_of(was[1], was[0]),
                less_is_better=False,
                link=scope.link(filters, "won"),
                behind=won,
                **given,
            ),
            tile(_("Lost"), COUNT, lost, link=scope.link(filters, "lost")),
            tile(
                _("Not closed yet"),
                COUNT,
                n - won - lost,
                hint=_("may still be won"),
                link=scope.link(filters, "unclosed"),
            ),
        ],
        panels=[
            _by_speed(scope, filters, leads),
            _clicks(scope, filters, everything),
            _breakdown(scope, filters, leads, names, "source"),
            *([] if scope.agent else [_breakdown(scope, filters, leads, names, "agent")]),
        ]
        if len(everything)
        else [],
        filters=filters,
        at=scope.at,
        options=dict(everything.words),
        empty=_("No leads in this period. Choose a longer one, or take a narrowing away."),
    )


def wilson(won: int, n: int) -> tuple[float, float] | None:
    """Between which shares the true one lies, with 95 % confidence: the score interval of E. B. Wilson, "Probable
    inference, the law of succession, and statistical inference", JASA 22, 1927. It holds for few leads, too."""
    if not n:
        return None
    part, z2 = won / n, _Z * _Z
    middle = (part + z2 / (2 * n)) / (1 + z2 / n)
    reach = _Z * sqrt(part * (1 - part) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def _cells(won: int, n: int, filters: Filters, scope: Scope, **bounds: int) -> list[Cell]:
    between = wilson(won, n)
    what = "answered" if bounds else "all"
    interval = "" if between is None else f"{between[0] * 100:.1f} – {between[1] * 100:.1f} %"
    return [
        Cell(n, COUNT, scope.link(filters, what, **bounds)),
        *counted(won, n, scope.link(filters, "won", **bounds)),
        Cell(interval, TEXT),
    ]


def _headings(first: str) -> list[str]:
    return [first, _("Leads"), _("Won"), _("Share"), _("95 % sure between")]


def _by_speed(scope: Scope, filters: Filters, leads: Frame) -> Panel:
    is_answered, is_won = leads["response"] >= 0, leads.are("ended", ClosedAs.WON.value)
    edges = np.array([edge * SECOND for edge in _EDGES], np.int64)
    places = np.searchsorted(edges, leads[CLOCKS[filters.clock]][is_answered], side="left")
    n = np.bincount(places, minlength=len(_EDGES) + 1)
    won = np.bincount(places[is_won[is_answered]], minlength=len(_EDGES) + 1)
    rows, drawn, last = [], [], 0
    for place in range(len(_EDGES) + 1):
        edge = _EDGES[place] if place < len(_EDGES) else None
        label = _("over %s") % brief(last) if edge is None else f"≤ {brief(edge)}"
        bounds = ({"over": last} if last else {}) | ({"most": edge} if edge else {})
        number, got = int(n[place]), int(won[place])
        rows.append(Row(label, _cells(got, number, filters, scope, **bounds)))
        style = "good few" if number < _FEW else "good"
        drawn.append((label, share_of(got, number), f"{share(share_of(got, number))} · {count(number)}", style))
        last = edge or last
    never = int((~is_answered).sum())
    got = int((is_won & ~is_answered).sum())
    cells = [
        Cell(never, COUNT, scope.link(filters, "unanswered")),
        *counted(got, never, scope.link(filters, "won_unanswered")),
        _cells(got, never, filters, scope)[-1],
    ]
    rows.append(Row(_("no answer noted"), cells))
    drawn.append((_("no answer noted"), share_of(got, never), f"{share(share_of(got, never))} · {count(never)}", "bad"))
    chart = charts.bars(_("Share won by response time"), _("Each bar with its share and the number of leads."), drawn)
    note = _(
        "Fast answers and won leads may have a common cause: who answers at once may also be who sells best. Beside"
        " each share stands of how many leads it is; of fewer than ten, its bar is pale."
    )
    return Panel("by-speed", _("Won by response time"), Table(_headings(_("Answered in")), rows), chart, note=note)


def _clicks(scope: Scope, filters: Filters, everything: Frame) -> Panel:
    """A click opens an app; only what the visitor then writes is a conversation."""
    clicks = everything.where(everything.marked(CLICK) & ~everything.marked(NO_LEAD))
    confirmed = int(clicks.marked(CONFIRMED).sum())
    apart = int(clicks.marked(APART).sum())
    waiting = len(clicks) - confirmed - apart
    rows = [
        Row(label, counted(number, len(clicks), address))
        for label, number, address in (
            (_("Opened an app"), len(clicks), scope.link(filters, "clicks")),
            (_("Became a conversation"), confirmed, scope.link(filters, "conversations")),
            (_("Not known yet"), waiting, scope.link(filters, "unsure")),
            (_("Nobody wrote"), apart, scope.link(filters, "unconfirmed")),
        )
    ]
    styles = ("", "good", "warn", "bad")
    parts = [row.cells[1].value for row in rows]
    drawn = [(row.label, part, share(part), style) for row, part, style in zip(rows, parts, styles, strict=True)]
    chart = charts.bars(_("Clicks and conversations"), _("Of all leads that opened an app."), drawn)
    return Panel("clicks", _("Clicks and conversations"), Table([_("Clicks"), _("Leads"), _("Share")], rows), chart)


def _breakdown(scope: Scope, filters: Filters, leads: Frame, names: Names, column: str) -> Panel:
    words = leads.words[column]
    is_won: NDArray[np.bool_] = leads.are("ended", ClosedAs.WON.value)
    n = np.bincount(leads[column], minlength=len(words))
    won = np.bincount(leads[column][is_won], minlength=len(words))
    rows = [
        Row(names.of(column, word), _cells(int(won[code]), int(n[code]), filters.only(**{column: word}), scope))
        for code, word in enumerate(words)
        if n[code]
    ]
    rows.sort(key=lambda row: (-(row.cells[2].value or 0), row.label))
    title, heading = (_("By agent"), _("Agent")) if column == "agent" else (_("By source"), _("Source"))
    return Panel(column, title, Table(_headings(heading), rows))
