"""Knowing people again: who joins, who returns, and what a stranger cannot learn."""

from __future__ import annotations

from datetime import timedelta

import pytest

from leads.models import Assignment, ContactKey, Event, Lead, Person
from tests.leads.world import MORNING, NIGHT, NOON, OFFICE, make_world, only, person, rule

pytestmark = pytest.mark.django_db

LATER = NOON + timedelta(hours=1)
NEXT_WEEK = NOON + timedelta(days=7)


class TestAnOpenLead:
    def test_of_the_same_visitor_is_joined_no_second_lead_no_second_turn(self):
        world = make_world(person("ana"), person("bo"))
        first = world.send(trusted=False, visitor_id="v", channel="whatsapp", message="Hello")

        again = world.send(trusted=False, visitor_id="v", message="Are you there?", at=LATER)

        assert (again.lead_id, again.status_token, again.joined) == (first.lead_id, first.status_token, True)
        assert (again.outcome, again.reason, again.agent.slug) == ("assigned", "joined", "ana")
        assert again.channel.id == "whatsapp"
        assert world.ledger().turns == 1
        assert world.lead(first).joined_count == 1
        assert Event.objects.get(kind="joined").data["message"] == "Are you there?"
        assert world.load("ana").open == 1

    def test_learns_how_its_visitor_can_be_reached_from_a_later_message(self):
        world = make_world(person("ana", shifts=OFFICE))
        first = world.send(trusted=False, visitor_id="v", channel="whatsapp", name="Nora", at=NIGHT)

        said = {"name": "Somebody", "email": "nora@mail.test", "message": "A quote", "consent": {"text": "Yes"}}
        world.send(trusted=False, visitor_id="v", at=NIGHT + timedelta(minutes=1), **said)

        lead = world.lead(first)
        assert (lead.outcome, lead.channel, lead.joined_count) == ("held", "whatsapp", 1)
        assert (lead.name, lead.email, lead.message, lead.consent) == (
            "Nora",
            "nora@mail.test",
            "A quote",
            {"text": "Yes"},
        )

    def test_answers_on_the_channel_that_is_named_now(self):
        handles = {"whatsapp": "+34600111222", "telegram": "ana_acme"}
        world = make_world(person("ana", handles=handles))
        world.send(trusted=False, visitor_id="v", channel="whatsapp")

        again = world.send(trusted=False, visitor_id="v", channel="telegram")

        assert again.channel.url.startswith("https://t.me/ana_acme")

    def test_is_decided_now_where_its_agent_lacks_the_handle(self):
        world = make_world(person("ana"), person("bo", handles={"telegram": "bo_acme"}))
        first = world.send(trusted=False, visitor_id="v", channel="whatsapp")

        again = world.send(trusted=False, visitor_id="v", channel="telegram", at=LATER)

        lead = world.lead(first)
        assert (again.lead_id, again.agent.slug, again.channel.id) == (first.lead_id, "bo", "telegram")
        assert (lead.agent.slug, lead.received_at) == ("bo", NOON)
        assert list(Assignment.objects.order_by("pk").values_list("agent__slug", "closed_at")) == [
            ("ana", LATER),
            ("bo", None),
        ]
        assert (world.load("ana").open, world.load("bo").open) == (0, 1)
        assert world.ledger().turns == 1

    def test_is_decided_now_where_its_agent_is_inactive(self):
        world = make_world(person("ana"), person("bo"))
        first = world.send(trusted=False, visitor_id="v", channel="whatsapp")
        world.change("ana", is_active=False)

        again = world.send(trusted=False, visitor_id="v", channel="whatsapp")

        assert (again.lead_id, again.agent.slug) == (first.lead_id, "bo")

    def test_stays_with_its_agent_where_nobody_else_could_take_it(self):
        world = make_world(person("ana"))
        first = world.send(trusted=False, visitor_id="v", channel="whatsapp")

        again = world.send(trusted=False, visitor_id="v", channel="telegram")

        assert (again.lead_id, again.agent.slug, again.channel) == (first.lead_id, "ana", None)
        assert world.lead(first).outcome == "assigned"

    def test_that_is_held_is_decided_now_when_a_channel_is_named(self):
        world = make_world(
            person("ana", shifts=OFFICE), person("bo"),
            teams={"sales": ["ana"], "night": ["bo"]},
            rules=[rule("forms", when=only("channel", "form"), if_nobody="hold"), rule("chats", "night")],
        )  # fmt: skip
        first = world.send(trusted=False, visitor_id="v", at=NIGHT)

        again = world.send(trusted=False, visitor_id="v", channel="whatsapp", at=NIGHT)

        assert (first.outcome, again.lead_id, again.agent.slug) == ("held", first.lead_id, "bo")
        assert world.lead(first).channel == "whatsapp"

    def test_that_is_held_stays_so_when_none_is_named(self):
        world = make_world(person("ana", shifts=OFFICE), rules=[rule("everything", if_nobody="hold")])
        first = world.send(trusted=False, visitor_id="v", at=NIGHT)

        again = world.send(trusted=False, visitor_id="v", at=NIGHT + timedelta(minutes=1))

        assert (again.lead_id, again.outcome, again.reason) == (first.lead_id, "held", "joined")
        assert again.promise.at == MORNING

    def test_is_not_joined_after_the_window(self):
        world = make_world(person("ana"), policy={"join_window": 3_600})
        first = world.send(trusted=False, visitor_id="v")

        later = world.send(trusted=False, visitor_id="v", at=LATER)

        assert (later.joined, later.lead_id == first.lead_id) == (False, False)
        assert later.reason == "returning"

    def test_is_not_joined_once_it_is_closed(self):
        world = make_world(person("ana"))
        first = world.send(trusted=False, visitor_id="v")
        Lead.objects.filter(pk=first.lead_id).update(status="closed", closed_at=NOON)

        assert not world.send(trusted=False, visitor_id="v").joined

    def test_of_another_workspace_is_nobodys_business(self):
        acme, rival = make_world(person("ana")), make_world(person("ana"), slug="rival")
        acme.send(email="eva@example.com")

        accepted = rival.send(email="eva@example.com")

        assert (accepted.joined, accepted.reason) == (False, "round_robin")


