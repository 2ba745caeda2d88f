"""The watchdog barks at what must never be."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail

from leads import actions, outbox, watchdog
from leads.models import Assignment, Finding, HeldQueue, Lead
from tests.leads.test_sla import manager_of, told
from tests.leads.world import NOON, OFFICE, make_world, person, rule

pytestmark = [pytest.mark.django_db, pytest.mark.portable]

LATER = NOON + watchdog.LOOKS_EVERY


def kinds() -> list[str]:
    return list(watchdog.findings().values_list("kind", flat=True))


def test_a_healthy_house_is_quiet():
    world = make_world(person("ana"), person("bo", shifts=OFFICE), rules=[rule("everything", if_nobody="hold")])
    first = world.lead(world.send())
    actions.close(lead=world.lead(world.send()), at=NOON, closed_as="won")
    actions.reassign(lead=first, to=world.agent("bo"), at=NOON)
    world.send(hold_flag="Look", trusted=False)

    assert watchdog.watch(at=NOON) == 0
    assert kinds() == []
    assert watchdog.looked_at() == NOON


def test_it_looks_every_few_minutes_and_one_at_a_time():
    make_world(person("ana"))
    watchdog.watch(at=NOON)

    watchdog.watch(at=LATER - timedelta(seconds=1))
    assert watchdog.looked_at() == NOON
    watchdog.watch(at=LATER)
    assert watchdog.looked_at() == LATER


@pytest.mark.parametrize("harm", ["lost", "other", "left_over"])
def test_a_lead_without_exactly_one_assignment_is_found_told_and_forgotten_when_mended(harm):
    world = make_world(person("ana"), person("bo"))
    boss = manager_of(world)
    lead = world.lead(world.send())
    theirs = Assignment.objects.filter(lead=lead)
    if harm == "lost":
        theirs.update(closed_at=NOON)
    elif harm == "other":
        theirs.update(agent=world.agent("bo"))
    else:
        Lead.objects.filter(pk=lead.pk).update(status="closed", closed_at=NOON)

    assert watchdog.watch(at=NOON) == 1
    assert watchdog.watch(at=LATER) == 0

    assert (kinds(), watchdog.harm_done()) == (["assignment"], 1)
    assert told("trouble") == [boss.pk]
    lead.refresh_from_db()
    assert lead.flagged == "A lead does not have exactly one assignment"

    theirs.update(closed_at=None, agent=world.agent("ana"))
    Lead.objects.filter(pk=lead.pk).update(status="open", closed_at=None)
    watchdog.watch(at=LATER + watchdog.LOOKS_EVERY)
    assert kinds() == []
    assert Finding.objects.get().gone_at == LATER + watchdog.LOOKS_EVERY


def test_a_lead_outside_the_five_outcomes_is_found(monkeypatch):
    """The database refuses such a lead, so what is known is made fewer."""
    world = make_world(person("ana"))
    world.send()
    monkeypatch.setattr(watchdog, "OUTCOMES", [each for each in watchdog.OUTCOMES if each[0] != "assigned"])

    watchdog.watch(at=NOON)

    assert (kinds(), watchdog.harm_done()) == (["outcome"], 1)


def test_a_held_lead_that_nobody_looks_at_is_found():
    world = make_world(person("ana", is_paused=True), rules=[rule("everything", if_nobody="hold")])
    world.send()
    HeldQueue.objects.update(due_at=None)

    watchdog.watch(at=NOON)

    assert kinds() == ["unwatched"]


def test_a_rising_share_of_the_fallback_is_told_once_and_is_gone_when_it_falls():
    world = make_world(person("ana"), person("eve"), teams={"sales": ["ana"]}, fallback="eve")
    boss = manager_of(world)
    week_before = NOON - timedelta(days=2)
    for _ in range(10):
        world.send(at=week_before)
    world.change("ana", is_paused=True)
    for _ in range(3):
        world.send(at=NOON - timedelta(minutes=10))
    world.change("ana", is_paused=False)
    for _ in range(6):
        world.send(at=NOON - timedelta(minutes=5))
    watchdog.watch(at=NOON - timedelta(minutes=5))
    assert kinds() == []  # three of nine are too few to tell

    world.send(at=NOON - timedelta(minutes=1))
    assert watchdog.watch(at=NOON) == 1
    assert watchdog.watch(at=LATER) == 0

    assert (kinds(), told("trouble"), watchdog.harm_done()) == (["fallback"], [boss.pk], 0)
    assert "30 % of the last hour's leads" in watchdog.findings().get().detail
    assert outbox.drain(at=NOON) > 0
    (message,) = [message for message in mail.outbox if message.to == ["boss@acme.test"]]
    assert message.subject == "Something is wrong with your leads"
    assert "30 % of the last hour's leads" in message.body
    watchdog.watch(at=NOON + timedelta(hours=2))
    assert kinds() == []
