"""The clock of a promise: day and night, or only while the team has hours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from routing.engine import ANYBODY, Policy, Roster, Target
from routing.engine.covered import deadlines
from routing.engine.holding import people_of

WALL, COVERED = "wall", "covered"


def target_of(policy: Policy, roster: Roster, rule_name: str) -> Target:
    """Whose hours count for leads of a rule: those of its team or agent; of everybody, where it names none."""
    rule = policy.named.get(rule_name)
    if rule is None or rule.route.target_slug is None:
        return ANYBODY
    if rule.route.kind == Target.TEAM:
        return Target(Target.TEAM, roster.team_slugs.get(rule.route.target_slug, 0))
    return Target(Target.AGENT, roster.slugs.get(rule.route.target_slug, 0))


def instants_after(
    sla: Mapping[str, Any], roster: Roster, *, start: datetime, seconds: Iterable[float]
) -> dict[float, datetime | None]:
    """When so many seconds have passed on the promise's clock. None where the covered hours of 366 days are fewer.

    `sla["of"]` is whose hours count, as (kind, id) of a `Target`, where the clock is `covered`.
    """
    if sla.get("clock") != COVERED:
        return {length: start + timedelta(seconds=length) for length in seconds}
    people = people_of(roster, Target(*sla["of"])) & roster.active
    # Colleagues mostly work the same hours: each different schedule is walked once.
    schedules = dict.fromkeys(roster.schedule(agent) for agent in roster.members(people))
    return deadlines(schedules, start=start, seconds=seconds)
