"""Writing down how messages ended: done, again later, another way, or given up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import F

from leads.models import NotificationWay, Outbox, WebhookEndpoint
from leads.notifications.outcomes import Dead, Delivered, Outcome, Retry, next_try_at
from leads.notifying.delivery import Delivery, Result, Source
from leads.speed import stamps

# Nobody got round to it: somebody will.
_GIVEN_BACK_FOR = timedelta(seconds=15)
# A way that did not work so often is left for the next one, if there is one.
_FALL_AFTER = 3
_ERROR_LENGTH = 200

_ROWS: dict[Source, Any] = {Source.WAY: NotificationWay, Source.ENDPOINT: WebhookEndpoint}


def settle(results: Iterable[Result], at: datetime) -> int:
    """Returns how many rows are done. What came too late, so that somebody else has the row, changes nothing."""
    done: dict[str, list[Delivery]] = defaultdict(list)
    given_back: list[int] = []
    changed: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    claim = None
    for delivery, outcome in ((result.delivery, result.outcome) for result in results):
        claim = delivery.claim
        if outcome is None:
            given_back += delivery.ids
        elif isinstance(outcome, Delivered):
            done[delivery.transport].append(delivery)
        else:
            for row in delivery.rows:
                changed[_after(delivery, outcome, row.failed_ways, at=at)].append(row.pk)
        _remember(delivery, outcome)
    if given_back:
        _ours(given_back, claim).update(next_try_at=at + _GIVEN_BACK_FOR, tries=F("tries") - 1, claim=None)
    for (try_at, error, failed), ids in changed.items():
        _ours(ids, claim).update(next_try_at=try_at, last_error=error, failed_ways=list(failed), claim=None)
    count = 0
    for transport, deliveries in done.items():
        ids = [pk for delivery in deliveries for pk in delivery.ids]
        count += Outbox.objects.filter(pk__in=ids).update(
            done_at=at, next_try_at=None, last_error="", sent_by=transport, claim=None
        )
    stamps.notified([row for told in done.values() for delivery in told for row in delivery.rows], at=at)
    return count


def _ours(ids: list[int], claim: UUID | None) -> Any:
    return Outbox.objects.filter(pk__in=ids, claim=claim)


def _after(delivery: Delivery, outcome: Outcome, failed: list[str], *, at: datetime) -> tuple[Any, ...]:
    """When to try again (None: never), why it failed, and the ways that did not work."""
    assert isinstance(outcome, Retry | Dead)
    error = outcome.reason[:_ERROR_LENGTH]
    tired = isinstance(outcome, Retry) and delivery.tries >= _FALL_AFTER
    if delivery.has_other_ways and (tired or isinstance(outcome, Dead)):
        return at, error, (*failed, delivery.way)
    if isinstance(outcome, Dead) or delivery.is_trial:
        return None, error, (*failed, delivery.way)
    return next_try_at(tries=delivery.tries, retry=outcome, at=at), error, tuple(failed)


def _remember(delivery: Delivery, outcome: Outcome | None) -> None:
    """Keep at the way or endpoint itself whether it works, and switch off one that is gone."""
    if delivery.origin is None or outcome is None:
        return
    source, pk = delivery.origin
    row = _ROWS[source].objects.filter(pk=pk)
    if isinstance(outcome, Delivered):
        if delivery.is_ailing:
            row.update(last_error="")
    elif isinstance(outcome, Dead) and outcome.address_gone:
        row.update(is_active=False, last_error=outcome.reason[:_ERROR_LENGTH])
    elif isinstance(outcome, Retry) or not delivery.is_ailing:
        row.update(last_error=outcome.reason[:_ERROR_LENGTH])
