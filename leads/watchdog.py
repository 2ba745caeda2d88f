"""The watchdog: looks for what must never be, writes it down, and tells managers. Its own silence shows in /readyz."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext as _

from agents.models import Workspace
from leads.alerts import TROUBLE, alert_managers, tell_of_trouble
from leads.models import Assignment, Event, EventKind, Finding, FindingKind, HeldQueue, Lead, Status, Watchdog
from leads.models.reasons import OUTCOMES
from routing.engine import Outcome

LOOKS_EVERY = timedelta(minutes=5)
# Of the last hour's leads, so large a part at the fallback agent, and so many times that of the week before.
FALLBACK_SHARE = 0.25
FALLBACK_GROWTH = 2.0
_FEWEST_LEADS = 10
_MOST_FINDINGS = 200


class Seen(NamedTuple):
    """What must not be, as it is found now. `lead` None: it is about the whole workspace."""

    workspace_id: int
    kind: FindingKind
    lead: UUID | None
    detail: str


def watch(*, at: datetime) -> int:
    """Look, if it is time. Returns how much was found that was not known. One of those who come at once looks."""
    if not Watchdog.objects.filter(pk=1, looked_at__lte=at - LOOKS_EVERY).update(looked_at=at):
        _first, created = Watchdog.objects.get_or_create(pk=1, defaults={"looked_at": at})
        if not created:
            return 0
    seen = {(each.workspace_id, each.kind.value, each.lead): each for each in _look(at)}
    known = {(row.workspace_id, row.kind, row.lead_id): row for row in Finding.objects.filter(gone_at=None)}
    gone = [row.pk for key, row in known.items() if key not in seen]
    Finding.objects.filter(pk__in=gone, gone_at=None).update(gone_at=at)
    new = [each for key, each in seen.items() if key not in known]
    for each in new:
        _bark(each, at)
    return len(new)


def findings() -> QuerySet[Finding]:
    """What must not be and is, the oldest first."""
    return Finding.objects.filter(gone_at=None).order_by("found_at", "pk")


def harm_done() -> int:
    """How many leads are not where they must be; a workspace's fallback is its managers' matter, not an operator's."""
    return Finding.objects.filter(gone_at=None).exclude(kind=FindingKind.FALLBACK).count()


def looked_at() -> datetime | None:
    """When the watchdog last looked; None if it never did."""
    return Watchdog.objects.values_list("looked_at", flat=True).first()


def _look(at: datetime) -> Iterator[Seen]:
    yield from _misplaced()
    yield from _rising_fallback(at)


def _misplaced() -> Iterator[Seen]:
    """Leads outside the five outcomes, without exactly one assignment, or held where nobody looks."""
    theirs = Assignment.objects.open().filter(lead=OuterRef("pk"))
    unwatched = HeldQueue.objects.filter(workspace_id=OuterRef("workspace_id"), due_at__isnull=False)
    wrong: dict[FindingKind, Any] = {
        FindingKind.OUTCOME: ~Q(outcome__in=[outcome for outcome, _label in OUTCOMES]),
        FindingKind.ASSIGNMENT: (Q(agent__isnull=False) & ~Exists(theirs.filter(agent=OuterRef("agent"))))
        | (Q(agent=None) & Exists(theirs)),
        FindingKind.UNWATCHED: Q(outcome=Outcome.HELD.value) & ~Exists(unwatched),
    }
    for kind, condition in wrong.items():
        leads = Lead.objects.unclosed().filter(condition).order_by("workspace_id", "received_at", "pk")
        yield from _seen(kind, leads.values_list("workspace_id", "pk")[:_MOST_FINDINGS])
    left_over = Assignment.objects.open().filter(lead__status=Status.CLOSED).order_by("pk")
    yield from _seen(FindingKind.ASSIGNMENT, left_over.values_list("workspace_id", "lead_id")[:_MOST_FINDINGS])


def _seen(kind: FindingKind, rows: Iterable[tuple[int, UUID]]) -> Iterator[Seen]:
    return (Seen(workspace_id, kind, lead, "") for workspace_id, lead in rows)


def _rising_fallback(at: datetime) -> Iterator[Seen]:
    hour, week = at - timedelta(hours=1), at - timedelta(days=7, hours=1)
    last_hour = Lead.objects.filter(workspace=OuterRef("pk"), received_at__gte=hour, received_at__lt=at)
    counted = last_hour.order_by().values("workspace").annotate(n=Count("pk")).values("n")
    busy = Workspace.objects.annotate(recent=Subquery(counted)).filter(recent__gte=_FEWEST_LEADS)
    for workspace_id in busy.order_by("pk").values_list("pk", flat=True):
        now, before = _fallback_share(workspace_id, hour, at), _fallback_share(workspace_id, week, hour)
        if now >= FALLBACK_SHARE and now >= before * FALLBACK_GROWTH:
            detail = _(
                "%(now)d %% of the last hour's leads went to the fallback agent; %(before)d %% in the week before."
            )
            shown = detail % {"now": round(now * 100), "before": round(before * 100)}
            yield Seen(workspace_id, FindingKind.FALLBACK, None, shown)


def _fallback_share(workspace_id: int, since: datetime, until: datetime) -> float:
    leads = Lead.objects.filter(workspace_id=workspace_id, received_at__gte=since, received_at__lt=until)
    leads = leads.exclude(outcome=Outcome.REJECTED.value)
    counts = leads.aggregate(all=Count("pk"), fallback=Count("pk", filter=Q(outcome=Outcome.FALLBACK.value)))
    return counts["fallback"] / counts["all"] if counts["all"] else 0.0


def _bark(seen: Seen, at: datetime) -> None:
    """Write a new finding down, flag its lead, and tell the managers."""
    with transaction.atomic():
        Finding.objects.create(
            workspace_id=seen.workspace_id, kind=seen.kind, lead_id=seen.lead, detail=seen.detail, found_at=at
        )
        if seen.lead is None:
            alert_managers(None, seen.workspace_id, TROUBLE, at, {"why": seen.detail})
            return
        lead = Lead.objects.select_for_update(no_key=True, of=("self",)).get(pk=seen.lead)
        if not lead.flagged:
            lead.flagged = str(seen.kind.label)
            lead.save(update_fields=["flagged"])
            Event.objects.create(
                workspace_id=lead.workspace_id, lead=lead, kind=EventKind.FLAGGED, at=at, data={"why": lead.flagged}
            )
        tell_of_trouble(lead, at=at)
