"""Whoever is on call is paged and says so, else the next in line; managers learn of hours without anybody."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from agents.models import TimeOff
from leads import actions
from leads.after_hours.acknowledging import acknowledge
from leads.after_hours.coverage import coming_gaps, usual_leads
from leads.after_hours.warning import warn_of_gaps
from leads.models import CoverageWatch, Event, Outbox
from leads.sla.climbing import climb
from leads.sla.ladder import acknowledge_by
from tests.leads.test_sla import LADDER, MINUTE, manager_of, promising, sweep_until, told
from tests.leads.world import ALWAYS, NIGHT, NOON, OFFICE, make_world, person, rule

pytestmark = [pytest.mark.django_db, pytest.mark.portable]

ON_CALL = {"shifts": ALWAYS, "kind": "on_call"}


def night_world(*on_call: str, **kwargs):
    people = [person("day", shifts=OFFICE), *(person(slug, **ON_CALL) for slug in on_call)]
    kwargs.setdefault("rules", [rule("everything", if_nobody="on_call")])
    return make_world(*people, **kwargs)


class TestAPage:
    def test_goes_to_whoever_is_on_call_instead_of_a_plain_message(self):
        world = night_world("ana")

        lead = world.lead(world.send(at=NIGHT))

        assert (lead.reason, acknowledge_by(lead)) == ("on_call", NIGHT + 5 * MINUTE)
        assert (told("page"), told("assigned")) == (["ana"], [])
        assert Outbox.objects.get(kind="page").payload["acknowledge_by"] == (NIGHT + 5 * MINUTE).isoformat()

    def test_is_not_sent_by_day(self):
        world = night_world("ana")

        lead = world.lead(world.send(at=NOON))

        assert (lead.agent.slug, acknowledge_by(lead), told("page")) == ("day", None, [])

    def test_that_nobody_acknowledges_goes_down_the_line_and_then_to_the_managers(self):
        world = night_world("ana", "bo", "cy")
        boss = manager_of(world)
        lead = world.lead(world.send(at=NIGHT))
        before = world.credits()
        holders = []

        for minute in range(31):
            climb(at=NIGHT + minute * MINUTE)
            lead.refresh_from_db()
            holders.append(lead.agent.slug)

        assert [holders[minute] for minute in (4, 5, 9, 10, 14, 15, 30)] == ["ana", "bo", "bo", "cy", "cy", "cy", "cy"]
        assert told("page") == ["ana", "bo", "cy"]
        assert told("rerouted_away") == ["ana", "bo"]
        assert told("escalation") == [boss.pk]
        assert lead.escalated_at == NIGHT + 15 * MINUTE
        assert lead.reroutes == 0  # that is for silence after the promise
        assert world.credits() == before

    @pytest.mark.parametrize("sign", ["acknowledged", "seen", "attempted", "answered"])
    def test_stays_with_whoever_shows_that_they_have_it(self, sign):
        world = night_world("ana", "bo")
        manager_of(world)
        lead = world.lead(world.send(at=NIGHT))

        if sign == "acknowledged":
            for minute in (1, 2):
                acknowledge(lead=lead, at=NIGHT + minute * MINUTE)
        elif sign == "answered":
            actions.respond(lead=lead, at=NIGHT + MINUTE)
        else:
            Event.objects.create(workspace=world.workspace, lead=lead, kind=sign, at=NIGHT + MINUTE)
        sweep_until(NIGHT + 30 * MINUTE, since=NIGHT)

        lead.refresh_from_db()
        assert (lead.agent.slug, lead.reroutes) == ("ana", 0)
        assert (told("page"), told("escalation")) == (["ana"], [])
        if sign == "acknowledged":
            assert lead.acknowledged_at == NIGHT + MINUTE
            assert Event.objects.filter(lead=lead, kind="acknowledged").count() == 1

    def test_of_the_first_does_not_count_as_the_seconds_acknowledgement(self):
        world = night_world("ana", "bo", "cy")
        lead = world.lead(world.send(at=NIGHT))
        acknowledge(lead=lead, at=NIGHT + MINUTE)

        actions.reassign(lead=lead, at=NIGHT + 2 * MINUTE)

        lead.refresh_from_db()
        assert (lead.agent.slug, lead.acknowledged_at, acknowledge_by(lead)) == ("bo", None, NIGHT + 7 * MINUTE)

    def test_limit_is_the_workspaces(self):
        world = night_world("ana", policy={"acknowledge_within": 60})

        assert acknowledge_by(world.lead(world.send(at=NIGHT))) == NIGHT + MINUTE

    def test_leaves_the_fallback_agent_alone(self):
        world = night_world("ana", fallback="day")
        boss = manager_of(world)
        lead = world.lead(world.send(at=NIGHT))

        climb(at=NIGHT + 5 * MINUTE)

        lead.refresh_from_db()
        assert (lead.agent.slug, told("escalation")) == ("ana", [boss.pk])

    def test_that_is_acknowledged_still_has_the_ladder_before_it(self):
        world = night_world("ana", "bo", rules=[promising(LADDER, if_nobody="on_call")])
        lead = world.lead(world.send(at=NIGHT))
        acknowledge(lead=lead, at=NIGHT + MINUTE)

        sweep_until(NIGHT + 10 * MINUTE, since=NIGHT + MINUTE)

        lead.refresh_from_db()
        assert (lead.agent.slug, lead.reroutes, told("reminder")) == ("bo", 1, ["ana"])


MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
DAY = timedelta(days=1)


class TestComingGaps:
    def test_are_the_hours_without_anybody(self):
        world = make_world(person("ana", shifts=OFFICE))
        world.workspace.refresh_from_db()

        gaps = coming_gaps(workspace=world.workspace, at=MONDAY + 4 * DAY + timedelta(hours=12), days=3)

        assert [(gap.starts_at, gap.ends_at) for gap in gaps] == [
            (MONDAY + 4 * DAY + timedelta(hours=17), MONDAY + 7 * DAY + timedelta(hours=9))
        ]

    def test_are_closed_by_whoever_is_on_call_and_opened_by_leave_and_holidays(self):
        people = [
            person("ana", shifts=dict.fromkeys(range(7), (0, 720)), holiday_calendar="ES-CT"),
            person("bo", shifts=dict.fromkeys(range(7), (720, 1440)), kind="on_call"),
        ]
        world = make_world(*people)
        good_friday = datetime(2026, 4, 3, tzinfo=UTC)
        TimeOff.objects.create(
            workspace=world.workspace,
            agent=world.agent("bo"),
            starts_local="2026-04-04T20:00",
            ends_local="2026-04-04T22:00",
        )
        world.workspace.refresh_from_db()

        gaps = coming_gaps(workspace=world.workspace, at=good_friday - DAY, days=3)

        assert [(gap.starts_at, gap.ends_at, gap.why) for gap in gaps] == [
            (good_friday, good_friday + timedelta(hours=12), "a holiday"),
            (good_friday + timedelta(hours=44), good_friday + timedelta(hours=46), "time off"),
        ]

    def test_are_weighted_by_how_many_leads_usually_come_then(self):
        world = make_world(person("ana", shifts=OFFICE), timezone="Europe/Madrid")
        for week in range(8):  # at 20:30 in Madrid, each Monday; and one more
            world.send(at=MONDAY + 7 * week * DAY + timedelta(hours=19, minutes=30))
        at = MONDAY + 56 * DAY
        world.send(at=at - DAY)
        world.workspace.refresh_from_db()

        usual = usual_leads(workspace=world.workspace, at=at)
        (gap, *_others) = coming_gaps(workspace=world.workspace, at=at + timedelta(hours=16), days=1)

        # Four of them after the clocks went forward, when 19:30 UTC is 21:30 in Madrid.
        assert usual[0, 20] == usual[0, 21] == 0.5
        assert gap.leads == pytest.approx(1.0)

    def test_with_no_past_weigh_nothing(self):
        world = make_world(person("ana", shifts=OFFICE))
        world.workspace.refresh_from_db()

        assert [gap.leads for gap in coming_gaps(workspace=world.workspace, at=NIGHT, days=1)] == [0, 0]


class TestTheWarning:
    @pytest.fixture
    def world(self):
        """Leads come at 20:00 each evening, two of them; Ana is there until midnight."""
        world = make_world(person("ana", shifts=dict.fromkeys(range(7), (480, 1440))))
        for day in range(14):
            for _ in range(2):
                world.send(at=MONDAY + day * DAY + timedelta(hours=20))
        CoverageWatch.objects.update(due_at=MONDAY + 14 * DAY)
        return world

    def off(self, world, start: str, end: str) -> None:
        TimeOff.objects.create(workspace=world.workspace, agent=world.agent("ana"), starts_local=start, ends_local=end)

    def test_names_the_hours_to_the_managers_once(self, world):
        boss = manager_of(world)
        self.off(world, "2026-03-17T18:00", "2026-03-18T00:00")
        at = MONDAY + 14 * DAY

        assert [warn_of_gaps(at=at), warn_of_gaps(at=at)] == [1, 0]
        assert warn_of_gaps(at=at + DAY) == 0

        (row,) = Outbox.objects.filter(kind="coverage_warning")
        assert row.payload["user"] == boss.pk
        assert row.payload["gaps"] == [
            {
                "starts_at": "2026-03-17T18:00:00+00:00",
                "ends_at": "2026-03-18T08:00:00+00:00",
                "leads": 2.0,
                "why": "time off",
            }
        ]

    def test_is_said_again_where_a_gap_grows(self, world):
        manager_of(world)
        at = MONDAY + 14 * DAY
        self.off(world, "2026-03-17T18:00", "2026-03-18T00:00")
        warn_of_gaps(at=at)
        self.off(world, "2026-03-18T18:00", "2026-03-19T00:00")

        assert warn_of_gaps(at=at + timedelta(hours=8)) == 1

    def test_is_not_worth_it_where_hardly_anybody_writes(self, world):
        manager_of(world)
        self.off(world, "2026-03-17T10:00", "2026-03-17T19:00")

        assert warn_of_gaps(at=MONDAY + 14 * DAY) == 0
        assert CoverageWatch.objects.get().due_at == MONDAY + 14 * DAY + timedelta(hours=8)
