"""What managers must see to in their workspace: leads in trouble, promises that never fall due, coming hours without
anybody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.core.cache import cache
from django.utils.timesince import timesince
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from agents.models import Workspace
from leads.after_hours.coverage import Gap, coming_gaps
from leads.models import Finding, Lead, Status
from leads.sla.selectors import in_trouble, is_overdue, rules_never_due

MOST = 10  # of each, on one page
_GAPS_KEPT_S = 600


@dataclass(frozen=True, slots=True)
class Trouble:
    """A lead that a manager should see to. `why` is one sentence or more."""

    lead: Lead
    why: list[str]
    waited: str


@dataclass(frozen=True, slots=True)
class Attention:
    """`has_more_troubles`: there are more leads than are listed. `never_due` are names of published rules, '' for the
    workspace's own promise. `gaps` are those into which leads usually fall, in order."""

    troubles: list[Trouble]
    has_more_troubles: bool
    findings: list[str]
    never_due: list[str]
    gaps: list[Gap]

    def __bool__(self) -> bool:
        return bool(self.troubles or self.findings or self.never_due or self.gaps)


def attention(*, workspace: Workspace, at: datetime) -> Attention:
    """Everything at once. A fixed number of statements; the gaps are up to ten minutes old."""
    leads = list(in_trouble(workspace=workspace, at=at)[: MOST + 1])
    of_all = Finding.objects.filter(workspace=workspace.pk, lead=None, gone_at=None).order_by("found_at", "pk")
    return Attention(
        troubles=[Trouble(lead, _why(lead, at), timesince(lead.received_at, at, depth=1)) for lead in leads[:MOST]],
        has_more_troubles=len(leads) > MOST,
        findings=[finding.detail or finding.get_kind_display() for finding in of_all[:MOST]],
        never_due=rules_never_due(workspace=workspace, at=at),
        gaps=_gaps(workspace, at),
    )


def _why(lead: Lead, at: datetime) -> list[str]:
    why = [lead.flagged] if lead.flagged else []
    if lead.status == Status.OPEN:
        if lead.respond_by is not None and is_overdue(lead, at=at):
            why.append(_("Overdue for %(time)s.") % {"time": timesince(lead.respond_by, at, depth=1)})
        if lead.escalated_at is not None:
            why.append(_("Handed up to managers %(time)s ago.") % {"time": timesince(lead.escalated_at, at, depth=1)})
        if not why:
            why.append(_("Managers were alerted, and nobody has answered yet."))
    return why


def _gaps(workspace: Workspace, at: datetime) -> list[Gap]:
    """Counting eight weeks of leads by the hour is not for every look at a page."""
    versions = f"{workspace.roster_version}-{workspace.policy_version}"
    key = f"gaps-{workspace.pk}-{versions}-{get_language()}-{at:%Y%m%d%H}"
    gaps: list[Gap] | None = cache.get(key)
    if gaps is None:
        gaps = [gap for gap in coming_gaps(workspace=workspace, at=at) if gap.leads > 0]
        cache.set(key, gaps, _GAPS_KEPT_S)
    return gaps[:MOST]
