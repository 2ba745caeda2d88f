"""Warning managers, days ahead, of hours without anybody: once a day at most, and of each gap once."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q
from django.utils import translation

from agents.models import Workspace
from leads.after_hours.coverage import DAYS_AHEAD, Gap, coming_gaps, expected, usual_leads
from leads.alerts import COVERAGE_WARNING, alert_managers
from leads.contention import is_outage
from leads.faults import log_fault
from leads.models import CoverageWatch
from leads.promises import spoken
from routing.engine.covered import Interval, union

# When workspaces are looked at, on their own clock.
_LOOKED_AT = time(8)
# Hours into which fewer leads usually fall are not worth a message.
_RELEVANT = 1.0
_MOST_GAPS = 20

log = logging.getLogger(__name__)


def warn_of_gaps(*, at: datetime, days: int = DAYS_AHEAD, limit: int = 100) -> int:
    """Look at the coming hours of the workspaces that are due. Returns how many were warned.

    Any number of these may run at once. Gaps of which managers were told count again only where they grew.
    """
    due = CoverageWatch.objects.filter(Q(due_at=None) | Q(due_at__lte=at))
    warned = 0
    for workspace_id, due_at in list(due.order_by("due_at", "pk").values_list("pk", "due_at")[:limit]):
        try:
            with transaction.atomic():
                workspace = Workspace.objects.get(pk=workspace_id)
                claimed = CoverageWatch.objects.filter(pk=workspace_id, due_at=due_at)
                if claimed.update(due_at=_next_look(workspace, at)):
                    warned += _warn(workspace, at, days)
        except Exception as problem:
            if is_outage(problem):
                raise
            log_fault(log, f"Looking at the coming hours of workspace {workspace_id} failed", problem)
            CoverageWatch.objects.filter(pk=workspace_id, due_at=due_at).update(due_at=at + timedelta(hours=1))
    return warned


def _warn(workspace: Workspace, at: datetime, days: int) -> bool:
    watch = CoverageWatch.objects.get(pk=workspace.pk)
    told = [span for span in map(_read, watch.told) if span[1] > at]
    with translation.override(spoken(workspace.languages[0])):
        gaps = [gap for gap in coming_gaps(workspace=workspace, at=at, days=days) if gap.leads]
    if _unheard(workspace, gaps, told, at) < _RELEVANT:
        return False
    spans = union([sorted([*told, *((gap.starts_at, gap.ends_at) for gap in gaps)])])
    watch.told = [[start.isoformat(), end.isoformat()] for start, end in spans]
    watch.save(update_fields=["told"])
    shown = [
        {
            "starts_at": gap.starts_at.isoformat(),
            "ends_at": gap.ends_at.isoformat(),
            "leads": round(gap.leads, 1),
            "why": gap.why,
        }
        for gap in gaps[:_MOST_GAPS]
    ]
    return alert_managers(None, workspace.pk, COVERAGE_WARNING, at, {"gaps": shown})


def _unheard(workspace: Workspace, gaps: Iterable[Gap], told: list[Interval], at: datetime) -> float:
    """How many leads usually fall into those hours of the gaps that managers were not told of."""
    usual, zone = usual_leads(workspace=workspace, at=at), ZoneInfo(workspace.timezone)
    total = 0.0
    for gap in gaps:
        heard = sum(
            expected(usual, zone, max(start, gap.starts_at), min(end, gap.ends_at))
            for start, end in told
            if start < gap.ends_at and gap.starts_at < end
        )
        total += gap.leads - heard
    return total


def _next_look(workspace: Workspace, at: datetime) -> datetime:
    zone = ZoneInfo(workspace.timezone)
    today = at.astimezone(zone).date()
    looks = (datetime.combine(today + timedelta(days=day), _LOOKED_AT, zone).astimezone(UTC) for day in (0, 1))
    return next(look for look in looks if look > at)


def _read(span: list[str]) -> Interval:
    return datetime.fromisoformat(span[0]), datetime.fromisoformat(span[1])
