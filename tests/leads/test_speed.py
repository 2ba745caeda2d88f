"""When things happened to a lead, and how long its first human answer took."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from agents.models import Shift
from leads import actions, outbox, touches
from leads.actor import ITSELF
from leads.models import Lead, Outbox
from leads.sla.climbing import climb
from leads.sla.ladder import breach_of
from leads.speed.response import first_response
from leads.speed.selectors import holdings
from tests.leads.world import NIGHT, NOON, OFFICE, World, make_world, person, rule

pytestmark = [pytest.mark.django_db, pytest.mark.portable]

MINUTE = timedelta(minutes=1)


def fresh(lead: Lead) -> Lead:
    return Lead.objects.get(pk=lead.pk)


def promising(seconds: int) -> dict:
    return {**rule("everything"), "sla": {"respond_within": seconds, "clock": "wall"}}


class TestStamps:
    def test_are_of_the_first_time(self):
        world = make_world(person("ana"), person("bo"))
        lead = world.lead(world.send())
        ana = lead.agent

        for minute in (1, 2):
            touches.see(lead=lead, agent=ana, at=NOON + minute * MINUTE, by=ITSELF)
            touches.attempt(lead=lead, agent=ana, at=NOON + (minute + 2) * MINUTE, by=ITSELF)
        actions.reassign(lead=lead, at=NOON + 5 * MINUTE, by=ITSELF)

        lead = fresh(lead)
        assert (lead.first_assigned_at, lead.assigned_at) == (NOON, NOON + 5 * MINUTE)
        assert (lead.seen_at, lead.attempted_at) == (NOON + MINUTE, NOON + 3 * MINUTE)

    def test_a_held_lead_is_first_assigned_when_it_is_released(self):
        world = make_world(person("ana", shifts=OFFICE), rules=[rule("everything", if_nobody="hold")])
        lead = world.lead(world.send(at=NIGHT))
        assert lead.first_assigned_at is None

        world.release(NIGHT + timedelta(hours=10))

        assert fresh(lead).first_assigned_at == NIGHT + timedelta(hours=10)

    def test_notified_is_when_the_first_message_left(self, settings):
        settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
        world = make_world(
            person("ana", email="ana@acme.test"), person("bo", email="bo@acme.test"), teams={"sales": ["ana"]}
        )
        lead = world.lead(world.send())
        assert lead.notified_at is None

        outbox.drain(at=NOON + timedelta(seconds=2))

        assert fresh(lead).notified_at == Outbox.objects.get().done_at
        actions.reassign(lead=lead, at=NOON + MINUTE, to=world.agent("bo"))
        outbox.drain(at=NOON + 2 * MINUTE)
        assert fresh(lead).notified_at < NOON + MINUTE

    def test_a_message_to_nobody_does_not_notify(self):
        world = make_world(person("ana"))
        lead = world.lead(world.send())

        outbox.drain(at=NOON + timedelta(seconds=2))

        assert fresh(lead).notified_at is None


class TestTheFirstResponse:
    def test_stays_when_the_lead_is_opened_again(self):
        world = make_world(person("ana"))
        lead = world.lead(world.send())

        actions.respond(lead=lead, at=NOON + 10 * MINUTE)
        actions.close(lead=lead, at=NOON + 20 * MINUTE, closed_as="lost")
        actions.reopen(lead=lead, at=NOON + timedelta(days=5))
        actions.respond(lead=lead, at=NOON + timedelta(days=5, hours=1))

        response = first_response(fresh(lead))
        assert (response.at, response.seconds, response.covered_seconds) == (NOON + 10 * MINUTE, 600, 600)

    def test_is_never_an_automatic_one(self):
        world = make_world(person("ana"))
        lead = world.lead(world.send())

        actions.respond(lead=lead, at=NOON + timedelta(seconds=5), kind="automatic")
        assert first_response(fresh(lead)) is None
        actions.respond(lead=lead, at=NOON + 12 * MINUTE)

        assert first_response(fresh(lead)).seconds == 720

    def test_after_no_time_at_all_counts_as_0(self):
        world = make_world(person("ana"))
        lead = world.lead(world.send())

        actions.respond(lead=lead, at=NOON)

        response = first_response(fresh(lead))
        assert (response.seconds, response.covered_seconds) == (0, 0)

    def test_is_of_whoever_had_the_lead_then(self):
        world = make_world(person("ana"), person("bo"))
        lead = world.lead(world.send())
        ana = lead.agent

        moved = actions.reassign(lead=lead, at=NOON + 4 * MINUTE)
        actions.respond(lead=lead, at=NOON + 10 * MINUTE)
        actions.reassign(lead=lead, at=NOON + 15 * MINUTE, to=ana)

        response = first_response(fresh(lead))
        assert (response.agent, response.seconds) == (moved.agent_id, 600)
        held = holdings(lead=fresh(lead), at=NOON + timedelta(hours=1))
        assert [(each.agent.pk, each.seconds) for each in held] == [(ana.pk, 240), (moved.agent_id, 360)]

    def test_that_is_reported_late_but_was_earlier_is_the_first(self):
        world = make_world(person("ana"))
        lead = world.lead(world.send())

        actions.respond(lead=lead, at=NOON + 10 * MINUTE)
        actions.respond(lead=lead, at=NOON + 20 * MINUTE, responded_at=NOON + 3 * MINUTE)

        assert first_response(fresh(lead)).seconds == 180
        assert fresh(lead).response_us == 180_000_000

    def test_that_is_reported_after_the_lead_moved_on_is_of_whoever_had_it(self):
        world = make_world(person("ana"), person("bo"))
        lead = world.lead(world.send())
        first = lead.agent_id
        actions.reassign(lead=lead, at=NOON + 4 * MINUTE)

        actions.respond(lead=lead, at=NOON + 10 * MINUTE, responded_at=NOON + 3 * MINUTE)

        lead = fresh(lead)
        assert (first_response(lead).agent, lead.agent_id != first) == (first, True)
        assert [each.seconds for each in holdings(lead=lead, at=NOON + timedelta(hours=1))] == [180]

    def test_is_what_a_breach_is_judged_by(self):
        """On the lead, in the ladder and in the sums: `tests/leads/test_speed_rollups.py` counts the same."""
        world = make_world(person("ana"), rules=[promising(300)])
        late, timely = world.lead(world.send()), world.lead(world.send())

        actions.respond(lead=timely, at=NOON + 5 * MINUTE)
        climb(at=NOON + 6 * MINUTE)
        actions.respond(lead=late, at=NOON + 7 * MINUTE)

        for lead, breached_at in ((fresh(timely), None), (fresh(late), NOON + 5 * MINUTE)):
            is_late = first_response(lead).at > lead.respond_by
            assert (lead.breached_at, breach_of(lead), is_late) == (breached_at, breached_at, bool(breached_at))


class TestTheCoveredClock:
    def test_counts_the_regular_hours_of_the_team_only(self):
        world = make_world(
            person("ana", shifts=OFFICE),
            person("owl"),
            teams={"sales": ["ana"], "night": ["owl"]},
            rules=[rule("everything", if_nobody="hold")],
        )
        lead = world.lead(world.send(at=NIGHT))

        actions.respond(lead=lead, at=NIGHT + timedelta(hours=10, minutes=15))

        lead = fresh(lead)
        assert (first_response(lead).seconds, first_response(lead).covered_seconds) == (36_900, 900)
        assert lead.response_schedule["covered"] == [[36_000, 36_900]]
        assert lead.response_schedule["team"] == lead.team_id is not None

    def test_of_a_lead_without_a_team_counts_everybodys_hours(self):
        world = make_world(
            person("ana", shifts=OFFICE),
            person("owl", shifts=dict.fromkeys(range(7), (1320, 1440))),
            rules=[rule("cold", "queue")],
        )
        lead = world.lead(world.send(at=NIGHT))

        actions.respond(lead=lead, at=NIGHT + timedelta(hours=10, minutes=15))

        assert fresh(lead).covered_response_us == (3600 + 900) * 1_000_000

    def test_is_not_changed_by_later_edits_of_shifts(self):
        world = make_world(person("ana", shifts=OFFICE))
        lead = world.lead(world.send())
        actions.respond(lead=lead, at=NOON + 10 * MINUTE)
        before = fresh(lead)

        for shift in Shift.objects.filter(agent=before.agent):
            shift.start_minute = 1000
            shift.save()
        actions.respond(lead=lead, at=NOON + timedelta(hours=3))

        after = fresh(lead)
        assert after.covered_response_us == 600_000_000
        assert (after.response_schedule, after.answered_by_id) == (before.response_schedule, before.agent_id)
        assert world.door().roster_version > after.response_schedule["roster_version"]

    @pytest.mark.parametrize(("night", "hours"), [(datetime(2026, 3, 28), 7), (datetime(2026, 10, 24), 9)])
    def test_counts_a_night_in_which_the_clock_changes_as_long_as_it_was(self, night, hours):
        shifts = dict.fromkeys(range(7), (22 * 60, 6 * 60))
        world: World = make_world(person("ana", shifts=shifts), timezone="Europe/Madrid", languages=["es"])
        lead = world.lead(world.send(at=night.replace(hour=18, tzinfo=UTC)))

        actions.respond(lead=lead, at=night.replace(hour=8, tzinfo=UTC) + timedelta(days=1))

        assert first_response(fresh(lead)).covered_seconds == hours * 3600
