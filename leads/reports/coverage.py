"""Coverage: hour by hour, how many people could take a lead, and how many leads usually come when nobody could.

By the roster as it is. A usual week is drawn without leave and holidays, the coming four weeks with them. An hour has
as many people as its emptiest minute.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from django.db.models import Count, Min
from django.db.models.functions import TruncHour
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from agents import languages
from leads.after_hours.coverage import WEEKS, gaps_between, usual_leads, weeks_seen
from leads.models import Lead
from leads.reports.filters import Filters
from leads.reports.frame import hours_of_week, load
from leads.reports.names import Names
from leads.reports.page import COUNT, NUMBER, TEXT, Cell, Panel, Report, Row, Scope, Table, tile
from routing.engine import Outcome, Roster
from routing.engine.covered import covered_intervals
from routing.engine.hours import Kind, Schedule, instant
from routing.snapshots import snapshot

BY = ("team", "language", "channel", "country")
DAYS_AHEAD = 28
_MOST_GAPS = 40


@dataclass(frozen=True, slots=True)
class Strip:
    """A week of hours as one line. `cells`: (place, how many people there are, level by level)."""

    cells: Sequence[tuple[int, int]]


def build(scope: Scope, filters: Filters, by: str = "team", weekday: str = "", hour: str = "") -> Report:
    """`weekday` (1: Monday) and `hour`: the hour of the usual week whose people are named, '' for none."""
    workspace, names = scope.workspace, Names(scope.workspace)
    roster = snapshot(
        workspace_id=workspace.pk, policy_version=workspace.policy_version, roster_version=workspace.roster_version
    ).roster
    zone = ZoneInfo(filters.zone)
    monday = scope.at.astimezone(zone).date()
    monday -= timedelta(days=monday.weekday())
    week = _people_by_hour(_schedules(roster, roster.active, usual=True), monday, 7, zone)
    coming = _people_by_hour(_schedules(roster, roster.active), scope.at.astimezone(zone).date(), DAYS_AHEAD, zone)
    usual = usual_leads(workspace=workspace, at=scope.at)
    lead_hours = _by_hour_of_week(usual, workspace.timezone, filters.zone, monday)
    until = scope.at + timedelta(days=DAYS_AHEAD)
    gaps = gaps_between(workspace=workspace, start=scope.at, end=until, at=scope.at, usual=usual)
    empty = week == 0
    weekly_leads = float(lead_hours.sum())
    return Report(
        title=_("Coverage"),
        intro=_(
            "Who could take a lead: people on a regular shift or on call, paused ones counted as there. The fallback"
            " agent, who takes leads at any hour, closes no gap."
        ),
        tiles=[
            tile(_("Covered hours of a usual week"), COUNT, int(168 - empty.sum()), hint=_("of 168")),
            tile(_("Hours without anybody"), COUNT, int(empty.sum()), hint=_("in a usual week")),
            tile(_("Leads in them"), NUMBER, round(float(lead_hours[empty].sum()), 2), hint=_("usually a week")),
            tile(_("Of all leads"), "share", float(lead_hours[empty].sum()) / weekly_leads if weekly_leads else None),
            tile(_("Gaps to come"), COUNT, len(gaps), hint=_("in 28 days, with leave and holidays")),
        ],
        panels=[
            _week(week, filters, by),
            *([_who(roster, names, monday, zone, int(weekday), int(hour))] if weekday and hour else []),
            _by(by, roster, names, monday, zone, scope, filters.zone),
            _calendar(coming, scope.at.astimezone(zone).date(), filters.zone),
            _gaps(gaps, zone, scope),
        ]
        if roster.active
        else [],
        filters=filters,
        at=scope.at,
        empty=_("There is nobody yet. Managers add agents and their shifts under Agents."),
        extra={
            "fields": [
                {
                    "name": "by", "label": _("Split by"), "selected": by,
                    "choices": list(zip(BY, (_("Team"), _("Language"), _("Channel"), _("Country")), strict=True)),
                    "is_needed": True,
                }
            ]
        },
    )  # fmt: skip


def _schedules(roster: Roster, people: int, *, usual: bool = False) -> list[Schedule]:
    found = [roster.schedule(agent) for agent in roster.members(people)]
    return [replace(each, time_off=(), holidays=frozenset()) for each in found] if usual else found


def _people_by_hour(schedules: Iterable[Schedule], first: date, days: int, zone: ZoneInfo) -> NDArray[np.int64]:
    """How many are there in each hour of these days on the zone's clock, by its emptiest minute. An hour that the clock
    skips counts as the one before, of one that it repeats the first is shown."""
    start = datetime.combine(first, time(), zone).astimezone(UTC)
    end = datetime.combine(first + timedelta(days=days), time(), zone).astimezone(UTC)
    length = (end - start) // timedelta(minutes=1)
    change = np.zeros(length + 1, np.int64)
    counted: dict[Schedule, int] = {}
    for schedule in schedules:  # many work the same hours
        counted[schedule] = counted.get(schedule, 0) + 1
    for schedule, number in counted.items():
        for kind in Kind:
            for opens, closes in covered_intervals(schedule, start=start, end=end, kind=kind):
                change[(opens - start) // timedelta(minutes=1)] += number
                change[-(-(closes - start) // timedelta(minutes=1))] -= number
    people = np.cumsum(change[:-1])
    hours = np.empty(days * 24, np.int64)
    for place in range(days * 24):
        at = datetime.combine(first + timedelta(days=place // 24), time(place % 24), zone).astimezone(UTC)
        minute = min(max(0, (at - start) // timedelta(minutes=1)), length - 1)
        hours[place] = people[minute : minute + 60].min()
    return hours


def _by_hour_of_week(
    usual: dict[tuple[int, int], float], of_zone: str, to_zone: str, monday: date
) -> NDArray[np.float64]:
    """Leads by the hours of the week of one zone, on the clock of another, as they lie this week."""
    hours = np.zeros(168)
    own, shown = ZoneInfo(of_zone), ZoneInfo(to_zone)
    for (weekday, hour), number in usual.items():
        at = datetime.combine(monday + timedelta(days=weekday), time(hour), own).astimezone(shown)
        hours[at.weekday() * 24 + at.hour] += number
    return hours


def _week(people: NDArray[np.int64], filters: Filters, by: str) -> Panel:
    most = int(people.max())
    rows = []
    for place, day in enumerate(_weekdays()):
        here = [
            reverse("reports:coverage") + f"?{filters.query(by=by, weekday=place + 1, hour=hour)}#who"
            for hour in range(24)
        ]
        rows.append(_heat_row(day, people[place * 24 : place * 24 + 24], most, here))
    note = _("How many people are there in each hour of a usual week, %s. 0: nobody. Each number names them.")
    return Panel(
        "week",
        _("A usual week"),
        _heat_table(rows),
        note=note % filters.zone,
        is_wide=True,
        template="reports/_heat.html",
    )


def _weekdays() -> list[str]:
    return [_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun")]


def _who(roster: Roster, names: Names, monday: date, zone: ZoneInfo, weekday: int, hour: int) -> Panel:
    """Who would answer in one hour of a usual week, the whole of it or a part."""
    opens = datetime.combine(monday + timedelta(days=weekday - 1), time(hour), zone).astimezone(UTC)
    closes = opens + timedelta(hours=1)
    rows = []
    for agent in roster.members(roster.active):
        usual = replace(roster.schedule(agent), time_off=(), holidays=frozenset())
        for kind in Kind:
            there = covered_intervals(usual, start=opens, end=closes, kind=kind)
            if there:
                minutes = sum((end - start for start, end in there), timedelta()) // timedelta(minutes=1)
                state = _("on shift") if kind is Kind.REGULAR else _("on call")
                rows.append(Row(names.of("agent", agent), [Cell(state, TEXT), Cell(minutes)]))
    rows.sort(key=lambda row: (row.label.casefold(), row.cells[0].value))
    title = _("Who is there on %(day)s at %(hour)02d:00") % {"day": _weekdays()[weekday - 1], "hour": hour}
    table = Table([_("Agent"), _("State"), _("Minutes of the hour")], rows, empty=_("Nobody is there then."))
    return Panel("who", title, table, is_wide=True)


def _calendar(people: NDArray[np.int64], first: date, zone: str) -> Panel:
    rows = [
        _heat_row(
            date_format(first + timedelta(days=day), "D j M"), people[day * 24 : day * 24 + 24], int(people.max())
        )
        for day in range(DAYS_AHEAD)
    ]
    note = _("The same for the days to come, net of leave and holidays, %s.") % zone
    return Panel(
        "calendar", _("The next 28 days"), _heat_table(rows), note=note, is_wide=True, template="reports/_heat.html"
    )


def _heat_table(rows: Sequence[Row]) -> Table:
    return Table(["", *(f"{hour:02d}" for hour in range(24))], rows)


def _heat_row(label: str, people: NDArray[np.int64], most: int, links: Sequence[str] = ()) -> Row:
    levels = [_level(int(number), most) for number in people]
    cells = [Cell(int(number), COUNT, links[hour] if links else "") for hour, number in enumerate(people)]
    return Row(label, cells, strip=[level or "0 none" for level in levels])


def _level(people: int, most: int) -> int:
    return 0 if not people else max(1, -(-5 * people // max(most, 5)))


def _by(by: str, roster: Roster, names: Names, monday: date, zone: ZoneInfo, scope: Scope, zone_name: str) -> Panel:
    """A usual week of each team, language, channel or country, with the leads of its own that come to nobody."""
    leads = _leads_by_hour(scope, by, zone_name)
    found = []
    for label, mask, words in _splits(by, roster, names, leads):
        people = _people_by_hour(_schedules(roster, mask & roster.active, usual=True), monday, 7, zone)
        came = sum((leads[word] for word in words if word in leads), np.zeros(168))
        empty = people == 0
        found.append((label, people, empty, float(came[empty].sum()), (mask & roster.active).bit_count()))
    found.sort(key=lambda each: (-each[3], each[0].casefold()))
    rows = [
        Row(
            label,
            [
                Cell(count),
                Cell(int(168 - empty.sum())),
                Cell(int(empty.sum()), is_bad=lost >= 1),
                Cell(round(lost, 2), NUMBER),
            ],
            strip=_strip(people),
        )
        for label, people, empty, lost, count in found
    ]
    heading = {"team": _("Team"), "language": _("Language"), "channel": _("Channel"), "country": _("Country")}[by]
    columns = [heading, _("People"), _("Covered hours"), _("Without anybody"), _("Leads there a week")]
    note = _("Each line is a usual week from Monday to Sunday, %s; what is empty has nobody.") % zone_name
    table = Table(columns, rows, has_strips=True)
    return Panel("by", _("Who would answer"), table, note=note, is_wide=True, template="reports/_weeks.html")


def _strip(people: NDArray[np.int64]) -> Strip:
    most = int(people.max())
    cells = [(place * 4 + place // 24 * 2, _level(int(number), most)) for place, number in enumerate(people)]
    return Strip(cells)


def _splits(by: str, roster: Roster, names: Names, leads: dict[Any, Any]) -> list[tuple[str, int, list[Any]]]:
    """(label, people, the leads' words that are meant)."""
    if by == "team":
        return [
            (names.of("team", team.id), team.mask, [team.id])
            for team in roster.teams.values()
            if not roster.spec.teams[team.id].archived
        ]
    if by == "channel":
        return [(names.of("channel", word), mask, [word]) for word, mask in roster.channels.items() if mask]
    if by == "language":
        spoken: dict[str, int] = {}
        for tag, mask in roster.languages.items():
            base = tag.split("-")[0].lower()
            spoken[base] = spoken.get(base, 0) | mask
        wanted = {str(word).split("-")[0].lower() for word in leads if word}
        return [
            (
                languages.language_name(base), spoken.get(base, 0),
                [word for word in leads if str(word).split("-")[0].lower() == base],
            )
            for base in sorted(wanted | {base for base, mask in spoken.items() if mask})
        ]  # fmt: skip
    named = {territory.split("-")[0] for territory, mask in roster.territories.items() if mask}
    return [
        (
            names.of("country", country),
            roster.anywhere | _of_country(roster, country),
            [country],
        )
        for country in sorted(named | {word for word in leads if word})
    ]


def _of_country(roster: Roster, country: str) -> int:
    """Who names the country, or a region of it."""
    mask = 0
    for territory, people in roster.territories.items():
        if territory.split("-")[0] == country:
            mask |= people
    return mask


def _leads_by_hour(scope: Scope, by: str, zone: str) -> dict[Any, NDArray[np.float64]]:
    """How many leads of each word came in an hour of the week: the mean of the last eight weeks."""
    since = scope.at - timedelta(weeks=WEEKS)
    counted: dict[Any, NDArray[Any]] = {}
    if by == "language":  # the one that days are not packed by
        leads = Lead.objects.for_workspace(scope.workspace).filter(received_at__gte=since, received_at__lt=scope.at)
        hours = leads.exclude(outcome=Outcome.REJECTED.value).annotate(on=TruncHour("received_at", tzinfo=UTC))
        for word, on, number in hours.order_by().values_list(by, "on").annotate(number=Count("pk")):
            local = on.astimezone(ZoneInfo(zone))
            counted.setdefault(word, np.zeros(168))[local.weekday() * 24 + local.hour] += number
        first = leads.aggregate(first=Min("received_at"))["first"]
    else:
        found = load(workspace_id=scope.workspace.pk, start=since, end=scope.at, names=(by,))
        for code, word in enumerate(found.words[by]):
            counted[word] = hours_of_week(found["received"][found[by] == code], zone)
        first = instant(int(found["received"].min())) if len(found) else None
    weeks = weeks_seen(first, scope.at, ZoneInfo(scope.workspace.timezone))
    return {word: hours / weeks for word, hours in counted.items() if hours.any()}


def _gaps(gaps: Sequence[Any], zone: ZoneInfo, scope: Scope) -> Panel:
    worst = sorted(gaps, key=lambda gap: (-gap.leads, gap.starts_at))[:_MOST_GAPS]
    rows = [
        Row(
            _span(gap.starts_at.astimezone(zone), gap.ends_at.astimezone(zone)),
            [
                Cell((gap.ends_at - gap.starts_at).total_seconds(), "duration"),
                Cell(round(gap.leads, 2), NUMBER),
                Cell(gap.why, TEXT),
                *([Cell(_("Add a shift"), TEXT, reverse("admin:agents_agent_changelist"))] if scope.manages else []),
            ],
        )
        for gap in worst
    ]
    note = _("Those into which most leads usually fall come first.")
    if len(gaps) > _MOST_GAPS:
        note = _("The %(shown)d of %(all)d into which most leads usually fall.") % {
            "shown": _MOST_GAPS,
            "all": len(gaps),
        }
    table = Table(
        [_("When"), _("Long"), _("Usual leads"), _("Because of"), *([_("Under Agents")] if scope.manages else [])],
        rows,
        empty=_("Somebody is there at every hour of the next 28 days."),
    )
    return Panel("gaps", _("Gaps to come"), table, note=note, is_wide=True)


def _span(start: datetime, end: datetime) -> str:
    until = date_format(end, "H:i") if start.date() == end.date() else date_format(end, "D j M H:i")
    return f"{date_format(start, 'D j M H:i')} – {until}"
