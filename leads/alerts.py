"""Telling managers. Each is told of one lead once for each kind of alert, whatever goes on with it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from agents.models import Membership
from agents.scoping import ADMIN_ROLES
from leads import wake
from leads.models import Lead, Outbox

TROUBLE = "trouble"
ESCALATION = "escalation"
PROMISE_LATE = "promise_late"
COVERAGE_WARNING = "coverage_warning"


def alert_managers(
    lead: Lead | None, workspace_id: int, kind: str, at: datetime, data: Mapping[str, Any] | None = None
) -> bool:
    """Write what owners and managers are to be told, in the transaction of what it is about. False: they were told.

    The lead is stored and locked, or new in this transaction. `data` is plain JSON, instants in ISO 8601.
    """
    if lead is not None:
        if kind in lead.alerts:
            return False
        lead.alerts = [*lead.alerts, kind]
        Lead.objects.filter(pk=lead.pk).update(alerts=lead.alerts)
    about = {"lead": str(lead.pk)} if lead is not None else {}
    members = Membership.objects.filter(workspace_id=workspace_id, role__in=ADMIN_ROLES, user__is_active=True)
    Outbox.objects.bulk_create(
        Outbox(
            workspace_id=workspace_id,
            kind=kind,
            payload={"user": user, **about, **(data or {})},
            created_at=at,
            next_try_at=at,
        )
        for user in members.order_by("pk").values_list("user_id", flat=True)
    )
    wake.after_commit()
    return True


def tell_of_trouble(lead: Lead, *, at: datetime) -> bool:
    """A manager must look at this lead: it is flagged, which says why."""
    return alert_managers(lead, lead.workspace_id, TROUBLE, at, {"why": lead.flagged})
