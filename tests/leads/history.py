"""Leads to which anything may happen, at random."""

from __future__ import annotations

import random
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError

from leads import actions
from leads.models import Lead
from leads.sla.climbing import climb
from leads.speed import days
from leads.speed.clicks import settle_clicks
from tests.leads.world import ALWAYS, OFFICE, World, make_world, only, person, rule

BY_DAY = dict.fromkeys(range(7), (6 * 60, 20 * 60))


def team(sla: dict[str, Any] | None = None, bo: Any = ALWAYS, **more: Any) -> World:
    """In Madrid, where the clock changes on 29 March and 25 October 2026. `sla`: what is promised about leads from
    France beside an answer within five minutes. `bo`: the hours of the one who is always there."""
    return make_world(
        person("ana", shifts=OFFICE),
        person("bo", shifts=bo),
        person("cy", shifts=dict.fromkeys(range(7), (22 * 60, 6 * 60))),
        teams={"sales": ["ana", "bo"], "night": ["cy", ("bo", 2)]},
        rules=[
            {
                **rule("french", "night", when=only("country", "FR")),
                "sla": {"respond_within": 300, "clock": "wall", **(sla or {})},
            },
            {**rule("rest", if_nobody="hold"), "sla": {"respond_within": 1800, "clock": "covered"}},
        ],
        **{"timezone": "Europe/Madrid", **more},
    )


def live(world: World, dice: random.Random, start: datetime, *, steps: int, acts: Any = None) -> datetime:
    """So many things happen to leads, at random; in between, days are packed."""
    at = start
    for _step in range(steps):
        at += timedelta(seconds=dice.choice([0, 1, 30, 59.5, 300, 900, 3600, 5 * 3600]))
        # What is closed may only be changed from the beginning: that rewrites what was.
        leads = [lead for lead in world.leads() if acts is None or lead.closed_at is None]
        if len(leads) < 3 or dice.random() < 0.4:
            channel = dice.choice(["whatsapp", "form"])
            world.send(at=at, bot=dice.random() < 0.05, channel=channel, country=dice.choice(["FR", "ES"]))
        else:
            with suppress(ValidationError):  # where it does not go with how the lead stands
                happen(dice.choice(acts or ACTS), dice.choice(leads), at, dice)
        world.release(at)
        climb(at=at)
        settle_clicks(at=at)
        if dice.random() < 0.3:
            days.catch_up(at=at, delay=timedelta(0))
    climb(at=at)
    return at


ACTS = ["answer", "answer", "earlier", "automatic", "move", "close", "none", "reopen", "confirm"]


def happen(act: str, lead: Lead, at: datetime, dice: random.Random) -> None:
    if act == "answer":
        actions.respond(lead=lead, at=at)
    elif act == "earlier":
        if lead.first_assigned_at is not None:
            actions.respond(lead=lead, at=at, responded_at=min(at, lead.first_assigned_at + timedelta(seconds=7)))
    elif act == "automatic":
        actions.respond(lead=lead, at=at, kind="automatic")
    elif act == "move":
        actions.reassign(lead=lead, at=at)
    elif act == "confirm":
        actions.confirm(lead=lead, at=at)
    elif act == "reopen":
        actions.reopen(lead=lead, at=at)
    else:
        ends = ["won", "lost"] if act == "close" else ["spam", "no_conversation"]
        actions.close(lead=lead, at=at, closed_as=dice.choice(ends))
