"""Telling servers what happened to leads: events become deliveries in the outbox.

Intake writes events and nothing else. Whoever sweeps reads the events that came since, and writes a delivery for each
endpoint that wants to hear of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Max

from agents.models import Workspace
from leads.models import Event, EventCursor, Lead, Outbox, WebhookEndpoint
from leads.models.notification import PRIVATE_EVENTS
from leads.notifications.outcomes import Dead, Outcome
from leads.notifications.transports import webhook
from leads.notifying.delivery import Delivery, Source

KIND = "webhook"
_CURSOR = 1
_CHUNK = 1_000
# A transaction that has not committed by then never will: tasks and requests end sooner.
_WAIT_FOR_MISSING = timedelta(minutes=15)
_MOST_MISSING = 5_000
# What of an event is told. Notes and reasons are people's words, and stay here.
_TOLD = ("agent", "rule", "reason", "trigger", "kind", "as")


def make_endpoint(*, workspace: Workspace, url: str, events: Sequence[str] = (), at: datetime) -> WebhookEndpoint:
    """An endpoint that hears of what happens from now on."""
    endpoint = WebhookEndpoint(workspace=workspace, url=url, events=list(events), created_at=at)
    start(endpoint)
    endpoint.save()
    return endpoint


def start(endpoint: WebhookEndpoint) -> None:
    """Set, in memory, that it hears of what happens from now on."""
    endpoint.after_event = Event.objects.aggregate(last=Max("pk"))["last"] or 0


def rotate_secret(endpoint: WebhookEndpoint) -> str:
    """A new secret; the one before signs too, until `end_rotation`."""
    endpoint.old_secret, endpoint.secret = endpoint.secret, webhook.new_secret()
    endpoint.save(update_fields=["secret", "old_secret"])
    return endpoint.secret


def end_rotation(endpoint: WebhookEndpoint) -> None:
    """Whoever listens knows the new secret."""
    endpoint.old_secret = ""
    endpoint.save(update_fields=["old_secret"])


def expand(*, at: datetime) -> int:
    """Write deliveries of the events that came since the last time. Returns how many."""
    endpoints: dict[int, list[WebhookEndpoint]] = defaultdict(list)
    for endpoint in WebhookEndpoint.objects.filter(is_active=True).order_by("pk"):
        endpoints[endpoint.workspace_id].append(endpoint)
    if not endpoints:
        return 0
    written = 0
    while True:
        with transaction.atomic():
            cursor = take_cursor(_CURSOR)
            if cursor is None:
                return written
            first = min(endpoint.after_event for mine in endpoints.values() for endpoint in mine)
            is_more, events = next_events(cursor, first=first, at=at)
            rows = _rows([event for event in events if event.workspace_id in endpoints], endpoints, at=at)
            Outbox.objects.bulk_create(rows)
            cursor.save()
        written += len(rows)
        if not is_more:
            return written


def take_cursor(number: int) -> EventCursor | None:
    """A reader's cursor, ours until the transaction ends; None where somebody else has it."""
    rows = EventCursor.objects.select_for_update(skip_locked=True).filter(pk=number)
    cursor = rows.first()
    if cursor is None:
        EventCursor.objects.bulk_create([EventCursor(pk=number)], ignore_conflicts=True)
        cursor = rows.first()
    return cursor


def next_events(cursor: EventCursor, *, first: int, at: datetime) -> tuple[bool, list[Event]]:
    """The next events after the cursor, which is moved on in memory, and those that were missing before and are there
    now. Whether there are more."""
    now_s = int(at.timestamp())
    known = [number for number, _since in cursor.missing]
    late = list(Event.objects.filter(pk__in=known)) if known else []
    start = max(cursor.event_id, first)
    fresh = list(Event.objects.filter(pk__gt=start).order_by("pk")[:_CHUNK])
    found = {event.pk for event in late}
    oldest = now_s - int(_WAIT_FOR_MISSING.total_seconds())
    missing = [[number, since] for number, since in cursor.missing if number not in found and since > oldest]
    if fresh:
        seen = {event.pk for event in fresh}
        last = fresh[-1].pk
        missing += [[number, now_s] for number in range(start + 1, last) if number not in seen][:_MOST_MISSING]
        cursor.event_id = last
    cursor.missing = missing[-_MOST_MISSING:]
    return len(fresh) == _CHUNK, late + fresh


def _rows(events: list[Event], endpoints: dict[int, list[WebhookEndpoint]], *, at: datetime) -> list[Outbox]:
    leads = Lead.objects.select_related("agent").in_bulk({event.lead_id for event in events}) if events else {}
    return [
        Outbox(
            workspace_id=event.workspace_id,
            kind=KIND,
            payload={
                "endpoint": endpoint.pk,
                "type": f"lead.{event.kind}",
                "happened_at": event.at.isoformat(),
                "data": told_of(leads[event.lead_id], event),
            },
            created_at=at,
            next_try_at=at,
        )
        for event in events
        if event.lead_id in leads and event.kind not in PRIVATE_EVENTS
        for endpoint in endpoints[event.workspace_id]
        if event.pk > endpoint.after_event and (not endpoint.events or f"lead.{event.kind}" in endpoint.events)
    ]


def told_of(lead: Lead, event: Event) -> dict[str, Any]:
    """The `data` of a delivery: the lead as it stands, without who the visitor is or what they wrote. Whoever needs
    that asks the API for the lead."""
    return {
        "lead": {
            "id": str(lead.pk),
            "reference": lead.reference,
            "status": lead.status,
            "closed_as": lead.closed_as or None,
            "outcome": lead.outcome,
            "reason": lead.reason,
            "rule": lead.rule or None,
            "agent": lead.agent.slug if lead.agent else None,
            "source": lead.source,
            "channel": lead.channel,
            "language": lead.language or None,
            "country": lead.country or None,
            "received_at": _stamp(lead.received_at),
            "assigned_at": _stamp(lead.assigned_at),
            "first_response_at": _stamp(lead.first_response_at),
            "closed_at": _stamp(lead.closed_at),
        },
        "event": {name: event.data[name] for name in _TOLD if event.data.get(name)},
    }


def deliveries(rows: Sequence[Outbox]) -> tuple[list[Delivery], list[Outbox]]:
    """What is on its way, and the rows whose endpoint is gone or switched off."""
    endpoints = WebhookEndpoint.objects.filter(is_active=True).in_bulk({row.payload.get("endpoint") for row in rows})
    ready, gone = [], []
    for row in rows:
        endpoint = endpoints.get(row.payload.get("endpoint"))
        if endpoint is None or endpoint.workspace_id != row.workspace_id:
            gone.append(row)
            continue
        ready.append(
            Delivery(
                rows=(row,),
                transport=KIND,
                lane=f"endpoint {endpoint.pk}",
                attempt=_Attempt(row, endpoint),
                way=str(endpoint.pk),
                origin=(Source.ENDPOINT, endpoint.pk),
                is_ailing=bool(endpoint.last_error),
            )
        )
    return ready, gone


class _Attempt:
    """Posts one delivery; the same body, however often."""

    def __init__(self, row: Outbox, endpoint: WebhookEndpoint) -> None:
        self._row = row
        self._endpoint = endpoint

    def __call__(self, at: datetime) -> Outcome:
        payload = self._row.payload
        try:
            target = webhook.read(self._endpoint.address)
        except ValueError as refusal:
            return Dead(str(refusal))
        return webhook.deliver(
            target,
            message_id=self._row.message_id,
            event=payload["type"],
            data=payload["data"],
            happened_at=datetime.fromisoformat(payload["happened_at"]),
            at=at,
        )


def _stamp(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")
