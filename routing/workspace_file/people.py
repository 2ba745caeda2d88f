"""Writing the file's people: agents with their handles, hours and leave, and teams with their members.

Rows that say the same already are not touched, so that loading a file twice changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from agents.models import Agent, Handle, Shift, ShiftKind, Team, TeamMember, TimeOff, Workspace
from routing.models import Ledger
from routing.publishing import names_in_use
from routing.workspace_file.changes import Changes
from routing.workspace_file.checks import Stored
from routing.workspace_file.references import is_named
from routing.workspace_file.schema import CAPS, MIDNIGHT, WEEKDAYS

Entry = dict[str, Any]

# The file's keys for an agent's columns.
_AGENT_KEYS = {
    "name": "name",
    "title": "title",
    "photo_url": "photo_url",
    "email": "email",
    "timezone": "timezone",
    "languages": "languages",
    "territories": "territories",
    "tags": "tags",
    "is_active": "active",
    "is_paused": "paused",
    **{f"cap_{cap}": "caps" for cap in CAPS},
    "holiday_calendar": "holidays",
}


def write_agents(workspace: Workspace, entries: list[Entry], stored: Stored, changes: Changes) -> None:
    """Also deactivates those that the file does not name."""
    agents = {
        entry["slug"]: stored.agents.get(entry["slug"]) or Agent(workspace=workspace, slug=entry["slug"])
        for entry in entries
    }
    new = [agent for agent in agents.values() if agent.pk is None]
    changed: dict[str, list[str]] = {}
    for entry in entries:
        agent = agents[entry["slug"]]
        columns = _agent_columns(entry)
        different = [name for name, value in columns.items() if getattr(agent, name) != value]
        for name in different:
            setattr(agent, name, columns[name])
        if not agent.is_paused:
            agent.pause_ends_at = None  # what stays would end the next pause
        if different and agent.pk is not None:
            changed[agent.slug] = list(dict.fromkeys(_AGENT_KEYS[name] for name in different))
    Agent.objects.bulk_create(new, batch_size=500)
    Agent.objects.bulk_update([agents[slug] for slug in changed], [*_AGENT_KEYS, "pause_ends_at"], batch_size=200)
    created = {agent.slug for agent in new}
    for key, model, read in (
        ("handles", Handle, _handle_rows),
        ("shifts", Shift, _shift_rows),
        ("time_off", TimeOff, _time_off_rows),
    ):
        wanted = {agents[entry["slug"]].pk: Counter(read(entry)) for entry in entries}
        different_ids = _write_rows(workspace, model, _ROW_COLUMNS[key], wanted)
        for slug, agent in agents.items():
            if agent.pk in different_ids and slug not in created:
                changed.setdefault(slug, []).append(key)
    for slug in agents:
        if slug in created:
            changes.created(_("agent"), slug)
        elif slug in changed:
            changes.changed(_("agent"), slug, changed[slug])
    gone = [agent for agent in stored.agents.values() if agent.slug not in agents and agent.is_active]
    if gone:
        Agent.objects.for_workspace(workspace).filter(pk__in=[agent.pk for agent in gone]).update(is_active=False)
    for agent in gone:
        changes.deactivated(_("agent"), agent.slug)


def _agent_columns(entry: Entry) -> Entry:
    """What the file says of the agent's own columns. Of `active` and `paused` it may say nothing."""
    columns = {
        "name": entry["name"],
        "title": entry.get("title", ""),
        "photo_url": entry.get("photo_url", ""),
        "email": entry.get("email", ""),
        "timezone": entry.get("timezone", ""),
        "languages": entry.get("languages", []),
        "territories": entry.get("territories", []),
        "tags": entry.get("tags", []),
        "holiday_calendar": entry.get("holidays", ""),
        **{f"cap_{cap}": entry.get("caps", {}).get(cap) for cap in CAPS},
    }
    said = {"is_active": entry.get("active"), "is_paused": entry.get("paused")}
    return columns | {name: value for name, value in said.items() if value is not None}


_Row = tuple[Any, ...]
_ROW_COLUMNS = {
    "handles": ("channel", "value"),
    "shifts": ("weekday", "start_minute", "end_minute", "kind"),
    "time_off": ("starts_local", "ends_local", "note"),
}


def _handle_rows(entry: Entry) -> Iterator[_Row]:
    yield from entry.get("handles", {}).items()


def _shift_rows(entry: Entry) -> Iterator[_Row]:
    for shift in entry.get("shifts", ()):
        for day in shift["days"]:
            end = shift["end"] or MIDNIGHT
            yield WEEKDAYS.index(day), shift["start"], end, shift.get("kind", ShiftKind.REGULAR.value)


def _time_off_rows(entry: Entry) -> Iterator[_Row]:
    for absence in entry.get("time_off", ()):
        yield absence["from"], absence["to"], absence.get("note", "")


