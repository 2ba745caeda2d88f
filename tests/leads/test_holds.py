"""Held leads: whom they wait for, when they are tried, and in which order they go."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents.models import Handle, Team, TeamMember
from leads import actions, placing, releasing
from leads.holds import release_held
from leads.models import Assignment, Decision, HeldQueue
from tests.leads.world import MORNING, NEVER, NIGHT, NOON, OFFICE, make_world, only, person, rule

pytestmark = pytest.mark.django_db

HOLD = [rule("everything", if_nobody="hold")]
MINUTE = timedelta(minutes=1)


def agents_of(world) -> list[str | None]:
    return [lead.agent.slug if lead.agent else None for lead in world.leads()]


class TestTheNight:
    def test_is_released_at_the_first_sweep_after_the_shift_starts_oldest_first_by_turns(self):
        world = make_world(*(person(slug, shifts=OFFICE) for slug in "abc"), rules=HOLD)
        for minute in range(7):
            world.send(at=NIGHT + minute * MINUTE)

        assert world.release(NIGHT + timedelta(hours=1)) == 0
        assert world.release(MORNING - timedelta(seconds=1)) == 0
        assert world.release(MORNING) == 7

        leads = world.leads()
        assert agents_of(world) == ["a", "b", "c", "a", "b", "c", "a"]
        assert {(lead.outcome, lead.reason) for lead in leads} == {("assigned", "shift_started")}
        assert leads[0].received_at == NIGHT
        assert leads[0].assigned_at == MORNING
        assert list(Assignment.objects.order_by("pk").values_list("lead_id", flat=True)) == [lead.pk for lead in leads]
        assert sum(world.credits()) == 0
        assert HeldQueue.objects.get().due_at is None

    def test_of_two_agents_is_shared_evenly(self):
        world = make_world(person("a", shifts=OFFICE), person("b", shifts=OFFICE), rules=HOLD)
        for _ in range(4):
            world.send(at=NIGHT)

        world.release(MORNING)

        assert sorted(agents_of(world)) == ["a", "a", "b", "b"]

    def test_is_shared_evenly_by_thirty_sweeps_of_one_lead_each(self):
        world = make_world(person("a", is_paused=True), person("b", is_paused=True), rules=HOLD)

        for number in range(30):
            at = NOON + number * MINUTE
            world.send(at=at)
            for paused in (False, True):
                world.change("a", is_paused=paused)
                world.change("b", is_paused=paused)
                world.release(at)

        assert agents_of(world).count("a") == agents_of(world).count("b") == 15

    def test_goes_on_in_the_next_sweep_where_there_is_more_than_one_does(self):
        world = make_world(person("a", shifts=OFFICE), rules=HOLD)
        for minute in range(5):
            world.send(at=NIGHT + minute * MINUTE)

        assert release_held(at=MORNING, limit=3) == 3
        assert agents_of(world) == ["a", "a", "a", None, None]
        assert release_held(at=MORNING, limit=3) == 2

    def test_is_decided_by_the_policy_published_by_then_with_the_facts_it_came_with(self):
        world = make_world(
            person("a", shifts=OFFICE), person("b", shifts=OFFICE), teams={"sales": ["a"], "hot": ["b"]}, rules=HOLD
        )
        accepted = world.send(at=NIGHT, country="ES", language="es")
        world.publish(rule("spanish", "hot", when=only("language", "es")), *HOLD, at=NIGHT)

        assert world.release(NIGHT + MINUTE) == 0
        world.release(MORNING)

        assert (world.lead(accepted).agent.slug, world.lead(accepted).rule) == ("b", "spanish")

    def test_sees_the_clock_of_the_release(self):
        world = make_world(
            person("a", shifts=OFFICE),
            person("b", shifts=OFFICE),
            teams={"sales": ["a"], "day": ["b"]},
            rules=[rule("by day", "day", when=only("in_hours", True)), *HOLD],
        )
        accepted = world.send(at=NIGHT)

        world.release(MORNING)

        assert world.lead(accepted).agent.slug == "b"


class TestAPlaceThatIsFreed:
    def test_goes_to_the_oldest_lead_within_one_sweep(self):
        world = make_world(person("a", cap_open=3), rules=HOLD)
        sent = [world.send(at=NOON + minute * MINUTE) for minute in range(5)]
        at = NOON + timedelta(hours=1)
        world.release(at)

        actions.close(lead=world.lead(sent[0]), closed_as="won", at=at)
        assert world.release(at) == 1

        assert agents_of(world) == ["a", "a", "a", "a", None]
        assert world.lead(sent[3]).reason == "cap_freed"
        assert world.load("a").open == 3

    def test_by_a_reassignment_is_one_too(self):
        world = make_world(person("a", cap_open=1), person("b"), teams={"sales": ["a"], "others": ["b"]}, rules=HOLD)
        first, second = world.send(), world.send()
        world.release(NOON)

        actions.reassign(lead=world.lead(first), to=world.agent("b"), at=NOON)
        world.release(NOON)

        assert world.lead(second).agent.slug == "a"

    def test_by_a_new_hour_opens_the_hour_cap(self):
        world = make_world(person("a", cap_hour=1), rules=HOLD)
        _first, second, third = (world.send(at=NOON + number * MINUTE) for number in range(3))

        for minute in (5, 59):
            assert world.release(NOON + minute * MINUTE) == 0
        assert world.release(NOON + timedelta(hours=1)) == 1

        assert (world.lead(second).agent.slug, world.lead(second).reason) == ("a", "cap_freed")
        assert world.lead(third).agent is None

    def test_by_a_new_day_opens_the_day_cap_at_the_agents_midnight(self):
        world = make_world(person("a", cap_day=1, timezone="America/New_York"), rules=HOLD)
        world.send()
        held = world.send()
        midnight = datetime(2026, 3, 3, 5, tzinfo=UTC)
        world.release(NOON)

        assert world.release(midnight - timedelta(seconds=1)) == 0
        assert world.release(midnight) == 1
        assert world.lead(held).agent.slug == "a"


class TestWhatIsTried:
    def test_is_tried_when_somebody_ends_a_pause(self):
        world = make_world(person("a", is_paused=True), rules=HOLD)
        accepted = world.send()
        world.release(NOON)

        world.change("a", is_paused=False)
        world.release(NOON)

        assert (world.lead(accepted).agent.slug, world.lead(accepted).reason) == ("a", "shift_started")

    def test_is_tried_when_somebody_who_is_there_learns_what_was_missing(self):
        world = make_world(person("a", handles={}), rules=HOLD)
        accepted = world.send(channel="whatsapp")
        world.release(NOON)

        Handle.objects.create(
            workspace=world.workspace, agent=world.agent("a"), channel="whatsapp", value="+34600111222"
        )
        world.release(NOON)

        assert world.lead(accepted).agent.slug == "a"

    def test_is_tried_when_somebody_joins_the_team(self):
        world = make_world(person("a", shifts=OFFICE), person("b"), teams={"sales": ["a"], "others": ["b"]}, rules=HOLD)
        accepted = world.send(at=NIGHT)
        world.release(NIGHT)

        TeamMember.objects.create(
            workspace=world.workspace, team=Team.objects.get(slug="sales"), agent=world.agent("b")
        )
        world.release(NIGHT)

        assert world.lead(accepted).agent.slug == "b"

    def test_is_not_tried_when_somebody_elses_row_changes(self):
        world = make_world(
            person("a", shifts=OFFICE),
            person("b"),
            teams={"sales": ["a"], "others": ["b"]},
            rules=[rule("by day", when=only("in_hours", True), if_nobody="hold"), rule("by night", "others")],
        )
        # Held at noon as Ana has her hands full; at night another rule would hold.
        world.change("a", cap_open=1)
        world.send(at=NOON)
        held = world.send(at=NOON)
        assert held.outcome == "held"
        world.release(NOON)

        world.change("b", title="Somebody else")
        assert world.release(NIGHT) == 0
        assert world.lead(held).outcome == "held"

    def test_goes_elsewhere_when_its_team_is_archived(self):
        world = make_world(
            person("a", shifts=OFFICE),
            person("b"),
            teams={"sales": ["a"], "others": ["b"]},
            rules=[*HOLD, rule("the rest", "others")],
        )
        accepted = world.send(at=NIGHT)
        world.release(NIGHT)

        team = Team.objects.get(slug="sales")
        team.archived_at = NIGHT
        team.save()
        world.release(NIGHT)

        assert (world.lead(accepted).agent.slug, world.lead(accepted).rule) == ("b", "the rest")

    def test_goes_elsewhere_when_nobody_who_could_take_it_has_hours_any_more(self):
        french = person("a", shifts=OFFICE, languages=["fr"])
        world = make_world(
            french,
            person("b", shifts=OFFICE),
            person("c"),
            teams={"sales": ["a", "b"], "others": ["c"]},
            rules=[rule("everything", require=["language"], if_nobody="hold"), rule("the rest", "others")],
        )
        accepted = world.send(at=NIGHT, language="fr")
        world.release(NIGHT)
        assert world.lead(accepted).outcome == "held"

        world.change("a", is_active=False)
        world.release(NIGHT)

        assert world.lead(accepted).agent.slug == "c"

    def test_is_tried_by_whoever_comes_back_after_having_been_there_in_vain(self):
        world = make_world(
            person("a", shifts=OFFICE, languages=["en"]),
            rules=[rule("everything", require=["language"], if_nobody="hold")],
        )
        accepted = world.send(at=NOON, language="fr")
        at = NOON
        while at < MORNING - timedelta(minutes=30):  # the sweeper runs all day
            at += timedelta(minutes=30)
            world.release(at)
        world.publish(*HOLD, at=at)

        assert world.lead(accepted).outcome == "held"
        world.release(MORNING)
        assert world.lead(accepted).agent.slug == "a"

    def test_that_is_closed_leaves_the_queue(self):
        world = make_world(person("a", shifts=OFFICE), rules=HOLD)
        accepted = world.send(at=NIGHT)
        actions.close(lead=world.lead(accepted), closed_as="lost", at=NIGHT)

        assert world.release(MORNING) == 0
        assert world.lead(accepted).agent is None

    def test_at_the_end_of_the_list_waits_for_anybody(self):
        world = make_world(
            person("a", shifts=NEVER), person("b", shifts=OFFICE), teams={"sales": ["a"], "others": ["b"]},
            rules=[rule("everything"), rule("by day", "others", when=only("in_hours", True))],
        )  # fmt: skip
        accepted = world.send(at=NIGHT)

        world.release(MORNING)

        assert world.lead(accepted).agent.slug == "b"

    def test_at_the_end_of_the_list_goes_to_a_fallback_agent_named_meanwhile(self):
        world = make_world(person("a", shifts=NEVER))
        accepted = world.send()
        world.release(NOON)

        world.workspace.fallback_agent = world.agent("a")
        world.workspace.save()
        world.release(NOON)

        assert (world.lead(accepted).outcome, world.lead(accepted).agent.slug) == ("fallback", "a")

    def test_is_looked_at_once_and_left_alone_while_nothing_happens(self):
        world = make_world(person("a", shifts=OFFICE), rules=HOLD)
        for _ in range(20):
            world.send(at=NIGHT)
        world.release(NIGHT)

        with CaptureQueriesContext(connection) as queries:
            world.release(NIGHT + MINUTE)

        assert len(queries) == 1

    def test_costs_no_transaction_each_where_nobody_can_take_any_more(self):
        world = make_world(person("a", shifts=OFFICE, cap_open=1), rules=HOLD)
        for _ in range(30):
            world.send(at=NIGHT)
        with CaptureQueriesContext(connection) as queries:
            world.release(MORNING)

        assert agents_of(world).count("a") == 1
        assert len(queries) < 50
        assert Decision.objects.filter(trigger="release").count() == 1

    def test_that_fails_is_flagged_and_left_alone_for_a_while_and_the_others_go_on(self, monkeypatch):
        world = make_world(person("a", shifts=OFFICE), rules=HOLD)
        first, second = world.send(at=NIGHT), world.send(at=NIGHT + MINUTE)
        request_again = releasing.request_again

        def explode(lead, **kwargs):
            if lead.pk == first.lead_id:
                raise RuntimeError
            return request_again(lead, **kwargs)

        with monkeypatch.context() as patch:
            patch.setattr(releasing, "request_again", explode)
            assert world.release(MORNING) == 1
            assert world.lead(first).flagged

        assert world.lead(second).agent.slug == "a"
        assert world.release(MORNING + MINUTE) == 0
        assert world.release(MORNING + releasing.RETRY_AFTER) == 1

    def test_in_another_workspace_is_untouched(self):
        acme = make_world(person("a", is_paused=True), rules=HOLD)
        rival = make_world(person("a", is_paused=True), rules=HOLD, slug="rival")
        acme.send()
        held = rival.send()

        acme.change("a", is_paused=False)
        release_held(at=NOON)

        assert agents_of(acme) == ["a"]
        assert rival.lead(held).agent is None


class TestAClaimedQueue:
    def test_is_left_to_whoever_works_at_it(self):
        world = make_world(person("a", shifts=OFFICE), rules=HOLD)
        world.send(at=NIGHT)
        HeldQueue.objects.update(claimed_until=MORNING + MINUTE)

        assert world.release(MORNING) == 0
        assert world.release(MORNING + MINUTE) == 1

    def test_is_due_at_once_where_something_was_held_meanwhile(self, monkeypatch):
        world = make_world(person("a", shifts=OFFICE), rules=HOLD)
        world.send(at=NIGHT)
        run = releasing.Round.run

        def run_while_another_is_held(self):
            looked = run(self)
            world.send(at=NIGHT)
            return looked

        monkeypatch.setattr(releasing.Round, "run", run_while_another_is_held)
        world.release(NIGHT + MINUTE)

        queue = HeldQueue.objects.get()
        assert (queue.due_at, queue.claimed_until) == (NIGHT, None)


class TestAnOffer:
    RULES = [rule("race", when=only("channel", "form"), by="claim")]

    def test_is_held_for_all_takers_and_the_first_to_take_it_has_it(self):
        world = make_world(person("a"), person("b"), rules=self.RULES)
        accepted = world.send()
        lead = world.lead(accepted)
        assert (lead.outcome, lead.reason, lead.release_at) == ("held", "claim", NOON + placing.OFFER_LIMIT)
        assert lead.held_available == sorted([world.agent("a").pk, world.agent("b").pk])

        actions.take(lead=lead, agent=world.agent("b"), at=NOON)

        with pytest.raises(ValidationError, match="faster"):
            actions.take(lead=lead, agent=world.agent("a"), at=NOON)
        lead = world.lead(accepted)
        assert (lead.outcome, lead.reason, lead.agent.slug) == ("assigned", "claim", "b")
        assert world.ledger().turns == 0
        assert world.load("b").open == 1

    def test_goes_by_turn_when_its_limit_is_over(self):
        world = make_world(person("a"), person("b"), rules=self.RULES)
        accepted = world.send()
        world.release(NOON)

        assert world.release(NOON + placing.OFFER_LIMIT - timedelta(seconds=1)) == 0
        assert world.release(NOON + placing.OFFER_LIMIT) == 1

        lead = world.lead(accepted)
        assert (lead.outcome, lead.reason, lead.agent.slug) == ("assigned", "claim", "a")
        assert world.ledger().turns == 1

    def test_that_ran_out_is_not_offered_again(self):
        world = make_world(
            person("a", shifts={0: (0, 12 * 60 + 2), 1: (0, 1440)}),
            rules=[rule("race", when=only("channel", "form"), by="claim", if_nobody="hold")],
        )
        accepted = world.send()
        over = NOON + placing.OFFER_LIMIT
        world.release(over)
        assert (world.lead(accepted).outcome, world.lead(accepted).reason) == ("held", "nobody")

        world.release(datetime(2026, 3, 3, tzinfo=UTC))

        assert (world.lead(accepted).agent.slug, world.lead(accepted).reason) == ("a", "shift_started")
