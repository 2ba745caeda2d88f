"""Days of leads: unpacked by what happens, packed from the leads, read the same either way; and what reports make of
them, against a slow count of what happened."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from io import StringIO
from statistics import quantiles
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command

from agents.models import Agent
from leads import actions
from leads.models import Assignment, DirtyDay, Event, Lead, LeadDay, TurnDay
from leads.reports import drill, filters
from leads.reports.figures import LIMITS, Speed, overall
from leads.reports.frame import load_asked
from leads.reports.speed_api import speed_to_lead
from leads.speed import days
from routing.engine.hours import microseconds
from tests.leads.history import BY_DAY, live, team
from tests.leads.world import NOON, World, make_world, person

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)
GROUPS = ("agent", "team", "rule", "channel", "country", "hour")


def pack_all(at: datetime) -> None:
    """As sweeps do it: note, and when that is due, pack."""
    days.catch_up(at=at)
    days.catch_up(at=at + 2 * days.DAY + days.DELAY)
    assert not DirtyDay.objects.exists()


def stored() -> list[Any]:
    names = ("day", "words", *days.COLUMNS)
    return [
        [bytes(value) if isinstance(value, memoryview | bytes) else value for value in row]
        for row in LeadDay.objects.order_by("day").values_list(*names)
    ]


# A lead, when somebody first answered, and who had it then.
Happened = tuple[Lead, datetime | None, Agent | None]


def happened(world: World) -> list[Happened]:
    """What is known of each lead that counts, read once for all the ways to count."""
    found = []
    leads = Lead.objects.for_workspace(world.workspace).select_related("agent", "team").exclude(outcome="rejected")
    for lead in leads:
        events = list(Event.objects.filter(lead=lead).order_by("pk"))
        first = min((e.at for e in events if e.kind == "responded" and e.data["kind"] == "human"), default=None)
        kinds = {event.kind for event in events}
        ends = {event.data["as"] for event in events if event.kind == "closed"}
        is_conversation = first is not None or "confirmed" in kinds or {"won", "lost"} & ends
        if lead.closed_as in ("spam", "duplicate", "no_conversation"):
            continue
        if "unconfirmed" in kinds and not is_conversation:
            continue
        agent = lead.agent
        if first is not None:
            held = Assignment.objects.filter(lead=lead, assigned_at__lte=first).order_by("assigned_at", "pk")
            last = held.select_related("agent").last()
            agent = last.agent if last else None  # answered while it was held
        found.append((lead, first, agent))
    return found


def by_hand(
    leads: list[Happened], world: World, at: datetime, *, clock: str, group_by: str | None
) -> dict[Any, dict[str, Any]]:
    """Counted one lead at a time, from what happened: events, assignments and what is closed as what."""
    groups: dict[Any, list[tuple[float | None, bool]]] = {}
    for lead, first, agent in leads:
        took = None
        if first is not None:
            took = (first - lead.received_at).total_seconds()
            if clock == "covered":
                took = sum(end - start for start, end in lead.response_schedule["covered"])
        is_overdue = first is None and lead.closed_at is None and lead.respond_by is not None and lead.respond_by <= at
        key = {
            None: None,
            "agent": agent and agent.slug,
            "team": lead.team and lead.team.slug,
            "rule": lead.rule or None,
            "channel": lead.channel or None,
            "country": lead.country or None,
            "hour": lead.received_at.astimezone(ZoneInfo(world.workspace.timezone)).hour,
        }[group_by]
        groups.setdefault(key, []).append((took, is_overdue))
    return {key: figured(found) for key, found in groups.items()}


def figured(found: list[tuple[float | None, bool]]) -> dict[str, Any]:
    took = sorted(seconds for seconds, _late in found if seconds is not None)
    # The standard library's own percentiles of the same definition; it wants two values.
    cuts = quantiles(took, n=100, method="inclusive") if len(took) > 1 else took * 99 or [None] * 99
    return {
        "n": len(found),
        "answered": len(took),
        "unanswered": len(found) - len(took),
        "overdue": sum(late for _seconds, late in found),
        **{f"p{place}": cuts[place - 1] for place in (50, 75, 90, 95)},
        "mean": sum(took) / len(took) if took else None,
        "within": {str(limit): sum(seconds <= limit for seconds in took) for limit in LIMITS},
    }


def same(figures: dict[str, Any], expected: dict[str, Any]) -> bool:
    numbers = ("p50", "p75", "p90", "p95", "mean")
    return all(figures[name] == expected[name] for name in expected if name not in numbers) and all(
        figures[name] == (None if expected[name] is None else pytest.approx(expected[name], abs=1e-5))
        for name in numbers
    )


class TestReports:
    @pytest.mark.parametrize(
        ("seed", "start", "zone"),
        [
            (1, datetime(2026, 3, 2, 8, tzinfo=UTC), "Asia/Kolkata"),
            # One history is enough to see that SQLite counts alike, too.
            pytest.param(2, datetime(2026, 3, 28, 20, tzinfo=UTC), "Europe/Madrid", marks=pytest.mark.portable),
            (3, datetime(2026, 10, 24, 20, tzinfo=UTC), "Europe/Madrid"),
        ],
    )
    def test_say_what_a_slow_count_of_what_happened_says_packed_or_not(self, seed, start, zone):
        # In hours that nobody covers the two clocks differ.
        world = team(timezone=zone, bo=BY_DAY)
        end = live(world, random.Random(seed), start, steps=70)

        def look() -> dict[Any, Any]:
            asked = {"workspace": world.workspace, "start": start, "end": end + MINUTE, "at": end}
            return {
                (clock, group_by): speed_to_lead(clock=clock, group_by=group_by, **asked)
                for clock in ("wall", "covered")
                for group_by in (None, *GROUPS)
            }

        before = look()
        pack_all(end)
        packed = stored()
        assert look() == before

        leads = happened(world)
        for (clock, group_by), answer in before.items():
            assert same(answer, by_hand(leads, world, end, clock=clock, group_by=None)[None])
            if group_by is not None:
                expected = by_hand(leads, world, end, clock=clock, group_by=group_by)
                found = {group["key"]: group for group in answer["groups"]}
                assert found.keys() == expected.keys()
                assert all(same(found[key], expected[key]) for key in expected), (clock, group_by)
        call_command("rebuild_rollups", workspace="acme", stdout=StringIO())
        assert stored() == packed
        # The history had something of everything, or it would prove little.
        whole = before["wall", None]
        assert whole["mean"] != before["covered", None]["mean"]
        assert 0 < whole["overdue"] <= whole["unanswered"] < whole["n"]
        assert Lead.objects.filter(closed_as__in=["spam", "no_conversation"]).exists()
        assert Lead.objects.filter(unconfirmed_at__isnull=False, confirmed_at=None).exists()

    @pytest.mark.portable
    def test_the_median_of_one_two_three_and_four_hours_is_two_and_a_half(self):
        world = make_world(person("ana"))
        for hours in (4, 1, 3, 2):
            lead = world.lead(world.send())
            actions.respond(lead=lead, at=NOON + timedelta(hours=hours))

        answer = speed_to_lead(
            workspace=world.workspace,
            start=NOON,
            end=NOON + MINUTE,
            group_by=None,
            clock="wall",
            at=NOON + timedelta(hours=5),
        )

        assert (answer["p50"], answer["mean"], answer["n"]) == (9_000.0, 9_000.0, 4)

    @pytest.mark.portable
    def test_without_leads_everything_is_empty_and_not_zero(self):
        world = make_world(person("ana"))
        asked = filters.read({}, zone="UTC", zones=(), at=NOON)
        leads = load_asked(asked, ("due", "closed"), workspace_id=world.workspace.pk)

        assert overall(leads, clock="wall", at=microseconds(NOON)) == Speed()

    @pytest.mark.portable
    def test_a_lead_that_was_passed_on_counts_once_for_whoever_answered(self):
        world = make_world(person("ana"), person("bo"))
        lead = world.lead(world.send())
        moved = actions.reassign(lead=lead, at=NOON + 4 * MINUTE)
        actions.respond(lead=lead, at=NOON + 10 * MINUTE)
        actions.reassign(lead=lead, at=NOON + 20 * MINUTE, to=lead.agent)

        answer = by_agent(world, at=NOON + 30 * MINUTE)

        assert [(group["key"], group["n"], group["p50"]) for group in answer] == [(moved.agent.slug, 1, 600.0)]

    @pytest.mark.portable
    def test_keep_workspaces_apart(self):
        worlds = [make_world(person("ana"), slug=slug) for slug in ("one", "two")]
        for world in worlds:
            world.send()
        pack_all(NOON)

        assert [len(by_agent(world, at=NOON)) for world in worlds] == [1, 1]
        assert TurnDay.objects.count() == 2


def by_agent(world: World, *, at: datetime) -> list[dict[str, Any]]:
    span = {"start": NOON - days.DAY, "end": NOON + days.DAY}
    return speed_to_lead(workspace=world.workspace, group_by="agent", clock="wall", at=at, **span)["groups"]


class TestLinks:
    @pytest.mark.parametrize("seed", [pytest.param(4, marks=pytest.mark.portable), 5])
    def test_find_as_many_leads_as_the_number_says_whatever_happened_since(self, seed):
        world = team()
        dice = random.Random(seed)
        asked = filters.read(
            {"from": "2026-03-27", "to": "2026-04-20"}, zone="Europe/Madrid", zones=(), at=NOON + 30 * days.DAY
        )
        at = live(world, dice, datetime(2026, 3, 28, 8, tzinfo=UTC), steps=50)
        expected = {}
        agents = [None, 0, *world.workspace.agents.values_list("pk", flat=True)]
        for agent in agents:
            narrowed = asked if agent is None else asked.only(agent=agent)
            leads = load_asked(narrowed, ("due", "closed"), workspace_id=world.workspace.pk)
            speed = overall(leads.counting(), clock="wall", at=microseconds(at))
            expected[agent] = {
                "all": speed.n,
                "answered": speed.answered,
                "unanswered": speed.unanswered,
                "overdue": speed.overdue,
            }

        # More answers, closings and arrivals; moves of unanswered leads, too.
        live(world, dice, at + timedelta(microseconds=1), steps=25, acts=["answer", "move", "close"])

        for agent in agents:
            narrowed = asked if agent is None else asked.only(agent=agent)
            found = {
                what: drill.leads_of(workspace=world.workspace, filters=narrowed, what=what, at=at, asked={}).count()
                for what in expected[agent]
            }
            assert found == expected[agent], agent


@pytest.mark.portable
class TestPacking:
    def test_waits_until_the_day_is_over_and_quiet(self):
        world = make_world(person("ana"))
        world.send()

        assert days.catch_up(at=NOON) == 0
        assert days.catch_up(at=NOON + 11 * timedelta(hours=1)) == 0
        assert days.catch_up(at=NOON + days.DAY) == 1

        assert len(LeadDay.objects.get().marks) == 1

    def test_is_undone_at_once_by_whatever_happens_to_a_lead_of_the_day(self):
        world = make_world(person("ana"))
        lead = world.lead(world.send())
        pack_all(NOON)

        actions.respond(lead=lead, at=NOON + 3 * days.DAY)
        days.catch_up(at=NOON + 3 * days.DAY)

        assert not LeadDay.objects.exists()
        assert by_agent(world, at=NOON + 3 * days.DAY)[0]["answered"] == 1

    def test_anew_only_touches_the_days_it_was_asked_for(self):
        world = make_world(person("ana"))
        for day in range(3):
            world.send(at=NOON + day * days.DAY)
        pack_all(NOON + 4 * days.DAY)
        LeadDay.objects.update(marks=b"")

        out = StringIO()
        call_command("rebuild_rollups", workspace="acme", stdout=out, since="2026-03-03", until="2026-03-04")

        assert [len(marks) for marks in LeadDay.objects.order_by("day").values_list("marks", flat=True)] == [0, 1, 0]
        assert out.getvalue() == "1 days packed\n"

    def test_forgets_days_whose_leads_are_gone(self):
        world = make_world(person("ana"))
        LeadDay.objects.create(workspace=world.workspace, day=NOON.date(), marks=b"\0")

        call_command("rebuild_rollups", workspace="acme", stdout=StringIO())

        assert len(LeadDay.objects.get().marks) == 0

    @pytest.mark.parametrize("given", [{"workspace": "nobody"}, {"workspace": "acme", "since": "yesterday"}])
    def test_says_what_it_does_not_understand(self, given):
        make_world(person("ana"))

        with pytest.raises(CommandError):
            call_command("rebuild_rollups", **given)
