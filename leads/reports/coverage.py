"""Coverage: hour by hour, how many people could take a lead, and how many leads usually come when nobody could.

By the roster as it is. A usual week is drawn without leave and holidays, the coming four weeks with them. An hour has
as many people as its emptiest minute.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import numpy as np
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from agents import languages
from leads.after_hours.coverage import WEEKS, Gap, gaps_between, usual_leads, weeks_seen
from leads.reports.filters import Filters
from leads.reports.frame import hours_of_week, load
from leads.reports.names import Names
from leads.reports.page import (
    ACT,
    COUNT,
    DURATION,
    NUMBER,
    SHARE,
    TEXT,
    Cell,
    Panel,
    Report,
    Row,
    Scope,
    Table,
    Tile,
    tile,
)
from routing.engine import Roster
from routing.engine.covered import covered_intervals
from routing.engine.hours import Kind, Schedule, instant
from routing.snapshots import snapshot

BY = ("team", "language", "channel", "country")
DAYS_AHEAD = 28
_MOST_GAPS = 40
# So many leads a week come in an hour in which somebody is missed.
_MISSED = 0.5


@dataclass(frozen=True, slots=True)
class Strip:
    """A week of hours as one line. `cells`: (place, how many people there are, level by level)."""

    cells: Sequence[tuple[int, int]]


def build(
    scope: Scope, filters: Filters, by: str = "team", of: str = "", weekday: str = "", hour: str = "", day: str = ""
) -> Report:  # fmt: skip
    """`of`: the team, language, channel or country whose people alone are looked at, '' for all. `weekday` (1: Monday)
    and `hour`: the hour of the usual week whose people are named, '' for none; `day` (ISO) and `hour`: that of one of
    the days to come."""
    workspace, names = scope.workspace, Names(scope.workspace)
    roster = snapshot(
        workspace_id=workspace.pk, policy_version=workspace.policy_version, roster_version=workspace.roster_version
    ).roster
    zone = ZoneInfo(filters.zone)
    monday = _monday(scope.at, zone)
    weeks, came = _leads_by_hour(scope, by, filters.zone)
    leads = {word: hours / weeks for word, hours in came.items()}
    parts = {part.word: part for part in _parts(by, roster, names, leads)}
    part = parts.get(of)
    people = roster.active if part is None else roster.active & part.people
    week = _people_by_hour(_schedules(roster, people, usual=True), monday, 7, zone)
    today = scope.at.astimezone(zone).date()
    coming = _people_by_hour(_schedules(roster, people), today, DAYS_AHEAD, zone)
    on = next(
        (each for each in (today + timedelta(days=ahead) for ahead in range(DAYS_AHEAD)) if str(each) == day), None
    )
    if part is None:
        usual = usual_leads(workspace=workspace, at=scope.at)
        lead_hours = sum(leads.values(), np.zeros(168))
    else:
        lead_hours = part.came(leads)
        own = lead_hours
        if filters.zone != workspace.timezone:
            weeks_there, came_there = _leads_by_hour(scope, by, workspace.timezone)
            own = part.came(came_there) / weeks_there
        usual = {(place // 24, place % 24): float(number) for place, number in enumerate(own) if number}
    is_usual = bool(weekday and hour and not on)
    until = scope.at + timedelta(days=DAYS_AHEAD)
    gaps = gaps_between(
        workspace=workspace, start=scope.at, end=until, at=scope.at, usual=usual, people=roster.members(people)
    )
    empty = week == 0
    weekly_leads = float(lead_hours.sum())
    asked = _Asked(scope, filters, zone, by, of if part is not None else "", weeks)
    lost = asked.leads(float(lead_hours[empty].sum()), empty, part)
    return Report(
        title=_("Coverage"),
        intro=_(
            "Who could take a lead: people on a regular shift or on call, paused ones counted as there. The fallback"
            " agent, who takes leads at any hour, closes no gap. Usual numbers of leads are the mean of the last eight"
            " weeks, and lead to the leads of these."
        ),
        tiles=[
            tile(_("Covered hours of a usual week"), COUNT, int(168 - empty.sum()), hint=_("of 168"), link="#week"),
            tile(_("Hours without anybody"), COUNT, int(empty.sum()), hint=_("in a usual week"), link="#week"),
            Tile(_("Leads in them"), lost, hint=_("usually a week")),
            tile(
                _("Of all leads"), SHARE, float(lead_hours[empty].sum()) / weekly_leads if weekly_leads else None,
                link=lost.link, behind=lost.behind,
            ),
            tile(_("Gaps to come"), COUNT, len(gaps), hint=_("in 28 days, with leave and holidays"), link="#gaps"),
        ],
        panels=[
            _week(week, lead_hours, asked, part),
            *([_who_usually(roster, people, names, week, asked, int(weekday), int(hour))] if is_usual else []),
            *([_people(roster, people, names, monday, asked, part)] if part is not None else []),
            _by(parts.values(), leads, roster, monday, asked),
            _calendar(coming, today, asked),
            *([_who_on(roster, people, names, gaps, asked, on, int(hour))] if on and hour else []),
            _gaps(gaps, asked, part),
        ]
        if roster.active
        else [],
        filters=filters,
        at=scope.at,
        has_period=False,
        empty=_("There is nobody yet. Managers add agents and their shifts under Agents."),
        empty_action=(_("Add the first"), reverse("admin:agents_agent_add")) if scope.manages else None,
        extra={
            "fields": [
                {
                    "name": "by", "label": _("Split by"), "selected": by,
                    "choices": [(word, _headings()[word]) for word in BY],
                },
                {
                    "name": "of", "label": _headings()[by], "selected": asked.of,
                    "choices": [("", _("All")), *((each.word, each.label) for each in parts.values())],
                },
            ]
        },
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Asked:
    scope: Scope
    filters: Filters
    zone: ZoneInfo
    by: str
    of: str
    weeks: float  # that usual numbers of leads are the mean of

    def link(self, **more: Any) -> str:
        """The address of this report, asked for more."""
        given = {"by": self.by, "of": self.of, **more}
        query = self.filters.query(**{name: word for name, word in given.items() if word != ""})
        return f"{reverse('reports:coverage')}?{query}"

    def leads(self, usual: float, hours: NDArray[np.bool_], part: Part | None) -> Cell:
        """So many usually come in these hours of the week, with the way to those of whom that is the mean."""
        asked, filters = {"last": WEEKS * 7 * 86_400, "hours": _in_address(hours)}, self.filters
        if part is not None and self.by == "language":
            asked["language"] = part.word
        elif part is not None:
            filters = filters.only(**{self.by: int(part.word) if self.by == "team" else part.word})
        today = self.scope.at.astimezone(self.zone).date()
        filters = replace(filters, first=today - timedelta(weeks=WEEKS), last=today)
        link = self.scope.link(filters, "came", **asked) if hours.any() else ""
        return Cell(round(usual, 2), NUMBER, link, behind=round(usual * self.weeks))

    def link_to_shift(self, opens: datetime, closes: datetime) -> str:
        """Where somebody is chosen who is to work in `[opens, closes)`."""
        given = {"opens": opens.astimezone(UTC).isoformat(), "closes": closes.astimezone(UTC).isoformat()}
        given |= {"zone": self.filters.zone, "by": self.by} | ({"of": self.of} if self.of else {})
        return f"{reverse('reports:shift')}?{urlencode(given)}"


@dataclass(frozen=True, slots=True)
class Part:
    """A team, a language, a channel or a country: `word` in addresses, its people, and the words of its leads."""

    word: str
    label: str
    people: int
    words: Sequence[Any]

    def came(self, leads: dict[Any, NDArray[np.float64]]) -> NDArray[np.float64]:
        """Its leads by the hour of the week."""
        return sum((leads[word] for word in self.words if word in leads), np.zeros(168))


def _in_address(hours: NDArray[np.bool_]) -> str:
    """Hours of the week as the list of leads is asked for them: 22-32,166-168."""
    edges = np.flatnonzero(np.diff(hours.astype(np.int8), prepend=0, append=0))
    return ",".join(f"{begins}-{ends}" for begins, ends in zip(edges[::2], edges[1::2], strict=True))


def part_of(scope: Scope, by: str, of: str) -> Part | None:
    """The part of that word, whether or not leads came for it."""
    workspace = scope.workspace
    roster = snapshot(
        workspace_id=workspace.pk, policy_version=workspace.policy_version, roster_version=workspace.roster_version
    ).roster
    leads = {of: np.zeros(168)} if by in ("language", "country") else {}
    found = {part.word: part for part in _parts(by, roster, Names(workspace), leads)}
    return found.get(of)


def _headings() -> dict[str, str]:
    return {"team": _("Team"), "language": _("Language"), "channel": _("Channel"), "country": _("Country")}


def _monday(at: datetime, zone: ZoneInfo) -> date:
    today = at.astimezone(zone).date()
    return today - timedelta(days=today.weekday())


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


def _week(people: NDArray[np.int64], leads: NDArray[np.float64], asked: _Asked, part: Part | None) -> Panel:
    most = int(people.max())
    rows = []
    address = asked.link()
    for place, day in enumerate(_weekdays()):
        links = [f"{address}&weekday={place + 1}&hour={hour}#who" for hour in range(24)]
        begins = place * 24
        rows.append(_heat_row(day, people[begins : begins + 24], most, links, leads[begins : begins + 24]))
    note = _(
        "How many people are there in each hour of a usual week, %s. 0: nobody; darker, where more leads come. Each"
        " number names them."
    )
    return Panel(
        "week",
        _("A usual week") if part is None else _("A usual week, %s") % part.label,
        _heat_table(rows),
        note=note % asked.filters.zone,
        is_wide=True,
        template="reports/_heat.html",
    )


def _weekdays() -> list[str]:
    return [_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun")]


def _who_usually(
    roster: Roster, people: int, names: Names, week: NDArray[np.int64], asked: _Asked, weekday: int, hour: int
) -> Panel:
    monday = _monday(asked.scope.at, asked.zone)
    opens, closes = _hours_at(monday, weekday, hour, 1, asked.zone)
    title = _("Who is there on %(day)s at %(hour)02d:00") % {"day": _weekdays()[weekday - 1], "hour": hour}
    schedules = zip(roster.members(people), _schedules(roster, people, usual=True), strict=True)
    table = _there(schedules, opens, closes, names, asked.scope)
    if not asked.scope.manages:
        return Panel("who", title, table, is_wide=True)
    first, length = _stretch(week, (weekday - 1) * 24 + hour)
    opens, closes = _hours_at(monday + timedelta(days=7), 1 + first // 24, first % 24, length, asked.zone)
    words = _("Add a shift, %s") % _span_of_week(opens.astimezone(asked.zone), closes.astimezone(asked.zone))
    return Panel("who", title, table, is_wide=True, action=(words, asked.link_to_shift(opens, closes)))


def _who_on(
    roster: Roster, people: int, names: Names, gaps: Sequence[Gap], asked: _Asked, day: date, hour: int
) -> Panel:
    opens, closes = _hours_at(day, 1, hour, 1, asked.zone)
    title = _("Who is there on %(day)s at %(hour)02d:00") % {"day": date_format(day, "D j M"), "hour": hour}
    schedules = zip(roster.members(people), _schedules(roster, people), strict=True)
    table = _there(schedules, opens, closes, names, asked.scope)
    gap = next((gap for gap in gaps if gap.starts_at < closes and opens < gap.ends_at), None)
    if gap is None or not asked.scope.manages:
        return Panel("who", title, table, is_wide=True)
    words = _("Add a shift, %s") % _span(gap.starts_at.astimezone(asked.zone), gap.ends_at.astimezone(asked.zone))
    address = asked.link_to_shift(gap.starts_at, gap.ends_at)
    return Panel("who", title, table, is_wide=True, action=(words, address))


def _people(roster: Roster, people: int, names: Names, monday: date, asked: _Asked, part: Part) -> Panel:
    """Everybody of a part, with how long they work in a usual week."""
    start, end = _hours_at(monday, 1, 0, 0, asked.zone)[0], _hours_at(monday, 8, 0, 0, asked.zone)[0]
    worked: dict[Schedule, float] = {}
    rows = []
    for agent, schedule in zip(roster.members(people), _schedules(roster, people, usual=True), strict=True):
        if schedule not in worked:  # many work the same hours
            spans = [covered_intervals(schedule, start=start, end=end, kind=kind) for kind in Kind]
            worked[schedule] = sum((closes - opens).total_seconds() for each in spans for opens, closes in each)
        rows.append(
            Row(
                names.of("agent", agent),
                [Cell(worked[schedule] / 3_600, NUMBER)],
                link=asked.scope.link_to_agent(agent),
            )
        )
    rows.sort(key=lambda row: row.label.casefold())
    table = Table([_("Agent"), _("Hours in a usual week")], rows, empty=_("Nobody."))
    return Panel("people", _("People of %s") % part.label, table, is_wide=True)


def _there(
    schedules: Iterable[tuple[int, Schedule]], opens: datetime, closes: datetime, names: Names, scope: Scope
) -> Table:
    """Which of these agents would answer in `[opens, closes)`, the whole of it or a part."""
    rows = []
    for agent, schedule in schedules:
        for kind in Kind:
            there = covered_intervals(schedule, start=opens, end=closes, kind=kind)
            if there:
                minutes = sum((end - start for start, end in there), timedelta()) // timedelta(minutes=1)
                state = _("on shift") if kind is Kind.REGULAR else _("on call")
                cells = [Cell(state, TEXT), Cell(minutes)]
                rows.append(Row(names.of("agent", agent), cells, link=scope.link_to_agent(agent)))
    rows.sort(key=lambda row: (row.label.casefold(), row.cells[0].value))
    return Table([_("Agent"), _("State"), _("Minutes of the hour")], rows, empty=_("Nobody is there then."))


def _hours_at(monday: date, weekday: int, hour: int, length: int, zone: ZoneInfo) -> tuple[datetime, datetime]:
    opens = datetime.combine(monday + timedelta(days=weekday - 1), time(hour), zone)
    return opens.astimezone(UTC), (opens + timedelta(hours=length)).astimezone(UTC)


def _stretch(week: NDArray[np.int64], place: int) -> tuple[int, int]:
    """The hours around this one in which nobody is there either: the first, and how many. One hour, where somebody is,
    or where nobody ever is."""
    if week[place] or not week.any():
        return place, 1
    first = last = place
    while not week[(first - 1) % 168]:
        first = (first - 1) % 168
    while not week[(last + 1) % 168]:
        last = (last + 1) % 168
    return first, (last - first) % 168 + 1


def _span_of_week(start: datetime, end: datetime) -> str:
    days = _weekdays()
    until = f"{end:%H:%M}" if start.date() == end.date() else f"{days[end.weekday()]} {end:%H:%M}"
    return f"{days[start.weekday()]} {start:%H:%M} – {until}"


def _calendar(people: NDArray[np.int64], first: date, asked: _Asked) -> Panel:
    address, most, rows = asked.link(), int(people.max()), []
    for ahead in range(DAYS_AHEAD):
        day = first + timedelta(days=ahead)
        links = [f"{address}&day={day.isoformat()}&hour={hour}#who" for hour in range(24)]
        rows.append(_heat_row(date_format(day, "D j M"), people[ahead * 24 : ahead * 24 + 24], most, links))
    note = _("The same for the days to come, net of leave and holidays, %s.") % asked.filters.zone
    return Panel(
        "calendar", _("The next 28 days"), _heat_table(rows), note=note, is_wide=True, template="reports/_heat.html"
    )


def _heat_table(rows: Sequence[Row]) -> Table:
    return Table(["", *(f"{hour:02d}" for hour in range(24))], rows)


def _heat_row(
    label: str, people: NDArray[np.int64], most: int, links: Sequence[str] = (), leads: Sequence[float] | Any = ()
) -> Row:
    cells, levels = [], []
    for hour, number in enumerate(people):
        usual = float(leads[hour]) if len(leads) else 0.0
        is_missed = not number and usual >= _MISSED
        note = _("usually %s leads a week") % f"{usual:.1f}" if is_missed else ""
        cells.append(Cell(int(number), COUNT, links[hour] if links else "", note=note))
        levels.append(_level(int(number), most) or ("0 none missed" if is_missed else "0 none"))
    return Row(label, cells, strip=levels)


def _level(people: int, most: int) -> int:
    return 0 if not people else max(1, -(-5 * people // max(most, 5)))


def _by(
    parts: Iterable[Part], leads: dict[Any, NDArray[np.float64]], roster: Roster, monday: date, asked: _Asked
) -> Panel:
    """A usual week of each team, language, channel or country, with the leads of its own that come to nobody."""
    found = []
    for part in parts:
        active = part.people & roster.active
        people = _people_by_hour(_schedules(roster, active, usual=True), monday, 7, asked.zone)
        empty = people == 0
        found.append((part, people, empty, float(part.came(leads)[empty].sum()), active.bit_count()))
    found.sort(key=lambda each: (-each[3], each[0].label.casefold()))
    here = {part.word: asked.link(of=part.word) + "#week" for part, *_rest in found}
    rows = [
        Row(
            part.label,
            [
                Cell(count, COUNT, asked.link(of=part.word) + "#people"),
                Cell(int(168 - empty.sum()), COUNT, here[part.word]),
                Cell(int(empty.sum()), COUNT, here[part.word], is_bad=lost >= 1),
                asked.leads(lost, empty, part),
            ],
            strip=_strip(people),
            link=here[part.word],
        )
        for part, people, empty, lost, count in found
    ]
    columns = [
        _headings()[asked.by], _("People"), _("Covered hours"), _("Without anybody"), _("Leads there a week")
    ]  # fmt: skip
    note = _(
        "Each line is a usual week from Monday to Sunday, %s; what is empty has nobody. A name shows its hours above,"
        " the number of people their names."
    )
    table = Table(columns, rows, has_strips=True)
    title = _("Who would answer")
    return Panel("by", title, table, note=note % asked.filters.zone, is_wide=True, template="reports/_weeks.html")


def _strip(people: NDArray[np.int64]) -> Strip:
    most = int(people.max())
    cells = [(place * 4 + place // 24 * 2, _level(int(number), most)) for place, number in enumerate(people)]
    return Strip(cells)


def _parts(by: str, roster: Roster, names: Names, leads: dict[Any, Any]) -> list[Part]:
    if by == "team":
        return [
            Part(str(team.id), names.of("team", team.id), team.mask, [team.id])
            for team in roster.teams.values()
            if not roster.spec.teams[team.id].archived
        ]
    if by == "channel":
        return [Part(word, names.of("channel", word), mask, [word]) for word, mask in roster.channels.items() if mask]
    if by == "language":
        spoken: dict[str, int] = {}
        for tag, mask in roster.languages.items():
            base = tag.split("-")[0].lower()
            spoken[base] = spoken.get(base, 0) | mask
        wanted = {str(word).split("-")[0].lower() for word in leads if word}
        return [
            Part(
                base, languages.language_name(base), spoken.get(base, 0),
                [word for word in leads if str(word).split("-")[0].lower() == base],
            )
            for base in sorted(wanted | {base for base, mask in spoken.items() if mask})
        ]  # fmt: skip
    named = {territory.split("-")[0] for territory, mask in roster.territories.items() if mask}
    return [
        Part(country, names.of("country", country), roster.anywhere | _of_country(roster, country), [country])
        for country in sorted(named | {word for word in leads if word})
    ]


def _of_country(roster: Roster, country: str) -> int:
    """Who names the country, or a region of it."""
    mask = 0
    for territory, people in roster.territories.items():
        if territory.split("-")[0] == country:
            mask |= people
    return mask


def _leads_by_hour(scope: Scope, by: str, zone: str) -> tuple[float, dict[Any, NDArray[Any]]]:
    """How many leads of each word came in each hour of the week, of the last eight weeks; and of how many weeks."""
    since = scope.at - timedelta(weeks=WEEKS)
    counted: dict[Any, NDArray[Any]] = {}
    found = load(workspace_id=scope.workspace.pk, start=since, end=scope.at, names=(by,))
    for code, word in enumerate(found.words[by]):
        counted[word] = hours_of_week(found["received"][found[by] == code], zone)
    first = instant(int(found["received"].min())) if len(found) else None
    weeks = weeks_seen(first, scope.at, ZoneInfo(scope.workspace.timezone))
    return weeks, {word: hours for word, hours in counted.items() if hours.any()}


def _gaps(gaps: Sequence[Gap], asked: _Asked, part: Part | None) -> Panel:
    zone, manages = asked.zone, asked.scope.manages
    worst = sorted(gaps, key=lambda gap: (-gap.leads, gap.starts_at))[:_MOST_GAPS]
    rows = [
        Row(
            _span(gap.starts_at.astimezone(zone), gap.ends_at.astimezone(zone)),
            [
                Cell((gap.ends_at - gap.starts_at).total_seconds(), DURATION),
                replace(asked.leads(gap.leads, _hours_of(gap, zone), part), behind=None),
                Cell(gap.why or _("no shift"), TEXT),
                *([Cell(_("Add a shift"), ACT, asked.link_to_shift(gap.starts_at, gap.ends_at))] if manages else []),
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
        [_("When"), _("Long"), _("Usual leads"), _("Because of"), *([_("To close it")] if manages else [])],
        rows,
        empty=_("Somebody is there at every hour of the next 28 days."),
    )
    return Panel("gaps", _("Gaps to come"), table, note=note, is_wide=True)


def _hours_of(gap: Gap, zone: ZoneInfo) -> NDArray[np.bool_]:
    """The hours of the week that it lies in, those that it fills in part, too."""
    hours = np.zeros(168, bool)
    first = gap.starts_at.replace(minute=0, second=0, microsecond=0)
    for number in range(min(169, -(-(gap.ends_at - first) // timedelta(hours=1)))):
        at = (first + timedelta(hours=number)).astimezone(zone)
        hours[at.weekday() * 24 + at.hour] = True
    return hours


def _span(start: datetime, end: datetime) -> str:
    until = date_format(end, "H:i") if start.date() == end.date() else date_format(end, "D j M H:i")
    return f"{date_format(start, 'D j M H:i')} – {until}"
