"""What is promised about leads, and the ladder that runs until somebody answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents.models import Agent, Membership, User
from leads import actions, intake
from leads.models import Assignment, Event, Lead, Outbox
from leads.sla import climbing, selectors
from leads.sla.climbing import climb
from tests.leads.world import MORNING, NIGHT, NOON, OFFICE, World, make_world, only, person, rule

pytestmark = [pytest.mark.django_db, pytest.mark.portable]

MINUTE = timedelta(minutes=1)
# As people write it: a reminder half way, somebody else after ten minutes, the manager after fifteen.
LADDER = {
    "respond_within": 300,
    "remind_at": [50],
    "reroute_after": 600,
    "max_reroutes": 3,
    "escalate_after": 900,
    "clock": "wall",
}


def promising(sla: dict, **route) -> dict:
    return {**rule("everything", **route), "sla": sla}


def covered(**sla) -> dict:
    return {"clock": "covered", **sla}


def manager_of(world: World, email: str = "boss@acme.test") -> User:
    user = User.objects.create_user(email)
    Membership.objects.create(workspace=world.workspace, user=user, role="manager")
    return user


def told(kind: str) -> list[str | int]:
    """Whom the messages of a kind are for, in the order they were written."""
    slugs = {agent.pk: agent.slug for agent in Agent.objects.all()}
    rows = Outbox.objects.filter(kind=kind).order_by("pk")
    return [slugs.get(row.payload.get("agent"), row.payload.get("user")) for row in rows]


def sweep_until(at: datetime, *, since: datetime = NOON, every: timedelta = MINUTE) -> None:
    """Sweep as often as that, as the clock runs."""
    moment = since
    while moment <= at:
        climb(at=moment)
        moment += every


def acts(lead: Lead) -> list[str]:
    return [kind for kind in lead.events.order_by("at", "pk").values_list("kind", flat=True) if kind != "received"]


class TestThePromise:
    def test_is_the_rules(self):
        world = make_world(person("ana"), rules=[promising(LADDER)], policy={"sla": {"respond_within": 60}})

        lead = world.lead(world.send())

        assert lead.respond_by == NOON + 5 * MINUTE
        assert lead.ladder_at == NOON + timedelta(seconds=150)

    def test_is_the_workspaces_where_the_rule_has_none(self):
        policy = {"sla": {"respond_within": 60, "clock": "wall"}}
        world = make_world(person("ana"), policy=policy)

        first = world.lead(world.send(visitor_id="eva"))
        actions.close(lead=first, at=NOON, closed_as="won")
        known = world.lead(world.send(visitor_id="eva", at=NOON + MINUTE))

        assert first.respond_by == NOON + MINUTE
        assert (known.reason, known.respond_by) == ("returning", NOON + 2 * MINUTE)

    def test_is_none_where_nobody_made_one(self):
        world = make_world(person("ana"))

        lead = world.lead(world.send())

        assert (lead.sla, lead.respond_by, lead.ladder_at) == (None, None, None)

    def test_costs_no_statement(self):
        """The columns are a part of the lead's own row."""
        counted = []
        for slug, sla in (("one", None), ("two", LADDER)):
            world = make_world(person("ana"), slug=slug, rules=[promising(sla)] if sla else [rule("everything")])
            world.send()
            door = world.door()
            with CaptureQueriesContext(connection) as queries:
                world.send(door=door)
            counted.append(len(queries))

        assert counted[0] == counted[1]

    def test_starts_when_somebody_takes_a_lead_from_the_nurture_queue(self):
        world = make_world(person("ana"), rules=[{**rule("cold", "queue"), "sla": LADDER}])
        lead = world.lead(world.send())
        assert (lead.respond_by, lead.ladder_at) == (None, None)

        taken = actions.take(lead=lead, agent=world.agent("ana"), at=NOON + timedelta(hours=1))

        assert taken.respond_by == NOON + timedelta(hours=1, minutes=5)

    def test_is_kept_by_a_publish_in_the_middle_with_the_time_that_is_left(self):
        world = make_world(person("ana"), person("bo"), rules=[promising(LADDER)])
        lead = world.lead(world.send())

        world.publish(promising({"respond_within": 10, "clock": "wall"}), at=NOON + MINUTE)
        climb(at=NOON + 4 * MINUTE)
        assert world.lead(world.send(at=NOON + 4 * MINUTE)).respond_by == NOON + timedelta(minutes=4, seconds=10)
        lead.refresh_from_db()
        assert (lead.respond_by, lead.breached_at) == (NOON + 5 * MINUTE, None)

        sweep_until(NOON + 10 * MINUTE, since=NOON + 5 * MINUTE)
        lead.refresh_from_db()
        assert (lead.breached_at, lead.reroutes, lead.agent.slug) == (NOON + 5 * MINUTE, 1, "bo")
        assert lead.respond_by == NOON + 5 * MINUTE


