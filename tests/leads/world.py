"""A workspace in the database for tests, said in few words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from agents.models import Agent, ApiKey, Handle, Shift, Site, Team, TeamMember, Workspace
from agents.roster import one_change
from leads.holds import release_held
from leads.intake import Accepted, Door, IdempotencyKey, Submission, accept_lead
from leads.models import Lead
from routing.models import Ledger, Load
from routing.publishing import publish, replace_draft

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday
NIGHT = datetime(2026, 3, 2, 23, tzinfo=UTC)
MORNING = datetime(2026, 3, 3, 9, tzinfo=UTC)

ALWAYS = dict.fromkeys(range(7), (0, 1440))
OFFICE = dict.fromkeys(range(5), (540, 1020))
NEVER: dict[int, tuple[int, int]] = {}


def person(slug: str, **given: Any) -> dict[str, Any]:
    """An agent who is always there, speaks English and has WhatsApp, unless said otherwise."""
    return {"slug": slug, **given}


def rule(name: str, to: str = "sales", *, when: Mapping[str, Any] | None = None, **route: Any) -> dict[str, Any]:
    """A rule for a team (or "agent:slug", or "queue"); keyword arguments are of its route."""
    target: Any = {"agent": to[6:]} if to.startswith("agent:") else to if to == "queue" else {"team": to}
    document: dict[str, Any] = {"name": name, "route": {"to": target, **route}}
    return {**document, "when": when} if when is not None else document


def only(field: str, value: Any, op: str = "is") -> dict[str, Any]:
    return {"all": [{"field": field, "op": op, "value": value}]}


@dataclass
class World:
    """One workspace, its doors, and what tests ask of it."""

    workspace: Workspace
    site: Site
    api_key: ApiKey

    def door(self, *, trusted: bool = True) -> Door:
        """As the lookup of a key finds it now."""
        self.workspace.refresh_from_db()
        return Door(
            workspace_id=self.workspace.pk,
            policy_version=self.workspace.policy_version,
            roster_version=self.workspace.roster_version,
            site_id=None if trusted else self.site.pk,
            api_key_id=self.api_key.pk if trusted else None,
            channels=() if trusted else tuple(self.site.channels),
            trusted=trusted,
            languages=tuple(self.workspace.languages),
        )

    def send(
        self,
        *,
        at: datetime = NOON,
        trusted: bool = True,
        key: str | None = None,
        body_hash: str = "one",
        bot: bool = False,
        hold_flag: str = "",
        door: Door | None = None,
        **fields: Any,
    ) -> Accepted:
        """Hand in a lead."""
        return accept_lead(
            door=door or self.door(trusted=trusted),
            submission=Submission(**{"source": "api" if trusted else "widget", **fields}),
            at=at,
            idempotency=IdempotencyKey(key, body_hash) if key else None,
            bot=bot,
            hold_flag=hold_flag,
        )

    def sent(self, count: int, **fields: Any) -> list[str | None]:
        """Hand in several one after another; who got each."""
        return [self.who(self.send(**fields)) for _ in range(count)]

    @staticmethod
    def who(accepted: Accepted) -> str | None:
        return accepted.agent.slug if accepted.agent else None

    def release(self, at: datetime) -> int:
        return release_held(at=at)

    def lead(self, accepted: Accepted) -> Lead:
        return Lead.objects.get(pk=accepted.lead_id)

    def leads(self) -> list[Lead]:
        return list(Lead.objects.for_workspace(self.workspace).order_by("received_at", "created_at", "reference"))

    def agent(self, slug: str) -> Agent:
        return Agent.objects.get(workspace=self.workspace, slug=slug)

    def change(self, slug: str, **fields: Any) -> None:
        """Edit an agent, as a manager would."""
        agent = self.agent(slug)
        for name, value in fields.items():
            setattr(agent, name, value)
        agent.save()

    def load(self, slug: str) -> Load:
        return Load.objects.get(agent=self.agent(slug))

    def ledger(self, team: str | None = "sales") -> Ledger:
        rows = Ledger.objects.for_workspace(self.workspace)
        return rows.get(team__slug=team) if team else rows.get(team=None)

    def credits(self, team: str | None = "sales") -> list[int]:
        return [entry.credit for entry in self.ledger(team).standing.entries.values()]

    def publish(self, *rules: dict[str, Any], at: datetime = NOON, **policy: Any) -> None:
        document = {
            "returning": "same_agent",
            "join_window": 86_400,
            "intent": {"hot": 70, "warm": 30},
            "scoring": [],
            "rules": list(rules),
            **policy,
        }
        replace_draft(self.workspace, document)
        publish(workspace=self.workspace, by=None, at=at)


def make_world(
    *people: dict[str, Any],
    teams: Mapping[str, Iterable[Any]] | None = None,
    rules: Iterable[dict[str, Any]] = (),
    slug: str = "acme",
    fallback: str | None = None,
    site_channels: Iterable[str] = ("whatsapp", "telegram"),
    policy: Mapping[str, Any] | None = None,
    **workspace: Any,
) -> World:
    """A workspace with these people. `teams`: slugs, or (slug, weight) or (slug, weight, tier); by default one team,
    `sales`, of everybody. `rules`: by default one that sends everything to it by turns."""
    with one_change():
        acme = Workspace.objects.create(**{"slug": slug, "name": slug.title(), "plan": "scale", **workspace})
        agents = {given["slug"]: _make_agent(acme, **given) for given in people}
        for team, members in (teams if teams is not None else {"sales": list(agents)}).items():
            made = Team.objects.create(workspace=acme, slug=team, name=team.title())
            for member in members:
                who, weight, tier = (*(member if isinstance(member, tuple) else (member,)), 1, 1)[:3]
                TeamMember.objects.create(workspace=acme, team=made, agent=agents[who], weight=weight, tier=tier)
        if fallback is not None:
            acme.fallback_agent = agents[fallback]
            acme.save()
    site = Site.objects.create(
        workspace=acme, name="Main", origins=["https://www.example.com"], channels=list(site_channels)
    )
    key, _secret = ApiKey.issue(workspace=acme, name="Server", scopes=["leads:write"])
    world = World(acme, site, key)
    world.publish(*(list(rules) or [rule("everything")]), **(policy or {}))
    return world


def _make_agent(
    workspace: Workspace,
    *,
    slug: str,
    shifts: Mapping[int, tuple[int, int]] = ALWAYS,
    kind: str = "regular",
    handles: Mapping[str, str] | None = None,
    **fields: Any,
) -> Agent:
    agent = Agent.objects.create(
        **{"workspace": workspace, "slug": slug, "name": slug.title(), "languages": ["en"], **fields}
    )
    for weekday, (start, end) in shifts.items():
        Shift.objects.create(
            workspace=workspace, agent=agent, weekday=weekday, start_minute=start, end_minute=end, kind=kind
        )
    for channel, value in ({"whatsapp": "+34600111222"} if handles is None else handles).items():
        Handle.objects.create(workspace=workspace, agent=agent, channel=channel, value=value)
    return agent
