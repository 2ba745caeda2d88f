"""Speed-to-lead as the API answers it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import numpy as np

from agents.models import Agent, Team, Workspace
from leads.reports.figures import LIMITS, Speed, by_codes, by_column, overall
from leads.reports.frame import BASIC, Frame, load, local_microseconds
from routing.engine.hours import microseconds

_HOUR = 3_600_000_000


def speed_to_lead(
    *, workspace: Workspace, start: datetime, end: datetime, group_by: str | None, clock: str, at: datetime
) -> dict[str, Any]:
    """The figures of the leads received in `[start, end)`, and of each group: agents and teams by slug, hours of the
    day by the workspace's clock. A key of None: the leads without."""
    names = {*BASIC, "covered", "due", "closed"}
    leads = load(workspace_id=workspace.pk, start=start, end=end, names=names).counting()
    moment = microseconds(at)
    answer = shown(overall(leads, clock=clock, at=moment))
    if group_by is None:
        return answer
    if group_by == "hour":
        found: dict[Any, Speed] = _by_hour(leads, workspace.timezone, clock, moment)
        named: Callable[[Any], Any] = int
    else:
        found = by_column(leads, group_by, clock=clock, at=moment)
        named = _names(workspace, group_by)
    groups = [{"key": named(word), **shown(speed)} for word, speed in found.items()]
    groups.sort(key=lambda group: (group["key"] is None, group["key"]))
    return {**answer, "groups": groups}


def shown(speed: Speed) -> dict[str, Any]:
    return {
        "n": speed.n,
        "answered": speed.answered,
        "unanswered": speed.unanswered,
        "overdue": speed.overdue,
        **{name: getattr(speed, name) for name in ("p50", "p75", "p90", "p95", "mean")},
        "within": {str(limit): speed.within[limit] for limit in LIMITS},
    }


def _by_hour(leads: Frame, zone: str, clock: str, at: int) -> dict[Any, Speed]:
    hours = local_microseconds(leads["received"], zone) // _HOUR % 24
    found = by_codes(leads, hours.astype(np.int64), 24, clock=clock, at=at)
    return {hour: speed for hour, speed in enumerate(found) if speed.n}


def _names(workspace: Workspace, group_by: str) -> Callable[[Any], Any]:
    models: dict[str, type[Agent] | type[Team]] = {"agent": Agent, "team": Team}
    if group_by not in models:
        return lambda word: word or None
    slugs = dict(models[group_by].objects.for_workspace(workspace).values_list("pk", "slug"))
    return lambda word: slugs.get(word)