def _write_rows(
    workspace: Workspace,
    model: type[Handle | Shift | TimeOff],
    columns: tuple[str, ...],
    wanted: dict[int, Counter[_Row]],
) -> set[int]:
    """Make each agent's rows the wanted ones. Returns the ids of the agents for whom that took a change."""
    surplus: list[int] = []
    different: set[int] = set()
    missing = {agent_id: Counter(rows) for agent_id, rows in wanted.items()}
    stored = model.objects.for_workspace(workspace).order_by("id").values_list("id", "agent_id", *columns)
    for row_id, agent_id, *values in stored:
        if agent_id not in missing:
            continue
        if missing[agent_id][tuple(values)] > 0:
            missing[agent_id][tuple(values)] -= 1
        else:
            surplus.append(row_id)
            different.add(agent_id)
    if surplus:
        model.objects.for_workspace(workspace).filter(pk__in=surplus).delete()
    rows = []
    for agent_id, counted in missing.items():
        for values in counted.elements():
            rows.append(model(workspace=workspace, agent_id=agent_id, **dict(zip(columns, values, strict=True))))
            different.add(agent_id)
    model.objects.bulk_create(rows, batch_size=1_000)
    return different


def write_teams(workspace: Workspace, entries: list[Entry], stored: Stored, changes: Changes) -> None:
    """Creates and changes teams. Those that the file does not name go by `remove_teams`, once no rule needs them."""
    teams = {
        entry["slug"]: stored.teams.get(entry["slug"]) or Team(workspace=workspace, slug=entry["slug"])
        for entry in entries
    }
    new = [team for team in teams.values() if team.pk is None]
    changed: dict[str, list[str]] = {}
    for entry in entries:
        team = teams[entry["slug"]]
        columns = {"name": entry.get("name", entry["slug"]), "catch_up": entry.get("catch_up", 0), "archived_at": None}
        different = [name for name, value in columns.items() if getattr(team, name) != value]
        for name in different:
            setattr(team, name, columns[name])
        if different and team.pk is not None:
            changed[team.slug] = ["archived" if name == "archived_at" else name for name in different]
    Team.objects.bulk_create(new, batch_size=500)
    Team.objects.bulk_update([teams[slug] for slug in changed], ["name", "catch_up", "archived_at"], batch_size=200)
    different_ids = _write_members(workspace, {teams[entry["slug"]].pk: entry.get("agents", []) for entry in entries})
    created = {team.slug for team in new}
    for slug, team in teams.items():
        if slug in created:
            changes.created(_("team"), slug)
        elif slug in changed or team.pk in different_ids:
            changes.changed(_("team"), slug, changed.get(slug, []) + ["agents"] * (team.pk in different_ids))


def _write_members(workspace: Workspace, wanted: dict[int, list[Entry]]) -> set[int]:
    """Make each team's members the wanted ones. Returns the ids of the teams for which that took a change.

    A member that stays keeps its row, whatever its weight: who left and came back is told from the history.
    """
    agent_ids = dict(Agent.objects.for_workspace(workspace).values_list("slug", "id"))
    missing = {
        (team_id, agent_ids[member["agent"]]): (member.get("weight", 1), member.get("tier", 1))
        for team_id, members in wanted.items()
        for member in members
    }
    gone, changed = [], []
    different: set[int] = set()
    for member in TeamMember.objects.for_workspace(workspace).filter(team_id__in=wanted).order_by("id"):
        place = missing.pop((member.team_id, member.agent_id), None)
        if place == (member.weight, member.tier):
            continue
        different.add(member.team_id)
        if place is None:
            gone.append(member.pk)
        else:
            member.weight, member.tier = place
            changed.append(member)
    if gone:
        TeamMember.objects.for_workspace(workspace).filter(pk__in=gone).delete()
    TeamMember.objects.bulk_update(changed, ["weight", "tier"], batch_size=500)
    TeamMember.objects.bulk_create(
        [
            TeamMember(workspace=workspace, team_id=team_id, agent_id=agent_id, weight=weight, tier=tier)
            for (team_id, agent_id), (weight, tier) in missing.items()
        ],
        batch_size=1_000,
    )
    return different | {team_id for team_id, _agent_id in missing}


def remove_teams(workspace: Workspace, entries: list[Entry], stored: Stored, changes: Changes, *, at: datetime) -> None:
    """Teams that the file does not name go: archived where a policy, a turn or a row of another kind names them."""
    kept = {entry["slug"] for entry in entries}
    gone = [team for team in stored.teams.values() if team.slug not in kept and team.archived_at is None]
    if not gone:
        return
    named = names_in_use(workspace).teams
    for team in gone:
        if team.slug in named or _is_used(team):
            team.archived_at = at
            team.save()
            changes.archived(_("team"), team.slug)
        else:
            TeamMember.objects.filter(team=team).delete()
            team.delete()
            changes.removed(_("team"), team.slug)


def _is_used(team: Team) -> bool:
    """Whether leads were given out by this team's turns, or other apps' rows point to it."""
    # Locked: a lead that is taking its turn just now is waited for, and then seen.
    ledgers = Ledger.objects.select_for_update().filter(team=team)
    return any(ledger.turns for ledger in ledgers) or is_named(team, but_for=(Ledger, TeamMember))
