"""Promises on the covered clock that can never fall due, because nobody has hours."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from agents.models import Workspace
from routing.engine import Roster
from routing.engine.covered import YEAR, hours_within
from routing.snapshots import snapshot


def never_due(*, workspace: Workspace, document: Mapping[str, Any], at: datetime) -> list[str]:
    """The names of the document's active rules whose people have no regular hour within 366 days of `at`, though
    their promise counts only such hours; '' for the workspace's own promise, where nobody has one.

    Rules without a promise of their own have the workspace's.
    """
    roster = snapshot(
        workspace_id=workspace.pk, policy_version=workspace.policy_version, roster_version=workspace.roster_version
    ).roster
    own = document.get("sla")
    found = []
    if _counts_hours(own) and not _has_hours(roster, roster.everybody, at):
        found.append("")
    for rule in document["rules"]:
        to = rule["route"]["to"]
        promised = rule.get("sla") or own
        if rule.get("active", True) and _counts_hours(promised) and not _has_hours(roster, _people(roster, to), at):
            found.append(rule["name"])
    return found


def _counts_hours(sla: Mapping[str, Any] | None) -> bool:
    return sla is not None and sla.get("clock") == "covered"


def _people(roster: Roster, to: Any) -> int:
    if to == "queue":
        return roster.everybody
    if "agent" in to:
        return roster.bit(roster.slugs.get(to["agent"], 0))
    team = roster.teams.get(roster.team_slugs.get(to["team"], 0))
    return team.mask if team is not None else 0


def _has_hours(roster: Roster, people: int, at: datetime) -> bool:
    members = roster.members(people & roster.active)
    return any(hours_within(roster.schedule(agent), at=at, horizon=YEAR) for agent in members)
