"""The pages of reports: who sees what, that files and links say what the page says, and how little they ask for."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from leads import actions
from leads.models import Lead
from leads.reports.filters import PERIODS
from leads.reports.kinds import KINDS
from leads.reports.page import DURATION, NUMBER, TEXT, Cell, neutral
from leads.reports.speed_api import speed_to_lead
from leads.sla.climbing import climb
from leads.sla.ladder import breach_of
from leads.sla.selectors import in_trouble, overdue
from leads.templatetags.reports import duration, plain, share
from tests.leads.history import live, team
from tests.leads.inbox_cast import client_of
from tests.leads.reports.cast import MINUTE, busy_world, links, reader, sheet, some_of_each_kind, tables
from tests.leads.world import NOON, make_world, person

pytestmark = pytest.mark.django_db

ADDRESSES = {name: "/reports/" if name == "speed" else f"/reports/{name}/" for name in KINDS}
PERIOD = "from=2026-03-01&to=2026-03-05"
# A page costs so many statements at most, however many leads, agents and days there are.
MOST_STATEMENTS = 30


@pytest.fixture(autouse=True)
def _clock(monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: NOON + timedelta(hours=3))


class TestWhoSees:
    def test_ops_managers_and_owners_see_everybody(self):
        world = busy_world()
        for role in ("manager", "owner"):
            assert f">{8}</a>" in reader(world, role).get(f"/reports/?{PERIOD}").text

        for name, address in ADDRESSES.items():
            response = reader(world, "ops").get(f"{address}?{PERIOD}")
            assert response.status_code == 200, name
            assert "Ana" in response.text or name == "coverage", name

    def test_an_agent_sees_their_own_whatever_they_ask_for(self):
        world = busy_world()
        other = world.agent("bo").pk
        client = client_of(world, "ana")

        response = client.get(f"/reports/?{PERIOD}&agent={other}")

        own = Lead.objects.filter(agent__slug="ana").count()
        assert 0 < own < 8
        assert f">{own}</a>" in response.text
        assert "=Bo" not in response.text
        leads = client.get(f"/reports/leads/?{PERIOD}&agent={other}")
        assert "=Bo" not in leads.text
        assert leads.context["page_of"].paginator.count == own

    def test_what_is_about_everybody_is_not_for_agents(self):
        client = client_of(busy_world(), "ana")

        for name, kind in KINDS.items():
            assert client.get(ADDRESSES[name]).status_code == (200 if kind.for_agents else 403), name

    def test_strangers_log_in_first_and_outsiders_are_told_why_not(self):
        world = busy_world()
        stranger = Client().get(f"/reports/sla/?{PERIOD}")
        outsider = reader(make_world(person("cy"), slug="other"), "agent").get("/reports/")

        assert stranger.url.startswith("/reports/login/?next=/reports/sla/")
        assert outsider.status_code == 403
        assert "An owner can change that" in outsider.text
        assert world.workspace.name not in outsider.text

    def test_ops_never_enter_the_admin_from_here(self):
        page = reader(busy_world()).get(f"/reports/leads/?{PERIOD}")

        assert "/admin/" not in page.text


class TestFigures:
    def test_the_page_says_them(self):
        response = reader(busy_world()).get(f"/reports/?{PERIOD}")

        # 1, 2, 4, 8, 16 and 32 minutes, and two that nobody answered.
        tiles = {tile.label: tile.cell.value for tile in response.context["report"].tiles}
        assert tiles["Leads"] == 8
        assert (tiles["Median"], tiles["75th percentile"]) == (6 * 60, 14 * 60)
        assert (tiles["Within 5 min"], tiles["Not answered"]) == (3 / 8, 2)
        assert "6 min" in response.text

    def test_stand_beside_those_of_the_audit_worded_as_it_was_measured(self):
        report = reader(busy_world()).get(f"/reports/?{PERIOD}").context["report"]
        audit = next(panel for panel in report.panels if panel.id == "hbr")

        columns = [tuple(cell.value for cell in row.cells) for row in audit.table.rows]
        assert columns == [(6 / 8, 0.37), (0, 0.16), (0, 0.24), (2 / 8, 0.23), (63 / 6 * 60, 42 * 3_600)]
        assert "2,241 US firms" in audit.note
        assert "42 hours, is of those that answered within 30 days" in audit.note
        assert "78" not in audit.note

    def test_are_written_to_the_nearest(self):
        assert [share(part) for part in (389 / 1891, 1502 / 1891, 0.0004, 0.00051, None)] == [
            "20.6 %", "79.4 %", "0.0 %", "0.1 %", "–",
        ]  # fmt: skip
        assert plain(Cell(2.679, NUMBER)) == "2.68"
        assert [duration(seconds) for seconds in (0.46, 59.6, 3_599.7)] == ["0.5 s", "1 min", "1 h"]

    def test_the_covered_clock_counts_covered_hours_only(self):
        world = busy_world()
        Lead.objects.filter(first_response_at__isnull=False).update(covered_response_us=5_000_000)

        response = reader(world).get(f"/reports/?{PERIOD}&clock=covered")

        assert {tile.label: tile.cell.value for tile in response.context["report"].tiles}["Median"] == 5.0

    def test_compared_with_before_each_says_how_it_changed(self):
        response = reader(busy_world()).get("/reports/?from=2026-03-02&to=2026-03-02&compare=1")

        assert "was 0" in response.text

    def test_a_breach_is_the_same_in_the_report_and_on_the_lead(self):
        world = busy_world()
        climb(at=timezone.now())
        response = reader(world).get(f"/reports/sla/?{PERIOD}")

        late = [lead for lead in world.leads() if breach_of(lead, at=timezone.now()) is not None]
        tiles = {tile.label: tile.cell.value for tile in response.context["report"].tiles}
        assert "/admin/" not in response.text
        assert (
            f"/admin/leads/lead/{world.leads()[-1].pk}/" in reader(world, "manager").get(f"/reports/sla/?{PERIOD}").text
        )
        assert tiles["Not in time"] == len(late) == 4
        assert [lead.breached_at for lead in late if lead.breached_at is None] == []
        assert tiles["Promises"] == 8
        assert tiles["Open and overdue"] == 2

    def test_who_is_overdue_is_so_by_the_deadline_everywhere_whether_or_not_the_sweep_came_by(self):
        world = busy_world()
        at = timezone.now()
        for channel, unconfirmed_at in (("whatsapp", NOON + timedelta(hours=1)), ("form", None)):
            late = world.lead(world.send(at=NOON, channel=channel))
            # After a click that nobody confirmed, nobody waits.
            Lead.objects.filter(pk=late.pk).update(unconfirmed_at=unconfirmed_at)
        world.send(at=at, channel="form")  # not yet
        assert not Lead.objects.filter(breached_at__isnull=False, first_response_at=None).exists()
        client = reader(world, "manager")

        sla, board = (client.get(f"{ADDRESSES[name]}?{PERIOD}").context["report"] for name in ("sla", "board"))
        (sla_tile,) = [tile.cell for tile in sla.tiles if tile.label == "Open and overdue"]
        (board_tile,) = [tile.cell for tile in board.tiles if tile.label == "Overdue"]
        oldest, waiting = (panel for panel in (*sla.panels, *board.panels) if panel.id in ("oldest", "waiting"))
        figures = speed_to_lead(
            workspace=world.workspace, start=NOON, end=at + MINUTE, group_by=None, clock="wall", at=at
        )
        listed = client.get("/admin/leads/lead/?attention=overdue").context["cl"].result_list

        assert {
            "the tile": sla_tile.value,
            "behind the tile": client.get(sla_tile.link).context["page_of"].paginator.count,
            "the oldest": len(oldest.table.rows),
            "the board": board_tile.value,
            "behind the board": client.get(board_tile.link).context["page_of"].paginator.count,
            "of who waits": sum(row.cells[1].value is not None for row in waiting.table.rows),
            "by API": figures["overdue"],
            "in the administration": len(listed),
            "said of them": sum(str(lead.state) == "Overdue" for lead in listed),
            "who waits": len(waiting.table.rows) - 1,  # one of them in time
            "the selector": overdue(workspace=world.workspace, at=at).count(),
            "in trouble": in_trouble(workspace=world.workspace, at=at).count(),
        } == dict.fromkeys(
            [
                "the tile", "behind the tile", "the oldest", "the board", "behind the board", "of who waits", "by API",
                "in the administration", "said of them", "who waits", "the selector", "in trouble",
            ],
            3,
        )  # fmt: skip
        assert [row.label for row in oldest.table.rows] == [
            lead.reference for lead in overdue(workspace=world.workspace, at=at)
        ]

    def test_the_oldest_are_narrowed_as_the_figures_are(self):
        world = busy_world()
        client = reader(world)

        for words in ("channel=form", "channel=whatsapp", f"agent={world.agent('ana').pk}", "rule=-", "team=0"):
            report = client.get(f"/reports/sla/?{PERIOD}&{words}").context["report"]
            (late,) = [tile.cell.value for tile in report.tiles if tile.label == "Open and overdue"]
            oldest = [panel for panel in report.panels if panel.id == "oldest"]
            assert late == sum(len(panel.table.rows) for panel in oldest), words
        later = client.get("/reports/sla/?from=2026-03-03&to=2026-03-05").context["report"]
        assert [(panel.id, len(panel.table.rows)) for panel in later.panels] == [("oldest", 2)]

    def test_files_hold_what_the_pages_show(self):
        client = reader(busy_world())
        for address in ADDRESSES.values():
            page = client.get(f"{address}?{PERIOD}")
            response = client.get(f"{address}?{PERIOD}&format=csv")
            assert response["Content-Type"] == "text/csv; charset=utf-8"
            assert_same(page.context["report"], sheet(response.content))

    def test_a_cell_that_looks_like_a_formula_is_none_in_the_file(self):
        text = reader(busy_world()).get(f"/reports/?{PERIOD}&format=csv").content.decode()

        assert "\r\n'=Bo," in text
        assert "\r\n=Bo" not in text
        assert [neutral(c) for c in ("=1", "+1", "-1", "@a", "\ta", "\ra", "a=", -1, "")] == [
            "'=1", "'+1", "'-1", "'@a", "'\ta", "'\ra", "a=", -1, "",
        ]  # fmt: skip


def assert_same(report, written):
    """The file has the page's tables, and its figures read as the page's."""
    for panel in report.panels:
        if not panel.table.rows:
            continue
        start = written.index([panel.title]) + 1
        assert written[start] == [neutral(column) for column in panel.table.columns]
        for row, line in zip(panel.table.rows, written[start + 1 :], strict=False):
            for cell, text in zip(row.cells, line[1:], strict=True):
                shown = {"duration": duration, "share": share}.get(cell.kind)
                if shown and text:
                    assert shown(float(text)) == shown(cell.value), (panel.title, row.label)
                elif cell.kind == "count" and text:
                    assert int(text) == cell.value


class TestLinks:
    def test_lead_to_as_many_leads_as_the_number_says_today_and_later(self, monkeypatch):
        world = busy_world()
        client = reader(world)
        found = []
        for name in ("speed", "sla", "outcomes"):
            found += links(client.get(f"{ADDRESSES[name]}?{PERIOD}").text)
        assert len(found) > 40

        # Meanwhile the rest is answered, and more come in.
        for lead in world.leads()[6:]:
            actions.respond(lead=lead, at=NOON + timedelta(hours=4))
        world.send(at=NOON + timedelta(hours=4))
        monkeypatch.setattr(timezone, "now", lambda: NOON + timedelta(hours=5))
        wrong = {}
        for address, text in dict(found).items():
            if text.replace(",", "").isdecimal():
                count = client.get(address).context["page_of"].paginator.count
                if count != int(text):
                    wrong[address] = (text, count)

        assert wrong == {}

    @pytest.mark.parametrize("seed", [pytest.param(6, marks=pytest.mark.portable), 7])
    def test_lead_to_as_many_from_every_number_of_every_page_whatever_happened_since(self, seed, monkeypatch):
        ladder = {"remind_at": ["50%"], "reroute_after": "10m", "max_reroutes": 2, "escalate_after": "15m"}
        world = team(ladder)
        dice = random.Random(seed)
        at = live(world, dice, datetime(2026, 3, 28, 8, tzinfo=UTC), steps=70)
        monkeypatch.setattr(timezone, "now", lambda: at)
        monkeypatch.setattr("leads.reports.views.LEADS_A_PAGE", 2)  # they are counted, not read
        client, period = reader(world), "from=2026-03-27&to=2026-04-20"
        found = {}
        for name in ("speed", "sla", "outcomes", "board"):
            for clock in ("wall", "covered", "wall&rule=french", f"wall&team={world.workspace.teams.all()[0].pk}"):
                for address, text in links(client.get(f"{ADDRESSES[name]}?{period}&clock={clock}").text):
                    told = dict(parse_qsl(address)).get("n")
                    assert told or not text.replace(",", "").isdecimal(), address
                    if told:  # shares and percentiles, too: they tell of how many leads they are
                        found[address] = int(told)
        asked_for = {dict(parse_qsl(address))["what"] for address in found}
        assert {"reminded", "reassigned", "escalated", "waiting", "open", "unclosed", "clicks", "all"} <= asked_for

        later = live(world, dice, at + timedelta(microseconds=1), steps=25, acts=["answer", "move", "close"])
        monkeypatch.setattr(timezone, "now", lambda: later)
        wrong = {}
        for address, number in some_of_each_kind(found.items(), dice, most=1):
            page = client.get(address)
            if page.context["page_of"].paginator.count != number:
                wrong[address] = (number, page.context["page_of"].paginator.count)

        assert wrong == {}

    @pytest.mark.parametrize("role", ["manager", "ops"])
    def test_every_figure_is_one(self, role):
        world = busy_world()
        client = reader(world, role)
        team = world.workspace.teams.get().pk
        for name, more in (
            ("speed", ""), ("sla", ""), ("fairness", ""), ("outcomes", ""), ("board", ""), ("coverage", f"&of={team}"),
        ):  # fmt: skip
            report = client.get(f"{ADDRESSES[name]}?{PERIOD}{more}").context["report"]
            figures = [(tile.label, tile.cell) for tile in report.tiles]
            for panel in report.panels:
                for row in panel.table.rows:
                    # What others counted and where alarms stand, which the panels say; and lengths of time.
                    shown = {"hbr": 1, "outcomes": 2}.get(panel.id, len(row.cells))
                    cells = () if panel.id in ("waiting", "oldest", "people") else row.cells[:shown]
                    figures += [
                        (f"{panel.id}: {row.label}", cell)
                        for cell in cells
                        if cell.kind != TEXT and (panel.id != "gaps" or cell.kind != DURATION)
                    ]
                    if panel.id in ("waiting", "oldest"):
                        assert row.link, (panel.id, role)
                        if role == "ops":
                            (listed,) = client.get(row.link).context["page_of"]
                            assert listed.reference == row.label
            assert len(figures) > 5
            assert [label for label, cell in figures if cell.value and not (cell.link or cell.parts)] == [], name

    def test_who_finds_another_number_is_told_so(self):
        client = reader(busy_world())

        assert "It was 5 when" in client.get(f"/reports/leads/?{PERIOD}&what=answered&n=5").text
        for told in ("6", "x", ""):
            assert (
                "when the figure was taken" not in client.get(f"/reports/leads/?{PERIOD}&what=answered&n={told}").text
            )

    def test_lists_are_not_compiled_by_the_database(self):
        client = reader(busy_world())
        for name in ("leads", "decisions"):
            with CaptureQueriesContext(connection) as captured:
                client.get(f"/reports/{name}/?{PERIOD}")
            asked = [query["sql"] for query in captured]
            begins = next(place for place, sql in enumerate(asked) if "jit = off" in sql)
            assert [sql for sql in asked[:begins] if "leads_lead" in sql or "leads_decision" in sql] == []

    def test_the_list_says_how_each_was_answered_then(self):
        response = reader(busy_world()).get(f"/reports/leads/?{PERIOD}&what=answered&over=300&most=900")

        (rows,) = tables(response.text)
        assert [row[2] for row in rows[1:]] == ["8 min"]
        assert "in more than 5 min" in response.text


NO_REPORTS = {
    "from=2026-03-05&to=2026-03-01": "before it begins",
    "from=yesterday": "is no date",
    "from=1999-01-01&to=2026-01-01": "longer than two years",
    "period=ages": "is no period",
    "zone=Mars/Olympus": "is no zone",
    "clock=sun": "is no clock",
    "agent=99999999": "There is no such agent",
    "team=x": "is not on the list",
}


class TestAsking:
    def test_what_makes_no_report_is_refused_with_a_sentence_and_kept(self):
        client = reader(make_world(person("ana")))
        for query, said in NO_REPORTS.items():
            response = client.get(f"/reports/?{query}")
            assert response.status_code == 400
            assert said in response.text
            assert response.text.count("<h1>") == 1
            assert 'id="f-period"' in response.text

    def test_a_link_that_is_none_is_refused_with_a_sentence(self):
        client = reader(make_world(person("ana")))
        for query in ("what=nothing", "at=noon", "over=-1", "weekday=x", "hour=²"):
            response = client.get(f"/reports/leads/?{query}")
            assert response.status_code == 400, query
            assert response.text.count("<h1>") == 1

    def test_htmx_gets_the_part_that_changes_and_the_whole_page_when_it_goes_back(self):
        client = reader(make_world(person("ana")))
        asks = {"HX-Request": "true"}

        part = client.get(f"/reports/?{PERIOD}", headers=asks)
        refused = client.get("/reports/?period=ages", headers=asks)
        whole = client.get(f"/reports/?{PERIOD}", headers={**asks, "HX-History-Restore-Request": "true"})

        assert part.text.lstrip().startswith('<div id="report">')
        assert 'hx-swap-oob="true"' in part.text  # the other reports of the same period
        assert (refused.status_code, "<html" in refused.text) == (400, False)
        assert "<html" in whole.text

    def test_every_period_is_one(self):
        client = reader(make_world(person("ana")))
        for period in PERIODS:
            assert client.get(f"/reports/?period={period}").status_code == 200, period

    def test_the_days_are_those_of_the_zone(self):
        world = busy_world(timezone="Pacific/Auckland")  # noon UTC is past midnight there
        client = reader(world)

        def leads(query: str) -> int:
            report = client.get(f"/reports/?{query}").context["report"]
            return report.tiles[0].cell.value

        assert leads("from=2026-03-02&to=2026-03-02") == 0
        assert leads("from=2026-03-03&to=2026-03-03") == 8
        assert leads("from=2026-03-02&to=2026-03-02&zone=UTC") == 8


class TestFewLeads:
    def test_pages_without_any_lead_say_so(self):
        client = reader(make_world(person("ana")))
        for address in ADDRESSES.values():
            response = client.get(address)
            assert response.status_code == 200, address
            assert not response.context["report"].panels or address in ("/reports/coverage/", "/reports/board/")

    def test_pages_of_one_lead_are_whole(self):
        world = make_world(person("ana"))
        world.send(at=NOON)
        client = reader(world)
        for address in ADDRESSES.values():
            response = client.get(f"{address}?{PERIOD}")
            assert response.status_code == 200, address
            assert ">nan" not in response.text
            assert "Infinity" not in response.text


def test_a_page_costs_a_fixed_number_of_statements():
    world = busy_world()
    client = reader(world)

    def statements(address: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(f"{address}?{PERIOD}&compare=1").status_code == 200
        return len(captured)

    for address in ADDRESSES.values():
        statements(address)  # snapshots are compiled once
    before = {address: statements(address) for address in ADDRESSES.values()}
    for place in range(6):
        world.send(at=NOON + place * MINUTE, country="FR", channel="telegram")
    after = {address: statements(address) for address in ADDRESSES.values()}

    assert after == before
    assert max(before.values()) <= MOST_STATEMENTS
