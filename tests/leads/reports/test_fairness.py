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
from leads.reports import fairness, filters
from leads.reports.page import Scope
from leads.speed import days
from routing.engine import U
from routing.engine.tally import Account
from tests.leads.world import ALWAYS, NOON, OFFICE, World, make_world, only, person, rule

pytestmark = [pytest.mark.django_db, pytest.mark.portable]

HOUR = timedelta(hours=1)


def report(world: World, at: datetime, **asked: str) -> Any:
    wanted = filters.read({"from": "2026-03-01", "to": "2026-03-31", **asked}, zone="UTC", zones=(), at=at)
    return fairness.build(Scope(world.workspace, at), wanted)


def panel(found: Any, name: str) -> Any:
    return next(each for each in found.panels if each.id == name)


def rows(found: Any, name: str) -> dict[str, list[Any]]:
    return {row.label: [cell.value for cell in row.cells] for row in panel(found, name).table.rows}


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
        days.rebuild(workspace_id=world.workspace.pk, at=at)
        assert TurnDay.objects.count() > 3
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
        later = report(world, NOON, **{"from": "2026-03-03"})
        assert panel(later, "deviation").chart.band is None

    def test_says_why_somebody_missed_leads(self):
        world = make_world(person("ana"), person("bo", name="João", is_paused=True))
        world.sent(3, channel="form")

        assert rows(report(world, NOON), "missed") == {"João": [3, "3 paused"]}
        assert rows(report(world, NOON), "eligible") == {"Ana": [3, 3, 1.0, 3, 1.0], "João": [3, 0, 0.0, 0, None]}

    def test_the_period_cuts_days_where_it_begins_and_ends(self):
        world = make_world(person("ana"), timezone="Asia/Kolkata")
        for hour in (17, 19):  # 18:30 UTC is midnight there
            world.send(at=datetime(2026, 3, 2, hour, tzinfo=UTC), channel="form")
        days.rebuild(workspace_id=world.workspace.pk, at=NOON + 24 * HOUR)
        wanted = filters.read({"from": "2026-03-02", "to": "2026-03-02"}, zone="Asia/Kolkata", zones=(), at=NOON)

        found = fairness.build(Scope(world.workspace, NOON), wanted)

        assert rows(found, "shares")["Ana"][2] == 1

    def test_shares_above_their_alarm_are_marked(self):
        world = make_world(person("ana", shifts={}), fallback="ana")
        world.send(channel="form")

        found = report(world, NOON)

        cells = {row.label: row.cells for row in panel(found, "outcomes").table.rows}
        assert cells["To the fallback agent"][1].is_bad
        assert not cells["Held"][1].is_bad
