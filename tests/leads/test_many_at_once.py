"""Many at once, on PostgreSQL: threads with connections of their own, and committed transactions."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import OperationalError, connection, transaction

from agents.models import Team, TeamMember
from agents.roster import one_change
from leads import actions, idempotency, outbox
from leads import together as leads_together
from leads.contention import is_lock_timeout
from leads.holds import release_held
from leads.intake import IdempotencyBusy, IdempotencyConflict
from leads.models import Assignment, Decision, Lead, Outbox, Person
from routing.models import Ledger, Load
from routing.snapshots import snapshot
from tests.leads.world import MORNING, NIGHT, NOON, OFFICE, World, make_world, only, person, rule

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

WORKERS = 8


@pytest.fixture(autouse=True)
def _nothing_fails_silently(caplog):
    yield
    assert [record.getMessage() for record in caplog.get_records("call") if record.levelno >= logging.ERROR] == []


def at_once(calls: Iterable[Callable[[], Any]], *, workers: int = WORKERS) -> list[Any]:
    """Run these in threads, each with its own connection. Returns what each gave, in order; raises what one raised."""

    def run(call: Callable[[], Any]) -> Any:
        try:
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(run, calls))


def together(calls: list[Callable[[], Any]]) -> list[Any]:
    """Run these in as many threads, let go at one moment."""
    gate = threading.Barrier(len(calls))

    def gated(call: Callable[[], Any]) -> Callable[[], Any]:
        def run() -> Any:
            connection.ensure_connection()
            gate.wait()
            return call()

        return run

    return at_once([gated(call) for call in calls], workers=len(calls))


def be_impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long for what somebody else holds."""
    patience = f"{idempotency.PATIENCE_S}s"
    assert patience in idempotency._CLAIM_POSTGRESQL
    monkeypatch.setattr(idempotency, "_CLAIM_POSTGRESQL", idempotency._CLAIM_POSTGRESQL.replace(patience, "100ms"))
    monkeypatch.setattr(leads_together, "LOCK_TIMEOUT", b"100ms")


def everything_adds_up(world: World) -> None:
    """Every lead with an agent has one open assignment, loads count them, and credits sum to zero."""
    leads = Lead.objects.for_workspace(world.workspace)
    open_assignments = Assignment.objects.open().filter(workspace=world.workspace)
    assert leads.filter(agent__isnull=False).exclude(status="closed").count() == open_assignments.count()
    carried = Counter(open_assignments.values_list("agent_id", flat=True))
    for load in Load.objects.for_workspace(world.workspace):
        assert load.open == carried[load.agent_id]
    for ledger in Ledger.objects.for_workspace(world.workspace):
        assert sum(entry.credit for entry in ledger.standing.entries.values()) == 0
        moved = Decision.objects.filter(workspace=world.workspace, moved_ledger=True, decision__ledger=ledger.team_id)
        assert ledger.turns == moved.count()


class TestTurns:
    def test_of_five_agents_are_equal_after_leads_from_eight_workers(self):
        world = make_world(*map(person, "abcde"))
        door = world.door()

        answers = at_once([lambda: world.send(door=door)] * 200)

        assert Counter(map(world.who, answers)) == dict.fromkeys("abcde", 40)
        assert len({answer.lead_id for answer in answers}) == 200
        everything_adds_up(world)

    def test_go_to_five_different_agents_in_every_burst_of_five(self):
        world = make_world(*map(person, "abcde"))
        door = world.door()

        with ThreadPoolExecutor(5) as pool:
            gate = threading.Barrier(5)

            def send(_number: int) -> str | None:
                gate.wait()
                return world.who(world.send(door=door))

            bursts = [set(pool.map(send, range(5))) for _ in range(25)]
            list(pool.map(lambda _: (gate.wait(), connection.close()), range(5)))

        assert all(burst == set("abcde") for burst in bursts)

    def test_of_a_brand_new_team_differ_by_one_lead_at_most(self):
        people = [person(f"a{number}") for number in range(3)]
        teams = {f"t{number}": ["a0", "a1", "a2"] for number in range(10)}
        world = make_world(*people, teams=teams, rules=[rule("everything", "t0")])
        for number in range(10):
            world.publish(rule("everything", f"t{number}"))
            door = world.door()

            got = Counter(map(world.who, together([lambda door=door: world.send(door=door)] * 8)))

            assert sorted(got.values()) == [2, 3, 3]

    def test_are_taken_though_the_teams_ledger_is_missing(self):
        world = make_world(*map(person, "abc"))
        Ledger.objects.all().delete()
        door = world.door()

        got = Counter(map(world.who, together([lambda: world.send(door=door)] * 6)))

        assert got == dict.fromkeys("abc", 2)


