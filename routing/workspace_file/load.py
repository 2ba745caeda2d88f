"""Loading: one workspace made what its file says, in one transaction, or nothing changed at all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from agents import plans
from agents.models import Agent, Site, User, Workspace
from agents.models.workspace import default_languages
from agents.roster import acting_as, one_change
from routing.rulebook import Findings
from routing.workspace_file import nodes
from routing.workspace_file.changes import Changes
from routing.workspace_file.checks import Stored, check_contents
from routing.workspace_file.nodes import BadFile, MappingNode, Problem
from routing.workspace_file.people import remove_teams, write_agents, write_teams
from routing.workspace_file.policy import Intended, read_policy, write_policy
from routing.workspace_file.schema import Contents, read_contents
from routing.workspace_file.sites import write_sites


@dataclass(frozen=True, slots=True)
class Loaded:
    """The workspace as it is now. `changes` is empty where the file said nothing new; `notes` are for people."""

    workspace: Workspace
    sites: list[Site]
    changes: list[str]
    notes: list[str]


def load(raw: bytes, *, by: User | None, at: datetime) -> Loaded:
    """Create or update the file's workspace, and publish its rules. Raises BadFile with everything that is wrong."""
    root = nodes.read(raw)
    findings = Findings()
    contents = read_contents(root, findings)
    with acting_as(by), one_change() as change:
        workspace = Workspace.objects.filter(slug=contents.workspace.get("slug", "")).first()
        if workspace is not None:
            change.lock({workspace.pk})
            workspace.refresh_from_db()
        stored = Stored.of(workspace)
        check_contents(contents, stored, findings)
        intended = read_policy(contents, stored, findings)
        _refuse(findings, root)
        changes = Changes()
        workspace = _write(contents, stored, intended, changes, by=by, at=at)
        for sentence in plans.violations(workspace.plan, plans.usage_of(workspace)):
            # Of what the file does not speak of: the rest was checked at its place.
            findings.add(("workspace", "plan"), sentence)
        _refuse(findings, root)
    sites = list(Site.objects.for_workspace(workspace).filter(is_active=True).order_by("id"))
    return Loaded(workspace, sites, changes.lines, _notes(contents, workspace))


def _refuse(findings: Findings, root: MappingNode) -> None:
    if findings.errors:
        raise BadFile(Problem(nodes.line_of(root, path), path, message) for path, message in findings.errors)


def _write(
    contents: Contents, stored: Stored, intended: Intended, changes: Changes, *, by: User | None, at: datetime
) -> Workspace:
    workspace = _write_workspace(contents.workspace, stored, changes)
    if contents.sites is not None:
        write_sites(workspace, contents.sites, stored, changes)
    if contents.agents is not None:
        write_agents(workspace, contents.agents, stored, changes)
    if contents.teams is not None:
        write_teams(workspace, contents.teams, stored, changes)
    if _write_fallback(workspace, contents.workspace.get("fallback_agent")) and stored.workspace is not None:
        changes.changed(_("workspace"), workspace.slug, ["fallback_agent"])
    write_policy(workspace, intended, changes, by=by, at=at)
    if contents.teams is not None:
        # Last: a rule of the old draft may point to a team that goes.
        remove_teams(workspace, contents.teams, stored, changes, at=at)
    return workspace


def _write_workspace(entry: dict[str, Any], stored: Stored, changes: Changes) -> Workspace:
    columns = {
        "name": entry["name"],
        "timezone": entry.get("timezone", "UTC"),
        "plan": entry.get("plan", plans.Plan.FREE.value),
        "languages": entry.get("languages", default_languages()),
        "public_attributes": entry.get("public_attributes", []),
    }
    workspace = stored.workspace
    if workspace is None:
        workspace = Workspace.objects.create(slug=entry["slug"], **columns)
        changes.created(_("workspace"), workspace.slug)
        return workspace
    different = [name for name, value in columns.items() if getattr(workspace, name) != value]
    if different:
        for name in different:
            setattr(workspace, name, columns[name])
        workspace.save()
        changes.changed(_("workspace"), workspace.slug, different)
    return workspace


def _write_fallback(workspace: Workspace, slug: str | None) -> bool:
    """Returns whether that took a change."""
    agent = Agent.objects.for_workspace(workspace).get(slug=slug) if slug else None
    if workspace.fallback_agent_id == (agent.pk if agent else None):
        return False
    workspace.fallback_agent = agent
    workspace.save()
    return True


def _notes(contents: Contents, workspace: Workspace) -> list[str]:
    """What people would look for in vain in the changes."""
    silent = [agent["slug"] for agent in contents.agents or () if "active" not in agent]
    asleep = Agent.objects.for_workspace(workspace).filter(slug__in=silent, is_active=False).order_by("id")
    slugs = ", ".join(asleep.values_list("slug", flat=True))
    if not slugs:
        return []
    return [_("still inactive, because the file does not say `active: true`: %(slugs)s") % {"slugs": slugs}]
