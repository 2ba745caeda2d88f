"""What a link in a message can do. A new act is one entry here, named where its kind of message offers it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from agents.models import Agent
from leads import actions
from leads.actor import Actor
from leads.after_hours.acknowledging import acknowledge
from leads.models import Lead
from leads.notifications import links
from leads.notifications.message import Kind
from leads.speed.response import first_response

PURPOSE = "act"


@dataclass(frozen=True, slots=True)
class Act:
    """`do` raises ValidationError with a sentence. `is_done`: there is nothing left to press, `done` says so.

    `is_for_holder`: only the agent who has the lead may.
    """

    label: Any
    question: Any
    done: Any
    do: Callable[..., object]
    is_done: Callable[[Lead, Agent], bool]
    is_for_holder: bool = True


def _by(agent: Agent) -> Actor:
    return Actor(user=agent.user, text=agent.name)


def _answer(*, lead: Lead, agent: Agent, at: datetime) -> None:
    actions.respond(lead=lead, at=at, by=_by(agent))


def _take(*, lead: Lead, agent: Agent, at: datetime) -> None:
    actions.take(lead=lead, agent=agent, at=at, by=_by(agent))


def _acknowledge(*, lead: Lead, agent: Agent, at: datetime) -> None:
    acknowledge(lead=lead, at=at, by=_by(agent))


def _pass_on(*, lead: Lead, agent: Agent, at: datetime) -> None:
    actions.reassign(lead=lead, at=at, exclude=[agent], by=_by(agent))


ACTS: dict[str, Act] = {
    "answered": Act(
        label=_("I have answered"),
        question=_("Have you answered this visitor yourself?"),
        done=_("Noted: this lead has been answered."),
        do=_answer,
        is_done=lambda lead, agent: first_response(lead) is not None,
    ),
    "take": Act(
        label=_("Take this lead"),
        question=_("Do you take this lead? The first to take it has it."),
        done=_("This lead is yours."),
        do=_take,
        is_done=lambda lead, agent: lead.agent_id == agent.pk,
        is_for_holder=False,
    ),
    "acknowledge": Act(
        label=_("I have it"),
        question=_("Do you see to this visitor now? Then nobody else is woken."),
        done=_("Noted: you see to it. Nobody else is woken."),
        do=_acknowledge,
        is_done=lambda lead, agent: lead.acknowledged_at is not None and lead.agent_id == agent.pk,
    ),
    "pass_on": Act(
        label=_("Pass it on"),
        question=_("Shall somebody else take this lead?"),
        done=_("This lead is not yours any more."),
        do=_pass_on,
        is_done=lambda lead, agent: lead.agent_id != agent.pk,
    ),
}
_OFFERED = {
    Kind.ASSIGNED: ("answered", "pass_on"),
    Kind.REMINDER: ("answered", "pass_on"),
    Kind.PAGE: ("acknowledge", "answered"),
    Kind.OFFER: ("take",),
}


def links_for(lead: Lead, kind: Kind, *, agent: str, at: datetime) -> list[dict[str, str]]:
    """The buttons of a message of this kind to the agent of that slug, [{label, url}] in the active language."""
    return [
        {"label": str(ACTS[name].label), "url": link_to(name, lead=lead, agent=agent, at=at)}
        for name in _OFFERED.get(kind, ())
    ]


def link_to(name: str, *, lead: Lead, agent: str, at: datetime) -> str:
    token = links.make(purpose=PURPOSE, lead=lead.pk, agent=agent, action=name, at=at)
    return settings.PUBLIC_URL + reverse("one-click", args=[token])
