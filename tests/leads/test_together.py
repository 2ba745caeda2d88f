"""PostgreSQL's way of the one transaction: the same rows as the other's, whatever happens beside it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection, transaction

from agents.models import ApiKey
from leads import pipeline, together
from leads.intake import DoorChanged
from leads.models import Assignment, ContactKey, Decision, Event, Idempotency, Lead, Outbox, Person
from leads.people import lock_number
from routing.models import Ledger, Load
from tests.leads.test_many_at_once import at_once, everything_adds_up
from tests.leads.world import NOON, World, make_world, only, person, rule

pytestmark = pytest.mark.postgres

# Drawn by chance for every lead, or counted by the database.
DRAWN = {"id", "lead_id", "person_id", "reference", "status_token", "message_id"}
TABLES = (Lead, Person, ContactKey, Assignment, Decision, Event, Outbox, Idempotency, Ledger, Load)
LANGUAGES = ["es", "en"]
SLA = {"respond_within": "5m", "remind_at": ["50%"], "reroute_after": "10m", "escalate_after": "15m"}

SUBMISSIONS = [
    {},
    {"channel": "whatsapp", "message": "Hola, ¿qué tal? “quoted” \\ back\n", "language": "es-ES", "key": "k"},
    {"email": "eva@example.com", "phone": "+34600111333", "visitor_id": "v", "name": "Éva", "country": "ES"},
    {"attributes": {"plan": "x", "seats": 3, "deep": {"a": [1, None]}}, "consent": "yes", "city": "Berlin"},
    {"received_at": NOON - timedelta(hours=3), "page_url": "https://e.com/p?utm_source=n", "address": "203.0.113.9"},
]


@pytest.fixture
def alone(monkeypatch):
    """Counts the leads that go the other way."""
    gone = []

    def take_in(arrival, key, way=together.take_in):
        accepted = way(arrival, key)
        if accepted is None:
            gone.append(arrival)
        return accepted

    monkeypatch.setattr(together, "take_in", take_in)
    return gone


def two_teams() -> World:
    """`first` has a and b, and gets what is not Spanish; `second` c and d."""
    return make_world(
        *map(person, "abcd"),
        teams={"first": "ab", "second": "cd"},
        rules=[rule("es", "second", when=only("language", "es")), rule("all", "first")],
    )


def rows_of(world: World, *drawn: str) -> dict[str, list[str]]:
    """Every row of the workspace, without what chance or a sequence gave it."""

    def told(row: dict) -> str:
        text = str({name: value for name, value in row.items() if name not in DRAWN})
        for each in drawn:
            text = text.replace(each, "…")
        return text

    found = {model.__name__: model.objects.filter(workspace=world.workspace).values() for model in TABLES}
    return {name: sorted(map(told, rows)) for name, rows in found.items()}


@pytest.mark.django_db
class TestALead:
    @pytest.mark.parametrize("fields", SUBMISSIONS)
    def test_is_written_as_the_other_way_writes_it(self, fields, alone, monkeypatch):
        people = [person("ana", cap_open=9, languages=["es"]), person("bo", cap_day=3), person("cy", is_paused=True)]
        world = make_world(*people, rules=[rule("everything", prefer=["language"]) | {"sla": SLA}])
        world.send()  # so that there is a ledger that says something
        door, found = world.door(), []
        for _way in range(2):
            with transaction.atomic():
                accepted = world.send(door=door, **fields)
                found.append(rows_of(world, str(accepted.lead_id), accepted.reference, accepted.status_token))
                transaction.set_rollback(True)
            assert not alone
            monkeypatch.setattr(together, "take_in", lambda arrival, key: None)

        assert found[0] == found[1]

    def test_of_any_team_goes_together(self, alone):
        world = two_teams()

        assert world.sent(2, language="es") == ["c", "d"]
        assert world.sent(2) == ["a", "b"]
        assert not alone

    @pytest.mark.parametrize(
        "fields",
        [
            {"email": "known@example.com"},
            {"key": "known", "email": "new@example.com"},
            {"trusted": False},
            {"hold_flag": "Look"},
        ],
        ids=["of a known person", "under a key that was used", "of a visitor", "set aside"],
    )
    def test_that_is_not_a_common_one_goes_the_other_way(self, fields, alone):
        world = make_world(person("ana"), person("bo"))
        world.send(email="known@example.com", key="known")
        assert not alone

        world.send(**fields)

        assert len(alone) == (0 if "hold_flag" in fields else 1)
        everything_adds_up(world)

    def test_that_another_team_took_the_last_place_from_goes_the_other_way(self, alone, monkeypatch):
        world = make_world(person("ana", cap_open=1), person("bo"))
        look = together._Batch.look
        Load.objects.filter(agent__slug="ana").update(open=1)
        # As if it had been read before.
        monkeypatch.setattr(together._Batch, "look", lambda self, pipeline: (look(self, pipeline), self._loads.clear()))

        assert world.sent(2) == ["bo", "bo"]
        assert world.load("ana").open == 1
        assert len(alone) == 2


@pytest.mark.django_db(transaction=True)
class TestABatch:
    @pytest.fixture
    def gathered(self, monkeypatch):
        """Lets nobody begin until so many are there; then one of them places all."""

        def gathered(count: int) -> None:
            works: list[together.Arriving] = []
            gate = threading.Barrier(count, action=lambda: together._place(works))

            class Gathering:
                def do(self, key, work):
                    works.append(work)
                    gate.wait(10)

            monkeypatch.setattr(together, "_at_once", Gathering())

        return gathered

    def test_takes_turns_in_one_transaction(self, gathered, alone):
        world = make_world(*map(person, "abcd"))
        door = world.door()
        gathered(8)

        answers = at_once([lambda: world.send(door=door)] * 8)

        assert sorted(map(world.who, answers)) == sorted("aabbccdd")
        assert not alone
        everything_adds_up(world)

    def test_of_several_teams_goes_together(self, gathered, alone):
        world = two_teams()
        door = world.door()
        gathered(4)

        answers = at_once(
            [lambda language=language: world.send(door=door, language=language) for language in LANGUAGES * 2]
        )

        assert sorted(map(world.who, answers)) == ["a", "b", "c", "d"]
        assert not alone
        everything_adds_up(world)

    def test_waits_for_nobody_but_whose_own_ledger_is_busy(self, gathered, alone):
        world = two_teams()
        door = world.door()
        world.send(door=door), world.send(door=door, language="es")  # so that both have a ledger
        gathered(2)

        def send(language: str) -> str:
            return at_once([lambda: world.who(world.send(door=door, language=language))])[0]

        with ThreadPoolExecutor(2) as pool:
            with transaction.atomic():
                Ledger.objects.select_for_update().get(team__slug="second")
                waiting, free = [pool.submit(send, language) for language in LANGUAGES]
                assert free.result(10) == "b"
                assert not waiting.done()
            assert waiting.result(10) == "d"

        assert not alone
        everything_adds_up(world)

    def test_of_one_person_lets_one_through_and_the_others_join(self, gathered, alone):
        world = make_world(*map(person, "ab"))
        door = world.door()
        gathered(4)

        answers = at_once([lambda: world.send(door=door, email="eva@example.com")] * 4, workers=4)

        assert len({answer.lead_id for answer in answers}) == 1
        assert len(alone) == 3
        everything_adds_up(world)

    def test_that_is_refused_is_written_one_by_one(self, gathered, alone, monkeypatch):
        world = make_world(*map(person, "ab"))
        door = world.door()
        gathered(3)
        monkeypatch.setattr("leads.arrivals._reference", iter([*["SAME"] * 2, *"ABCDEFGH"]).__next__)

        answers = at_once([lambda: world.send(door=door)] * 3, workers=3)

        assert len({answer.lead_id for answer in answers}) == 3
        assert len(alone) == 3
        everything_adds_up(world)

    def test_leaves_out_whose_key_was_revoked(self):
        world = make_world(*map(person, "ab"))
        door = world.door()
        ApiKey.objects.filter(pk=world.api_key.pk).update(revoked_at=NOON)

        with pytest.raises(DoorChanged):
            world.send(door=replace(door, remembered=True))

        assert not Lead.objects.exists()

    def test_leaves_out_what_an_older_roster_would_decide(self):
        world = make_world(*map(person, "ab"))
        door = world.door()
        world.change("a", is_paused=True)

        with pytest.raises(DoorChanged):
            world.send(door=replace(door, remembered=True))

        assert not Lead.objects.exists()


@pytest.mark.django_db(transaction=True)
class TestTheConnection:
    def test_that_the_server_cut_is_another_one_for_the_next_lead(self, alone):
        world = make_world(*map(person, "ab"))
        door = world.door()
        world.send(door=door)
        pid = connection.connection.info.backend_pid

        def cut():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(%s)", [pid])

        at_once([cut])

        assert [world.who(world.send(door=door)) for _ in range(2)] == ["b", "a"]
        assert len(alone) == 1

    def test_is_as_good_as_before_after_a_refusal(self):
        wrong = pipeline.Statement("wrong", "SELECT 1 / $1::int")

        def divide() -> None:
            with pipeline.one_transaction() as asked:
                asked.ask(wrong, b"1")
                assert asked.answers() == [[(b"1",)]]
                asked.ask(wrong, b"0")
                asked.commit()

        for _ in range(2):
            with pytest.raises(pipeline.Refused, match="22012"):
                divide()

        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")

    def test_tells_of_what_only_the_commit_refuses(self):
        world = make_world(person("a"))
        # There is no such lead, which is checked at the end.
        insert = pipeline.Statement(
            "insert",
            "INSERT INTO leads_event (workspace_id, lead_id, kind, at, actor_text, data)"
            " VALUES ($1::bigint, gen_random_uuid(), 'x', now(), '', '{}')",
        )

        def write() -> None:
            with pipeline.one_transaction() as asked:
                asked.ask(insert, b"%d" % world.workspace.pk)
                asked.commit()

        with pytest.raises(pipeline.Refused, match="23503"):
            write()

        assert not Event.objects.exists()

    def test_lets_go_of_its_locks_where_choosing_fails(self, alone, monkeypatch):
        world = make_world(person("a"))
        door = world.door()
        monkeypatch.setattr(together._Batch, "choose", None)

        assert world.who(world.send(door=door, key="k", email="eva@example.com")) == "a"

        assert len(alone) == 1
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database"
                " WHERE locktype = 'advisory' AND datname = current_database()"
            )
            assert cursor.fetchone() == (0,)


@pytest.mark.django_db(transaction=True)
def test_a_key_that_somebody_else_has_in_hand_is_not_waited_for(alone):
    world = make_world(person("a"), person("b"))
    door = world.door()
    number = lock_number(world.workspace.pk, ("email", "eva@example.com"))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])
        at_once([lambda: world.send(door=door, email="bo@example.com")])

    assert not alone
