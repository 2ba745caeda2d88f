"""Browsers that show an agent's notifications."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction

from agents.models import Agent
from leads.models import NotificationWay
from leads.notifying.ways import put_first

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
    return put_first(agent=agent, transport=_PUSH, address=address)


def unsubscribe(*, agent: Agent, endpoint: str) -> None:
    NotificationWay.objects.filter(agent=agent, transport=_PUSH, address__endpoint=endpoint).delete()
