"""Several sweeps at once, on PostgreSQL: each act is done once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from leads import actions, watchdog
from leads.after_hours.warning import warn_of_gaps
from leads.models import Assignment, CoverageWatch, Event, Outbox
from leads.sla.climbing import climb
from tests.leads.test_many_at_once import everything_adds_up, together
from tests.leads.test_sla import LADDER, MINUTE, manager_of, promising
from tests.leads.world import NOON, make_world, person

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

LEADS = 12


def test_two_and_more_sweeps_do_each_act_once():
    world = make_world(*map(person, "abcdef"), rules=[promising(LADDER)])
    manager_of(world)
    sent = [world.send(at=NOON) for _ in range(LEADS)]
    before = world.credits()

    for minute in (3, 5, 10, 15, 20, 30):
        at = NOON + minute * MINUTE
        done = together([lambda at=at: climb(at=at)] * 4)
        assert sum(done) == LEADS

    kinds = Event.objects.values_list("kind", flat=True)
    assert [list(kinds).count(kind) for kind in ("reminded", "overdue", "escalated")] == [LEADS] * 3
    assert Assignment.objects.count() == LEADS * 4
    assert Outbox.objects.filter(kind="rerouted_away").count() == LEADS * 3
    assert Outbox.objects.filter(kind="escalation").count() == LEADS
    assert {world.lead(each).reroutes for each in sent} == {3}
    assert world.credits() == before
    everything_adds_up(world)


def test_places_under_caps_are_kept_by_leads_that_are_handed_on_at_once():
    world = make_world(person("a"), person("b", cap_open=3), rules=[promising(LADDER)])
    world.change("b", is_paused=True)
    sent = [world.send(at=NOON) for _ in range(6)]
    world.change("b", is_paused=False)

    together([lambda: climb(at=NOON + 10 * MINUTE)] * 4)

    assert sorted(world.lead(each).agent.slug for each in sent) == ["a"] * 3 + ["b"] * 3
    everything_adds_up(world)


def test_an_answer_and_the_sweep_at_once_agree_on_who_has_the_lead():
    world = make_world(person("a"), person("b"), rules=[promising(LADDER)])
    for number in range(8):
        lead = world.lead(world.send(at=NOON + number * MINUTE))
        at = NOON + (number + 10) * MINUTE

        together([lambda at=at: climb(at=at), lambda lead=lead, at=at: actions.respond(lead=lead, at=at)])

        lead.refresh_from_db()
        assert (lead.first_response_at, lead.ladder_at) == (at, None)
        assert lead.breached_at == lead.respond_by
    everything_adds_up(world)


def test_one_of_many_warns_and_one_looks():
    world = make_world(person("a"))
    manager_of(world)
    for day in range(14):
        world.send(at=NOON + timedelta(days=day))
    world.change("a", is_active=False)
    at = NOON + timedelta(days=14)
    CoverageWatch.objects.update(due_at=at)

    assert sum(together([lambda: warn_of_gaps(at=at)] * 4)) == 1
    assert Outbox.objects.filter(kind="coverage_warning").count() == 1

    Assignment.objects.filter(lead=world.leads()[0]).update(closed_at=at)
    assert sum(together([lambda: watchdog.watch(at=at)] * 4)) == 1