def at_(day: int, hour: int, minute: int = 0) -> datetime:
    """Of the week from Monday, 2 March 2026, whose Wednesday is day 4."""
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


class TestTheCoveredClock:
    """Somebody who never sleeps takes every lead, so that the promise starts when it comes in."""

    @pytest.mark.parametrize(
        ("came_in", "hours", "deadline"),
        [
            (at_(4, 10), 2, at_(4, 12)),
            (at_(4, 7), 2, at_(4, 11)),
            (at_(6, 16), 2, at_(9, 10)),
            (at_(7, 10), 2, at_(9, 11)),
            (at_(2, 16), 10, at_(4, 10)),
        ],
    )
    def test_counts_the_teams_regular_hours(self, came_in, hours, deadline):
        world = make_world(
            person("ana", shifts=OFFICE),
            person("owl"),
            teams={"sales": ["ana"], "night": ["owl"]},
            fallback="owl",
            rules=[promising(covered(respond_within=hours * 3600), if_nobody="fallback")],
        )

        assert world.lead(world.send(at=came_in)).respond_by == deadline

    def test_moves_over_a_holiday(self):
        # Monday, 6 April 2026, is a holiday in Catalonia.
        world = make_world(
            person("ana", shifts=OFFICE, holiday_calendar="ES-CT"),
            rules=[promising(covered(respond_within=4 * 3600))],
        )
        friday = datetime(2026, 3, 27, 16, tzinfo=UTC)
        assert world.lead(world.send(at=friday)).respond_by == datetime(2026, 3, 30, 12, tzinfo=UTC)

        thursday = datetime(2026, 4, 2, 16, tzinfo=UTC)  # Good Friday and Easter Monday in a row
        assert world.lead(world.send(at=thursday)).respond_by == datetime(2026, 4, 7, 12, tzinfo=UTC)

    def test_without_any_hours_has_no_deadline_and_says_so(self):
        world = make_world(
            person("ana", shifts=OFFICE),
            person("owl", shifts=OFFICE, kind="on_call"),
            teams={"sales": ["ana"], "night": ["owl"]},
            rules=[
                {**rule("never", "night", if_nobody="on_call"), "sla": covered(respond_within=60)},
                promising(covered(respond_within=60)),
            ],
        )

        lead = world.lead(world.send())

        assert (lead.agent.slug, lead.respond_by, lead.ladder_at) == ("owl", None, NOON + 5 * MINUTE)
        assert selectors.rules_never_due(workspace=world.workspace, at=NOON) == ["never"]
        assert selectors.rules_never_due(workspace=world.workspace, at=NOON, draft=True) == ["never"]


