"""Reading what is promised: which leads are in trouble, and which promises can never fall due."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Case, Q, When

from agents.models import Workspace
from leads.models import Lead, Status
from leads.models.lead import LeadQuerySet
from routing.covered_promises import never_due
from routing.publishing import draft_document, version_document

# Open leads whose deadline passed, and unclosed ones that a manager should see to: flagged, overdue, or handed up.
OVERDUE = Q(status=Status.OPEN, breached_at__isnull=False)
IN_TROUBLE = ~Q(flagged="") | OVERDUE | (Q(status=Status.OPEN) & (Q(escalated_at__isnull=False) | ~Q(alerts=[])))


def overdue(*, workspace: Workspace) -> LeadQuerySet:
    """Open leads whose deadline passed without an answer, the longest overdue first."""
    leads = Lead.objects.for_workspace(workspace).select_related("agent", "team", "site")
    return leads.filter(OVERDUE).order_by("respond_by", "pk")


def in_trouble(*, workspace: Workspace) -> LeadQuerySet:
    """Unclosed leads that a manager should see to: first those that nobody has, the oldest first."""
    leads = Lead.objects.for_workspace(workspace).unclosed().select_related("agent", "team", "site")
    nobodys_first = Case(When(agent=None, then=0), default=1)
    return leads.filter(IN_TROUBLE).order_by(nobodys_first, "received_at", "pk")


def rules_never_due(*, workspace: Workspace, at: datetime, draft: bool = False) -> list[str]:
    """The names of rules whose promise has no deadline, as their people have no covered hour within 366 days; '' for
    the workspace's own promise. Of the published policy, or of the draft."""
    document = draft_document(workspace) if draft else version_document(workspace.pk, workspace.policy_version)
    return never_due(workspace=workspace, document=document, at=at)
