"""What a file says across its places and about what is stored: names, keys, weights, the plan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from agents import plans
from agents.models import Agent, Site, Team, Workspace
from agents.models.team import check_weights
from routing.rulebook.errors import Findings, Path, did_you_mean
from routing.workspace_file.schema import SITE_NAME, Contents


@dataclass(frozen=True, slots=True)
class Stored:
    """What the database has of the file's workspace. `workspace` is None for one that is new."""

    workspace: Workspace | None
    agents: Mapping[str, Agent]
    teams: Mapping[str, Team]
    sites: tuple[Site, ...]

    @classmethod
    def of(cls, workspace: Workspace | None) -> Stored:
        if workspace is None:
            return cls(None, {}, {}, ())
        return cls(
            workspace,
            {agent.slug: agent for agent in Agent.objects.for_workspace(workspace).order_by("id")},
            {team.slug: team for team in Team.objects.for_workspace(workspace).order_by("id")},
            tuple(Site.objects.for_workspace(workspace).order_by("id")),
        )


def check_contents(contents: Contents, stored: Stored, findings: Findings) -> None:
    _refuse_repeats(contents.agents, "agents", findings)
    _refuse_repeats(contents.teams, "teams", findings)
    _check_sites(contents, stored, findings)
    _check_agents_named(contents, stored, findings)
    _check_plan(contents, stored, findings)
    for place, team in enumerate(contents.teams or ()):
        try:
            check_weights(member.get("weight", 1) for member in team.get("agents", ()))
        except ValidationError as error:
            findings.add(("teams", place, "agents"), " ".join(error.messages))


def _refuse_repeats(entries: Iterable[dict[str, Any]] | None, section: str, findings: Findings) -> None:
    first: dict[str, int] = {}
    for place, entry in enumerate(entries or ()):
        _refuse_repeat(first, entry.get("slug"), place, (section, place, "slug"), findings)


def _refuse_repeat(first: dict[str, int], name: str | None, place: int, path: Path, findings: Findings) -> None:
    if name is not None and first.setdefault(name, place) != place:
        findings.add(path, _("%(name)r stands twice: also at place %(first)s") % {"name": name, "first": first[name]})


def _check_sites(contents: Contents, stored: Stored, findings: Findings) -> None:
    sites = contents.sites or []
    keys = [site["key"] for site in sites if "key" in site]
    elsewhere = Site.objects.filter(key__in=keys)
    if stored.workspace is not None:
        elsewhere = elsewhere.exclude(workspace=stored.workspace)
    foreign = frozenset(elsewhere.values_list("key", flat=True))
    first_key: dict[str, int] = {}
    first_name: dict[str, int] = {}
    for place, site in enumerate(sites):
        if "key" not in site:
            _refuse_repeat(first_name, site.get("name", SITE_NAME), place, ("sites", place, "name"), findings)
            continue
        path = ("sites", place, "key")
        _refuse_repeat(first_key, site["key"], place, path, findings)
        if site["key"] in foreign:
            findings.add(path, _("this key belongs to another workspace: remove it, and a new one is made"))


def _check_agents_named(contents: Contents, stored: Stored, findings: Findings) -> None:
    known = {*stored.agents, *(agent["slug"] for agent in contents.agents or () if "slug" in agent)}

    def check(slug: str, path: Path) -> None:
        if slug not in known:
            findings.add(path, _("there is no agent %(slug)r") % {"slug": slug} + did_you_mean(slug, sorted(known)))

    if fallback := contents.workspace.get("fallback_agent"):
        check(fallback, ("workspace", "fallback_agent"))
    for place, team in enumerate(contents.teams or ()):
        first: dict[str, int] = {}
        for spot, member in enumerate(team.get("agents", ())):
            if "agent" in member:
                path = ("teams", place, "agents", spot)
                check(member["agent"], path)
                _refuse_repeat(first, member["agent"], spot, path, findings)


def _check_plan(contents: Contents, stored: Stored, findings: Findings) -> None:
    """Over the limit, at the place that is; what only the whole workspace shows is checked when all is written."""
    plan = contents.workspace.get("plan", plans.Plan.FREE)
    active = 0
    for place, agent in enumerate(contents.agents or ()):
        before = stored.agents.get(agent.get("slug", ""))
        if not agent.get("active", before is None or before.is_active):
            continue
        active += 1
        if agent.get("caps") and not plans.allows(plan, "caps"):
            findings.add(("agents", place, "caps"), plans.refusal(plan, "caps"))
    for place, team in enumerate(contents.teams or ()):
        if team.get("catch_up") and not plans.allows(plan, "catch_up"):
            findings.add(("teams", place, "catch_up"), plans.refusal(plan, "catch_up"))
    for sentence in plans.violations(plan, plans.Usage(active_agents=active)):
        findings.add(("agents",), sentence)
    for sentence in plans.violations(plan, plans.Usage(teams=len(contents.teams or ()))):
        findings.add(("teams",), sentence)
