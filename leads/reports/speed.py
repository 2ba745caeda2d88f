"""Speed to lead: how long people waited for a first human answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from leads.reports import charts
from leads.reports.figures import CLOCKS, Speed, by_codes, by_column, histogram, in_order, medians, overall
from leads.reports.filters import Filters
from leads.reports.frame import Frame, hour_of_week, load_asked, local_microseconds
from leads.reports.names import Names
from leads.reports.page import COUNT, DURATION, SHARE, Cell, Panel, Report, Row, Scope, Table, counted, share_of, tile
from leads.templatetags.reports import brief, share
from routing.engine.hours import DAY, microseconds

_EPOCH = date(1970, 1, 1)
# More days than that are shown by the week.
_MOST_DAYS = 92
# Where the bars of the distribution end, in seconds.
_EDGES = (10, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 28_800, 86_400, 172_800, 604_800)
_BREAKDOWNS = ("agent", "team", "rule", "channel", "country")
# Oldroyd, McElheran and Elkington, "The Short Life of Online Sales Leads", Harvard Business Review, March 2011:
# shares of 2,241 US firms by when they answered a test lead, and the mean of those that did within 30 days.
HBR = (0.37, 0.16, 0.24, 0.23)  # within an hour, within a day, later, never
HBR_MEAN_S = 42 * 3_600


@dataclass(frozen=True, slots=True)
class _Asked:
    scope: Scope
    filters: Filters
    leads: Frame
    names: Names

    @property
    def at(self) -> int:
        return microseconds(self.scope.at)

    @property
    def clock(self) -> str:
        return self.filters.clock


def build(scope: Scope, filters: Filters) -> Report:
    workspace = scope.workspace.pk
    everything = load_asked(filters, ("due", "closed"), workspace_id=workspace)
    leads = in_order(everything.counting(), clock=filters.clock)
    asked = _Asked(scope, filters, leads, Names(scope.workspace))
    whole = overall(asked.leads, clock=filters.clock, at=asked.at)
    before = None
    earlier = None
    if filters.compare:
        found = load_asked(filters.before(), ("due", "closed"), workspace_id=workspace)
        then = in_order(found.counting(), clock=filters.clock)
        earlier = _Asked(scope, filters.before(), then, asked.names)
        before = overall(earlier.leads, clock=filters.clock, at=asked.at)
    panels = [
        _trend(asked, earlier),
        _shares(asked, whole),
        _distribution(asked),
        _heat(asked, "answers"),
        _heat(asked, "arrivals"),
        *(_breakdown(asked, name) for name in _BREAKDOWNS if not (name == "agent" and scope.agent)),
        _benchmark(asked, whole),
    ]
    return Report(
        title=_("Speed to lead"),
        tiles=_tiles(asked, whole, before),
        panels=panels if whole.n else [],
        filters=filters,
        at=scope.at,
        options=dict(everything.words),
        empty=_("No leads in this period. Choose a longer one, or take a narrowing away."),
    )


def _tiles(asked: _Asked, whole: Speed, before: Speed | None) -> list[Any]:
    link, filters = asked.scope.link, asked.filters
    was = before or Speed()
    common: dict[str, Any] = {"compares": before is not None}
    of = ngettext("of %d answer", "of %d answers", whole.answered) % whole.answered
    answered: dict[str, Any] = {"link": link(filters, "answered"), "behind": whole.answered}
    return [
        tile(_("Leads"), COUNT, whole.n, was.n, link=link(filters, "all"), **common),
        tile(_("Median"), DURATION, whole.p50, was.p50, less_is_better=True, hint=of, **answered, **common),
        tile(_("75th percentile"), DURATION, whole.p75, was.p75, less_is_better=True, **answered, **common),
        tile(_("90th percentile"), DURATION, whole.p90, was.p90, less_is_better=True, **answered, **common),
        tile(_("95th percentile"), DURATION, whole.p95, was.p95, less_is_better=True, **answered, **common),
        tile(
            _("Within 5 min"), SHARE, whole.share(300), was.share(300), less_is_better=False,
            link=link(filters, "answered", most=300), behind=whole.within[300], hint=_("of all leads"), **common,
        ),
        tile(
            _("Within 1 hour"), SHARE, whole.share(3_600), was.share(3_600), less_is_better=False,
            link=link(filters, "answered", most=3_600), behind=whole.within[3_600], hint=_("of all leads"), **common,
        ),
        tile(
            _("Not answered"), COUNT, whole.unanswered, was.unanswered, less_is_better=True,
            link=link(filters, "unanswered"), hint=_("%s overdue") % whole.overdue if whole.overdue else "",
            hint_link=link(filters, "overdue"), **common,
        ),
    ]  # fmt: skip


def _trend(asked: _Asked, earlier: _Asked | None) -> Panel:
    labels, spans, found = _by_time(asked)
    lines: list[tuple[str, str, Sequence[float | None]]] = [
        (_("90th"), "second", [speed.p90 for speed in found]),
        (_("median"), "first", [speed.p50 for speed in found]),
    ]
    if earlier is not None:
        _labels, _spans, then = _by_time(earlier)
        values = [speed.p50 for speed in then][: len(found)]
        lines.append((_("before"), "before", values + [None] * (len(found) - len(values))))
    is_drawn = sum(speed.answered > 0 for speed in found) > 1
    by = _("day") if asked.filters.days <= _MOST_DAYS else _("week")
    chart = charts.trend(
        _("Response time by %s") % by,
        _("Median and 90th percentile of the time to the first human answer, from %(first)s to %(last)s.")
        % {"first": labels[0], "last": labels[-1]},
        labels,
        lines,
    )
    rows = [
        Row(label, _speed_cells(asked, speed, span))
        for label, span, speed in zip(labels, spans, found, strict=True)
        if speed.n or is_drawn
    ]
    note = "" if is_drawn else _("A line is drawn once there are answers on two days.")
    table = Table([by.title(), *_headings()], rows)
    return Panel("trend", _("Over time"), table, chart if is_drawn else None, note=note, is_wide=True)


def _by_time(asked: _Asked) -> tuple[list[str], list[Filters], list[Speed]]:
    """Days, or weeks of seven days where there are many: their names, what to ask for to see them, and their speed."""
    filters = asked.filters
    length = 1 if filters.days <= _MOST_DAYS else 7
    local = local_microseconds(asked.leads["received"], filters.zone) // DAY - (filters.first - _EPOCH).days
    codes = np.clip(local, 0, filters.days - 1) // length
    count = -(-filters.days // length)
    found = by_codes(asked.leads, codes.astype(np.int64), count, clock=asked.clock, at=asked.at)
    labels, spans = [], []
    for place in range(count):
        first = filters.first + timedelta(days=place * length)
        last = min(first + timedelta(days=length - 1), filters.last)
        labels.append(date_format(first, "j M"))
        spans.append(_between(filters, first, last))
    return labels, spans, found


def _between(filters: Filters, first: date, last: date) -> Filters:
    return replace(filters, first=first, last=last, period="custom")


def _shares(asked: _Asked, whole: Speed) -> Panel:
    link, filters = asked.scope.link, asked.filters
    names = {60: _("1 min"), 300: _("5 min"), 900: _("15 min"), 3_600: _("60 min"), 86_400: _("24 h")}
    rows, drawn, last, before = [], [], 0, 0
    for limit, name in names.items():
        here = whole.within[limit]
        since = {"over": last} if last else {}
        so_far = counted(here, whole.n, link(filters, "answered", most=limit))
        new = Cell(here - before, COUNT, link(filters, "answered", **since, most=limit))
        rows.append(Row(_("Within %s") % name, [*so_far, new]))
        drawn.append((_("Within %s") % name, share_of(here, whole.n), share(share_of(here, whole.n)), "good"))
        last, before = limit, here
    later = whole.answered - before
    for label, number, address, style in (
        (_("Later"), later, link(filters, "answered", over=last), "warn"),
        (_("Never so far"), whole.unanswered, link(filters, "unanswered"), "bad"),
    ):
        rows.append(Row(label, [*counted(number, whole.n, address), Cell(number, COUNT, address)]))
        drawn.append((label, share_of(number, whole.n), share(share_of(number, whole.n)), style))
    chart = charts.bars(_("Share answered within"), _("Of all leads, unanswered ones included."), drawn)
    table = Table([_("Answered"), _("Leads"), _("Share"), _("Of them not before")], rows)
    return Panel(
        "within", _("Answered within"), table, chart, note=_("Of all leads: who never answers does not look fast.")
    )


def _distribution(asked: _Asked) -> Panel:
    link, filters, leads = asked.scope.link, asked.filters, asked.leads
    is_answered = leads["response"] >= 0
    counts = histogram(leads[CLOCKS[asked.clock]][is_answered], _EDGES)
    never = len(leads) - int(is_answered.sum())
    rows, drawn, last = [], [], 0
    for place, number in enumerate(counts):
        edge = _EDGES[place] if place < len(_EDGES) else None
        label = _("over %s") % brief(last) if edge is None else f"≤ {brief(edge)}"
        bounds = {"over": last} if last else {}
        bounds |= {"most": edge} if edge else {}
        rows.append(Row(label, counted(number, len(leads), link(filters, "answered", **bounds))))
        # Without the space, for there is little room under a bar.
        drawn.append((f">{brief(last)}" if edge is None else f"≤{brief(edge)}", number, ""))
        last = edge or last
    rows.append(Row(_("never"), counted(never, len(leads), link(filters, "unanswered"))))
    drawn.append((_("never"), never, "bad"))
    chart = charts.columns(
        _("How long answers took"),
        _("Number of leads by the time to their first human answer; the steps grow longer."),
        drawn,
    )
    return Panel("distribution", _("Distribution"), Table([_("Took"), _("Leads"), _("Share")], rows), chart)


def _heat(asked: _Asked, of: str) -> Panel:
    """168 hours of the week, on the clock of the report's zone."""
    leads, link, filters = asked.leads, asked.scope.link, asked.filters
    codes = hour_of_week(leads["received"], filters.zone)
    if of == "arrivals":
        found: list[tuple[int, Any]] = [(int(count), int(count) or None) for count in np.bincount(codes, minlength=168)]
        title, kind = _("When leads come in"), COUNT
        note = _("Leads by hour of the week, %s.") % filters.zone
    else:
        is_answered = leads["response"] >= 0
        found = medians(leads[CLOCKS[asked.clock]][is_answered], codes[is_answered], 168)
        title, kind = _("When answers are slow"), DURATION
        note = _("Median time to the answer by the hour in which the lead came in, %s.") % filters.zone
    values = [value for _count, value in found]
    known = sorted(value for value in values if value is not None)
    what = "all" if of == "arrivals" else "answered"

    def hot(place: int) -> Cell:
        count, value = found[place]
        bounds = {"weekday": 1 + place // 24, "hour": place % 24}
        return Cell(value, kind, link(filters, what, **bounds) if value is not None else "", behind=count)

    rows = [
        Row(
            day,
            [hot(weekday * 24 + hour) for hour in range(24)],
            strip=[_level(value, known) for value in values[weekday * 24 : weekday * 24 + 24]],
        )
        for weekday, day in enumerate(_weekdays())
    ]
    table = Table(["", *(f"{hour:02d}" for hour in range(24))], rows)
    return Panel(of, title, table, note=note, is_wide=True, template="reports/_heat.html")


def _level(value: float | None, known: Sequence[float]) -> int:
    """0 to 5: by rank, so that one bad hour does not wash out the rest."""
    if value is None or len(known) < 2 or known[0] == known[-1]:
        return 0 if value is None else 1
    return 1 + min(4, int(5 * np.searchsorted(known, value) / len(known)))


def _weekdays() -> list[str]:
    return [_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun")]


def _breakdown(asked: _Asked, column: str) -> Panel:
    titles = {
        "agent": (_("By agent"), _("Agent"), _("For whoever answered; of the unanswered, whoever has them.")),
        "team": (_("By team"), _("Team"), ""),
        "rule": (_("By rule"), _("Rule"), ""),
        "channel": (_("By channel"), _("Channel"), ""),
        "country": (_("By country"), _("Country"), ""),
    }
    title, heading, note = titles[column]
    is_wide = column == "agent"
    found = by_column(asked.leads, column, clock=asked.clock, at=asked.at)
    longest = max((speed.p95 for speed in found.values() if speed.p95 is not None), default=1)
    rows = []
    for word, speed in sorted(found.items(), key=lambda item: (-item[1].n, asked.names.of(column, item[0]))):
        cells = _speed_cells(asked, speed, asked.filters.only(**{column: word}))
        strip = charts.strip(speed.p50, speed.p95, speed.p50, longest=longest)
        rows.append(Row(asked.names.of(column, word), cells if is_wide else _short(cells), strip=strip))
    headings = _headings() if is_wide else _short(_headings())
    table = Table([heading, *headings], rows, has_strips=is_wide)
    return Panel(column, title, table, note=note, is_wide=is_wide)


def _short(cells: list[Any]) -> list[Any]:
    """Without the 75th percentile, for half a page."""
    return [*cells[:2], *cells[3:]]


def _headings() -> list[str]:
    return [_("Leads"), _("Median"), _("75th"), _("90th"), _("95th"), _("≤ 5 min"), _("≤ 1 h"), _("Not answered")]


def _speed_cells(asked: _Asked, speed: Speed, filters: Filters) -> list[Cell]:
    link = asked.scope.link
    answered = link(filters, "answered") if speed.answered else ""
    return [
        Cell(speed.n, COUNT, link(filters, "all")),
        *(
            Cell(took, DURATION, answered, behind=speed.answered)
            for took in (speed.p50, speed.p75, speed.p90, speed.p95)
        ),
        *(
            Cell(speed.share(limit), SHARE, link(filters, "answered", most=limit), behind=speed.within[limit])
            for limit in (300, 3_600)
        ),
        Cell(speed.unanswered, COUNT, link(filters, "unanswered"), is_bad=bool(speed.overdue)),
    ]


def _benchmark(asked: _Asked, whole: Speed) -> Panel:
    """Beside the one public audit of response times, worded as it was measured."""
    hour, day = whole.within[3_600], whole.within[86_400]
    link, filters = asked.scope.link, asked.filters
    ours = (
        (_("Within 1 hour"), hour, link(filters, "answered", most=3_600)),
        (_("1 to 24 hours"), day - hour, link(filters, "answered", over=3_600, most=86_400)),
        (_("Later than 24 hours"), whole.answered - day, link(filters, "answered", over=86_400)),
        (_("Never"), whole.unanswered, link(filters, "unanswered")),
    )
    rows = [
        Row(label, [Cell(share_of(number, whole.n), SHARE, address, behind=number), Cell(theirs, SHARE)])
        for (label, number, address), theirs in zip(ours, HBR, strict=True)
    ]
    took = asked.leads[CLOCKS[asked.clock]]
    within_a_month = took[(asked.leads["response"] >= 0) & (took <= 30 * DAY)]
    mean = float(within_a_month.mean()) / 1_000_000 if len(within_a_month) else None
    of_mean = link(filters, "answered", most=30 * 86_400)
    theirs = Cell(HBR_MEAN_S, DURATION)
    cells = [Cell(mean, DURATION, of_mean, behind=len(within_a_month)), theirs]
    rows.append(Row(_("Mean of those within 30 days"), cells))
    note = _(
        "Oldroyd, McElheran and Elkington, “The Short Life of Online Sales Leads”, Harvard Business Review, March 2011:"
        " 2,241 US firms were sent a test lead; 37 % answered within an hour, 16 % within one to 24 hours, 24 % later,"
        " 23 % never. The mean, 42 hours, is of those that answered within 30 days. Theirs are shares of firms, yours"
        " of leads."
    )
    return Panel(
        "hbr", _("Beside the HBR audit of 2011"), Table([_("Answered"), _("You"), _("2,241 US firms")], rows), note=note
    )
