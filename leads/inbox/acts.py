"""What the buttons of a lead's page do: one entry each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from agents.models import Agent
from leads import actions, touches
from leads.actor import Actor
from leads.inbox.forms import NoteForm, PassOnForm
from leads.models import ClosedAs, Lead


@dataclass(frozen=True, slots=True)
class Pressed:
    """A button that somebody pressed."""

    lead: Lead
    agent: Agent
    by: Actor
    at: datetime
    sent: QueryDict


@dataclass(frozen=True, slots=True)
class Act:
    """`do` raises ValidationError with sentences. Only the agent who has the lead may, unless `for_anybody`: whoever
    sees it."""

    do: Callable[[Pressed], object]
    done: Any
    for_anybody: bool = False


def _close(closed_as: ClosedAs) -> Callable[[Pressed], object]:
    return lambda it: actions.close(lead=it.lead, at=it.at, closed_as=closed_as, by=it.by)


def _pass_on(it: Pressed) -> None:
    form = PassOnForm(it.sent, agent=it.agent)
    if not form.is_valid():
        raise ValidationError([error for errors in form.errors.values() for error in errors])
    to, reason = form.cleaned_data["to"], form.cleaned_data["reason"]
    actions.reassign(lead=it.lead, at=it.at, to=to, exclude=[] if to else [it.agent], reason=reason, by=it.by)


def _note(it: Pressed) -> None:
    form = NoteForm(it.sent)
    if not form.is_valid():
        raise ValidationError([error for errors in form.errors.values() for error in errors])
    touches.note(lead=it.lead, text=form.cleaned_data["text"], at=it.at, by=it.by)


ACTS: dict[str, Act] = {
    "take": Act(
        lambda it: actions.take(lead=it.lead, agent=it.agent, at=it.at, by=it.by),
        _("This lead is yours."),
        for_anybody=True,
    ),
    "answered": Act(lambda it: actions.respond(lead=it.lead, at=it.at, by=it.by), _("Noted: answered.")),
    "attempted": Act(
        lambda it: touches.attempt(lead=it.lead, agent=it.agent, at=it.at, by=it.by),
        _("Noted: you tried. The lead stays open."),
    ),
    "confirm": Act(
        lambda it: actions.confirm(lead=it.lead, at=it.at, by=it.by), _("Noted: a conversation, not only a click.")
    ),
    "won": Act(_close(ClosedAs.WON), _("Closed as won.")),
    "lost": Act(_close(ClosedAs.LOST), _("Closed as lost.")),
    "spam": Act(_close(ClosedAs.SPAM), _("Closed as spam. The turn is given back.")),
    "duplicate": Act(_close(ClosedAs.DUPLICATE), _("Closed as a duplicate. The turn is given back.")),
    "no-conversation": Act(
        _close(ClosedAs.NO_CONVERSATION), _("Closed: it was no conversation. The turn is given back.")
    ),
    "reopen": Act(lambda it: actions.reopen(lead=it.lead, at=it.at, by=it.by), _("Open again.")),
    "pass-on": Act(_pass_on, _("Passed on. The lead is not yours any more.")),
    "note": Act(_note, _("Noted.")),
}
