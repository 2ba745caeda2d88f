"""Who could be given a shift in hours in which nobody is there, each with the way to these hours in their week."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.db.models import Prefetch
from django.urls import reverse
from django.utils.translation import gettext as _

from agents import languages
from agents.models import Agent, Shift, TeamMember
from agents.models.hours import Weekday
from agents.week import in_words
from leads.reports.page import NUMBER, TEXT, Cell, Row, Scope, Table
from routing.engine.covered import covered_intervals
from routing.engine.hours import Kind, Schedule, ShiftSpec, weekly_minutes
from routing.snapshots import snapshot

DAY = timedelta(days=1)
LONGEST = timedelta(days=7)
# More people than that are narrowed first, by choosing a team.
MOST = 200
_ALWAYS = tuple(ShiftSpec(day, 0, 1440) for day in range(7))


@dataclass(frozen=True, slots=True)
class Piece:
    """A shift to add, by somebody's own clock: minutes of the day it begins on; an end before the start lies on the
    next."""

    weekday: int
    start: int
    end: int

    @property
    def as_asked(self) -> str:
        """As the page of an agent is asked for it."""
        return f"{self.weekday}.{in_words([(self.start, self.end)])}"

    @property
    def in_words(self) -> str:
        return f"{Weekday(self.weekday).label} {in_words([(self.start, self.end)])}"


def pieces(opens: datetime, closes: datetime, zone: str) -> list[Piece]:
    """The shifts that cover `[opens, closes)` in every week on the clock of a zone: one where that is less than a day,
    else one a day."""
    opens, closes = (at.astimezone(ZoneInfo(zone)) for at in (opens, closes))
    start, end = _minute(opens), _minute(closes)
    if closes - opens < DAY and start != end:
        return [Piece(opens.weekday(), start, end or 1440)]
    found, day = [], opens.date()
    while datetime.combine(day, time(), opens.tzinfo) < closes:
        last = end if day == closes.date() else 1440
        found.append(Piece(day.weekday(), start if day == opens.date() else 0, last))
        day += DAY
    return found


def candidates(scope: Scope, people: int | None, opens: datetime, closes: datetime) -> Table:
    """Those of these people (None: of all) who are not there in all of `[opens, closes)`: who works least comes first,
    who is away last."""
    workspace = scope.workspace
    roster = snapshot(
        workspace_id=workspace.pk, policy_version=workspace.policy_version, roster_version=workspace.roster_version
    ).roster
    found = []
    for agent in _agents(scope, roster.members(roster.active if people is None else people & roster.active)):
        schedule = roster.schedule(agent.pk)
        if _there(schedule, opens, closes):
            continue
        hours = sum(end - start for start, end in weekly_minutes(schedule.shifts, Kind.REGULAR)) / 60
        away = _away(schedule, opens, closes)
        found.append((away, hours, agent.name.casefold(), _row(agent, schedule, hours, away, opens, closes)))
    found.sort(key=lambda each: each[:3])
    columns = [_("Agent"), _("Their week"), _("Then"), _("Hours a week"), _("Teams"), _("Languages")]
    return Table(columns, [row for _away, _hours, _name, row in found[:MOST]], empty=_("Nobody else is in question."))


def _agents(scope: Scope, members: Sequence[int]) -> Any:
    teams = TeamMember.objects.filter(team__archived_at=None).select_related("team").order_by("team__name", "pk")
    agents = Agent.objects.for_workspace(scope.workspace).filter(pk__in=list(members)).order_by("name", "pk")
    return agents.prefetch_related(Prefetch("team_members", teams), Prefetch("shifts", Shift.objects.all()))


def _row(
    agent: Agent, schedule: Schedule, hours: float, away: bool, opens: datetime, closes: datetime
) -> Row:  # fmt: skip
    to_add = pieces(opens, closes, schedule.zone)
    address = reverse("admin:agents_agent_change", args=[agent.pk])
    asked = urlencode([("shift", piece.as_asked) for piece in to_add])
    weekday = to_add[0].weekday
    that_day = [
        (shift.start_minute, shift.end_minute)
        for shift in agent.shifts.all()
        if (shift.weekday, shift.kind) == (weekday, Kind.REGULAR.value)
    ]
    works = in_words(that_day) or _("free")
    then = _("%(day)s: %(hours)s") % {"day": Weekday(weekday).label, "hours": works}
    return Row(
        agent.name,
        [
            Cell(_("Add %s") % ", ".join(p.in_words for p in to_add[:2]), TEXT, f"{address}?{asked}#part-week"),
            Cell(f"{then} · {_('away then')}" if away else then, TEXT, is_bad=away),
            Cell(round(hours, 1), NUMBER),
            Cell(", ".join(member.team.name for member in agent.team_members.all()) or "–", TEXT),
            Cell(", ".join(map(languages.language_name, agent.languages)) or "–", TEXT),
        ],
    )


def _there(schedule: Schedule, opens: datetime, closes: datetime) -> bool:
    usual = replace(schedule, time_off=(), holidays=frozenset())
    return any(
        (opens, closes) in covered_intervals(usual, start=opens, end=closes, kind=kind) for kind in Kind
    )  # fmt: skip


def _away(schedule: Schedule, opens: datetime, closes: datetime) -> bool:
    """Whether leave or holidays keep them from all of it."""
    always = replace(schedule, shifts=_ALWAYS)
    return not covered_intervals(always, start=opens, end=closes, kind=Kind.REGULAR)


def _minute(at: datetime) -> int:
    """Of the day, at the quarter of an hour before."""
    return (at.hour * 60 + at.minute) // 15 * 15
