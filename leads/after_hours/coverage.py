"""Coming hours in which nobody could take a lead, and how many leads usually come then."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from agents.models import Workspace
from routing.engine.covered import Interval, covered_intervals, union
from routing.engine.hours import Kind, Schedule, instant
from routing.snapshots import snapshot

DAYS_AHEAD = 3
WEEKS = 8
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Gap:
    """Hours `[starts_at, ends_at)` without anybody on a regular shift or on call, paused people counted as there.

    `leads`: how many usually come in so much time of these hours of the week. `why`: what cut a hole into the shifts,
    in words; '' for hours that nobody works in any week. Overlong ones may be both.
    """

    starts_at: datetime
    ends_at: datetime
    leads: float
    why: str = ""


def coming_gaps(*, workspace: Workspace, at: datetime, days: int = DAYS_AHEAD) -> list[Gap]:
    """The gaps of the days to come, in order."""
    return gaps_between(workspace=workspace, start=at, end=at + timedelta(days=days), at=at)


def gaps_between(
    *,
    workspace: Workspace,
    start: datetime,
    end: datetime,
    at: datetime,
    usual: dict[tuple[int, int], float] | None = None,
    people: Collection[int] | None = None,
) -> list[Gap]:
    """The gaps within `[start, end)` by the roster as it is, in order; of these agents, or of all. The fallback agent,
    who takes leads at any hour, closes none. What usually comes is what came before `at`, unless it is given as
    `usual_leads` says it."""
    roster = snapshot(
        workspace_id=workspace.pk, policy_version=workspace.policy_version, roster_version=workspace.roster_version
    ).roster
    # Colleagues mostly work the same hours: each different schedule is walked once.
    asked = roster.members(roster.active) if people is None else people
    schedules = list(dict.fromkeys(roster.schedule(agent) for agent in asked))
    spans = list(uncovered(schedules, start=start, end=end))
    if not spans:
        return []
    if usual is None:
        usual = usual_leads(workspace=workspace, at=at)
    zone = ZoneInfo(workspace.timezone)
    reasons = [
        (_("a holiday"), _cut_by([replace(each, holidays=frozenset()) for each in schedules if each.holidays], spans)),
        (_("time off"), _cut_by([replace(each, time_off=()) for each in schedules if each.time_off], spans)),
    ]
    return [
        Gap(opens, closes, expected(usual, zone, opens, closes), ", ".join(word for word, hit in reasons if hit[place]))
        for place, (opens, closes) in enumerate(spans)
    ]


def uncovered(schedules: Iterable[Schedule], *, start: datetime, end: datetime) -> Iterator[Interval]:
    """When none of these schedules has a shift of any kind."""
    begins = start.astimezone(UTC)
    for opens, closes in _covered(schedules, start, end):
        if begins < opens:
            yield begins, opens
        begins = closes
    if begins < end:
        yield begins, end.astimezone(UTC)


def usual_leads(*, workspace: Workspace, at: datetime) -> dict[tuple[int, int], float]:
    """How many leads came in an hour of the week, by (weekday, hour) of the workspace's clock: the mean of the last
    eight weeks, or of as many as it has had leads."""
    # From packed days: counting the leads of eight busy weeks would keep whoever opens the start page waiting.
    from leads.reports.frame import hours_of_week, load

    received = load(workspace_id=workspace.pk, start=at - timedelta(weeks=WEEKS), end=at, names=())["received"]
    counted = hours_of_week(received, workspace.timezone)
    first = instant(int(received.min())) if len(received) else None
    weeks = weeks_seen(first, at, ZoneInfo(workspace.timezone))
    return {(place // 24, place % 24): float(count) / weeks for place, count in enumerate(counted) if count}


def weeks_seen(first: datetime | None, at: datetime, zone: ZoneInfo) -> float:
    """How many weeks a mean is of, where the first of its leads came in then: eight at most, one at least."""
    days = (at.astimezone(zone).date() - first.astimezone(zone).date()).days if first else 0
    return min(WEEKS, max(1.0, days / 7))


def expected(usual: dict[tuple[int, int], float], zone: ZoneInfo, start: datetime, end: datetime) -> float:
    """How many leads usually come in this time."""
    total, moment = 0.0, start.astimezone(UTC)
    while usual and moment < end:
        hour_ends = moment.replace(minute=0, second=0, microsecond=0) + _HOUR
        local = moment.astimezone(zone)
        share = (min(hour_ends, end) - moment) / _HOUR
        total += usual.get((local.weekday(), local.hour), 0.0) * share
        moment = hour_ends
    return total


def _covered(schedules: Iterable[Schedule], start: datetime, end: datetime) -> list[Interval]:
    return union(
        covered_intervals(schedule, start=start, end=end, kind=kind) for schedule in schedules for kind in Kind
    )


def _cut_by(without: Iterable[Schedule], spans: Sequence[Interval]) -> list[bool]:
    """For each gap, whether these schedules, which are without one kind of hole, would close a part of it."""
    covered = _covered(without, spans[0][0], spans[-1][1])
    return [any(opens < end and start < closes for opens, closes in covered) for start, end in spans]
