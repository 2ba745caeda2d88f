"""Due against received, and why people missed leads: as the engine's own accounts say."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from leads import actions
from leads.models import Decision, TurnDay
from leads.records import turn_from_json
from leads.reports import fairness, filters, turns
from leads.reports.page import Scope
from leads.speed import days
from routing.engine import U
from routing.engine.tally import Account
from tests.leads.inbox_cast import client_of
from tests.leads.reports.cast import reader, some_of_each_kind
from tests.leads.world import ALWAYS, NOON, OFFICE, World, make_world, only, person, rule

pytestmark = [pytest.mark.django_db, pytest.mark.portable]

HOUR = timedelta(hours=1)


def report(world: World, at: datetime, **asked: str) -> Any:
    wanted = filters.read({"from": "2026-03-01", "to": "2026-03-31", **asked}, zone="UTC", zones=(), at=at)
    return fairness.build(Scope(world.workspace, at), wanted)


def panel(found: Any, name: str) -> Any:
    return next(each for each in found.panels if each.id == name)


def pack(world: World, at: datetime) -> None:
    """So that whoever reads finds every day packed."""
    days.note_changes(at=at)
    days.rebuild(workspace_id=world.workspace.pk, at=at)
    assert TurnDay.objects.filter(part="").count() > 3
    assert days.changed_since_noted(world.workspace.pk) == set()


def rows(found: Any, name: str) -> dict[str, list[Any]]:
    return {row.label: [cell.value for cell in row.cells] for row in panel(found, name).table.rows}


class TestParts:
    def test_are_those_decisions_alone_packed_or_not(self):
        world, _leads, at = history(12)
        asked = [
            {"channel": "form"}, {"channel": "whatsapp"}, {"rule": "french"}, {"rule": "-"}, {"country": "ES"},
            {"country": "-"}, {"source": "api"}, {"source": "widget"}, {"country": "ES", "channel": "form"},
        ]  # fmt: skip

        def look() -> list[Any]:
            found = []
            for words in asked:
                report_ = report(world, at, **words)
                tiles = {tile.label: tile.cell.value for tile in report_.tiles}
                tables = {
                    each.id: [(r.label, [c.value for c in r.cells]) for r in each.table.rows] for each in report_.panels
                }
                found.append((tiles, tables))
            return found

        before = look()
        pack(world, at)
        assert look() == before

        whole = {tile.label: tile.cell.value for tile in report(world, at).tiles}
        for words, (tiles, _tables) in zip(asked, before, strict=True):
            decided = given = 0
            for decision in Decision.objects.select_related("lead"):
                lead, by = decision.lead, decision.decision or {}
                has = {
                    "channel": lead.channel,
                    "country": lead.country,
                    "source": lead.source,
                    "rule": by.get("rule") or "",
                }
                if all(has[name] == ("" if word == "-" else word) for name, word in words.items()):
                    decided += decision.trigger in ("intake", "join")
                    given += decision.moved_ledger and decision.given_back != "paid"
            assert (tiles["Leads decided"], tiles["By turns"]) == (decided, given), words
        assert before[7][0]["Leads decided"] == 0
        assert 0 < before[2][0]["By turns"] < whole["By turns"]

    def test_have_no_bound_for_turns_come_out_even_over_all_leads_only(self):
        world = make_world(person("ana"), person("bo"))
        world.sent(5, channel="form")

        found = report(world, NOON, channel="form")

        assert panel(found, "deviation").chart.band is None
        assert "a part of the leads" in panel(found, "deviation").note

    def test_how_leads_were_decided_is_said_of_a_channel_and_of_no_team(self):
        world = make_world(person("ana"))
        world.send(channel="form")
        team = str(world.workspace.teams.get().pk)

        assert rows(report(world, NOON, channel="form"), "outcomes")["Assigned"][0] == 1
        assert "outcomes" not in [each.id for each in report(world, NOON, team=team).panels]


def test_compared_with_before_each_figure_says_what_it_was():
    world = make_world(person("ana"), person("bo", is_paused=True), fallback="bo")
    world.sent(3, channel="form", at=NOON)
    world.sent(2, channel="form", at=NOON + 24 * HOUR)

    found = report(world, NOON + 24 * HOUR, **{"from": "2026-03-03", "to": "2026-03-03", "compare": "1"})

    assert {tile.label: (tile.cell.value, tile.before.value) for tile in found.tiles} == {
        "Leads decided": (2, 3), "By turns": (2, 3), "Furthest from a share": (0.0, 0.0), "To the fallback": (0.0, 0.0),
        "Held": (0.0, 0.0), "Queued": (0.0, 0.0),
    }  # fmt: skip


class TestDueAndReceived:
    def test_are_what_a_slow_account_of_the_stored_turns_says_packed_or_not(self):
        dice = random.Random(7)
        world = make_world(
            person("ana", shifts=OFFICE),
            person("bo", shifts=ALWAYS),
            person("cy", shifts=ALWAYS, languages=["fr"]),
            teams={"sales": [("ana", 3), "bo", ("cy", 2)]},
            rules=[
                rule("french", when=only("language", "fr"), require=["language"]),
                rule("rest"),
            ],
        )
        at = NOON
        for _lead in range(40):
            at += dice.choice([HOUR / 4, HOUR, 5 * HOUR])
            lead = world.lead(world.send(at=at, channel="form", language=dice.choice(["fr", "en"])))
            if dice.random() < 0.2:
                actions.close(lead=lead, at=at + HOUR / 8, closed_as="spam")
        account = Account()
        missed: dict[str, Counter[str]] = {}
        for decision in Decision.objects.order_by("at", "pk"):
            if decision.moved_ledger and decision.given_back != "paid":
                account.add(turn_from_json(decision.decision["turn"]))
            last = {agent: verdict for pool in decision.decision["pools"] for agent, verdict, _m in pool[2]}
            for agent, verdict in last.items():
                if verdict not in ("chosen", "not_their_turn"):
                    missed.setdefault(world.workspace.agents.get(pk=agent).name, Counter())[verdict] += 1

        before = report(world, at)
        pack(world, at)
        after = report(world, at)

        for found in (before, after):
            said = rows(found, "shares")
            for agent in world.workspace.agents.all():
                due, got = account.due[agent.pk] / U, account.received[agent.pk]
                assert said[agent.name][1:4] == [round(due, 2), got, round(got - due, 2)]
            assert {name: values[0] for name, values in rows(found, "missed").items()} == {
                name: reasons.total() for name, reasons in missed.items()
            }
            assert "No bound is drawn" in panel(found, "deviation").note  # a turn was given back, and takers changed
        assert Decision.objects.filter(given_back="paid").exists()

    def test_the_bound_is_drawn_where_the_ledger_started_even_and_the_takers_did_not_change(self):
        world = make_world(person("ana"), person("bo"))
        world.sent(5, channel="form")

        found = report(world, NOON)

        assert panel(found, "deviation").chart.band is not None
        assert "less than one lead from their share" in panel(found, "deviation").note

        # From the sixth lead on the ledger does not start even.
        world.sent(1, channel="form", at=NOON + 24 * HOUR)
        later = report(world, NOON + 24 * HOUR, **{"from": "2026-03-03"})
        assert panel(later, "deviation").chart.band is None

    def test_says_why_somebody_missed_leads(self):
        world = make_world(person("ana"), person("bo", name="João", is_paused=True))
        world.sent(3, channel="form")

        assert rows(report(world, NOON), "missed") == {"João": [3, "3 paused"]}
        assert rows(report(world, NOON), "eligible") == {"Ana": [3, 3, 1.0, 3, 1.0, 0], "João": [3, 0, 0.0, 0, None, 0]}

    def test_leads_got_by_hand_are_counted_apart(self):
        world = make_world(person("ana"), person("bo", is_paused=True))
        lead = world.lead(world.send(channel="form"))
        actions.reassign(lead=lead, at=NOON, to=world.agent("bo"))

        assert rows(report(world, NOON), "eligible") == {"Ana": [1, 1, 1.0, 1, 1.0, 0], "Bo": [1, 0, 0.0, 0, None, 1]}

    def test_the_period_cuts_days_where_it_begins_and_ends(self):
        world = make_world(person("ana"), timezone="Asia/Kolkata")
        for hour in (17, 19):  # 18:30 UTC is midnight there
            world.send(at=datetime(2026, 3, 2, hour, tzinfo=UTC), channel="form")
        days.rebuild(workspace_id=world.workspace.pk, at=NOON + 24 * HOUR)
        wanted = filters.read({"from": "2026-03-02", "to": "2026-03-02"}, zone="Asia/Kolkata", zones=(), at=NOON)

        found = fairness.build(Scope(world.workspace, NOON + 24 * HOUR), wanted)

        assert rows(found, "shares")["Ana"][2] == 1

    def test_shares_above_their_alarm_are_marked(self):
        world = make_world(person("ana", shifts={}), fallback="ana")
        world.send(channel="form")

        found = report(world, NOON)

        cells = {row.label: row.cells for row in panel(found, "outcomes").table.rows}
        assert cells["To the fallback agent"][1].is_bad
        assert not cells["Held"][1].is_bad


def linked(found: Any) -> list[tuple[str, int]]:
    """(address, number) of every number on the page that leads to decisions."""
    cells = [tile.cell for tile in found.tiles]
    cells += [cell for part in found.panels for row in part.table.rows for cell in row.cells]
    numbers = [(cell.link, cell.value) for cell in cells if cell.link and cell.kind == "count"]
    words = [part for cell in cells for part in cell.parts]
    return numbers + [(link, int(text.split()[0])) for text, link in words]


def as_listed(client: Any, address: str) -> tuple[int, list[Any]]:
    """How many decisions a link says there are, and the rows of all its pages."""
    response = client.get(address)
    pages, rows = response.context["page_of"].paginator, list(response.context["rows"])
    for number in pages.page_range[1:]:
        rows += client.get(f"{address}&page={number}").context["rows"]
    return pages.count, [row["decision"].pk for row in rows]


def history(seed: int) -> tuple[World, list[Any], datetime]:
    """Leads of three rules by two channels, held, given to the fallback, given back, and moved by hand."""
    dice = random.Random(seed)
    world = make_world(
        person("ana"),
        person("bo", is_paused=True),
        person("cy", shifts=OFFICE, languages=["fr"]),
        person("di", shifts=OFFICE),
        teams={"sales": [("ana", 3), "bo", ("cy", 2)], "rest": ["di", "ana"]},
        rules=[
            rule("french", when=only("language", "fr"), require=["language"], if_nobody="hold"),
            rule("whatsapp", "rest", when=only("channel", "whatsapp")),
            rule("rest", if_nobody="fallback"),
        ],
        fallback="di",
    )
    at, leads = NOON, []
    for _lead in range(80):
        at += dice.choice([HOUR / 4, HOUR / 2, 3 * HOUR])
        world.release(at)
        channel, language = dice.choice(["form", "whatsapp"]), dice.choice(["fr", "en"])
        leads.append(
            world.send(
                at=at,
                channel=channel,
                language=language,
                country=dice.choice(["ES", ""]),
                email=dice.choice(["", "", "a@b.test"]),
            )
        )
        if dice.random() < 0.2:
            actions.close(lead=world.lead(leads[-1]), at=at, closed_as="spam")
        if dice.random() < 0.1:
            by_hand = world.lead(dice.choice(leads))
            if by_hand.status != "closed":
                actions.reassign(lead=by_hand, to=world.agent("di"), at=at)
    return world, leads, at


class TestWhatIsBehindANumber:
    def test_are_as_many_decisions_packed_or_not_today_and_later(self, monkeypatch):
        world, leads, at = history(11)
        client = reader(world)
        monkeypatch.setattr("leads.reports.views.LEADS_A_PAGE", 40)
        monkeypatch.setattr("django.utils.timezone.now", lambda: at)
        period = f"from=2026-03-01&to={(at + 24 * HOUR).date()}"
        found = client.get(f"/reports/fairness/?{period}").context["report"]
        numbers = linked(found)
        assert len(numbers) > 30
        for words in ("channel=form", "rule=french", "rule=-", "country=-&channel=whatsapp"):
            narrowed = client.get(f"/reports/fairness/?{period}&{words}").context["report"]
            assert narrowed.panels
            numbers += linked(narrowed)
        sample = some_of_each_kind(sorted(set(numbers)), random.Random(11), most=2)
        assert {what for what in turns.WHAT if f"what={what}&" in str(sample)} == {*turns.WHAT}
        assert Decision.objects.filter(given_back="paid").exists()
        assert Decision.objects.filter(trigger="release").exists()

        def wrong() -> dict[str, Any]:
            found = {}
            for address, number in sample:
                count, rows = as_listed(client, address)
                if not count == number == len(rows) == len(set(rows)):
                    found[address] = (number, count, len(rows))
            return found

        assert wrong() == {}
        pack(world, at)
        assert wrong() == {}

        # Meanwhile turns are given back, and more leads come; the links say what they said.
        later = at + 5 * HOUR
        for lead in leads[::3]:
            row = world.lead(lead)
            if row.status != "closed":
                actions.close(lead=row, at=later, closed_as="spam")
        world.send(at=later, channel="whatsapp")
        pack(world, later)
        monkeypatch.setattr("django.utils.timezone.now", lambda: later + HOUR)
        now = client.get(f"/reports/fairness/?{period}").context["report"]
        assert [tile.cell.value for tile in now.tiles[:2]] != [tile.cell.value for tile in found.tiles[:2]]
        assert Decision.objects.filter(given_back="paid", given_back_at=later).exists()
        assert wrong() == {}

    def test_a_lead_that_was_decided_twice_stands_there_twice(self):
        world = make_world(person("ana", shifts=OFFICE), rules=[rule("everything", if_nobody="hold")])
        world.send(at=NOON + 10 * HOUR, channel="form")
        world.release(NOON + 21 * HOUR)

        page = reader(world).get(
            "/reports/decisions/?from=2026-03-01&to=2026-03-05&what=asked&agent={}".format(world.agent("ana").pk)
        )

        assert page.context["page_of"].paginator.count == 2
        assert [row["verdict"] for row in page.context["rows"]] == ["got it", "off shift"]

    def test_agents_see_what_is_about_them_and_not_whose_leads_others_got(self):
        world = make_world(person("ana"), person("bo"))
        for number in range(4):
            world.send(channel="form", name=f"Visitor {number}", at=NOON + number * HOUR)
        client = client_of(world, "ana")
        period = "from=2026-03-01&to=2026-03-05"

        page = client.get(f"/reports/fairness/?{period}")
        asked = client.get(f"/reports/decisions/?{period}&what=asked&agent={world.agent('bo').pk}")

        assert "/reports/decisions/" in page.text
        assert asked.context["page_of"].paginator.count == 4
        assert {row["verdict"] for row in asked.context["rows"]} == {"got it", "not their turn"}
        own = [lead.name for lead in world.leads() if lead.agent.slug == "ana"]
        assert [f"Visitor {number}" in asked.text for number in range(4)] == [
            f"Visitor {number}" in own for number in range(4)
        ]
        assert "Bo" not in asked.text
        for what in ("decided", "turns"):
            assert client.get(f"/reports/decisions/?{period}&what={what}").status_code == 400

    def test_a_link_that_is_none_is_refused_with_a_sentence(self):
        client = reader(make_world(person("ana")))
        for query in ("what=nothing", "what=missed", "at=noon", "outcome=x", "what=decided&reason=%27%25", "team=x"):
            response = client.get(f"/reports/decisions/?{query}")
            assert response.status_code == 400, query
            assert "Follow a link" in response.text or "Choose" in response.text
