"""Whoever is on call says that they have the lead, so that nobody else is woken."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from leads.actor import ITSELF, Actor
from leads.models import Event, EventKind, Lead, Status
from leads.sla.ladder import Act, acknowledge_by, keep_steps, steps_of


def acknowledge(*, lead: Lead, at: datetime, by: Actor = ITSELF) -> Lead:
    """The agent who was paged has the lead. Nothing happens where nobody was, or somebody has said so before."""
    with transaction.atomic():
        locked = Lead.objects.select_for_update(no_key=True, of=("self",)).get(
            pk=lead.pk, workspace_id=lead.workspace_id
        )
        if locked.status != Status.OPEN or acknowledge_by(locked) is None:
            return locked
        locked.acknowledged_at = at
        keep_steps(locked, [step for step in steps_of(locked) if step.act is not Act.PAGE])
        locked.save(update_fields=["acknowledged_at", "ladder", "ladder_at"])
        Event.objects.create(
            workspace_id=locked.workspace_id,
            lead=locked,
            kind=EventKind.ACKNOWLEDGED,
            at=at,
            actor=by.user,
            actor_text=by.text,
        )
        return locked
