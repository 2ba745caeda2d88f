"""Coverage: as looking at every minute says."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from agents.models import TimeOff
from leads.reports.coverage import DAYS_AHEAD
from routing.engine.hours import Kind, on_shift
from routing.snapshots import snapshot
from tests.leads.reports.cast import reader
from tests.leads.world import OFFICE, World, make_world, person

pytestmark = pytest.mark.django_db

# A week before the clocks change in Madrid, so that the four weeks hold that night.
AT = datetime(2026, 3, 24, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _clock(monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: AT)


def world_with_a_night() -> World:
    night = dict.fromkeys(range(7), (22 * 60, 6 * 60))
    world = make_world(
        person("ana", shifts=OFFICE, languages=["es"]),
        person("bo", shifts={0: (600, 615), 1: (600, 720)}, languages=["pt"], timezone="Europe/Lisbon"),
        person("cy", shifts=night, kind="on_call", languages=["es-MX"]),
        teams={"sales": ["ana", "bo"], "night": ["cy"]},
        timezone="Europe/Madrid",
    )
    away = {"starts_local": "2026-04-01T00:00", "ends_local": "2026-04-03T12:00"}
    TimeOff.objects.create(workspace=world.workspace, agent=world.agent("ana"), **away)
    return world


def panel(response, name: str):
    return next(each for each in response.context["report"].panels if each.id == name)


def by_the_minute(world: World, first: date, days: int) -> list[int]:
    """How many are there in each hour that the clock shows, by its emptiest minute, of each minute looked at."""
    world.workspace.refresh_from_db()
    roster = snapshot(
        workspace_id=world.workspace.pk, policy_version=1, roster_version=world.workspace.roster_version
    ).roster
    schedules = [roster.schedule(agent) for agent in roster.members(roster.active)]
    zone = ZoneInfo("Europe/Madrid")
    found = []
    for place in range(days * 24):
        begins = datetime.combine(first + timedelta(days=place // 24), time(place % 24), zone).astimezone(UTC)
        minutes = [begins + timedelta(minutes=minute) for minute in range(0, 60, 5)]
        found.append(min(sum(any(on_shift(s, at=at, kind=k) for k in Kind) for s in schedules) for at in minutes))
    return found


def test_the_next_days_are_drawn_net_of_leave_and_across_the_change_of_clocks():
    world = world_with_a_night()
    response = reader(world).get("/reports/coverage/")

    drawn = [cell.value for row in panel(response, "calendar").table.rows for cell in row.cells]

    assert len(drawn) == DAYS_AHEAD * 24
    assert drawn == by_the_minute(world, date(2026, 3, 24), DAYS_AHEAD)


def test_a_usual_week_knows_no_leave_and_is_split_as_asked():
    world = world_with_a_night()
    client = reader(world)

    week = [cell.value for row in panel(client.get("/reports/coverage/"), "week").table.rows for cell in row.cells]
    assert week[:24] == [1] * 6 + [0] * 3 + [1] * 8 + [0] * 5 + [1] * 2  # Monday: night, office, night
    assert week[24 + 11] == 2  # Tuesday at 11:00 in Madrid: 10:00 in Lisbon

    asked = panel(client.get("/reports/coverage/"), "week").table.rows[1].cells[11].link
    assert asked.endswith("weekday=2&hour=11#who")
    who = panel(client.get(asked), "who")
    assert who.title == "Who is there on Tue at 11:00"
    assert [(row.label, *(cell.value for cell in row.cells)) for row in who.table.rows] == [
        ("Ana", "on shift", 60),
        ("Bo", "on shift", 60),
    ]

    def people(by: str) -> dict[str, tuple[int, int]]:
        rows = panel(client.get(f"/reports/coverage/?by={by}"), "by").table.rows
        return {row.label: (row.cells[0].value, row.cells[1].value) for row in rows}

    assert people("team") == {"Sales": (2, 40), "Night": (1, 56)}
    assert people("language") == {"Spanish": (2, 96), "Portuguese": (1, 2)}
    assert people("channel") == {"WhatsApp": (3, 96)}
    assert people("nonsense") == people("team")


def test_gaps_are_weighed_by_the_leads_that_usually_come():
    world = world_with_a_night()
    for week in range(8):
        world.send(at=datetime(2026, 3, 21, 12, tzinfo=UTC) - timedelta(weeks=week), country="PT")  # Saturdays at 13:00

    response = reader(world).get("/reports/coverage/?by=country")
    usual = round(8 / (52 / 7), 2)  # eight in the 52 days since the first

    assert {tile.label: tile.cell.value for tile in response.context["report"].tiles}["Leads in them"] == usual
    assert {row.label: row.cells[3].value for row in panel(response, "by").table.rows}["Portugal"] == usual
    start = reader(world, "manager").get("/admin/").text
    assert "In the next 3 days nobody is there for" not in start  # nothing usually comes in those hours
    worst = panel(response, "gaps").table.rows[0]
    assert worst.label == "Sat 28 Mar 06:00 – 22:00"
    assert worst.cells[1].value == usual


def test_only_who_may_enter_the_administration_is_led_there():
    world = world_with_a_night()

    assert "/admin/agents/agent/" in reader(world, "manager").get("/reports/coverage/").text
    assert "/admin/" not in reader(world, "ops").get("/reports/coverage/").text


def test_the_board_says_who_is_there_and_who_waits():
    world = make_world(person("ana"), person("bo", is_paused=True), person("cy", shifts={}))
    world.send(at=AT - timedelta(minutes=30), channel="form")
    world.send(at=AT - timedelta(minutes=5), channel="form")

    response = reader(world).get("/reports/board/")

    tiles = {tile.label: tile.cell.value for tile in response.context["report"].tiles}
    assert (tiles["Waiting"], tiles["Longest wait"], tiles["On shift"]) == (2, 1_800.0, 1)
    assert tiles["Came in, last hour"] == 2
    there = {row.label: [cell.value for cell in row.cells] for row in panel(response, "there").table.rows}
    assert there == {"Ana": ["on shift", 2], "Bo": ["paused", 0]}
    assert 'hx-trigger="every 15s"' in response.text


def test_the_start_page_tells_managers_of_hours_without_anybody():
    world = make_world(person("ana", shifts=OFFICE))
    for day in range(2, 9):
        world.send(at=AT.replace(hour=23) - timedelta(days=day))

    start = reader(world, "manager").get("/admin/").text

    assert "In the next 3 days nobody is there for 48 hours, in which usually 3 leads come." in start
    assert 'href="/reports/coverage/"' in start
