"""Due against received, and why people missed leads: as the engine's own accounts say."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from leads import actions
from leads.models import Decision, TurnDay
from leads.records import turn_from_json
from leads.reports import decisions, fairness, filters
from leads.reports.page import Scope
from leads.speed import days
from leads.templatetags.reports import plain
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
    assert TurnDay.objects.count() > 3
    assert days.changed_since_noted(world.workspace.pk) == set()


def rows(found: Any, name: str) -> dict[str, list[Any]]:
    return {row.label: [cell.value for cell in row.cells] for row in panel(found, name).table.rows}


def those_with(world: World, words: dict[str, str]) -> list[Decision]:
    """The decisions that have these words, one at a time."""
    found = []
    for decision in Decision.objects.select_related("lead").order_by("at", "pk"):
        lead = decision.lead
        has = {
            "channel": lead.channel, "country": lead.country, "source": lead.source,
            "rule": (decision.decision or {}).get("rule") or "",
        }  # fmt: skip
        if all(has.get(name, "") == ("" if word == "-" else word) for name, word in words.items() if name in has):
            found.append(decision)
    return found


def counted_leads(world: World, words: dict[str, str]) -> tuple[int, int]:
    """How many were decided, and given by turns of the team that is asked for."""
    found = those_with(world, words)
    given = [
        decision.decision["ledger"] for decision in found if decision.moved_ledger and decision.given_back != "paid"
    ]
    return (
        sum(decision.trigger in ("intake", "join") for decision in found),
        sum(str(ledger) == words.get("team", str(ledger)) for ledger in given),
    )


def by_hand(world: World, words: dict[str, str]) -> dict[str, list[tuple[str, list[Any]]]]:
    """The tables of the report, in order of their labels, counted one decision at a time."""
    accounts: dict[int, Account] = {}
    asked: Counter[int] = Counter()
    missed: dict[int, Counter[str]] = {}
    got: Counter[tuple[int, bool]] = Counter()
    outcomes: Counter[str] = Counter()
    for decision in those_with(world, words):
        outcomes[decision.outcome] += decision.trigger in ("intake", "join")
        by = decision.decision or {"pools": []}
        last = {agent: verdict for pool in by["pools"] for agent, verdict, _margin in pool[2]}
        could = {agent for agent, verdict in last.items() if verdict in ("chosen", "not_their_turn", "offered")}
        asked.update(last.keys())
        for agent in last.keys() - could:
            missed.setdefault(agent, Counter())[last[agent]] += 1
        if decision.agent_id is not None:
            got[decision.agent_id, decision.agent_id in could] += 1
        if decision.moved_ledger and decision.given_back != "paid":
            accounts.setdefault(by["ledger"], Account()).add(turn_from_json(by["turn"]))
    names = {agent.pk: agent.name for agent in world.workspace.agents.all()}
    wanted_team, wanted_agent = (int(words.get(name, 0)) for name in ("team", "agent"))
    shares = []
    for ledger, account in accounts.items():
        for agent in {*account.due, *account.received}:
            due, received = account.due[agent] / U, account.received[agent]
            row = [
                world.workspace.teams.get(pk=ledger).name, round(due, 2), received, round(received - due, 2),
                received / sum(account.received.values()),
            ]  # fmt: skip
            if wanted_team in (0, ledger) and wanted_agent in (0, agent):
                shares.append((agent, row))
    people = {agent for agent, _row in shares} if wanted_team else {wanted_agent} if wanted_agent else {*names}
    eligible = {}
    for agent in people & {*asked, *(agent for agent, _could in got)}:
        could, taken = asked[agent] - missed.get(agent, Counter()).total(), got[agent, True]
        eligible[names[agent]] = [
            asked[agent], could, could / asked[agent] if asked[agent] else None, taken,
            taken / could if could else None, got[agent, False],
        ]  # fmt: skip
    tables = {
        "eligible": eligible,
        "missed": {
            names[agent]: [
                reasons.total(),
                ", ".join(
                    f"{number} {decisions.REASONS[reason]}"
                    for reason, number in sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
                ),
            ]
            for agent, reasons in missed.items()
            if agent in people
        },
    }
    if not wanted_team and not wanted_agent:
        labels = {"Assigned": "assigned", "To the fallback agent": "fallback", "Held": "held", "Queued": "queued"}
        alarms = {"fallback": fairness.ALARMS["fallback"], "held": 0.25, "queued": 0.5}
        tables["outcomes"] = {
            label: [
                outcomes[name], outcomes[name] / outcomes.total() if outcomes.total() else None, alarms.get(name)
            ]
            for label, name in labels.items()
            if outcomes.total()
        }  # fmt: skip
    found = {name: sorted(of.items()) for name, of in tables.items()}
    return found | {"shares": sorted((names[agent], row) for agent, row in shares)}


class TestParts:
    def test_are_those_decisions_alone_packed_or_not(self):
        world, _leads, at = history(12)
        asked = [
            {"channel": "form"}, {"channel": "whatsapp"}, {"rule": "french"}, {"rule": "-"}, {"country": "ES"},
            {"country": "-"}, {"source": "api"}, {"source": "widget"}, {"country": "ES", "channel": "form"},
            {"country": "ES", "source": "widget"}, {"rule": "french", "country": "-"},
            {"country": "ES", "channel": "form", "rule": "french"},
            {"country": "-", "channel": "whatsapp", "rule": "rest", "source": "api"},
            {"country": "ES", "channel": "form", "agent": str(world.agent("ana").pk)},
            {"country": "ES", "channel": "form", "team": str(world.workspace.teams.get(slug="sales").pk)}, {},
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

        for words, (tiles, tables) in zip(asked, before, strict=True):
            counted = by_hand(world, words)
            assert {name: sorted(tables.get(name, ())) for name in counted} == counted, words
            decided, given = counted_leads(world, words)
            assert tiles.get("Leads decided", decided) == decided, words
            assert tiles.get("By turns", given) == given, words
        found = dict(zip(map(str, asked), before, strict=True))
        assert found[str(asked[6])][0]["Leads decided"] > 0
        three = found[str({"country": "ES", "channel": "form", "rule": "french"})]
        assert 0 < three[0]["By turns"] < found[str({"rule": "french"})][0]["By turns"] < found["{}"][0]["By turns"]
        assert three[1]["missed"]

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

    def test_no_bound_is_drawn_where_a_turn_was_given_back_or_shares_changed(self):
        undone, changed = (make_world(person("ana"), person("bo"), slug=slug) for slug in ("undone", "changed"))
        for world in (undone, changed):
            leads = world.sent(3, channel="form")
        assert panel(report(undone, NOON), "deviation").chart.band is not None
        actions.close(lead=undone.leads()[0], at=NOON, closed_as="spam")
        assert len(leads) == 3
        changed.workspace.teams.get().members.filter(agent__slug="bo").update(weight=2)
        changed.sent(1, channel="form")

        for world in (undone, changed):
            assert panel(report(world, NOON), "deviation").chart.band is None, world.workspace.slug
        assert Decision.objects.filter(given_back="paid").count() == 1

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
    # A share, or what was due, tells how many decisions it is of.
    numbers = [(cell.link, cell.value if cell.behind is None else cell.behind) for cell in cells if cell.link]
    numbers = [(link, number) for link, number in numbers if not link.startswith("#") and number]
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
        client, ana = reader(world), world.agent("ana").pk
        monkeypatch.setattr("leads.reports.views.LEADS_A_PAGE", 40)
        monkeypatch.setattr("django.utils.timezone.now", lambda: at)
        period = f"from=2026-03-01&to={(at + 24 * HOUR).date()}"
        found = client.get(f"/reports/fairness/?{period}").context["report"]
        numbers = linked(found)
        assert len(numbers) > 30
        for words in ("channel=form", "rule=french", "rule=-", "country=-&channel=whatsapp", f"agent={ana}"):
            narrowed = client.get(f"/reports/fairness/?{period}&{words}").context["report"]
            assert narrowed.panels
            numbers += linked(narrowed)
        sample = some_of_each_kind(sorted(set(numbers)), random.Random(11), most=1)
        assert {what for what in decisions.WHAT if f"what={what}&" in str(sample)} == {*decisions.WHAT}
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

    def test_what_was_due_leads_to_the_turns_that_gave_a_part_of_it(self, monkeypatch):
        world, _leads, at = history(13)
        monkeypatch.setattr("django.utils.timezone.now", lambda: at)
        client = reader(world)
        found = client.get(f"/reports/fairness/?from=2026-03-01&to={at.date()}").context["report"]
        seen = 0
        for row in panel(found, "shares").table.rows:
            _team, due, received, difference, _part = row.cells
            number, total, got = 0, 0.0, 0
            for page in count():
                response = client.get(f"{due.link}&page={page + 1}")
                rows = response.context["rows"]
                number += len(rows)
                total += sum(each["part"].value for each in rows)
                got += sum(each["verdict"] == "got it" for each in rows)
                if not response.context["page_of"].has_next():
                    break
            assert (due.link, due.behind) == (difference.link, difference.behind)
            assert (round(total, 2), number, got) == (due.value, due.behind, received.value)
            assert round(received.value - total, 2) == difference.value
            assert plain(due) in response.text  # the whole stands above the parts
            seen += number > 1
        assert seen > 2

    def test_every_figure_leads_to_decisions(self):
        world, _leads, at = history(13)
        for words in ({}, {"agent": str(world.agent("ana").pk)}, {"channel": "form", "country": "ES"}):
            found = report(world, at, **words)
            figures = [(tile.label, tile.cell) for tile in found.tiles]
            figures += [
                (f"{part.id}: {row.label}", cell)
                for part in found.panels
                for row in part.table.rows
                # Alarms are levels that somebody chose.
                for cell in (row.cells[:2] if part.id == "outcomes" else row.cells)
            ]
            assert len(figures) > 20
            unlinked = [
                label for label, cell in figures
                if cell.value and not cell.link and not cell.parts and (cell.kind != "text")
            ]  # fmt: skip
            assert unlinked == [], words

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
