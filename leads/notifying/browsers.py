"""Browsers that show an agent's notifications."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction
from django.db.models import Min

from agents.models import Agent
from leads.models import NotificationWay

MOST = 10  # browsers of one agent; the oldest one makes room
_PUSH = "web_push"


@transaction.atomic
def subscribe(*, agent: Agent, address: Mapping[str, str]) -> NotificationWay:
    """Tell the agent there, before all other ways. A browser belongs to who used it last: colleagues who share one do
    not see each other's leads."""
    ways = NotificationWay.objects.filter(workspace_id=agent.workspace_id, transport=_PUSH)
    same = ways.filter(address__endpoint=address["endpoint"])
    known = same.filter(agent=agent).first()
    same.exclude(agent=agent).delete()
    if known is not None:
        known.address, known.is_active, known.last_error = dict(address), True, ""
        known.save()
        return known
    mine = ways.filter(agent=agent).order_by("pk")
    for old in mine[: max(0, mine.count() - MOST + 1)]:
        old.delete()
    _keep_mail(agent)
    first = NotificationWay.objects.filter(agent=agent).aggregate(first=Min("position"))["first"]
    return NotificationWay.objects.create(
        workspace_id=agent.workspace_id,
        agent=agent,
        transport=_PUSH,
        address=dict(address),
        position=max(0, (first if first is not None else 1) - 1),
    )


def unsubscribe(*, agent: Agent, endpoint: str) -> None:
    NotificationWay.objects.filter(agent=agent, transport=_PUSH, address__endpoint=endpoint).delete()


def _keep_mail(agent: Agent) -> None:
    """Whoever chose no way is told by mail; a browser comes before that, not instead of it."""
    if agent.email and not NotificationWay.objects.filter(agent=agent).exists():
        NotificationWay.objects.create(
            workspace_id=agent.workspace_id,
            agent=agent,
            transport="email",
            address={"address": agent.email},
            position=2,
        )