class TestCaps:
    def test_are_kept_by_five_leads_for_one_place(self):
        world = make_world(person("a", cap_open=3), rules=[rule("everything", if_nobody="hold")])
        for _ in range(2):
            world.send()
        door = world.door()

        answers = together([lambda: world.send(door=door)] * 5)

        assert Counter(answer.outcome for answer in answers) == {"assigned": 1, "held": 4}
        assert world.load("a").open == 3
        everything_adds_up(world)

    def test_are_kept_where_two_teams_share_the_agent(self):
        world = make_world(
            person("a", cap_open=3),
            teams={"north": ["a"], "south": ["a"]},
            rules=[
                rule("north", "north", when=only("country", "NO"), if_nobody="hold"),
                rule("south", "south", if_nobody="hold"),
            ],
        )
        for _ in range(2):
            world.send()
        door = world.door()

        together([lambda country=country: world.send(door=door, country=country) for country in ("NO", "ES") * 3])

        assert world.load("a").open == 3
        everything_adds_up(world)

    def test_of_shared_agents_neither_deadlock_nor_overrun(self):
        people = [person(slug, cap_open=20) for slug in "abcdef"]
        world = make_world(
            *people,
            teams={"north": list("abcd"), "south": list("cdef")},
            rules=[
                rule("north", "north", when=only("country", "NO")),
                rule("south", "south", when=only("country", "ES")),
                rule("anybody", "north", by="least_busy", if_nobody="hold"),
            ],
        )
        door = world.door()

        answers = at_once(
            [lambda country=country: world.send(door=door, country=country) for country in ("NO", "ES") * 70]
        )

        assert Counter(answer.outcome for answer in answers)["assigned"] >= 80
        assert all(load.open <= 20 for load in Load.objects.all())
        assert not Lead.objects.exclude(flagged="").exists()
        everything_adds_up(world)

    def test_are_kept_while_leads_are_closed_handed_on_and_released(self):
        people = [person(slug, cap_open=3) for slug in "abcd"]
        world = make_world(*people, rules=[rule("everything", if_nobody="hold")])
        door = world.door()
        ana = world.agent("a")

        def step(number: int) -> None:
            lead = world.lead(world.send(door=door, at=NOON + timedelta(seconds=number)))
            at = NOON + timedelta(seconds=number)
            with suppress(ValidationError):
                if number % 3 == 0:
                    actions.close(lead=lead, at=at, closed_as="spam" if number % 2 else "won")
                elif number % 3 == 1:
                    actions.reassign(lead=lead, at=at, exclude=[ana])
                else:
                    release_held(at=at)

        at_once([lambda number=number: step(number) for number in range(90)])

        assert all(load.open <= 3 for load in Load.objects.all())
        assert not Lead.objects.exclude(flagged="").exists()
        everything_adds_up(world)


class TestOneLead:
    def test_that_two_workers_release_has_one_owner_and_one_decision(self):
        world = make_world(
            person("a", shifts=OFFICE), person("b", shifts=OFFICE), rules=[rule("all", if_nobody="hold")]
        )
        sent = [world.send(at=NIGHT) for _ in range(5)]

        released = together([lambda: release_held(at=MORNING)] * 4)

        assert sum(released) == 5
        assert Assignment.objects.count() == 5
        assert Decision.objects.filter(trigger="release").count() == len(sent)
        everything_adds_up(world)

    def test_that_a_manager_assigns_meanwhile_stays_the_managers(self):
        people = [person(slug, shifts=OFFICE) for slug in "abc"]
        world = make_world(*people, teams={"sales": ["a", "b"]}, rules=[rule("all", if_nobody="hold")])
        sent = [world.lead(world.send(at=NIGHT)) for _ in range(6)]
        chosen = world.agent("c")

        together(
            [
                lambda: release_held(at=MORNING),
                *(lambda lead=lead: actions.reassign(lead=lead, to=chosen, at=MORNING) for lead in sent),
            ]
        )

        assert {lead.agent.slug for lead in world.leads()} == {"c"}
        everything_adds_up(world)

    def test_on_offer_is_taken_by_one(self):
        people = [person(f"a{number}") for number in range(6)]
        world = make_world(*people, rules=[rule("race", when=only("channel", "form"), by="claim")])
        lead = world.lead(world.send())

        def take(slug: str) -> bool:
            with suppress(ValidationError):
                actions.take(lead=lead, agent=world.agent(slug), at=NOON)
                return True
            return False

        taken = together([lambda slug=given["slug"]: take(slug) for given in people])

        assert taken.count(True) == 1
        everything_adds_up(world)

    def test_is_closed_once(self):
        world = make_world(person("a"))
        lead, *_others = [world.lead(world.send()) for _ in range(4)]

        together([lambda: actions.close(lead=lead, at=NOON, closed_as="spam")] * 6)

        assert world.load("a").open == 3
        assert lead.events.filter(kind="closed").count() == 1
        assert Decision.objects.get(lead=lead).given_back == "paid"
        everything_adds_up(world)

    def test_is_answered_first_once(self):
        world = make_world(person("a"))
        lead = world.lead(world.send())

        together(
            [
                lambda seconds=seconds: actions.respond(lead=lead, at=NOON + timedelta(seconds=seconds))
                for seconds in range(6)
            ]
        )

        assert world.leads()[0].first_response_at == NOON


