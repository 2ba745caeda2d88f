"""The first page: who is there now and who is next, where leads went, what waits, and how a new workspace begins."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Count
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from agents.models import Agent, Site, TeamMember, Workspace
from leads import loads
from leads.models import Lead
from routing.engine import Outcome, Roster, Target
from routing.engine.covered import next_on_shift, off_shift_at
from routing.engine.holding import load_agents, opening
from routing.engine.hours import Kind, Schedule
from routing.publishing import version_document
from routing.snapshots import snapshot
from widget import geo

LATELY = timedelta(hours=24)
_PEOPLE = 8  # of those on shift, and of those who are next
_LEADS = 6
_HELD = 5
_AHEAD = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is there until, or comes at, `at` (the workspace's clock); None: without end or unknown."""

    agent: Agent
    at: datetime | None
    on_call: bool
    paused: bool


@dataclass(frozen=True, slots=True)
class Waiting:
    """A held lead. `opens_at` is when somebody of those it waits for comes (the workspace's clock), if anybody does."""

    lead: Lead
    opens_at: datetime | None


@dataclass(frozen=True, slots=True)
class Step:
    """One of the four steps to the first lead."""

    title: str
    sentence: str
    link: str
    link_text: str
    is_done: bool


def today(workspace: Workspace, *, at: datetime) -> dict[str, Any]:
    """What the page shows of this workspace. A fixed number of statements."""
    zone = ZoneInfo(workspace.timezone)
    roster = _roster(workspace)
    lately = Lead.objects.for_workspace(workspace).filter(received_at__gte=at - LATELY, received_at__lte=at)
    counts = dict(lately.order_by().values_list("outcome").annotate(n=Count("pk")))
    here, count = _here(roster, zone, at)
    return {
        "now": at.astimezone(zone),
        "here": here,
        "here_count": count,
        "next": _next(roster, zone, at),
        "latest": list(lately.select_related("agent").order_by("-received_at", "-pk")[:_LEADS]),
        "went": _went(counts),
        "waiting": _waiting(workspace, roster, zone, at),
    }


def steps(workspace: Workspace) -> list[Step]:
    """How a new workspace gets its first lead; empty once it has had one."""
    if Lead.objects.for_workspace(workspace).exists():
        return []
    site = first_site(workspace)
    return [
        Step(
            _("Add the people who answer"),
            _("Their languages, how they are reached, and when they work."),
            reverse("admin:agents_agent_add"),
            _("Add an agent"),
            Agent.objects.for_workspace(workspace).filter(is_active=True).exists(),
        ),
        Step(
            _("Put them in a team"),
            _("The people of a team take turns."),
            reverse("admin:agents_team_add"),
            _("Make a team"),
            TeamMember.objects.for_workspace(workspace).filter(team__archived_at=None).exists(),
        ),
        Step(
            _("Say who gets which leads"),
            _("One rule for everybody is enough to begin with. Rules act when you publish them."),
            reverse("admin:routing_rule_add"),
            _("Add a rule"),
            workspace.policy_version > 0,
        ),
        Step(
            _("Put the widget on your site"),
            _("One line of HTML, on every page that shall show it."),
            reverse("admin:agents_site_change", args=[site.pk]) if site else reverse("admin:agents_site_add"),
            _("See your site") if site else _("Add your site"),
            site is not None,
        ),
    ]


def first_site(workspace: Workspace) -> Site | None:
    return Site.objects.for_workspace(workspace).filter(is_active=True).order_by("id").first()


def snippet(site: Site) -> str:
    return f'<script async src="{settings.PUBLIC_URL}/widget/v1.js" data-site="{site.key}"></script>'


def gaps_in_the_setup(workspace: Workspace, *, at: datetime) -> Iterator[tuple[str, str, str]]:
    """What would leave leads without an answer: a sentence, the page that mends it, and the link's words."""
    settings_page = reverse("admin:agents_workspace_change", args=[workspace.pk])
    fallback = workspace.fallback_agent
    if fallback is None:
        text = _("There is no fallback agent: a lead that nobody can take waits until somebody is there.")
        yield text, settings_page, _("Choose one")
    elif not fallback.is_active:
        text = _("The fallback agent, %(name)s, is inactive and gets nothing.")
        yield text % {"name": fallback}, settings_page, _("Choose another")
    roster = _roster(workspace)
    if roster.active and not any(_opens(roster.schedule(agent), at) for agent in roster.members(roster.active)):
        text = _("Nobody is on shift or on call in the next 24 hours.")
        yield text, reverse("admin:agents_agent_changelist"), _("Look at the shifts")
    if not geo.knows_cities() and (names := _rules_about_places(workspace)):
        text = _("%(rules)s: region and city are unknown of every visitor, because no city database is set.")
        yield text % {"rules": ", ".join(names)}, reverse("admin:routing_rule_changelist"), _("Look at the rules")
    queued = Lead.objects.for_workspace(workspace).filter(outcome=Outcome.QUEUED.value).exclude(status="closed")
    if count := queued[:1001].count():
        text = ngettext(
            "%(count)s lead waits in the nurture queue for somebody who takes it.",
            "%(count)s leads wait in the nurture queue for somebody who takes them.",
            count,
        )
        page = f"{reverse('admin:leads_lead_changelist')}?outcome={Outcome.QUEUED.value}&status=open"
        yield text % {"count": count if count <= 1000 else _("Over 1000")}, page, _("Look at them")


