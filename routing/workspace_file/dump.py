"""Dumping: a workspace as the file that makes it, every value that is not the default."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from agents import plans
from agents.models import Agent, Handle, Shift, ShiftKind, Site, Team, TeamMember, TimeOff, Workspace
from agents.models.hours import clock
from agents.models.workspace import default_languages
from routing.publishing import draft_document, version_document
from routing.rulebook import ACKNOWLEDGE_WITHIN, DEFAULTS, format_duration
from routing.workspace_file.emitter import to_yaml
from routing.workspace_file.schema import CAPS, SITE_COLUMNS, WEEKDAYS, site_default

Document = dict[str, Any]


def dump(workspace: Workspace) -> str:
    """The file. Rules and scoring are the published ones; where nothing was ever published they are left out."""
    is_published = workspace.policy_version > 0
    policy = version_document(workspace.pk, workspace.policy_version) if is_published else draft_document(workspace)
    document: Document = {
        "workspace": _workspace(workspace, policy),
        "sites": [_site(site) for site in Site.objects.for_workspace(workspace).filter(is_active=True).order_by("id")],
        "agents": list(_agents(workspace)),
        "teams": list(_teams(workspace)),
    }
    if is_published:
        document["scoring"] = policy["scoring"]
        document["rules"] = [_rule(rule) for rule in policy["rules"]]
    return to_yaml(document)


def _without(defaults: Document, values: Document) -> Document:
    """The values that are not the default."""
    return {key: value for key, value in values.items() if key not in defaults or value != defaults[key]}


def _workspace(workspace: Workspace, policy: Document) -> Document:
    fallback = workspace.fallback_agent
    values = {
        "slug": workspace.slug,
        "name": workspace.name,
        "timezone": workspace.timezone,
        "plan": str(workspace.plan),
        "languages": workspace.languages,
        "fallback_agent": fallback.slug if fallback else None,
        "returning": policy["returning"],
        "join_window": format_duration(policy["join_window"]),
        "intent": policy["intent"],
        "sla": _sla(policy["sla"]) if "sla" in policy else None,
        "acknowledge_within": format_duration(policy.get("acknowledge_within", ACKNOWLEDGE_WITHIN)),
        "public_attributes": workspace.public_attributes,
    }
    defaults = {
        "timezone": "UTC",
        "plan": plans.Plan.FREE.value,
        "languages": default_languages(),
        "fallback_agent": None,
        "returning": DEFAULTS["returning"],
        "join_window": format_duration(DEFAULTS["join_window"]),
        "intent": DEFAULTS["intent"],
        "sla": None,
        "acknowledge_within": format_duration(ACKNOWLEDGE_WITHIN),
        "public_attributes": [],
    }
    return _without(defaults, values)


def _site(site: Site) -> Document:
    columns = {name: getattr(site, name) for name in SITE_COLUMNS}
    return _without(
        {name: site_default(name) for name in SITE_COLUMNS}, {"name": site.name, "key": site.key, **columns}
    )


def _agents(workspace: Workspace) -> Iterator[Document]:
    handles = _by_agent(Handle.objects.for_workspace(workspace))
    shifts = _by_agent(Shift.objects.for_workspace(workspace))
    time_off = _by_agent(TimeOff.objects.for_workspace(workspace))
    for agent in Agent.objects.for_workspace(workspace).order_by("id"):
        caps = {cap: getattr(agent, f"cap_{cap}") for cap in CAPS}
        values = {
            "slug": agent.slug,
            "name": agent.name,
            "title": agent.title,
            "photo_url": agent.photo_url,
            "email": agent.email,
            "timezone": agent.timezone,
            "languages": agent.languages,
            "territories": agent.territories,
            "tags": agent.tags,
            "active": agent.is_active,
            "paused": agent.is_paused,
            "caps": {cap: limit for cap, limit in caps.items() if limit is not None},
            "handles": {handle.channel: handle.value for handle in handles[agent.pk]},
            "shifts": _shifts(shifts[agent.pk]),
            "time_off": [
                _without({"note": ""}, {"from": row.starts_local, "to": row.ends_local, "note": row.note})
                for row in time_off[agent.pk]
            ],
            "holidays": agent.holiday_calendar,
        }
        empty = {key: type(value)() for key, value in values.items() if key not in ("slug", "name")}
        yield _without({**empty, "active": True, "paused": False}, values)


def _by_agent(rows: Any) -> defaultdict[int, list[Any]]:
    found: defaultdict[int, list[Any]] = defaultdict(list)
    for row in rows.order_by("id"):
        found[row.agent_id].append(row)
    return found


def _shifts(rows: Iterable[Shift]) -> list[Document]:
    """Days that have the same hours stand together; a window that is there twice stands twice."""
    days: dict[tuple[str, int, int], Counter[int]] = defaultdict(Counter)
    for row in rows:
        days[row.kind, row.start_minute, row.end_minute][row.weekday] += 1
    shifts = []
    for (kind, start, end), counted in days.items():
        for time in range(max(counted.values())):
            weekdays = sorted(day for day, count in counted.items() if count > time)
            shift = {"days": [WEEKDAYS[day] for day in weekdays], "start": clock(start), "end": clock(end)}
            shifts.append(shift | _without({"kind": ShiftKind.REGULAR.value}, {"kind": kind}))
    return shifts


def _teams(workspace: Workspace) -> Iterator[Document]:
    rows = TeamMember.objects.for_workspace(workspace).select_related("agent").order_by("team_id", "id")
    members = {team_id: list(found) for team_id, found in groupby(rows, key=lambda row: row.team_id)}
    for team in Team.objects.for_workspace(workspace).filter(archived_at=None).order_by("id"):
        values = {
            "slug": team.slug,
            "name": team.name,
            "agents": [_member(member) for member in members.get(team.pk, [])],
            "catch_up": team.catch_up,
        }
        yield _without({"name": team.slug, "agents": [], "catch_up": 0}, values)


def _member(member: TeamMember) -> Any:
    if (member.weight, member.tier) == (1, 1):
        return member.agent.slug
    values = {"agent": member.agent.slug, "weight": member.weight, "tier": member.tier}
    return _without({"weight": 1, "tier": 1}, values)


def _rule(rule: Document) -> Document:
    read: Document = {key: rule[key] for key in ("name", "active", "when") if key in rule}
    defaults = {"by": "round_robin", "require": [], "prefer": [], "if_nobody": "next_rule"}
    read["route"] = _without(defaults, rule["route"])
    if "sla" in rule:
        read["sla"] = _sla(rule["sla"])
    return read


def _sla(sla: Document) -> Document:
    values = dict(sla)
    for key in ("respond_within", "reroute_after", "escalate_after"):
        if key in sla:
            values[key] = format_duration(sla[key])
    if "remind_at" in sla:
        values["remind_at"] = [one if isinstance(one, str) else f"{one}%" for one in sla["remind_at"]]
    return _without({"max_reroutes": 3, "clock": "wall"}, values)
