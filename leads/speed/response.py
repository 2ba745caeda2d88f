"""The first human answer to a lead: the one definition that promises, reminders and reports share."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from leads.basis import Basis
from leads.models import Assignment, Lead
from routing.engine import ANYBODY, Roster, Target
from routing.engine.covered import covered_intervals, union
from routing.engine.holding import people_of
from routing.engine.hours import MICROSECOND, SECOND, Kind

# What `record` changes on a lead.
FIELDS = ("first_response_at", "answered_by", "response_us", "covered_response_us", "response_schedule")


class Response(NamedTuple):
    """`agent` is the id of whoever had the lead then, None for nobody. `covered_seconds` None: not known."""

    at: datetime
    agent: int | None
    seconds: float
    covered_seconds: float | None


def first_response(lead: Lead) -> Response | None:
    """The lead's first human answer; None while nobody has answered."""
    at = lead.first_response_at
    if at is None:
        return None
    covered = lead.covered_response_us
    seconds = (at - lead.received_at) // MICROSECOND / SECOND
    return Response(at, lead.answered_by_id, seconds, None if covered is None else covered / SECOND)


def record(lead: Lead, *, responded_at: datetime, at: datetime) -> None:
    """Set in memory that a human answered then, where nobody had answered before. The lead is locked.

    Both figures are kept with the hours they were counted by: those of the lead's team, as the roster is at `at`; of
    everybody, where it has no team or the team has no people. So no later change of shifts changes them.
    """
    if lead.first_response_at is not None and responded_at >= lead.first_response_at:
        return
    basis = Basis.current(workspace_id=lead.workspace_id, at=at)
    open_spans = _regular_hours(basis.roster, lead, until=responded_at)
    lead.first_response_at = responded_at
    lead.answered_by_id = _holder(lead, responded_at)
    lead.response_us = (responded_at - lead.received_at) // MICROSECOND
    lead.covered_response_us = sum(ends - begins for begins, ends in open_spans)
    lead.response_schedule = _schedule_json(lead, basis.roster_version, open_spans)


def _regular_hours(roster: Roster, lead: Lead, *, until: datetime) -> list[tuple[int, int]]:
    """When they run between the lead's arrival and `until`, as microseconds since its arrival."""
    target = ANYBODY if lead.team_id is None else Target(Target.TEAM, lead.team_id)
    people = people_of(roster, target) & roster.active or roster.everybody & roster.active
    # People with the same hours are looked at once.
    schedules = {roster.schedule(agent) for agent in roster.members(people)}
    hours = union(
        covered_intervals(schedule, start=lead.received_at, end=until, kind=Kind.REGULAR) for schedule in schedules
    )
    since = lead.received_at
    return [((begins - since) // MICROSECOND, (ends - since) // MICROSECOND) for begins, ends in hours]


def _schedule_json(lead: Lead, roster_version: int, spans: list[tuple[int, int]]) -> dict[str, Any]:
    """The hours as seconds since the lead's arrival, which no zone changes."""
    covered = [[begins / SECOND, ends / SECOND] for begins, ends in spans]
    return {"roster_version": roster_version, "team": lead.team_id, "covered": covered}


def _holder(lead: Lead, at: datetime) -> int | None:
    """Who had the lead then, or had it last."""
    had_it = Assignment.objects.filter(lead=lead, assigned_at__lte=at).order_by("-assigned_at", "-pk")
    return had_it.values_list("agent_id", flat=True).first() or lead.agent_id
