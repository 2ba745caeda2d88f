"""Held leads: looked at when somebody may have become available, and given to them, the oldest first.

One row a workspace says when to look (`HeldQueue`), and one releaser a workspace works at a time: two would not keep
the order. What makes it due, beside time: a hold, a closing, a roster of another version. Looking costs one query
and one standing for each target; leads are tried only for somebody who was not there before.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db.models import BigIntegerField, Case, DateTimeField, F, Q, QuerySet, Value, When

from leads.basis import Basis
from leads.contention import is_outage
from leads.faults import log_fault
from leads.models import HeldQueue
from leads.releasing import Round

# Longer than one round takes; after a crash somebody else goes on.
LEASE = timedelta(seconds=60)
# A safety net: nothing should need it.
RECHECK = timedelta(hours=1)

log = logging.getLogger(__name__)


def release_held(*, at: datetime, limit: int = 500) -> int:
    """Give held leads to whoever became available; offers that nobody took go by turn. Returns how many moved.

    At most `limit` a workspace, and the rest in the next sweep. Any number of these may run at once.
    """
    moved = 0
    for workspace_id in list(_due(at).order_by("due_at").values_list("workspace_id", flat=True)):
        try:
            moved += release_workspace(workspace_id=workspace_id, at=at, limit=limit)
        except Exception as problem:
            if is_outage(problem):
                raise
            # One workspace's trouble must not hold up the others; its queue is due again when the claim ends.
            log_fault(log, f"Releasing held leads of workspace {workspace_id} failed", problem)
    return moved


def release_workspace(*, workspace_id: int, at: datetime, limit: int = 500) -> int:
    """Look at one workspace's held leads, if they are due and nobody else does."""
    queue = HeldQueue.objects.filter(pk=workspace_id, due_at__isnull=False)
    queue = queue.filter(Q(claimed_until=None) | Q(claimed_until__lte=at))
    versions = queue.values_list("roster_version", "workspace__roster_version").first()
    if versions is None:
        return 0
    seen, current = versions
    until = at + LEASE
    # By columns of the row alone: of two that come at once, the second finds it claimed.
    due = queue.filter(Q(due_at__lte=at) | Q(roster_version=seen)) if seen != current else queue.filter(due_at__lte=at)
    if not due.update(claimed_until=until, due_at=until):
        return 0
    # Read after the claim: whatever is written from now on makes the queue due again.
    basis = Basis.current(workspace_id=workspace_id, at=at)
    looked = Round(basis, seen_version=seen, limit=limit).run()
    untouched = Q(due_at=until)
    next_at = None if looked.next_at is None else min(looked.next_at, at + RECHECK)
    HeldQueue.objects.filter(pk=workspace_id, claimed_until=until).update(
        claimed_until=None,
        roster_version=Case(
            When(untouched, then=Value(basis.roster_version, BigIntegerField())), default=F("roster_version")
        ),
        due_at=Case(When(untouched, then=Value(next_at, DateTimeField())), default=F("due_at")),
    )
    return looked.moved


def _due(at: datetime) -> QuerySet[HeldQueue]:
    due = Q(due_at__lte=at) | ~Q(roster_version=F("workspace__roster_version"))
    free = Q(claimed_until=None) | Q(claimed_until__lte=at)
    return HeldQueue.objects.filter(due, free, due_at__isnull=False)
