"""The ways in which an agent is told: their order, what goes which way, and trying one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max, Min, QuerySet
from django.utils.translation import gettext as _

from agents.models import Agent
from leads import wake
from leads.models import NotificationWay, Outbox
from leads.notifications.message import Kind

# Browsers and what was typed, together; nobody needs as many.
MOST = 20
_TRIAL_PAUSE = timedelta(seconds=10)


def ways_of(agent: Agent) -> list[NotificationWay]:
    """In their order. Whoever has chosen none is told by mail, at their own address: a row that is not stored."""
    return list(_rows(agent)) or _by_default(agent)


def keep_mail(agent: Agent) -> None:
    """Store what holds by default, before anything is chosen beside it: another way comes before mail, not instead."""
    if not _rows(agent).exists():
        for way in _by_default(agent):
            way.save()


@transaction.atomic
def put_first(*, agent: Agent, transport: str, address: Mapping[str, str]) -> NotificationWay:
    """Add a way, tried before all others. Raises ValidationError where there are too many."""
    keep_mail(agent)
    ways = _rows(agent)
    if ways.count() >= MOST:
        raise ValidationError(_("You have %(number)d ways already: remove one first.") % {"number": MOST})
    first = ways.aggregate(first=Min("position"))["first"]
    if first == 0:
        _number(ways, start=1)
    return NotificationWay.objects.create(
        workspace_id=agent.workspace_id,
        agent=agent,
        transport=transport,
        address=dict(address),
        position=max(0, (1 if first is None else first) - 1),
    )


@transaction.atomic
def move(*, agent: Agent, way: NotificationWay, up: bool) -> None:
    """By one place; at the end of the list nothing happens."""
    ways = list(_rows(agent).select_for_update())
    place = [each.pk for each in ways].index(way.pk)
    other = place + (-1 if up else 1)
    if 0 <= other < len(ways):
        ways[place], ways[other] = ways[other], ways[place]
    _number(ways, start=1)


@transaction.atomic
def arrange(*, agent: Agent, kind: str, order: Sequence[NotificationWay]) -> None:
    """What happened of this kind goes these ways, in this order, and no others."""
    rank = {way.pk: place for place, way in enumerate(order, start=1)}
    ways = list(_rows(agent).select_for_update())
    as_always = [way.pk for way in ways if way.pk in rank] == [way.pk for way in order]
    for way in ways:
        way.muted = [each for each in way.muted if each != kind] + ([] if way.pk in rank else [kind])
        way.places.pop(kind, None)
        if way.pk in rank and not as_always:
            way.places[kind] = rank[way.pk]
    NotificationWay.objects.bulk_update(ways, ["muted", "places"])


def in_order(ways: Iterable[NotificationWay], kind: str) -> list[NotificationWay]:
    """Those that carry this kind, the first to be tried first."""
    carrying = [way for way in ways if way.is_active and kind not in way.muted]
    return sorted(carrying, key=lambda way: way.places.get(kind, way.position))


@transaction.atomic
def try_out(*, agent: Agent, way: NotificationWay | None, at: datetime) -> None:
    """Send a trial this way alone, once, whatever the hour. None: the way that holds by default.

    Raises ValidationError while the last trial is on its way, or only just was.
    """
    keep_mail(agent)
    way = way or _rows(agent).first()
    if way is None:
        raise ValidationError(_("You have no way to be told: add one first."))
    if not way.is_active:
        raise ValidationError(_("This way is switched off: switch it on first."))
    last = _rows(agent).aggregate(last=Max("trial_row"))["last"]
    if Outbox.objects.filter(pk=last, created_at__gt=at - _TRIAL_PAUSE).exists():
        raise ValidationError(_("A trial is on its way. Wait a few seconds before the next one."))
    row = Outbox.objects.create(
        workspace_id=agent.workspace_id,
        kind=Kind.TRIAL,
        payload={"agent": agent.pk, "way": str(way.pk)},
        created_at=at,
        next_try_at=at,
    )
    NotificationWay.objects.filter(pk=way.pk).update(trial_row=row.pk)
    wake.after_commit()


def trials(ways: Iterable[NotificationWay]) -> dict[int, Outbox]:
    """The last trial of each way, by the way's number, where it is still known."""
    rows = Outbox.objects.in_bulk([way.trial_row for way in ways if way.trial_row])
    return {way.pk: rows[way.trial_row] for way in ways if way.trial_row in rows}


def _rows(agent: Agent) -> QuerySet[NotificationWay]:
    return NotificationWay.objects.filter(workspace_id=agent.workspace_id, agent=agent).order_by("position", "pk")


def _by_default(agent: Agent) -> list[NotificationWay]:
    if not agent.email:
        return []
    return [
        NotificationWay(
            workspace_id=agent.workspace_id,
            agent=agent,
            transport="email",
            address={"address": agent.email},
            position=2,
        )
    ]


def _number(ways: Iterable[NotificationWay], *, start: int) -> None:
    numbered = list(ways)
    for place, way in enumerate(numbered, start=start):
        way.position = place
    NotificationWay.objects.bulk_update(numbered, ["position"])
