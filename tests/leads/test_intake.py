"""Intake: what becomes of a submission that nobody else disturbs."""

from __future__ import annotations

import logging
from datetime import timedelta
from random import Random

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents.models import Team
from leads import actions, arrivals, intake, loads, placing, together
from leads.models import Assignment, Decision, Event, HeldQueue, Idempotency, Lead, Outbox, Person
from leads.records import decision_to_json, inputs_of
from routing import engine
from routing.engine.walk import walk
from routing.snapshots import snapshot_at
from tests.leads.world import MORNING, NEVER, NIGHT, NOON, OFFICE, make_world, only, person, rule

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["together", "alone"])
def way(request, monkeypatch):
    """Both ways of the one transaction; "together" is PostgreSQL's alone."""
    if request.param == "alone":
        monkeypatch.setattr(together, "take_in", lambda arrival, key: None)
    return request.param if connection.vendor == "postgresql" else "alone"


@pytest.mark.usefixtures("way")
class TestANewLead:
    def test_goes_to_whose_turn_it_is_and_is_written_with_everything_that_follows(self):
        world = make_world(person("ana"), person("bo"))

        accepted = world.send(channel="whatsapp", email="Eva@Example.com", message="Hello")

        lead = world.lead(accepted)
        assert (accepted.outcome, accepted.reason, accepted.rule) == ("assigned", "round_robin", "everything")
        assert accepted.agent.slug == "ana"
        assert accepted.channel.url.startswith("https://wa.me/34600111222?text=Hello")
        assert lead.reference in accepted.channel.url
        assert accepted.promise.kind == "now"
        assert (lead.agent.slug, lead.team.slug, lead.email) == ("ana", "sales", "eva@example.com")
        assert Assignment.objects.get(lead=lead).agent == lead.agent
        assert Decision.objects.get(lead=lead).moved_ledger
        assert list(lead.events.order_by("pk").values_list("kind", flat=True)) == ["received", "assigned"]
        assert Outbox.objects.get().payload == {"lead": str(lead.pk), "agent": lead.agent_id}
        assert sorted(world.credits()) == [-(engine.U // 2), engine.U // 2]
        assert world.load("ana").open == 1

    def test_takes_turns(self):
        world = make_world(*map(person, "abcde"))

        assert world.sent(6, channel="whatsapp") == ["a", "b", "c", "d", "e", "a"]

    @pytest.mark.parametrize("size", [2, 30])
    def test_costs_a_fixed_number_of_statements_however_large_the_team(
        self, size, way, django_capture_on_commit_callbacks
    ):
        world = make_world(*(person(f"a{number}", cap_open=50) for number in range(size)))
        with django_capture_on_commit_callbacks(execute=True):
            world.send(channel="whatsapp", email="first@example.com")  # the snapshot is compiled and kept
        door = world.door()

        with CaptureQueriesContext(connection) as queries:
            world.send(door=door, channel="whatsapp", email="eva@example.com", key="k")

        statements = [query["sql"] for query in queries if "SAVEPOINT" not in query["sql"]]
        locks_of_people = [sql for sql in statements if "pg_advisory_xact_lock(number) FROM unnest" in sql]
        wanted = 5 if way == "together" else 15
        assert len(statements) - len(locks_of_people) == wanted, "\n".join(statements)

    def test_of_a_form_has_no_link_and_no_handle_is_asked_for(self):
        world = make_world(person("ana", handles={}))

        accepted = world.send()

        assert accepted.agent.slug == "ana"
        assert (accepted.channel.id, accepted.channel.url) == ("form", None)

    def test_in_no_known_language_has_the_first_that_the_workspace_offers(self):
        world = make_world(person("ana"), languages=["es", "en"])

        assert world.lead(world.send()).language == "es"

    def test_is_dated_by_the_sender_and_decided_now(self):
        world = make_world(person("ana"))

        lead = world.lead(world.send(received_at=NOON - timedelta(days=3)))

        assert lead.received_at == NOON - timedelta(days=3)
        assert lead.assigned_at == lead.created_at == NOON

    def test_keeps_only_the_network_of_an_address(self):
        world = make_world(person("ana"))

        assert world.lead(world.send(address="203.0.113.77")).network == "203.0.113.0/24"
        assert world.lead(world.send(address="2001:db8:1:2::3")).network == "2001:db8:1::/48"

    def test_is_told_in_the_visitors_language_and_carries_the_reference_in_a_long_message(self):
        world = make_world(person("ana"))

        accepted = world.send(channel="whatsapp", message="x" * 5_000)

        assert accepted.reference in accepted.channel.url
        assert len(accepted.reference) == 7
        assert not set(accepted.reference) & set("01AEIOU")

    def test_whose_language_is_none_is_taken_all_the_same(self):
        world = make_world(person("ana"))

        assert world.send(language="!!").outcome == "assigned"


class TestNobody:
    def test_there_goes_to_the_fallback_agent_over_any_cap_and_at_any_hour(self):
        world = make_world(person("ana", shifts=NEVER, cap_open=1), fallback="ana")

        accepted = [world.send(channel="whatsapp") for _ in range(3)]

        assert {each.outcome for each in accepted} == {"fallback"}
        assert world.load("ana").open == 3

    def test_with_the_channel_means_that_the_fallback_agent_is_reached_on_another_of_the_site(self):
        handles = {"telegram": "ana_acme"}
        world = make_world(person("ana", shifts=NEVER, handles=handles), person("bo", shifts=NEVER), fallback="ana")

        accepted = world.send(trusted=False, channel="whatsapp")

        assert (accepted.outcome, accepted.channel.id) == ("fallback", "telegram")
        assert accepted.channel.url.startswith("https://t.me/ana_acme")

    def test_there_holds_and_tells_when_somebody_is(self):
        world = make_world(person("ana", shifts=OFFICE), rules=[rule("everything", if_nobody="hold")])

        accepted = world.send(at=NIGHT)

        assert (accepted.outcome, accepted.reason, accepted.agent) == ("held", "nobody", None)
        assert (accepted.promise.kind, accepted.promise.at) == ("opens_at", MORNING)

    def test_free_holds_and_promises_no_time(self):
        world = make_world(person("ana", cap_open=1), rules=[rule("everything", if_nobody="hold")])

        assert world.sent(2) == ["ana", None]
        assert world.leads()[1].opens_at is None
        assert world.send().promise.kind == "soon"

    def test_at_the_end_of_the_list_alerts_the_manager_where_the_fallback_agent_is_inactive(self):
        world = make_world(person("ana", shifts=NEVER, is_active=False), person("bo", shifts=NEVER), fallback="ana")

        accepted = world.send()

        assert (accepted.outcome, accepted.reason) == ("held", "nobody")
        assert "fallback" in world.lead(accepted).flagged

    def test_is_asked_where_the_rule_sends_to_the_queue(self):
        world = make_world(person("ana"), rules=[rule("cold", "queue")])

        accepted = world.send()

        assert (accepted.outcome, accepted.promise.kind) == ("queued", "queue")


@pytest.mark.usefixtures("way")
class TestCaps:
    def test_send_the_next_lead_to_somebody_else(self):
        world = make_world(person("ana", cap_open=1), person("bo"), rules=[rule("everything", by="priority")])

        assert world.sent(3) == ["ana", "bo", "bo"]

    def test_of_an_hour_count_the_agents_own_clock_hour(self):
        world = make_world(
            person("ana", cap_hour=1, timezone="Asia/Kolkata"),
            person("bo"),
            teams={"sales": [("ana", 1, 1), ("bo", 1, 2)]},
            rules=[rule("everything", by="priority")],
        )

        # In Kolkata the hour turns at half past.
        half_past = [NOON.replace(minute=minute) for minute in (0, 29, 30)]
        assert [world.who(world.send(at=at)) for at in half_past] == ["ana", "bo", "ana"]

    def test_hold_though_the_load_was_read_before_another_lead_filled_the_last_place(self, monkeypatch):
        world = make_world(person("ana", cap_open=1), person("bo"), rules=[rule("everything", by="priority")])
        world.send()
        answers = [lambda agents: {}, loads.read, loads.read]
        monkeypatch.setattr(loads, "read", lambda agents: answers.pop(0)(agents))

        assert world.who(world.send()) == "bo"
        assert world.load("ana").open == 1
        assert sum(world.credits()) == 0


class TestWhenRoutingFails:
    @pytest.fixture
    def broken(self, monkeypatch):
        def explode(*args, **kwargs):
            raise RuntimeError(args[0].facts.values)

        monkeypatch.setattr(placing.engine, "match", explode)

    def test_the_lead_is_held_and_flagged_and_the_visitor_hears_nothing_of_it(self, broken):
        world = make_world(person("ana"))

        accepted = world.send(trusted=False, visitor_id="v", email="eva@example.com", key="k")

        lead = world.lead(accepted)
        assert (accepted.outcome, accepted.promise.kind) == ("held", "soon")
        assert "RuntimeError" in lead.flagged
        assert lead.email == "eva@example.com"
        assert HeldQueue.objects.get().due_at == NOON
        assert world.send(trusted=False, visitor_id="v", email="eva@example.com", key="k").lead_id == lead.pk

    def test_an_active_fallback_agent_gets_it(self, broken):
        world = make_world(person("ana"), person("bo"), fallback="bo")

        accepted = world.send(channel="whatsapp")

        assert (accepted.outcome, accepted.agent.slug) == ("fallback", "bo")
        assert accepted.channel.url
        assert world.lead(accepted).flagged
        assert world.load("bo").open == 1

    def test_the_log_says_so_without_anybodys_data(self, broken, caplog):
        world = make_world(person("ana"))

        with caplog.at_level(logging.ERROR):
            world.send(email="eva@example.com", message="secret")

        assert "RuntimeError" in caplog.text
        assert "eva@example.com" not in caplog.text
        assert "secret" not in caplog.text

    def test_after_the_turn_was_chosen_the_turn_is_not_taken(self, monkeypatch):
        world = make_world(person("ana"), person("bo"))

        def explode(*args, **kwargs):
            raise RuntimeError

        with monkeypatch.context() as patch:
            patch.setattr(placing, "messages_to", explode)
            assert world.send().outcome == "held"

        assert world.ledger().turns == 0
        assert world.load("ana").open == 0
        assert world.sent(2) == ["ana", "bo"]

    def test_the_lead_is_routed_by_the_next_sweep(self, monkeypatch):
        world = make_world(person("ana"))

        def explode(*args, **kwargs):
            raise RuntimeError

        with monkeypatch.context() as patch:
            patch.setattr(arrivals, "facts_of_submission", explode)
            accepted = world.send(email="eva@example.com")

        assert world.release(NOON) == 1
        assert world.lead(accepted).agent.slug == "ana"


class TestADecision:
    def test_is_made_again_from_what_is_stored_by_the_engine_and_by_the_slow_walk(self):
        world = make_world(
            *(person(slug, cap_open=5, territories=["ES"] if slug == "a" else []) for slug in "abc"),
            person("back", is_paused=True),
            person("call", kind="on_call"),
            teams={"sales": [("a", 3), "b", ("c", 2), "back"], "others": ["b", "c"]},
            rules=[
                rule("tagged", when=only("message", "hola", "contains"), require=["tags:none"]),
                rule("quiet", "others", when=only("country", "FR"), by="least_busy", if_nobody="hold"),
                rule("race", "others", when=only("channel", "form"), by="claim"),
                rule("everything", prefer=["territory"]),
            ],
        )
        Team.objects.filter(slug="sales").update(catch_up=2)
        choose = Random(7)
        for step in range(60):
            at = NOON + timedelta(minutes=step)
            accepted = world.send(
                at=at,
                channel=choose.choice(["whatsapp", "form"]),
                country=choose.choice(["ES", "FR", None]),
                message=choose.choice(["hola", "hello"]),
                email=f"e{choose.randrange(30)}@example.com",
            )
            if choose.random() < 0.3:
                world.change(choose.choice(["a", "back"]), is_paused=choose.random() < 0.5)
            if choose.random() < 0.5:
                actions.close(lead=world.lead(accepted), at=at, closed_as=choose.choice(["won", "spam"]))
            elif choose.random() < 0.3:
                actions.reassign(lead=world.lead(accepted), at=at)
            world.release(at)

        rows = Decision.objects.filter(decision__isnull=False)
        assert {row.trigger for row in rows} >= {"intake", "reroute", "release", "claim_over"}
        assert {row.reason for row in rows} >= {"round_robin", "least_busy", "claim", "on_call", "returning"}
        for row in rows:
            inputs = inputs_of(row)
            snapshot = snapshot_at(
                workspace_id=row.workspace_id, policy_version=row.policy_version, roster_version=row.roster_version
            )
            again = engine.decide(inputs.request, snapshot, inputs.loads, inputs.ledgers, row.at)
            assert decision_to_json(again) == row.decision
            assert walk(inputs.request, snapshot, inputs.loads, inputs.ledgers, row.at).decision == again

    def test_keeps_the_message_only_where_a_rule_looks_at_it(self):
        world = make_world(person("ana"))

        world.send(message="long")

        assert "message" not in Decision.objects.get().request["facts"]["values"]


class TestSetAside:
    def test_leads_are_held_and_flagged_and_take_no_turn(self):
        world = make_world(person("ana"))

        accepted = world.send(trusted=False, hold_flag="Too many leads.")

        assert (accepted.outcome, accepted.agent) == ("held", None)
        assert world.lead(accepted).flagged == "Too many leads."
        assert world.ledger().turns == 0
        assert world.release(NOON) == 0


class TestBots:
    def test_get_the_shape_of_an_answer_and_take_no_turn(self):
        world = make_world(person("ana"))

        accepted = world.send(trusted=False, bot=True, email="eva@example.com", message="buy", visitor_id="v")

        lead = world.lead(accepted)
        assert (accepted.outcome, accepted.agent, accepted.channel) == ("rejected", None, None)
        assert accepted.status_token
        assert (lead.status, lead.email, lead.message) == ("closed", "", "")
        assert world.ledger().turns == 0
        assert not Person.objects.exists()
        assert not Event.objects.exists()

    def test_get_the_first_answer_again(self):
        world = make_world(person("ana"))

        first = world.send(trusted=False, bot=True, visitor_id="v")
        again = world.send(trusted=False, bot=True, visitor_id="v")
        keyed = [world.send(trusted=False, bot=True, key="k") for _ in range(2)]

        assert (again.lead_id, again.joined) == (first.lead_id, True)
        assert keyed[0].lead_id == keyed[1].lead_id

    def test_are_not_joined_by_somebody_real(self):
        world = make_world(person("ana"))
        world.send(trusted=False, bot=True, visitor_id="v")

        accepted = world.send(trusted=False, visitor_id="v")

        assert (accepted.outcome, accepted.joined) == ("assigned", False)


@pytest.mark.usefixtures("way")
class TestAnIdempotencyKey:
    def test_gives_a_repeat_the_first_answer(self):
        world = make_world(person("ana"), person("bo"))

        first = world.send(key="k", channel="whatsapp")
        again = world.send(key="k", channel="whatsapp", at=NOON + timedelta(hours=23))

        assert again.repeated
        assert (again.lead_id, again.agent, again.channel, again.promise, again.joined) == (
            first.lead_id, first.agent, first.channel, first.promise, False,
        )  # fmt: skip
        assert Lead.objects.count() == 1

    def test_is_refused_for_another_body(self):
        world = make_world(person("ana"))
        world.send(key="k")

        with pytest.raises(intake.IdempotencyConflict):
            world.send(key="k", body_hash="two")

    def test_is_free_again_after_a_day(self):
        world = make_world(person("ana"))
        first = world.send(key="k")

        later = world.send(key="k", body_hash="two", at=NOON + timedelta(hours=24))

        assert later.lead_id != first.lead_id
        assert Idempotency.objects.count() == 1

    def test_belongs_to_its_door(self):
        world = make_world(person("ana"))

        assert world.send(key="k").lead_id != world.send(key="k", trusted=False).lead_id


class TestOneAddress:
    ADDRESS = "203.0.113.9"

    def test_is_shown_three_agents_an_hour_and_then_the_last_of_them(self):
        world = make_world(*map(person, "abcde"))

        answers = [world.send(trusted=False, address=self.ADDRESS, channel="whatsapp") for _ in range(5)]

        assert [world.who(each) for each in answers] == ["a", "b", "c", "c", "c"]
        assert [each.reason for each in answers[3:]] == ["address_limit", "address_limit"]
        assert world.ledger().turns == 3

    def test_gets_nobody_where_the_last_is_not_available_with_the_channel(self):
        world = make_world(*map(person, "abcde"))
        for _ in range(3):
            world.send(trusted=False, address=self.ADDRESS, channel="whatsapp")

        accepted = world.send(trusted=False, address=self.ADDRESS, channel="telegram")

        assert (accepted.outcome, accepted.reason, accepted.agent) == ("held", "address_limit", None)
        assert world.lead(accepted).flagged

    def test_counts_as_its_network_of_64_in_version_6(self):
        world = make_world(*map(person, "abcde"))

        for number in range(5):
            last = world.send(trusted=False, address=f"2001:db8:0:1::{number}", channel="whatsapp")

        assert last.agent.slug == "c"

    def test_starts_anew_after_an_hour(self):
        world = make_world(*map(person, "abcde"))
        for _ in range(4):
            world.send(trusted=False, address=self.ADDRESS)

        later = world.send(trusted=False, address=self.ADDRESS, at=NOON + timedelta(hours=1))

        assert later.agent.slug == "d"

    @pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "192.168.1.1", "::1", "fd00::1", None, "nonsense"])
    def test_that_is_nobodys_in_particular_is_not_limited(self, address):
        world = make_world(*map(person, "abcde"))

        for _ in range(4):
            last = world.send(trusted=False, address=address)

        assert last.agent.slug == "d"

    def test_does_not_matter_to_a_server(self):
        world = make_world(*map(person, "abcde"))

        assert world.sent(5, address=self.ADDRESS) == ["a", "b", "c", "d", "e"]

    def test_is_not_shown_a_fourth_agent_by_joining_a_lead(self):
        world = make_world(*map(person, "abcde"))
        for _ in range(3):
            world.send(trusted=False, address=self.ADDRESS)
        elsewhere = world.send(trusted=False, address="198.51.100.1", visitor_id="v")

        joined = world.send(trusted=False, address=self.ADDRESS, visitor_id="v", channel="whatsapp")

        assert elsewhere.agent.slug == "d"
        assert joined.lead_id == elsewhere.lead_id
        assert (joined.agent, joined.channel) == (None, None)
