"""What an agent does about a lead that moves nothing: opens it, tries to reach the visitor, writes something down."""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from agents.models import Agent
from leads.actor import Actor
from leads.models import Event, EventKind, Lead
from leads.speed import stamps

MAX_NOTE = 2_000


def see(*, lead: Lead, agent: Agent, at: datetime, by: Actor) -> None:
    """The agent opened their lead; only the first time is written down. Nothing for a lead that is not theirs."""
    with transaction.atomic():
        # Locked, so that two windows opened at once do not both find nothing.
        mine = Lead.objects.select_for_update(no_key=True, of=("self",)).filter(pk=lead.pk, agent=agent)
        if mine.first() is None or has_seen(lead, agent):
            return
        stamps.seen(lead, at=at)
        _write(lead, EventKind.SEEN, at, by, {"agent": agent.slug})


def has_seen(lead: Lead, agent: Agent) -> bool:
    return Event.objects.filter(lead=lead, kind=EventKind.SEEN, data__agent=agent.slug).exists()


def attempt(*, lead: Lead, agent: Agent, at: datetime, by: Actor) -> None:
    """The agent tried to reach the visitor and did not. No answer: the clock runs on."""
    stamps.attempted(lead, at=at)
    _write(lead, EventKind.ATTEMPTED, at, by, {"agent": agent.slug})


def note(*, lead: Lead, text: str, at: datetime, by: Actor) -> None:
    """Keep a note with the lead. Raises ValidationError for one that says nothing, or too much."""
    text = text.replace("\x00", "").strip()
    if not text:
        raise ValidationError({"text": _("The note is empty.")})
    if len(text) > MAX_NOTE:
        raise ValidationError({"text": _("A note has at most %(most)d characters.") % {"most": MAX_NOTE}})
    _write(lead, EventKind.NOTE, at, by, {"note": text})


def _write(lead: Lead, kind: EventKind, at: datetime, by: Actor, data: dict[str, str]) -> None:
    Event.objects.create(
        workspace_id=lead.workspace_id, lead=lead, kind=kind, at=at, actor=by.user, actor_text=by.text, data=data
    )
