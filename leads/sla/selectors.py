"""Reading what is promised: which leads are in trouble, and which promises can never fall due."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Case, Q, When

from agents.models import Workspace
from leads.models import Lead, Status
from leads.models.lead import LeadQuerySet
from routing.covered_promises import never_due
from routing.publishing import draft_document, version_document

# Somebody waits for an answer. Not after a click that nobody confirmed: nobody wrote, so nobody can be answered.
WAITING = Q(status=Status.OPEN) & (Q(unconfirmed_at=None) | Q(confirmed_at__isnull=False))


def overdue_at(at: datetime) -> Q:
    """Waiting leads whose promised time is over. By the deadline itself, not by `breached_at`: that is stamped when the
    sweep comes by, and lists would differ from figures until then."""
    return WAITING & Q(respond_by__lte=at)


def is_overdue(lead: Lead, *, at: datetime) -> bool:
    """The same of a lead in memory."""
    waits = lead.status == Status.OPEN and (lead.unconfirmed_at is None or lead.confirmed_at is not None)
    return waits and lead.respond_by is not None and lead.respond_by <= at


def trouble_at(at: datetime) -> Q:
    """Leads that a manager should see to where they are not closed: flagged, overdue, or handed up."""
    handed_up = Q(status=Status.OPEN) & (Q(escalated_at__isnull=False) | ~Q(alerts=[]))
    return ~Q(flagged="") | overdue_at(at) | handed_up


def overdue(*, workspace: Workspace, at: datetime) -> LeadQuerySet:
    """Waiting leads whose promised time is over, the longest overdue first."""
    leads = Lead.objects.for_workspace(workspace).select_related("agent", "team", "site")
    return leads.filter(overdue_at(at)).order_by("respond_by", "pk")


def in_trouble(*, workspace: Workspace, at: datetime) -> LeadQuerySet:
    """Unclosed leads that a manager should see to: first those that nobody has, the oldest first."""
    leads = Lead.objects.for_workspace(workspace).unclosed().select_related("agent", "team", "site")
    nobodys_first = Case(When(agent=None, then=0), default=1)
    return leads.filter(trouble_at(at)).order_by(nobodys_first, "received_at", "pk")


def rules_never_due(*, workspace: Workspace, at: datetime, draft: bool = False) -> list[str]:
    """The names of rules whose promise has no deadline, as their people have no covered hour within 366 days; '' for
    the workspace's own promise. Of the published policy, or of the draft."""
    document = draft_document(workspace) if draft else version_document(workspace.pk, workspace.policy_version)
    return never_due(workspace=workspace, document=document, at=at)
