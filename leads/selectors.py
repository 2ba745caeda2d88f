"""Reading leads."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.db.models import Min, Q, QuerySet

from agents.models import Agent, Workspace
from leads.models import Decision, Event, HeldQueue, Lead, Outbox, Status, SweeperHeartbeat
from leads.models.lead import LeadQuerySet
from routing.engine import Outcome

PAGE = 50
STATUS_FOR = timedelta(days=7)


class BadCursor(ValueError):
    """This is no cursor of a list of leads."""


class Page(NamedTuple):
    """`next` is the cursor of the page after this one, None on the last."""

    leads: list[Lead]
    next: str | None


def list_leads(
    *,
    workspace: Workspace,
    status: str | None = None,
    agent: Agent | None = None,
    received_from: datetime | None = None,
    received_until: datetime | None = None,
    cursor: str | None = None,
) -> Page:
    """A page of leads received in [from, until), the newest first, without what bots sent. Raises BadCursor."""
    leads = _leads().for_workspace(workspace).exclude(outcome=Outcome.REJECTED.value)
    if status is not None:
        leads = leads.filter(status=status)
    if agent is not None:
        leads = leads.filter(agent=agent)
    if received_from is not None:
        leads = leads.filter(received_at__gte=received_from)
    if received_until is not None:
        leads = leads.filter(received_at__lt=received_until)
    if cursor is not None:
        leads = leads.filter(older_than(cursor))
    found = list(leads.order_by("-received_at", "-pk")[: PAGE + 1])
    page = found[:PAGE]
    return Page(page, cursor_of(page[-1]) if len(found) > PAGE else None)


def older_than(cursor: str) -> Q:
    """The leads after this one where the newest stand first. Raises BadCursor."""
    received_at, pk = _read_cursor(cursor)
    # The first is what an index is read from; the second tells those of one instant apart.
    return Q(received_at__lte=received_at) & (Q(received_at__lt=received_at) | Q(pk__lt=pk))


def newer_than(cursor: str) -> Q:
    """The leads before this one where the newest stand first. Raises BadCursor."""
    received_at, pk = _read_cursor(cursor)
    return Q(received_at__gte=received_at) & (Q(received_at__gt=received_at) | Q(pk__gt=pk))


def find_lead(*, workspace: Workspace, lead_id: UUID | str) -> Lead | None:
    """One lead of the workspace, with what its pages show. None for another's, or none."""
    try:
        return _leads().for_workspace(workspace).filter(pk=UUID(str(lead_id))).first()
    except ValueError:
        return None


def lead_of_token(*, workspace: Workspace, token: str, at: datetime) -> Lead | None:
    """The lead of a status address, for seven days from when it was handed in."""
    leads = Lead.objects.for_workspace(workspace).select_related("agent")
    return leads.filter(status_token=token, created_at__gt=at - STATUS_FOR).first()


def timeline(lead: Lead) -> QuerySet[Event]:
    """What happened to a lead, in order."""
    return lead.events.select_related("actor").order_by("at", "pk")


def latest_decision(lead: Lead) -> Decision | None:
    """Why the lead is where it is."""
    return lead.decisions.order_by("-at", "-pk").first()


def open_leads_of(agent: Agent) -> QuerySet[Lead]:
    """What an agent still has to deal with, the oldest first."""
    return _leads().filter(agent=agent, status=Status.OPEN).order_by("received_at", "pk")


def sweeper_heartbeat_at() -> datetime | None:
    """When the sweeper last ran; None if it never did."""
    return SweeperHeartbeat.objects.values_list("beat_at", flat=True).first()


def oldest_due_at() -> datetime | None:
    """Since when the oldest row waits of those that something is to be done about; may lie in the future."""
    moments: Iterable[datetime | None] = (
        Outbox.objects.filter(next_try_at__isnull=False).aggregate(at=Min("next_try_at"))["at"],
        HeldQueue.objects.filter(due_at__isnull=False).aggregate(at=Min("due_at"))["at"],
        Lead.objects.filter(ladder_at__isnull=False).aggregate(at=Min("ladder_at"))["at"],
    )
    return min((moment for moment in moments if moment is not None), default=None)


def _leads() -> LeadQuerySet:
    return Lead.objects.select_related("agent", "team", "site")


def cursor_of(lead: Lead) -> str:
    """The place of a lead in lists by age."""
    return base64.urlsafe_b64encode(f"{lead.received_at.isoformat()}|{lead.pk}".encode()).decode().rstrip("=")


def _read_cursor(text: str) -> tuple[datetime, UUID]:
    try:
        decoded = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii")
        moment, _bar, pk = decoded.partition("|")
        received_at = datetime.fromisoformat(moment)
        if received_at.tzinfo is None:
            raise ValueError(text)
        return received_at.astimezone(UTC), UUID(pk)
    except (ValueError, OverflowError, binascii.Error, UnicodeError) as problem:
        raise BadCursor(text) from problem