class TestRepeats:
    def test_under_one_key_are_one_lead_and_one_answer(self):
        world = make_world(person("a"), person("b"))
        door = world.door()

        answers = at_once([lambda: world.send(door=door, key="k", channel="whatsapp")] * 100, workers=16)

        assert len({(answer.lead_id, answer.agent, answer.channel, answer.promise) for answer in answers}) == 1
        assert [answer.repeated for answer in answers].count(False) == 1
        assert Assignment.objects.count() == 1

    def test_under_one_key_with_another_body_are_refused(self):
        world = make_world(person("a"))
        door = world.door()

        def send(body: str) -> str:
            try:
                world.send(door=door, key="k", body_hash=body)
            except IdempotencyConflict:
                return "refused"
            return "taken"

        assert sorted(together([lambda: send("one"), lambda: send("two")])) == ["refused", "taken"]

    def test_whose_first_is_never_answered_are_told_to_come_back(self, monkeypatch):
        world = make_world(person("a"))
        door = world.door()
        be_impatient(monkeypatch)

        with transaction.atomic():
            world.send(door=door, key="k")

            def again() -> None:
                with pytest.raises(IdempotencyBusy):
                    world.send(door=door, key="k")

            at_once([again])

    def test_of_one_visitor_without_a_key_are_one_lead(self):
        world = make_world(person("a"), person("b"))
        door = world.door(trusted=False)

        answers = together([lambda: world.send(door=door, trusted=False, visitor_id="v", email="eva@example.com")] * 24)

        assert len({answer.lead_id for answer in answers}) == 1
        assert [answer.joined for answer in answers].count(False) == 1
        assert Person.objects.count() == 1
        assert world.leads()[0].joined_count == 23
        assert world.ledger().turns == 1

    def test_from_one_address_are_shown_three_agents(self):
        world = make_world(*(person(f"a{number}") for number in range(12)))
        door = world.door(trusted=False)

        answers = together([lambda: world.send(door=door, trusted=False, address="203.0.113.9")] * 12)

        assert len({world.who(answer) for answer in answers}) == 3


class TestTheOutbox:
    def test_sends_each_message_once_however_many_drain_it(self, mailoutbox):
        people = [person(f"a{number}", email=f"a{number}@acme.test") for number in range(12)]
        world = make_world(*people)
        for _ in people:
            world.send()

        together([lambda: outbox.drain(at=NOON)] * 4)

        assert Counter(message.to[0] for message in mailoutbox) == {given["email"]: 1 for given in people}
        assert not Outbox.objects.filter(done_at=None).exists()


class TestWaiting:
    def test_for_a_ledger_in_vain_stores_the_lead_all_the_same(self, monkeypatch, caplog):
        world = make_world(person("a"), person("b"))
        door = world.door()
        be_impatient(monkeypatch)

        with transaction.atomic():
            Ledger.objects.select_for_update().get(team__slug="sales")
            (accepted,) = at_once([lambda: world.send(door=door, key="k")])

        assert accepted.outcome == "held"
        assert world.lead(accepted).flagged
        assert "Routing a lead failed" in caplog.text
        caplog.clear()
        assert release_held(at=NOON) == 1

    def test_is_told_from_a_database_that_is_away(self):
        make_world(person("a"))

        def lock() -> None:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '50ms'")
                Ledger.objects.select_for_update().get(team__slug="sales")

        with transaction.atomic():
            Ledger.objects.select_for_update().get(team__slug="sales")
            with pytest.raises(OperationalError) as raised:
                at_once([lock])
        assert is_lock_timeout(raised.value)


def test_an_edit_of_the_roster_is_seen_by_the_next_lead():
    world = make_world(person("a"), person("b"))
    world.send()
    with one_change():
        TeamMember.objects.filter(agent__slug="a").delete()
        Team.objects.filter(slug="sales").update(name="Sales now")

    assert world.sent(3) == ["b", "b", "b"]
    assert snapshot(
        workspace_id=world.workspace.pk, policy_version=1, roster_version=world.door().roster_version
    ).roster.teams