def _roster(workspace: Workspace) -> Roster:
    return snapshot(
        workspace_id=workspace.pk, policy_version=workspace.policy_version, roster_version=workspace.roster_version
    ).roster


def _opens(schedule: Schedule, at: datetime) -> bool:
    return any(next_on_shift(schedule, at=at, kind=kind, horizon=LATELY) is not None for kind in Kind)


def _here(roster: Roster, zone: ZoneInfo, at: datetime) -> tuple[list[Person], int]:
    """Those on shift, then those on call, each by when they leave; and how many there are."""
    presence = roster.presence(at)
    regular = presence.regular & ~presence.time_off & ~presence.holiday & roster.active
    on_call = presence.on_call & ~presence.time_off & ~regular & roster.active
    found = []
    for mask, kind in ((regular, Kind.REGULAR), (on_call, Kind.ON_CALL)):
        leaving = [
            (off_shift_at(roster.schedule(agent), at=at, kind=kind, horizon=_AHEAD), agent)
            for agent in roster.members(mask)
        ]
        leaving.sort(key=lambda each: (each[0] is None, each[0] or at, each[1]))
        found += [(agent, until, kind) for until, agent in leaving]
    return _people(roster, found[:_PEOPLE], zone), len(found)


def _next(roster: Roster, zone: ZoneInfo, at: datetime) -> list[Person]:
    """Who comes to a regular shift next, of those who are not on one."""
    presence = roster.presence(at)
    away = roster.active & ~(presence.regular & ~presence.time_off & ~presence.holiday)
    coming = []
    for agent in roster.members(away):
        comes = next_on_shift(roster.schedule(agent), at=at, kind=Kind.REGULAR, horizon=_AHEAD)
        if comes is not None:
            coming.append((comes, agent))
    return _people(roster, [(agent, comes, Kind.REGULAR) for comes, agent in sorted(coming)[: _PEOPLE // 2]], zone)


def _people(roster: Roster, found: list[tuple[int, datetime | None, Kind]], zone: ZoneInfo) -> list[Person]:
    agents = Agent.objects.in_bulk([agent for agent, _at, _kind in found])
    return [
        Person(
            agents[agent],
            at.astimezone(zone) if at else None,
            kind is Kind.ON_CALL,
            bool(roster.paused & roster.bit(agent)),
        )
        for agent, at, kind in found
        if agent in agents
    ]


def _went(counts: dict[str, int]) -> list[tuple[str, int, str]]:
    """Where the leads of the last hours went: words, how many, and the list of them."""
    page = reverse("admin:leads_lead_changelist")
    words = {
        Outcome.ASSIGNED: _("to an agent"),
        Outcome.FALLBACK: _("to the fallback"),
        Outcome.HELD: _("held"),
        Outcome.QUEUED: _("to the nurture queue"),
    }
    return [(word, counts.get(key.value, 0), f"{page}?outcome={key.value}") for key, word in words.items()]


def _waiting(workspace: Workspace, roster: Roster, zone: ZoneInfo, at: datetime) -> list[Waiting]:
    """The held leads that wait longest."""
    held = list(Lead.objects.for_workspace(workspace).held().order_by("received_at", "pk")[:_HELD])
    targets = {lead.pk: Target(lead.held_for, lead.held_for_id) for lead in held if lead.held_for}
    carried = loads.read({agent for target in targets.values() for agent in load_agents(roster, target)})
    found = []
    for lead in held:
        opens = lead.release_at
        if opens is None and lead.pk in targets:
            opens = opening(roster, targets[lead.pk], carried, at)
        found.append(Waiting(lead, opens.astimezone(zone) if opens else None))
    return found


def _rules_about_places(workspace: Workspace) -> list[str]:
    rules = version_document(workspace.pk, workspace.policy_version)["rules"]
    return [rule["name"] for rule in rules if _asks_for_places(rule.get("when"))]


def _asks_for_places(when: Any) -> bool:
    if isinstance(when, list):
        return any(map(_asks_for_places, when))
    if not isinstance(when, dict):
        return False
    return when.get("field") in ("region", "city") or any(_asks_for_places(part) for part in when.values())
