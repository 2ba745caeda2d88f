"""What agents carry, as the database counts it. The statement that raises a load keeps it under its caps."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from django.db.models import Case, F, Q, When

from routing import engine
from routing.models import Load


def read(agents: Collection[int]) -> dict[int, engine.Load]:
    """The loads of these agents now. Whoever has no row yet carries nothing."""
    if not agents:
        return {}
    return {load.agent_id: load.carried for load in Load.objects.filter(agent_id__in=agents)}


def lock(agents: Iterable[int]) -> None:
    """Lock several at once, always in one order; for one alone, the statement that changes it is lock enough."""
    rows = Load.objects.filter(agent_id__in=set(agents)).order_by("agent_id").select_for_update(no_key=True)
    list(rows.values_list("agent_id"))


def take_place(agent: int, *, workspace_id: int, caps: engine.Caps, keys: engine.PeriodKeys, at: datetime) -> bool:
    """Count one more assignment, unless a cap is reached: then False, and nothing is counted."""
    rows = Load.objects.filter(_below(caps, keys), agent_id=agent)
    raised = {
        "open": F("open") + 1,
        "hour": Case(When(hour_key=keys.hour, then=F("hour") + 1), default=1),
        "hour_key": keys.hour,
        "day": Case(When(day_key=keys.day, then=F("day") + 1), default=1),
        "day_key": keys.day,
        "week": Case(When(week_key=keys.week, then=F("week") + 1), default=1),
        "week_key": keys.week,
        "last_assigned_at": at,
    }
    if rows.update(**raised):
        return True
    heal = Load(agent_id=agent, workspace_id=workspace_id)
    Load.objects.bulk_create([heal], ignore_conflicts=True)
    return bool(rows.update(**raised))


def reopen_place(agent: int) -> None:
    """Count a lead as open again: it was counted as an assignment when it was one."""
    Load.objects.filter(agent_id=agent).update(open=F("open") + 1)


def free_place(agent: int) -> None:
    """One open lead fewer."""
    Load.objects.filter(agent_id=agent, open__gt=0).update(open=F("open") - 1)


def _below(caps: engine.Caps, keys: engine.PeriodKeys) -> Q:
    below = Q()
    if caps.open is not None:
        below &= Q(open__lt=caps.open)
    for period, cap, key in (
        ("hour", caps.hour, keys.hour),
        ("day", caps.day, keys.day),
        ("week", caps.week, keys.week),
    ):
        if cap is not None:
            below &= Q(**{f"{period}__lt": cap}) | ~Q(**{f"{period}_key": key})
    return below
