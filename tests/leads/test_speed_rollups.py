"""Sums by the hour: kept up with what happens, and the same when they are counted anew."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command

from leads import actions
from leads.models import Assignment, DirtyHour, Event, Lead, SpeedHour
from leads.sla.climbing import climb
from leads.speed import rollups
from leads.speed.clicks import settle_clicks
from tests.leads.world import ALWAYS, NOON, OFFICE, World, make_world, only, person, rule

pytestmark = [pytest.mark.django_db, pytest.mark.portable]

MINUTE = timedelta(minutes=1)
KEY = ("hour", "agent_id", "team_id", "rule", "channel", "country")
SUMS = [
    field.name
    for field in SpeedHour._meta.concrete_fields
    if field.name not in ("id", "workspace", "agent", "team", "hour", "rule", "channel", "country")
]


def stored(world: World) -> dict[tuple, dict[str, int]]:
    rows = SpeedHour.objects.for_workspace(world.workspace).values(*KEY, *SUMS)
    found = {tuple(row[name] for name in KEY): {name: row[name] for name in SUMS} for row in rows}
    assert len(found) == len(rows)
    return found


def by_hand(world: World, at: datetime) -> dict[tuple, dict[str, int]]:
    """Counted one lead at a time, from what happened: events, assignments and what is closed as what."""
    counted: dict[tuple, Counter] = defaultdict(Counter)
    for lead in Lead.objects.for_workspace(world.workspace).exclude(outcome="rejected"):
        events = list(Event.objects.filter(lead=lead).order_by("pk"))
        answers = [e.at for e in events if e.kind == "responded" and e.data["kind"] == "human"]
        first = min(answers, default=None)
        held = Assignment.objects.filter(lead=lead).order_by("assigned_at", "pk")
        agent = lead.agent_id
        if first is not None:
            agent = [row.agent_id for row in held if row.assigned_at <= first][-1]
        hour = lead.received_at.replace(minute=0, second=0, microsecond=0)
        sums = counted[(hour, agent, lead.team_id, lead.rule, lead.channel, lead.country)]
        kinds = {event.kind for event in events}
        ended = [event.data["as"] for event in events if event.kind == "closed"]
        is_conversation = first is not None or "confirmed" in kinds or {"won", "lost"} & set(ended)
        ended_at = first or lead.closed_at or at
        is_lead = lead.closed_as not in ("spam", "duplicate", "no_conversation")
        sums["breaches"] += is_lead and lead.respond_by is not None and ended_at > lead.respond_by
        if not is_lead:
            sums["not_leads"] += 1
        elif "unconfirmed" in kinds and not is_conversation:
            sums["unconfirmed"] += 1
        else:
            sums["leads"] += 1
            if first is not None:
                wall = (first - lead.received_at) // timedelta(microseconds=1)
                covered = round(sum(end - start for start, end in lead.response_schedule["covered"]) * 1_000_000)
                sums["answered"] += 1
                sums["wall_us"] += wall
                sums["covered_us"] += covered
                for limit in rollups.LIMITS:
                    sums[f"within_{limit}"] += wall <= limit * 1_000_000
                    sums[f"covered_within_{limit}"] += covered <= limit * 1_000_000
    return {key: {name: sums[name] for name in SUMS} for key, sums in counted.items()}


def count_all(at: datetime) -> None:
    """As sweeps do it: note, and when that is due, count."""
    rollups.catch_up(at=at)
    rollups.catch_up(at=at + rollups.DELAY)
    assert not DirtyHour.objects.exists()


def team(**more: Any) -> World:
    """In Madrid, where the clock changes on 29 March and 25 October 2026."""
    return make_world(
        person("ana", shifts=OFFICE),
        person("bo", shifts=ALWAYS),
        person("cy", shifts=dict.fromkeys(range(7), (22 * 60, 6 * 60))),
        teams={"sales": ["ana", "bo"], "night": ["cy", ("bo", 2)]},
        rules=[
            {**rule("french", "night", when=only("country", "FR")), "sla": {"respond_within": 300, "clock": "wall"}},
            {**rule("rest", if_nobody="hold"), "sla": {"respond_within": 1800, "clock": "covered"}},
        ],
        timezone="Europe/Madrid",
        **more,
    )


def live(world: World, dice: random.Random, start: datetime, *, steps: int) -> datetime:
    """So many things happen to leads, at random; in between, the sums are caught up with."""
    at = start
    for _step in range(steps):
        at += timedelta(seconds=dice.choice([0, 1, 30, 59.5, 300, 900, 3600, 5 * 3600]))
        leads = world.leads()
        if len(leads) < 3 or dice.random() < 0.4:
            channel = dice.choice(["whatsapp", "form"])
            world.send(at=at, bot=dice.random() < 0.05, channel=channel, country=dice.choice(["FR", "ES"]))
            continue
        lead = dice.choice(leads)
        with suppress(ValidationError):  # where it does not go with how the lead stands
            happen(dice.choice(ACTS), lead, at, dice)
        world.release(at)
        climb(at=at)
        settle_clicks(at=at)
        if dice.random() < 0.3:
            rollups.catch_up(at=at, delay=timedelta(0))
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


class TestCatchingUp:
    @pytest.mark.parametrize(
        ("seed", "start"),
        [
            (1, datetime(2026, 3, 2, 8, tzinfo=UTC)),
            (2, datetime(2026, 3, 28, 20, tzinfo=UTC)),
            (3, datetime(2026, 10, 24, 20, tzinfo=UTC)),
        ],
    )
    def test_counts_what_counting_anew_and_counting_by_hand_do(self, seed, start):
        world = team()
        end = live(world, random.Random(seed), start, steps=70)
        count_all(end)
        kept_up = stored(world)

        assert kept_up == by_hand(world, end)
        rollups.rebuild(workspace_id=world.workspace.pk, at=end)
        assert stored(world) == kept_up
        SpeedHour.objects.all().delete()
        call_command("rebuild_rollups", workspace="acme", stdout=StringIO())
        assert stored(world) == kept_up
        totals = Counter()
        for sums in kept_up.values():
            totals.update(sums)
        # The history had something of everything, or it would prove little.
        assert min(totals[name] for name in ("answered", "not_leads", "unconfirmed", "breaches")) > 0
        assert totals["leads"] > totals["answered"]

    def test_counts_a_lead_that_was_passed_on_once_for_whoever_answered(self):
        world = make_world(person("ana"), person("bo"))
        lead = world.lead(world.send())
        count_all(NOON)
        moved = actions.reassign(lead=lead, at=NOON + 4 * MINUTE)
        actions.respond(lead=lead, at=NOON + 10 * MINUTE)
        actions.reassign(lead=lead, at=NOON + 20 * MINUTE, to=lead.agent)

        count_all(NOON + 30 * MINUTE)

        row = SpeedHour.objects.get()
        assert (row.agent_id, row.leads, row.answered, row.wall_us) == (moved.agent_id, 1, 1, 600_000_000)

    def test_leaves_a_busy_hour_alone_until_its_delay_is_over(self):
        world = make_world(person("ana"))
        world.send()

        assert rollups.catch_up(at=NOON) == 0
        world.send(at=NOON + MINUTE / 4)
        assert rollups.catch_up(at=NOON + MINUTE / 4) == 0
        assert rollups.catch_up(at=NOON + MINUTE / 2) == 1

        assert SpeedHour.objects.get().leads == 2

    def test_counts_nothing_where_nothing_happened(self):
        world = make_world(person("ana"))
        world.send()
        count_all(NOON)

        assert rollups.catch_up(at=NOON + timedelta(hours=1)) == 0

    def test_keeps_workspaces_apart(self):
        worlds = [make_world(person("ana"), slug=slug) for slug in ("one", "two")]
        for world in worlds:
            world.send()
        count_all(NOON)

        assert [sum(sums["leads"] for sums in stored(world).values()) for world in worlds] == [1, 1]


class TestCountingAnew:
    def test_only_touches_the_hours_it_was_asked_for(self):
        world = make_world(person("ana"))
        for hour in range(3):
            world.send(at=NOON + timedelta(hours=hour, minutes=30))
        count_all(NOON + timedelta(hours=4))
        SpeedHour.objects.update(leads=9)

        out = StringIO()
        between = {"since": "2026-03-02T14:20:00+01:00", "until": "2026-03-02T14:00"}
        call_command("rebuild_rollups", workspace="acme", stdout=out, **between)

        assert list(SpeedHour.objects.order_by("hour").values_list("leads", flat=True)) == [9, 1, 9]
        assert out.getvalue() == "1 hours counted\n"

    def test_forgets_hours_whose_leads_are_gone(self):
        world = make_world(person("ana"))
        SpeedHour.objects.create(workspace=world.workspace, hour=NOON, leads=4)

        call_command("rebuild_rollups", workspace="acme", stdout=StringIO())

        assert not SpeedHour.objects.exists()

    @pytest.mark.parametrize("given", [{"workspace": "nobody"}, {"workspace": "acme", "since": "yesterday"}])
    def test_says_what_it_does_not_understand(self, given):
        make_world(person("ana"))

        with pytest.raises(CommandError):
            call_command("rebuild_rollups", **given)
