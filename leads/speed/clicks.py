"""A click is not a conversation: until an agent says that the visitor wrote, a lead that opened an app is a click.

Answering says so, and so does closing it as won or lost. Clicks that nobody confirmed by the end of their agent's day
are counted apart and give their turn back, within the ledger's limit; they stay open, and may be confirmed later.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from uuid import UUID

from django.db import OperationalError, transaction

from agents.channels import CHANNELS
from leads.contention import is_collision, is_outage
from leads.faults import log_fault
from leads.models import Event, EventKind, Lead, Status
from leads.speed.response import first_response
from leads.turns import give_back

# What `confirm` changes on a lead.
FIELDS = ("confirmed_at", "click_until")

# A click that could not be settled is left alone for so long.
RETRY_AFTER = timedelta(minutes=5)

log = logging.getLogger(__name__)


def is_click(lead: Lead) -> bool:
    """Whether all that is known is that the visitor opened an app."""
    channel = CHANNELS.get(lead.reached_on)
    opens_an_app = channel is not None and channel.needs_handle
    return opens_an_app and lead.confirmed_at is None and first_response(lead) is None


def confirm(lead: Lead, *, at: datetime) -> bool:
    """Set in memory that it is a conversation. False where that was known."""
    lead.click_until = None
    if lead.confirmed_at is not None:
        return False
    lead.confirmed_at = at
    return True


def settle_clicks(*, at: datetime, limit: int = 500) -> int:
    """Count apart the clicks whose day is over. Returns how many; any number of these may run at once."""
    due = Lead.objects.filter(click_until__lte=at).order_by("click_until", "pk").values_list("pk", "click_until")
    return sum(_settle(pk, until, at) for pk, until in list(due[:limit]))


def _settle(pk: UUID, until: datetime, at: datetime) -> bool:
    claimed = Lead.objects.filter(pk=pk, click_until=until)
    try:
        with transaction.atomic():
            # The row stays ours until the end: a second sweep waits here, and then finds nothing due.
            return bool(claimed.update(click_until=None)) and _count_apart(Lead.objects.get(pk=pk), until, at)
    except Exception as problem:
        if is_outage(problem):
            raise
        if isinstance(problem, OperationalError) and is_collision(problem):
            return False  # it is still due
        log_fault(log, f"The click of lead {pk} could not be settled", problem)
        claimed.update(click_until=at + RETRY_AFTER)
    return False


def _count_apart(lead: Lead, until: datetime, at: datetime) -> bool:
    if lead.status != Status.OPEN or lead.unconfirmed_at is not None or not is_click(lead):
        return False
    lead.unconfirmed_at = until
    lead.save(update_fields=["unconfirmed_at"])
    Event.objects.create(workspace_id=lead.workspace_id, lead=lead, kind=EventKind.UNCONFIRMED, at=until)
    give_back(lead, at=at)
    return True
