"""What bots get: an answer that looks like any other, and nothing that anybody must deal with."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from django.db import transaction

from leads import people
from leads.answer import Accepted
from leads.answering import answer
from leads.arrivals import language_of, new_lead
from leads.idempotency import claim, keep_answer
from leads.models import ContactKind, Lead, Status
from leads.people import Contact
from leads.submission import Door, IdempotencyKey, Submission
from routing.engine import Outcome, Reason

_REPEATS_WITHIN = timedelta(hours=24)


def reject(*, door: Door, submission: Submission, at: datetime, key: IdempotencyKey | None) -> Accepted:
    """Answer in the shape of an accepted lead; a visitor id that was rejected before gets its first lead again.

    A closed row without what was typed is kept, so that its status address answers like any other.
    Raises IdempotencyBusy, IdempotencyConflict.
    """
    visitor_id = submission.visitor_id
    with transaction.atomic():
        row = claim(key, door=door, at=at) if key is not None else None
        if isinstance(row, Accepted):
            return row
        lead = None
        if visitor_id:
            people.lock(door.workspace_id, [(ContactKind.VISITOR.value, visitor_id)])
            rejected = Lead.objects.filter(
                workspace_id=door.workspace_id,
                visitor_id=visitor_id,
                outcome=Outcome.REJECTED.value,
                received_at__gt=at - _REPEATS_WITHIN,
            )
            lead = rejected.order_by("received_at", "id").first()
        joined = lead is not None
        if lead is None:
            lead = _rejected_lead(door, submission, at)
        accepted = answer(lead, channel="", joined=joined, at=at)
        if row is not None:
            keep_answer(row, accepted)
        return accepted


def _rejected_lead(door: Door, submission: Submission, at: datetime) -> Lead:
    bare = replace(
        submission, name=None, email=None, phone=None, message=None, attributes={}, page_url=None, referrer=None
    )
    lead = new_lead(
        door=door,
        submission=bare,
        contact=Contact(visitor_id=submission.visitor_id or None),
        facts=None,
        language=language_of(submission, door),
        at=at,
    )
    lead.outcome, lead.reason = Outcome.REJECTED.value, Reason.NOBODY.value
    lead.status, lead.closed_at = Status.CLOSED, at
    lead.save(force_insert=True)
    return lead
