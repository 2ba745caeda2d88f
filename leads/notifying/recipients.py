"""Who is to be told, in which language, and the ways to reach them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Q

from agents.models import Agent, Membership, Workspace
from agents.models import User as Member
from leads.models import NotificationWay, Outbox
from leads.models import QuietHours as QuietHoursRow
from leads.notifications.quiet import QuietHours, Way
from leads.notifications.transports import TRANSPORTS

_CONSOLE = "django.core.mail.backends.console.EmailBackend"
OWN_ADDRESS = "own"  # the id of the way that everybody has without choosing one


@dataclass(frozen=True, slots=True)
class Reach:
    """A way with what it needs. `row` None: the recipient's own mail address. `is_ailing`: the last try failed.
    `position` is its place in the order; `places` for kinds of message with an order of their own."""

    way: Way
    address: dict[str, str]
    muted: frozenset[str] = frozenset()
    row: int | None = None
    is_ailing: bool = False
    position: int = 1
    places: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Recipient:
    """An agent, or a member of the workspace. `slug` is the agent's, '' for a member."""

    workspace: Workspace
    name: str
    slug: str
    language: str
    zone: str
    ways: tuple[Reach, ...] = field(default=())
    quiet_hours: QuietHours | None = None

    def ways_for(self, kind: str) -> list[Reach]:
        """Those that carry this kind, the first to be tried first."""
        carrying = [reach for reach in self.ways if kind not in reach.muted and is_set_up(reach.way.transport)]
        return sorted(carrying, key=lambda reach: reach.places.get(kind, reach.position))


def is_set_up(transport: str) -> bool:
    """Whether this installation can send that way. Without EMAIL_URL mail would be printed, and people's data do not
    belong in a log."""
    if transport == "email":
        return settings.EMAIL_BACKEND != _CONSOLE
    return transport in TRANSPORTS and TRANSPORTS[transport].is_configured()


class Recipients:
    """The recipients of these rows, read together. `of` answers None for whoever is gone or inactive."""

    def __init__(self, rows: Iterable[Outbox]) -> None:
        rows = list(rows)
        self._workspaces = Workspace.objects.in_bulk({row.workspace_id for row in rows})
        agents = {row.payload["agent"] for row in rows if row.payload.get("agent")}
        users = {row.payload["user"] for row in rows if row.payload.get("user")}
        self._agents = Agent.objects.filter(is_active=True).in_bulk(agents) if agents else {}
        members = Membership.objects.filter(
            user__in=users, workspace__in=self._workspaces, user__is_active=True
        ).select_related("user")
        self._members = {(member.workspace_id, member.user_id): member.user for member in members} if users else {}
        self._ways: dict[tuple[int, int | None, int | None], list[Reach]] = defaultdict(list)
        chosen = NotificationWay.objects.usable().filter(
            Q(agent__in=agents) | Q(user__in=users), workspace__in=self._workspaces
        )
        for way in chosen.order_by("position", "pk"):
            self._ways[way.workspace_id, way.agent_id, way.user_id].append(_reach(way))
        quiet = QuietHoursRow.objects.filter(agent__in=agents) if agents else ()
        self._quiet = {hours.agent_id: hours for hours in quiet}

    def of(self, row: Outbox) -> Recipient | None:
        workspace = self._workspaces[row.workspace_id]
        if row.payload.get("agent"):
            agent = self._agents.get(row.payload["agent"])
            return None if agent is None or agent.workspace_id != workspace.pk else self._agent(agent, workspace)
        user = self._members.get((workspace.pk, row.payload.get("user")))
        return None if user is None else self._member(user, workspace)

    def _agent(self, agent: Agent, workspace: Workspace) -> Recipient:
        zone = agent.timezone or workspace.timezone
        hours = self._quiet.get(agent.pk)
        return Recipient(
            workspace=workspace,
            name=agent.name,
            slug=agent.slug,
            language=translated([*agent.languages, *workspace.languages]),
            zone=zone,
            ways=tuple(self._ways.get((workspace.pk, agent.pk, None), [])) or _own_address(agent.email),
            quiet_hours=None if hours is None else QuietHours(ZoneInfo(zone), hours.start_minute, hours.end_minute),
        )

    def _member(self, user: Member, workspace: Workspace) -> Recipient:
        return Recipient(
            workspace=workspace,
            name=user.get_full_name() or user.email,
            slug="",
            language=translated(workspace.languages),
            zone=workspace.timezone,
            ways=tuple(self._ways.get((workspace.pk, None, user.pk), [])) or _own_address(user.email),
        )


def translated(tags: Iterable[str]) -> str:
    """The first of these languages that the product speaks; else the installation's."""
    spoken: dict[str, Any] = {code.lower(): code for code, _name in settings.LANGUAGES}
    for tag in tags:
        for code in (tag.lower(), tag.lower().split("-")[0]):
            if code in spoken:
                return str(spoken[code])
    return settings.LANGUAGE_CODE


def _own_address(email: str) -> tuple[Reach, ...]:
    return (Reach(Way(OWN_ADDRESS, "email", wakes=False), {"address": email}),) if email else ()


def _reach(way: NotificationWay) -> Reach:
    wakes = way.transport in TRANSPORTS and TRANSPORTS[way.transport].wakes
    return Reach(
        way=Way(str(way.pk), way.transport, wakes=wakes),
        address=way.address,
        muted=frozenset(way.muted),
        row=way.pk,
        is_ailing=bool(way.last_error),
        position=way.position,
        places=way.places,
    )
