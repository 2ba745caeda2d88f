"""When things first happened to a lead. Later times change nothing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache

from leads.models import Lead, Outbox
from routing.engine.hours import period_ends


def given(lead: Lead, *, at: datetime, zone: str) -> None:
    """Set in memory that an agent of this zone got the lead. A click is to be confirmed by the end of their day."""
    lead.first_assigned_at = lead.first_assigned_at or at
    if lead.confirmed_at is None and lead.unconfirmed_at is None:
        lead.click_until = _day_ends(at.replace(second=0, microsecond=0), zone)


@lru_cache(maxsize=1024)
def _day_ends(minute: datetime, zone: str) -> datetime:
    """The same for every instant of a minute."""
    _hour, day, _week = period_ends(minute, zone)
    return day


def seen(lead: Lead, *, at: datetime) -> None:
    Lead.objects.filter(pk=lead.pk, seen_at=None).update(seen_at=at)


def attempted(lead: Lead, *, at: datetime) -> None:
    Lead.objects.filter(pk=lead.pk, attempted_at=None).update(attempted_at=at)


def notified(rows: Iterable[Outbox], *, at: datetime) -> None:
    """The messages of these rows left: agents were told of the leads they are about."""
    told = {row.payload["lead"] for row in rows if row.payload.get("agent") and row.payload.get("lead")}
    if told:
        Lead.objects.filter(pk__in=told, notified_at=None).update(notified_at=at)