class TestTheLadder:
    def test_climbs_step_by_step(self):
        world = make_world(*(person(slug) for slug in "abcde"), rules=[promising(LADDER)])
        boss = manager_of(world)
        lead = world.lead(world.send())
        before = world.credits()
        when = {}

        moment = NOON
        while moment < NOON + timedelta(hours=1):
            moment += timedelta(seconds=30)
            if climb(at=moment):
                when[moment - NOON] = acts(lead)[-1]

        assert when == {
            timedelta(seconds=150): "reminded",
            timedelta(minutes=5): "overdue",
            timedelta(minutes=10): "assigned",
            timedelta(minutes=15): "escalated",
            timedelta(minutes=20): "assigned",
            timedelta(minutes=30): "assigned",
        }
        lead.refresh_from_db()
        assert (lead.reroutes, lead.ladder_at, lead.breached_at) == (3, None, NOON + 5 * MINUTE)
        assert (told("reminder"), told("escalation")) == (["a"], [boss.pk])
        assert told("assigned")[0] == "a"
        assert len(set(told("assigned"))) == 4
        assert told("rerouted_away") == told("assigned")[:3]
        assert world.credits() == before
        assert list(selectors.overdue(workspace=world.workspace, at=moment)) == [lead]
        assert list(selectors.in_trouble(workspace=world.workspace, at=moment)) == [lead]

    def test_stays_and_escalates_where_nobody_else_is_there(self):
        world = make_world(person("ana"), rules=[promising({"reroute_after": 600, "max_reroutes": 3, "clock": "wall"})])
        boss = manager_of(world)
        lead = world.lead(world.send())

        sweep_until(NOON + timedelta(hours=1))

        lead.refresh_from_db()
        assert (lead.agent.slug, lead.reroutes, lead.escalated_at) == ("ana", 0, NOON + 10 * MINUTE)
        assert told("escalation") == [boss.pk]
        assert Assignment.objects.filter(lead=lead).count() == 1

    def test_goes_no_further_than_it_may(self):
        sla = {"reroute_after": 60, "max_reroutes": 1, "clock": "wall"}
        world = make_world(*(person(slug) for slug in "abc"), rules=[promising(sla)])
        lead = world.lead(world.send())

        sweep_until(NOON + timedelta(hours=1))

        assert Assignment.objects.filter(lead=lead).count() == 2

    def test_goes_by_turn_where_the_offer_was_taken_and_nothing_followed(self):
        race = {**rule("race", when=only("channel", "form"), by="claim"), "sla": {**LADDER}}
        world = make_world(person("ana"), person("bo"), rules=[race])
        lead = world.lead(world.send())
        actions.take(lead=lead, agent=world.agent("ana"), at=NOON + MINUTE)

        sweep_until(NOON + 11 * MINUTE)

        assert world.leads()[0].agent.slug == "bo"

    @pytest.mark.parametrize("end", ["answer", "close"])
    def test_stops_at_the_first_human_response_and_at_closing(self, end):
        world = make_world(person("ana"), person("bo"), rules=[promising(LADDER)])
        lead = world.lead(world.send())
        if end == "answer":
            actions.respond(lead=lead, at=NOON + MINUTE, kind="automatic")
            actions.respond(lead=lead, at=NOON + 2 * MINUTE)
        else:
            actions.close(lead=lead, at=NOON + MINUTE, closed_as="lost")

        sweep_until(NOON + timedelta(hours=1))

        lead.refresh_from_db()
        assert (lead.breached_at, lead.agent.slug, lead.ladder_at) == (None, "ana", None)
        assert (told("reminder"), told("escalation")) == ([], [])

    def test_is_not_stopped_by_automatic_replies(self):
        world = make_world(person("ana"), rules=[promising(LADDER)])
        lead = world.lead(world.send())

        actions.respond(lead=lead, at=NOON + MINUTE, kind="automatic")
        sweep_until(NOON + 6 * MINUTE)

        lead.refresh_from_db()
        assert lead.breached_at == NOON + 5 * MINUTE

    def test_reminds_once_after_a_standstill(self):
        sla = {"respond_within": 600, "remind_at": [10, 50, 80, "9m"], "clock": "wall"}
        world = make_world(person("ana"), rules=[promising(sla)])
        world.send()

        for _ in range(3):
            climb(at=NOON + timedelta(hours=1))

        assert told("reminder") == ["ana"]

    def test_does_not_remind_whoever_has_only_just_got_the_lead(self):
        sla = {"respond_within": 600, "remind_at": [50], "clock": "wall"}
        world = make_world(person("ana"), person("bo"), rules=[promising(sla)])
        lead = world.lead(world.send())
        actions.reassign(lead=lead, to=world.agent("bo"), at=NOON + 5 * MINUTE)

        climb(at=NOON + 5 * MINUTE)
        climb(at=NOON + 6 * MINUTE)

        assert told("reminder") == []

    def test_answered_by_the_second_agent_is_one_response(self):
        world = make_world(person("ana"), person("bo"), rules=[promising(LADDER)])
        lead = world.lead(world.send())

        sweep_until(NOON + 10 * MINUTE)
        actions.respond(lead=lead, at=NOON + 12 * MINUTE)

        lead.refresh_from_db()
        held = Assignment.objects.filter(lead=lead).order_by("pk")
        assert [(each.agent.slug, each.closed_at) for each in held] == [("ana", NOON + 10 * MINUTE), ("bo", None)]
        assert lead.first_response_at == NOON + 12 * MINUTE
        assert [event.data["agent"] for event in lead.events.filter(kind="responded")] == ["bo"]

    def test_one_that_fails_is_left_alone_for_a_while_and_holds_up_nobody(self, monkeypatch, caplog):
        world = make_world(person("ana"), rules=[promising(LADDER)])
        first, second = world.lead(world.send()), world.lead(world.send(at=NOON + timedelta(seconds=1)))
        real = climbing._do_what_is_due

        def explode(lead, at):
            if lead.pk == first.pk:
                raise RuntimeError("eva@example.com")
            real(lead, at)

        monkeypatch.setattr(climbing, "_do_what_is_due", explode)
        assert climb(at=NOON + 3 * MINUTE) == 1
        monkeypatch.undo()

        assert "eva@example.com" not in caplog.text
        assert climb(at=NOON + 4 * MINUTE) == 0
        climb(at=NOON + 8 * MINUTE)
        assert sorted(Event.objects.filter(kind="reminded").values_list("lead", flat=True)) == sorted(
            [first.pk, second.pk]
        )


