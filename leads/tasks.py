"""Tasks. The rows that are due say what to do; a task that is lost or comes twice does no harm."""

from __future__ import annotations

import logging
from collections.abc import Callable

from celery import shared_task
from django.utils import timezone

from agents.rostering import end_pauses
from leads import address_limit, idempotency, outbox, watchdog
from leads.after_hours.warning import warn_of_gaps
from leads.faults import log_fault
from leads.holds import release_held
from leads.models import SweeperHeartbeat
from leads.notifying import webhooks
from leads.reports import mailing
from leads.sla.climbing import climb
from leads.speed import days
from leads.speed.clicks import settle_clicks

# A sweep waits so long for those it writes to; who takes longer is left to their threads.
PATIENCE_S = 1.0

log = logging.getLogger(__name__)


@shared_task(name="leads.tasks.sweep", acks_late=True)
def sweep() -> None:
    """Do whatever is due. One part that fails does not keep the others from their turn."""
    at = timezone.now()
    SweeperHeartbeat.objects.update_or_create(pk=1, defaults={"beat_at": at})
    parts: list[Callable[[], object]] = [
        lambda: end_pauses(at=at),
        lambda: release_held(at=at),
        lambda: climb(at=at),
        lambda: settle_clicks(at=at),
        lambda: warn_of_gaps(at=at),
        lambda: watchdog.watch(at=at),
        lambda: mailing.send_due(at=at),
        lambda: webhooks.expand(at=timezone.now()),
        lambda: days.catch_up(at=at),
        lambda: outbox.drain(at=timezone.now(), patience_s=PATIENCE_S),
    ]
    if at.second < 2:  # about once a minute
        parts += [lambda: idempotency.forget_expired(at=at), lambda: address_limit.forget_past(at=at)]
        parts += [lambda: outbox.forget_past(at=at)]
    for part in parts:
        try:
            part()
        except Exception as problem:
            log_fault(log, "A part of the sweep failed", problem)