class TestAServer:
    def test_joins_by_the_e_mail_address_however_it_is_written(self):
        world = make_world(person("ana"))
        first = world.send(email="Eva@Example.com")

        assert world.send(email="eva@example.com ").lead_id == first.lead_id

    def test_joins_by_the_phone_number_dialled_from_the_workspaces_country(self):
        world = make_world(person("ana"), timezone="Europe/Madrid")
        first = world.send(phone="600 111 222")

        assert world.send(phone="+34600111222").lead_id == first.lead_id

    def test_is_answered_by_the_first_contact_that_finds_anybody(self):
        world = make_world(person("ana"), person("bo"))
        by_visitor = world.send(visitor_id="v")
        by_email = world.send(email="eva@example.com")

        both = world.send(visitor_id="v", email="eva@example.com")

        assert both.lead_id == by_visitor.lead_id
        assert world.send(email="eva@example.com").lead_id == by_email.lead_id
        assert Person.objects.count() == 2

    def test_keeps_what_is_no_number_readable_and_knows_nobody_by_it(self):
        world = make_world(person("ana"))

        first = world.send(phone="ask for Eva")

        assert world.lead(first).phone == "ask for Eva"
        assert not ContactKey.objects.exists()
        assert world.lead(first).person is None


class TestAKnownContact:
    def test_goes_to_the_agent_they_had_and_no_turn_is_taken(self):
        world = make_world(person("ana"), person("bo"))
        world.send(email="eva@example.com")

        accepted = world.send(email="eva@example.com", at=NEXT_WEEK)

        assert (accepted.agent.slug, accepted.reason, accepted.rule) == ("ana", "returning", "")
        assert world.ledger().turns == 1

    def test_takes_a_turn_where_their_agent_is_away(self):
        world = make_world(person("ana"), person("bo"))
        world.send(email="eva@example.com")
        world.change("ana", is_paused=True)

        accepted = world.send(email="eva@example.com", at=NEXT_WEEK)

        assert (accepted.agent.slug, accepted.reason) == ("bo", "round_robin")

    def test_takes_a_turn_where_the_policy_says_rotate(self):
        world = make_world(person("ana"), person("bo"), policy={"returning": "rotate"})
        world.send(email="eva@example.com")

        assert world.send(email="eva@example.com", at=NEXT_WEEK).agent.slug == "bo"

    def test_is_known_by_everything_they_came_with(self):
        world = make_world(person("ana"), person("bo"))
        world.send(email="eva@example.com", phone="+34600111333")

        assert world.send(phone="+34600111333", at=NEXT_WEEK).agent.slug == "ana"


class TestAVisitor:
    """Says who they are, and nobody checks it."""

    def test_who_names_a_known_address_gets_the_agent_and_a_lead_of_their_own(self):
        world = make_world(person("ana"), person("bo"))
        first = world.send(trusted=False, visitor_id="v1", email="eva@example.com", message="private")

        other = world.send(trusted=False, visitor_id="v2", email="eva@example.com", channel="whatsapp")

        assert (other.joined, other.lead_id == first.lead_id) == (False, False)
        assert (other.agent.slug, other.reason) == ("ana", "returning")
        assert world.lead(other).person_id == world.lead(first).person_id
        assert world.ledger().turns == 1

    def test_who_named_a_known_address_never_opens_the_other_leads(self):
        world = make_world(person("ana"), person("bo"))
        first = world.send(trusted=False, visitor_id="v1", email="eva@example.com")
        own = world.send(trusted=False, visitor_id="v2", email="eva@example.com")

        again = world.send(trusted=False, visitor_id="v2")
        Lead.objects.filter(pk=own.lead_id).update(status="closed", closed_at=NOON)
        later = world.send(trusted=False, visitor_id="v2")

        assert again.lead_id == own.lead_id
        assert later.lead_id not in (first.lead_id, own.lead_id)
        assert not ContactKey.objects.filter(kind="visitor", value="v2", person=world.lead(first).person).exists()

    def test_teaches_us_nothing_about_somebody_found_by_an_address(self):
        world = make_world(person("ana"))
        world.send(trusted=False, visitor_id="v1", email="eva@example.com")

        world.send(trusted=False, visitor_id="v2", email="eva@example.com", phone="+34600999888")

        assert not ContactKey.objects.filter(kind="phone").exists()

    def test_who_is_known_by_their_id_is_known_by_a_new_address_from_then_on(self):
        world = make_world(person("ana"), person("bo"))
        world.send(trusted=False, visitor_id="v1")
        world.send(trusted=False, visitor_id="v1", email="eva@example.com", at=NEXT_WEEK)

        accepted = world.send(email="eva@example.com", at=NEXT_WEEK + timedelta(days=7))

        assert (accepted.agent.slug, accepted.reason) == ("ana", "returning")