class TestABreach:
    @pytest.fixture
    def lead(self):
        world = make_world(person("ana"), rules=[promising({"respond_within": 300, "clock": "wall"})])
        return world.lead(world.send())

    def test_is_stamped_at_the_deadline_whenever_the_sweep_comes_by(self, lead):
        climb(at=NOON + timedelta(hours=3))

        lead.refresh_from_db()
        assert lead.breached_at == lead.respond_by == NOON + 5 * MINUTE
        assert lead.events.get(kind="overdue").at == NOON + 5 * MINUTE

    def test_is_taken_back_where_the_answer_was_given_in_time_and_reported_late(self, lead):
        climb(at=NOON + 6 * MINUTE)

        actions.respond(lead=lead, at=NOON + 7 * MINUTE, responded_at=NOON + 5 * MINUTE)

        lead.refresh_from_db()
        assert lead.breached_at is None

    def test_is_stamped_by_a_late_answer_though_no_sweep_came_by(self, lead):
        actions.respond(lead=lead, at=NOON + 7 * MINUTE)

        lead.refresh_from_db()
        assert lead.breached_at == NOON + 5 * MINUTE

    def test_is_none_where_it_was_no_lead(self, lead):
        climb(at=NOON + 6 * MINUTE)

        actions.close(lead=lead, at=NOON + 7 * MINUTE, closed_as="spam")

        lead.refresh_from_db()
        assert lead.breached_at is None

    def test_stays_what_it_was_when_the_lead_is_opened_again_days_later(self, lead):
        actions.respond(lead=lead, at=NOON + 4 * MINUTE)
        actions.close(lead=lead, at=NOON + 5 * MINUTE, closed_as="won")
        actions.reopen(lead=lead, at=NOON + timedelta(days=5))
        climb(at=NOON + timedelta(days=6))
        actions.respond(lead=lead, at=NOON + timedelta(days=6))

        lead.refresh_from_db()
        assert (lead.first_response_at, lead.breached_at) == (NOON + 4 * MINUTE, None)


