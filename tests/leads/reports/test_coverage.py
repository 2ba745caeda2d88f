"""Coverage: as looking at every minute says."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from html import unescape
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from agents.admin.agent_page import suggested_by
from agents.models import TimeOff
from leads.reports.coverage import DAYS_AHEAD
from leads.reports.page import NUMBER
from leads.reports.shift import pieces
from routing.engine.covered import covered_intervals
from routing.engine.hours import Kind, Schedule, ShiftSpec, on_shift
from routing.snapshots import snapshot
from tests.leads.reports.cast import reader
from tests.leads.world import ALWAYS, OFFICE, World, make_world, person

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


@pytest.mark.parametrize("by", ["team", "language", "channel", "country"])
@pytest.mark.parametrize("zone", ["Europe/Madrid", "Europe/Lisbon"])
def test_usual_numbers_lead_to_the_leads_that_they_are_the_mean_of(by, zone):
    world = world_with_a_night()
    for place in range(40):
        # One of them before the eight weeks, and all hours of the day.
        came = AT - timedelta(days=58) + place * timedelta(days=1, hours=11)
        tag = ("es", "es-MX", "pt", "en")[place % 4]
        channel = ("form", "whatsapp")[place % 2]
        world.send(at=came, language=tag, country=("PT", "ES")[place % 2], channel=channel)
    client = reader(world)
    page = client.get(f"/reports/coverage/?by={by}&zone={zone}")
    weeks = 8 if page.context["report"].tiles[2].cell.behind else 0
    cells = [page.context["report"].tiles[2].cell, page.context["report"].tiles[3].cell]
    cells += [row.cells[3] for row in panel(page, "by").table.rows]
    parts = [row.link for row in panel(page, "by").table.rows]
    for part in parts:
        cells.append(client.get(part).context["report"].tiles[2].cell)

    found = {}
    for cell in cells:
        if cell.behind:
            found[cell.link] = client.get(cell.link).context["page_of"].paginator.count
            assert found[cell.link] == cell.behind, cell
            assert cell.kind != NUMBER or abs(cell.behind / weeks - cell.value) < 0.2
    assert len(found) >= (1 if by == "team" else 2)
    assert sum(found.values()) > 10


def test_usual_leads_of_a_gap_lead_to_those_of_its_hours():
    world = world_with_a_night()
    for week in range(8):
        world.send(at=datetime(2026, 3, 21, 12, tzinfo=UTC) - timedelta(weeks=week))  # Saturdays at 13:00
        world.send(at=datetime(2026, 3, 21, 3, tzinfo=UTC) - timedelta(weeks=week))  # when somebody is there
    client = reader(world)
    worst = panel(client.get("/reports/coverage/"), "gaps").table.rows[0]

    behind = client.get(worst.cells[1].link)

    assert worst.label == "Sat 28 Mar 06:00 – 22:00"
    assert behind.context["page_of"].paginator.count == 8
    assert "Came in, in the last 56 d, in 16 hours of the week" in behind.text
    for wrong in ("x", "1", "1-x", "1-2,"):
        assert client.get(f"/reports/leads/?hours={wrong}").status_code == 400, wrong


def test_an_hour_of_the_days_to_come_names_who_is_there_net_of_leave():
    world = world_with_a_night()
    client = reader(world, "manager")

    def who(day: str, hour: int):
        rows = panel(client.get("/reports/coverage/"), "calendar").table.rows
        (row,) = [row for row in rows if row.label == day]
        found = panel(client.get(row.cells[hour].link), "who")
        return found, [row.label for row in found.table.rows]

    assert who("Wed 25 Mar", 10)[1] == ["Ana"]
    away, names = who("Thu 2 Apr", 10)
    assert away.title == "Who is there on Thu 2 Apr at 10:00"
    assert names == []
    assert away.action[0] == "Add a shift, Thu 2 Apr 06:00 – 22:00"
    assert client.get(away.action[1]).status_code == 200
    # A day that is past, or none, names nobody.
    for day in ("2026-03-01", "x"):
        page = client.get(f"/reports/coverage/?day={day}&hour=3").context["report"]
        assert "who" not in [each.id for each in page.panels]


def test_one_team_or_language_is_looked_at_alone():
    world = world_with_a_night()
    client = reader(world)
    (link,) = [row.link for row in panel(client.get("/reports/coverage/"), "by").table.rows if row.label == "Night"]

    page = client.get(link)

    assert panel(page, "week").title == "A usual week, Night"
    week = [cell.value for row in panel(page, "week").table.rows for cell in row.cells]
    assert week[:24] == [1] * 6 + [0] * 16 + [1] * 2
    assert panel(page, "gaps").table.rows[1].cells[0].value == 16 * 3_600  # each day between two nights
    assert 'option value="{}" selected'.format(world.workspace.teams.get(slug="night").pk) in page.text
    spanish = client.get("/reports/coverage/?by=language&of=es&weekday=1&hour=10")
    assert [row.label for row in panel(spanish, "who").table.rows] == ["Ana"]
    # What is none is all.
    assert panel(client.get("/reports/coverage/?of=nonsense"), "week").title == "A usual week"


def test_the_number_of_people_leads_to_their_names():
    world = make_world(
        person("ana", languages=["es"], shifts=ALWAYS), person("bo", languages=["es"], shifts=OFFICE),
        person("cy", languages=["fr"]), person("di", languages=["es"], is_active=False),
    )  # fmt: skip
    for role in ("ops", "manager"):
        client = reader(world, role)
        (row,) = [
            row
            for row in panel(client.get("/reports/coverage/?by=language"), "by").table.rows
            if row.label == "Spanish"
        ]
        page = client.get(row.cells[0].link)
        people = panel(page, "people").table.rows

        assert [(each.label, each.cells[0].value) for each in people] == [("Ana", 168), ("Bo", 40)]
        assert row.cells[0].value == len(people)
        for each in people:
            week = client.get(each.link).status_code if each.link else None
            assert week == (200 if role == "manager" else None)
    everybody = reader(world).get("/reports/coverage/?by=language").context["report"]
    assert "people" not in [part.id for part in everybody.panels]


def test_hours_in_which_many_leads_come_to_nobody_stand_out():
    world = world_with_a_night()
    for week in range(8):
        world.send(at=datetime(2026, 3, 21, 12, tzinfo=UTC) - timedelta(weeks=week), country="PT")  # Saturdays at 13:00

    saturday = panel(reader(world).get("/reports/coverage/"), "week").table.rows[5]

    assert [hour for hour, level in enumerate(saturday.strip) if level == "0 none missed"] == [13]
    assert saturday.cells[13].note == "usually 1.1 leads a week"


class TestAddAShift:
    def test_each_gap_leads_to_these_hours_in_the_week_of_whom_one_chooses(self):
        world = world_with_a_night()
        client = reader(world, "manager")
        # Saturday 06:00 to 22:00 in Madrid, an hour less in Lisbon.
        gap = next(row for row in panel(client.get("/reports/coverage/"), "gaps").table.rows if "Sat 28" in row.label)

        chooser = client.get(gap.cells[3].link)

        assert "from Sat 28 Mar, 06:00 to Sat 28 Mar, 22:00" in chooser.text
        people = {row.label: row.cells for row in chooser.context["table"].rows}
        assert list(people) == ["Cy", "Bo", "Ana"]  # who works least comes first
        assert [cells[0].value for cells in people.values()] == [
            "Add Saturday 06:00–22:00", "Add Saturday 05:00–21:00", "Add Saturday 06:00–22:00",
        ]  # fmt: skip
        week = client.get(people["Bo"][0].link)
        assert "Added here, and not saved yet: Saturday 05:00–21:00." in week.text
        assert 'name="hours_5" value="05:00–21:00"' in week.text
        assert 'name="hours_1" value="10:00–12:00"' in week.text
        assert not world.agent("bo").shifts.filter(weekday=5).exists()

        sent = form_of(week.text)
        assert client.post(people["Bo"][0].link.partition("#")[0], sent).status_code == 302
        assert [(s.start_minute, s.end_minute) for s in world.agent("bo").shifts.filter(weekday=5)] == [(300, 1260)]
        again = panel(client.get("/reports/coverage/"), "gaps").table.rows
        assert not any("Sat 28" in row.label for row in again)

    def test_an_hour_of_the_usual_week_leads_to_all_the_hours_around_it(self):
        client = reader(world_with_a_night(), "manager")

        who = panel(client.get("/reports/coverage/?weekday=1&hour=19"), "who")
        assert who.action[0] == "Add a shift, Mon 17:00 – 22:00"
        there = panel(client.get("/reports/coverage/?weekday=1&hour=10"), "who")
        assert there.action[0] == "Add a shift, Mon 10:00 – 11:00"

        people = client.get(there.action[1]).context["table"].rows
        assert [row.label for row in people] == ["Cy", "Bo"]  # Bo is there for a part of it only

    def test_who_is_away_then_comes_last(self):
        client = reader(world_with_a_night(), "manager")
        # Ana has leave from 1 April on, until the noon of the 3rd.
        hours = "opens=2026-04-01T18:00:00Z&closes=2026-04-01T20:00:00Z"

        rows = client.get(f"/reports/shift/?{hours}").context["table"].rows

        assert [(row.label, row.cells[1].value) for row in rows] == [
            ("Cy", "Wednesday: free"), ("Bo", "Wednesday: free"), ("Ana", "Wednesday: 09:00–17:00 · away then"),
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("opens", "closes", "zone", "said"),
        [
            ((2, 22), (3, 8), "UTC", ["0.22:00–08:00"]),
            ((2, 22), (3, 0), "UTC", ["0.22:00–24:00"]),
            ((2, 0), (3, 0), "UTC", ["0.00:00–24:00"]),
            ((6, 20), (9, 8), "UTC", ["4.20:00–24:00", "5.00:00–24:00", "6.00:00–24:00", "0.00:00–08:00"]),
            ((2, 22), (3, 8), "America/New_York", ["0.17:00–03:00"]),
            ((2, 22), (3, 22), "UTC", ["0.22:00–24:00", "1.00:00–22:00"]),
        ],
    )
    def test_hours_are_said_by_the_clock_of_whom_they_are_for(self, opens, closes, zone, said):
        begins, ends = (datetime(2026, 3, day, hour, tzinfo=UTC) for day, hour in (opens, closes))

        found = pieces(begins, ends, zone)

        assert [piece.as_asked for piece in found] == said
        assert [(w.weekday, w.start, w.end) for w in suggested_by(said)] == [(p.weekday, p.start, p.end) for p in found]
        # Whoever works them is there.
        shifts = tuple(ShiftSpec(piece.weekday, piece.start, piece.end) for piece in found)
        there = covered_intervals(Schedule(zone, shifts), start=begins, end=ends, kind=Kind.REGULAR)
        assert there == [(begins, ends)]

    def test_only_who_may_change_shifts_is_led_there(self):
        world = world_with_a_night()
        hours = "opens=2026-04-01T18:00:00Z&closes=2026-04-01T20:00:00Z"

        assert "/reports/shift/" in reader(world, "manager").get("/reports/coverage/?weekday=1&hour=3").text
        ops = reader(world, "ops")
        assert "/reports/shift/" not in ops.get("/reports/coverage/?weekday=1&hour=3").text
        assert ops.get(f"/reports/shift/?{hours}").status_code == 403
        assert "/admin/" not in ops.get("/reports/coverage/").text

    def test_what_are_no_hours_is_refused_with_a_sentence(self):
        client = reader(world_with_a_night(), "manager")
        for query in ("", "opens=x&closes=y", "opens=2026-04-02T18:00:00Z&closes=2026-04-01T20:00:00Z",
                      "opens=2026-04-02T18:00:00Z&closes=2026-05-01T20:00:00Z"):  # fmt: skip
            response = client.get(f"/reports/shift/?{query}")
            assert response.status_code == 400
            assert "Follow a link" in response.text
        assert suggested_by(["9.09:00-10:00", "x", "1.nonsense", "2.10:00-10:00", ""]) == []


def form_of(text: str) -> dict[str, str]:
    """What the page of an agent would send as it stands."""
    found = {}
    for tag in re.findall(r"<input[^>]*>", text):
        given = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        if "name" in given and (given.get("type") not in ("checkbox", "submit") or " checked" in tag):
            found[given["name"]] = unescape(given.get("value", "on" if given.get("type") == "checkbox" else ""))
    for name, options in re.findall(r'<select name="([^"]*)".*?>(.*?)</select>', text, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options)
        found[name] = unescape(chosen[1]) if chosen else ""
    return found


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
