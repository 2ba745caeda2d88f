"""Adding up by the hour.

Whoever changes a lead writes an event. The events that came since say which hours changed; those are counted anew a
little later, each as a whole, from the leads themselves. So counting twice, or after a crash, counts the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Case, Count, F, Q, QuerySet, Sum, When
from django.db.models.functions import TruncHour

from leads.models import DirtyHour, Lead, SpeedHour
from leads.models.lead import NOT_A_LEAD
from leads.notifying.webhooks import next_events, take_cursor
from routing.engine import Outcome
from routing.engine.hours import SECOND

HOUR = timedelta(hours=1)
# So many seconds an answer may take to be within them.
LIMITS = (60, 300, 900, 3600, 86_400)
# A busy hour changes all the time: it is counted once in so long.
DELAY = timedelta(seconds=30)

_CURSOR = 2
_KEY = ("agent_key", "team_id", "rule", "channel", "country")


def catch_up(*, at: datetime, delay: timedelta = DELAY) -> int:
    """Note which hours changed, and count those that are due. Returns how many were counted."""
    note_changes(at=at, due_at=at + delay)
    return count_due(at=at)


def note_changes(*, at: datetime, due_at: datetime) -> None:
    """Hours whose leads something happened to since the last time are to be counted at `due_at`."""
    is_more = True
    while is_more:
        with transaction.atomic():
            cursor = take_cursor(_CURSOR)
            if cursor is None:
                return
            is_more, events = next_events(cursor, first=0, at=at)
            changed = Lead.objects.filter(pk__in={event.lead_id for event in events})
            hours = {(workspace, hour_of(at)) for workspace, at in changed.values_list("workspace_id", "received_at")}
            _make_dirty(hours, due_at=due_at)
            cursor.save()


def count_due(*, at: datetime, limit: int = 50) -> int:
    """Count the hours that are due, the longest due first. Any number of these may run at once."""
    due = DirtyHour.objects.filter(due_at__lte=at).order_by("due_at", "pk").values_list("workspace_id", "hour")
    return sum(_count(workspace_id, hour) for workspace_id, hour in list(due[:limit]))


def rebuild(*, workspace_id: int, since: datetime | None = None, until: datetime | None = None, at: datetime) -> int:
    """Count anew every hour that begins in `[since, until)`, from the leads; None: no limit. Returns how many."""
    leads = Lead.objects.filter(workspace_id=workspace_id)
    hours = set(leads.annotate(hour=TruncHour("received_at", tzinfo=UTC)).values_list("hour", flat=True).distinct())
    hours |= set(SpeedHour.objects.filter(workspace_id=workspace_id).values_list("hour", flat=True).distinct())
    wanted = sorted(h for h in hours if (since is None or h >= since) and (until is None or h < until))
    for hour in wanted:
        with transaction.atomic():
            # Through the same row as everybody else, so that no two count one hour at once.
            _make_dirty([(workspace_id, hour)], due_at=at)
            _count(workspace_id, hour)
    return len(wanted)


def hour_of(at: datetime) -> datetime:
    """The hour (UTC) that an instant lies in."""
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _make_dirty(hours: Iterable[tuple[int, datetime]], *, due_at: datetime) -> None:
    rows = [DirtyHour(workspace_id=workspace_id, hour=hour, due_at=due_at) for workspace_id, hour in sorted(hours)]
    DirtyHour.objects.bulk_create(rows, ignore_conflicts=True)


def _count(workspace_id: int, hour: datetime) -> bool:
    """Count one hour, if it is dirty still: whoever deletes that row counts, and what changes meanwhile makes a new
    one."""
    with transaction.atomic():
        if not DirtyHour.objects.filter(workspace_id=workspace_id, hour=hour).delete()[0]:
            return False
        SpeedHour.objects.filter(workspace_id=workspace_id, hour=hour).delete()
        leads = Lead.objects.filter(workspace_id=workspace_id, received_at__gte=hour, received_at__lt=hour + HOUR)
        SpeedHour.objects.bulk_create(
            SpeedHour(workspace_id=workspace_id, hour=hour, agent_id=group.pop("agent_key"), **group)
            for group in _sums(leads)
        )
    return True


def _sums(leads: QuerySet[Lead]) -> Iterable[dict[str, Any]]:
    no_lead = Q(closed_as__in=NOT_A_LEAD)
    apart = Q(unconfirmed_at__isnull=False, confirmed_at=None, first_response_at=None)
    counts = ~no_lead & ~apart
    answered = counts & Q(first_response_at__isnull=False)
    sums: dict[str, Any] = {
        "leads": Count("pk", filter=counts),
        "not_leads": Count("pk", filter=no_lead),
        "unconfirmed": Count("pk", filter=apart & ~no_lead),
        "answered": Count("pk", filter=answered),
        "breaches": Count("pk", filter=Q(breached_at__isnull=False)),
        "wall_us": Sum("response_us", filter=answered, default=0),
        "covered_us": Sum("covered_response_us", filter=answered, default=0),
    }
    for limit in LIMITS:
        most = limit * SECOND
        sums[f"within_{limit}"] = Count("pk", filter=answered & Q(response_us__lte=most))
        sums[f"covered_within_{limit}"] = Count("pk", filter=answered & Q(covered_response_us__lte=most))
    whose = Case(When(first_response_at__isnull=False, then=F("answered_by_id")), default=F("agent_id"))
    people = leads.exclude(outcome=Outcome.REJECTED.value).order_by()
    return people.annotate(agent_key=whose).values(*_KEY).annotate(**sums)