class TestHeldLeads:
    def test_of_the_night_are_counted_from_the_opening_and_nobody_is_reminded_at_once(self):
        world = make_world(*(person(slug, shifts=OFFICE) for slug in "ab"), rules=[promising(LADDER, if_nobody="hold")])
        manager_of(world)
        sent = [world.send(at=NIGHT + minute * MINUTE) for minute in range(6)]
        climb(at=MORNING - timedelta(seconds=1))
        assert {world.lead(each).respond_by for each in sent} == {MORNING + 5 * MINUTE}

        world.release(MORNING)
        climb(at=MORNING)
        assert (told("reminder"), told("escalation")) == ([], [])
        assert len(told("released")) == 6

        for each in sent[1:]:
            actions.respond(lead=world.lead(each), at=MORNING + MINUTE)
        climb(at=MORNING + 3 * MINUTE)
        assert told("reminder") == ["a"]
        assert {world.lead(each).breached_at for each in sent} == {None}

    def test_whose_opening_passes_in_vain_are_told_to_managers_and_to_whoever_has_them(self):
        world = make_world(person("ana", shifts=OFFICE), rules=[rule("everything", if_nobody="hold")])
        boss = manager_of(world)
        lead = world.lead(world.send(at=NIGHT))
        assert lead.opens_at == MORNING
        world.release(MORNING)

        climb(at=MORNING + timedelta(minutes=59))
        assert told("promise_late") == []
        for _ in range(2):
            climb(at=MORNING + timedelta(hours=1))

        assert (told("promise_late"), told("reminder")) == ([boss.pk], ["ana"])

    def test_that_nobody_got_at_the_opening_are_told_to_managers(self):
        world = make_world(
            person("ana", shifts=OFFICE),
            rules=[promising({"respond_within": 600, "clock": "wall"}, if_nobody="hold")],
        )
        boss = manager_of(world)
        lead = world.lead(world.send(at=NIGHT))
        world.change("ana", is_paused=True)
        world.release(MORNING)

        climb(at=MORNING + 10 * MINUTE)

        lead.refresh_from_db()
        assert (lead.agent, lead.breached_at) == (None, MORNING + 10 * MINUTE)
        assert (told("promise_late"), told("reminder")) == ([boss.pk], [])
        assert list(selectors.in_trouble(workspace=world.workspace, at=MORNING + 10 * MINUTE)) == [lead]

    def test_that_wait_for_a_free_place_run_from_when_they_came(self):
        world = make_world(person("ana", cap_open=1), rules=[promising(LADDER, if_nobody="hold")])
        boss = manager_of(world)
        first, second = world.lead(world.send()), world.lead(world.send())

        climb(at=NOON + 15 * MINUTE)

        second.refresh_from_db()
        assert (second.agent, second.breached_at, second.escalated_at) == (None, NOON + 5 * MINUTE, NOON + 15 * MINUTE)
        assert told("escalation") == [boss.pk, boss.pk]

        actions.close(lead=first, at=NOON + 20 * MINUTE, closed_as="won")
        world.release(NOON + 20 * MINUTE)
        second.refresh_from_db()
        assert (second.agent.slug, second.breached_at) == ("ana", NOON + 5 * MINUTE)
        assert second.ladder == [[(NOON + 30 * MINUTE).isoformat(), "reroute"]]

    def test_that_somebody_gets_before_the_opening_run_from_then(self):
        world = make_world(
            person("ana", shifts=OFFICE),
            person("bo"),
            teams={"sales": ["ana"], "others": ["bo"]},
            rules=[promising(LADDER, if_nobody="hold")],
        )
        lead = world.lead(world.send(at=NIGHT))

        actions.reassign(lead=lead, to=world.agent("bo"), at=NIGHT + MINUTE)

        lead.refresh_from_db()
        assert lead.respond_by == NIGHT + 6 * MINUTE


class TestTrouble:
    def test_is_told_to_managers_once_where_nobody_is_active(self):
        world = make_world(person("ana"), fallback="ana")
        boss, owner = manager_of(world), manager_of(world, "owner@acme.test")
        manager_of(make_world(person("eve"), slug="other"), "eve@other.test")
        world.change("ana", is_active=False)

        lead = world.lead(world.send())
        world.release(NOON)

        assert (lead.outcome, lead.agent) == ("held", None)
        assert told("trouble") == [boss.pk, owner.pk]
        assert list(selectors.in_trouble(workspace=world.workspace, at=NOON)) == [lead]

    def test_is_told_where_routing_failed(self, monkeypatch):
        world = make_world(person("ana"), fallback="ana")
        boss = manager_of(world)
        monkeypatch.setattr(intake.engine, "match", None)

        world.send()

        assert told("trouble") == [boss.pk]
