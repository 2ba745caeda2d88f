"""What people do with leads."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError

from agents.models import User
from leads import actions
from leads.actor import Actor
from leads.models import Assignment, Decision, Lead, Outbox
from routing.engine import U
from tests.leads.world import NEVER, NOON, make_world, only, person, rule

pytestmark = pytest.mark.django_db

LATER = NOON + timedelta(minutes=10)


class TestAnAnswer:
    def test_by_a_human_stops_the_clock(self):
        world = make_world(person("ana"))
        lead = world.lead(world.send())

        answered = actions.respond(lead=lead, at=LATER, by=Actor(text="API"))

        assert (answered.status, answered.first_response_at) == ("answered", LATER)
        assert lead.events.get(kind="responded").data == {"kind": "human", "agent": "ana"}

    def test_that_is_automatic_does_not(self):
        world = make_world(person("ana"))
        lead = world.lead(world.send())

        actions.respond(lead=lead, at=NOON + timedelta(seconds=5), kind="automatic")
        answered = actions.respond(lead=lead, at=NOON + timedelta(minutes=12))

        assert answered.first_response_at == NOON + timedelta(minutes=12)

    def test_after_the_first_changes_nothing_unless_it_was_earlier(self):
        world = make_world(person("ana"))
        lead = world.lead(world.send())
        actions.respond(lead=lead, at=LATER)

        assert actions.respond(lead=lead, at=LATER + timedelta(days=1)).first_response_at == LATER
        reported_late = actions.respond(lead=lead, at=LATER, responded_at=NOON)
        assert reported_late.first_response_at == NOON

    @pytest.mark.parametrize("minutes", [-1, 11])
    def test_outside_the_leads_life_is_refused(self, minutes):
        world = make_world(person("ana"))
        lead = world.lead(world.send())

        with pytest.raises(ValidationError):
            actions.respond(lead=lead, at=LATER, responded_at=NOON + timedelta(minutes=minutes))

    def test_of_an_unknown_kind_is_refused(self):
        world = make_world(person("ana"))

        with pytest.raises(ValidationError):
            actions.respond(lead=world.lead(world.send()), at=LATER, kind="telepathic")

    def test_survives_closing_and_reopening(self):
        world = make_world(person("ana"))
        lead = world.lead(world.send())
        actions.respond(lead=lead, at=LATER)
        actions.close(lead=lead, at=LATER, closed_as="lost")

        reopened = actions.reopen(lead=lead, at=LATER + timedelta(days=5))
        again = actions.respond(lead=lead, at=LATER + timedelta(days=5))

        assert reopened.status == "answered"
        assert again.first_response_at == LATER


class TestByHand:
    def test_the_next_turn_is_whose_it_would_have_been(self):
        world = make_world(*map(person, "abc"))
        lead = world.lead(world.send())
        before = world.ledger().entries

        actions.reassign(lead=lead, to=world.agent("c"), at=LATER, reason="They know each other")

        assert world.ledger().entries == before
        assert world.sent(2) == ["b", "c"]

    def test_the_lead_moves_with_its_load_and_its_assignment(self):
        world = make_world(person("ana"), person("bo"))
        user = User.objects.create_user("manager@acme.test", "a long password")
        lead = world.lead(world.send(channel="whatsapp"))

        moved = actions.reassign(lead=lead, to=world.agent("bo"), at=LATER, by=Actor(user), reason="On leave soon")

        assert (moved.agent.slug, moved.outcome, moved.reason) == ("bo", "assigned", "manual")
        assert (world.load("ana").open, world.load("bo").open) == (0, 1)
        assert list(Assignment.objects.order_by("pk").values_list("agent__slug", "closed_at")) == [
            ("ana", LATER),
            ("bo", None),
        ]
        event = lead.events.filter(actor=user).get()
        assert (event.kind, event.data["why"]) == ("assigned", "On leave soon")
        assert Decision.objects.filter(lead=lead, trigger="manual").exists()
        assert Outbox.objects.filter(payload__agent=world.agent("bo").pk).exists()

    def test_it_may_be_over_a_cap(self):
        world = make_world(person("ana"), person("bo", cap_open=1), teams={"sales": ["ana"], "others": ["bo"]})
        leads = [world.lead(world.send()) for _ in range(2)]

        for lead in leads:
            actions.reassign(lead=lead, to=world.agent("bo"), at=LATER)

        assert world.load("bo").open == 2

    def test_it_is_done_once(self):
        world = make_world(person("ana"), person("bo"))
        lead = world.lead(world.send())

        for _ in range(2):
            actions.reassign(lead=lead, to=world.agent("bo"), at=LATER)

        assert world.load("bo").open == 1
        assert Assignment.objects.count() == 2

    def test_not_to_somebody_inactive_nor_to_anothers_agent_nor_a_closed_lead(self):
        world, rival = make_world(person("ana"), person("bo", is_active=False)), make_world(person("x"), slug="rival")
        lead = world.lead(world.send())

        for agent in (world.agent("bo"), rival.agent("x")):
            with pytest.raises(ValidationError):
                actions.reassign(lead=lead, to=agent, at=LATER)
        actions.close(lead=lead, at=LATER, closed_as="won")
        with pytest.raises(ValidationError, match="closed"):
            actions.reassign(lead=lead, to=world.agent("ana"), at=LATER)


class TestRoutingOn:
    def test_asks_the_rules_for_somebody_who_has_not_had_it_and_moves_no_ledger(self):
        world = make_world(*map(person, "abc"))
        lead = world.lead(world.send())
        before = world.ledger().entries

        assert actions.reassign(lead=lead, at=LATER, reason="Silence").agent.slug == "b"
        assert actions.reassign(lead=lead, at=LATER).agent.slug == "c"
        assert world.ledger().entries == before
        assert [world.load(slug).open for slug in "abc"] == [0, 0, 1]

    def test_leaves_out_whom_one_says(self):
        world = make_world(*map(person, "abc"))
        lead = world.lead(world.send())

        moved = actions.reassign(lead=lead, at=LATER, exclude=[world.agent("b")])

        assert moved.agent.slug == "c"

    def test_with_nobody_left_holds_the_lead_or_gives_it_to_the_fallback_agent(self):
        alone = make_world(person("ana"))
        lead = alone.lead(alone.send())
        assert actions.reassign(lead=lead, at=LATER).outcome == "held"
        assert alone.load("ana").open == 0

        backed = make_world(person("ana"), person("bo", shifts=NEVER), fallback="bo", slug="backed")
        lead = backed.lead(backed.send())
        assert actions.reassign(lead=lead, at=LATER).agent.slug == "bo"


class TestClosing:
    def test_frees_one_place_once(self):
        world = make_world(person("ana"))
        lead = world.lead(world.send())
        world.send()

        for _ in range(2):
            actions.close(lead=lead, at=LATER, closed_as="won")

        assert world.load("ana").open == 1
        assert lead.events.filter(kind="closed").count() == 1
        assert not Assignment.objects.filter(lead=lead, closed_at=None).exists()

    @pytest.mark.parametrize("end", ["spam", "duplicate", "no_conversation"])
    def test_what_was_no_lead_gives_the_whole_turn_back_once(self, end):
        world = make_world(*map(person, "abc"))
        sent = [world.lead(world.send()) for _ in range(2)]

        for _ in range(2):
            actions.close(lead=sent[0], at=LATER, closed_as=end)

        # As if only the second had come.
        third = U // 3
        standing = world.ledger().standing
        assert [standing.of(world.agent(slug).pk).credit for slug in "abc"] == [third, -2 * third, third]
        assert Decision.objects.get(lead=sent[0]).given_back == "paid"

    @pytest.mark.parametrize("end", ["won", "lost"])
    def test_a_lead_gives_nothing_back(self, end):
        world = make_world(*map(person, "abc"))
        lead = world.lead(world.send())
        before = world.ledger().entries

        actions.close(lead=lead, at=LATER, closed_as=end)

        assert world.ledger().entries == before

    def test_as_spam_after_all_gives_the_turn_back_then(self):
        world = make_world(*map(person, "abc"))
        lead = world.lead(world.send())
        actions.close(lead=lead, at=LATER, closed_as="lost")

        closed = actions.close(lead=lead, at=LATER + timedelta(hours=1), closed_as="spam")

        assert (closed.closed_as, closed.closed_at) == ("spam", LATER)
        assert set(world.credits()) == {0}
        assert world.load("a").open == 0

    def test_a_night_of_spam_leaves_nobody_with_more_than_a_lead_in_credit(self):
        world = make_world(*map(person, "abcde"))
        leads = [world.lead(world.send()) for _ in range(60)]

        for lead in leads[:40]:
            actions.close(lead=lead, at=LATER, closed_as="no_conversation")

        assert sum(world.credits()) == 0
        assert max(world.credits()) <= U
        following = world.sent(15)
        assert not any(len({*following[start : start + 3]}) == 1 for start in range(13))

    def test_without_a_turn_gives_none_back(self):
        world = make_world(person("ana"), rules=[rule("her", "agent:ana")])

        closed = actions.close(lead=world.lead(world.send()), at=LATER, closed_as="spam")

        assert closed.closed_as == "spam"

    def test_as_something_unknown_is_refused(self):
        world = make_world(person("ana"))

        with pytest.raises(ValidationError):
            actions.close(lead=world.lead(world.send()), at=LATER, closed_as="lunch")


class TestTaking:
    def test_from_the_queue_is_for_whoever_comes_first(self):
        world = make_world(person("ana"), person("bo"), rules=[rule("cold", "queue")])
        lead = world.lead(world.send())

        taken = actions.take(lead=lead, agent=world.agent("bo"), at=LATER)

        assert (taken.outcome, taken.agent.slug) == ("assigned", "bo")
        with pytest.raises(ValidationError, match="faster"):
            actions.take(lead=lead, agent=world.agent("ana"), at=LATER)

    def test_is_under_the_caps(self):
        world = make_world(person("ana", cap_open=1), rules=[rule("cold", "queue")])
        first, second = world.lead(world.send()), world.lead(world.send())
        actions.take(lead=first, agent=world.agent("ana"), at=LATER)

        with pytest.raises(ValidationError):
            actions.take(lead=second, agent=world.agent("ana"), at=LATER)
        assert Lead.objects.get(pk=second.pk).agent is None

    def test_is_for_those_it_was_offered_to(self):
        world = make_world(
            person("ana"),
            person("bo"),
            teams={"sales": ["ana"], "others": ["bo"]},
            rules=[rule("race", when=only("channel", "form"), by="claim")],
        )
        lead = world.lead(world.send())

        with pytest.raises(ValidationError, match="not on offer"):
            actions.take(lead=lead, agent=world.agent("bo"), at=LATER)

    def test_is_not_for_leads_that_wait_for_a_shift(self):
        world = make_world(person("ana", shifts=NEVER), person("bo"), teams={"sales": ["ana"]})
        lead = world.lead(world.send())

        with pytest.raises(ValidationError):
            actions.take(lead=lead, agent=world.agent("bo"), at=LATER)


class TestReopening:
    def test_gives_the_lead_back_to_its_agent_and_counts_it_as_open_again(self):
        world = make_world(person("ana", cap_day=1))
        lead = world.lead(world.send())
        actions.close(lead=lead, at=LATER, closed_as="lost")

        for _ in range(2):
            reopened = actions.reopen(lead=lead, at=LATER)

        assert (reopened.status, reopened.closed_as, reopened.closed_at) == ("open", "", None)
        assert (world.load("ana").open, world.load("ana").day) == (1, 1)
        assert Assignment.objects.filter(lead=lead, closed_at=None).count() == 1

    def test_of_what_a_bot_sent_is_refused(self):
        world = make_world(person("ana"))
        lead = world.lead(world.send(trusted=False, bot=True))

        with pytest.raises(ValidationError):
            actions.reopen(lead=lead, at=LATER)


def test_a_flag_is_cleared_by_whoever_looked():
    world = make_world(person("ana"))
    lead = world.lead(world.send(trusted=False, hold_flag="Look"))

    assert actions.clear_flag(lead=lead, at=LATER).flagged == ""
