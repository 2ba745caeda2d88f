"""What the chaos would miss, it could not promise: each fault is made, and must be found."""

from __future__ import annotations

from collections import Counter

import pytest

from leads.models import Assignment, Lead, Outbox
from routing.models import Ledger, Load
from tests.chaos.audit import check_leads, check_ledgers, check_told
from tests.chaos.figures import Figures
from tests.chaos.rush import Rush, Taken
from tests.leads.world import make_world, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def rush():
    """Three leads that clients were promised, all as it should be."""
    world = make_world(*(person(slug, email=f"{slug}@agents.test") for slug in "ab"))
    rush = Rush(name="kills", port=0, api_key="", leads=3, clients=0)
    for number in range(3):
        email = f"kills-{number}@visitor.test"
        rush.taken.append(Taken(email, 201, str(world.send(email=email).lead_id), True, 0.1))
    return rush


def broken(rush):
    """The names of the figures that break a promise."""
    figures = Figures()
    check_leads(figures, rush)
    check_ledgers(figures)
    return {sentence.split()[0] for sentence in figures.broken}


def test_nothing_is_found_where_nothing_is_wrong(rush):
    assert broken(rush) == set()


def test_a_lead_that_is_gone_is_found(rush):
    rush.taken[0] = Taken(rush.taken[0].email, 201, "00000000-0000-4000-8000-000000000000", True, 0.1)

    assert "kills_lost" in broken(rush)


def test_a_lead_that_is_there_twice_is_found(rush):
    Lead.objects.filter(email="kills-0@visitor.test").update(email="kills-1@visitor.test")

    assert "kills_doubled" in broken(rush)


def test_a_lead_without_an_active_assignment_is_found(rush):
    Assignment.objects.first().delete()

    assert {"kills_one_active_assignment", "kills_half_written", "loads_off_assignments"} <= broken(rush)


def test_a_lead_that_nobody_will_be_told_of_is_found(rush):
    Outbox.objects.filter(kind="assigned").first().delete()

    assert broken(rush) == {"kills_half_written"}


def test_a_ledger_that_does_not_sum_to_zero_is_found(rush):
    ledger = Ledger.objects.exclude(team=None).get()
    agent = next(iter(ledger.entries))
    ledger.entries[agent][0] += 1
    ledger.save()

    assert broken(rush) == {"ledgers_off_zero"}


def test_a_turn_that_no_decision_took_is_found(rush):
    ledger = Ledger.objects.exclude(team=None).get()
    ledger.turns += 1
    ledger.save()

    assert broken(rush) == {"ledgers_off_decisions"}


def test_a_load_that_counts_a_lead_twice_is_found(rush):
    load = Load.objects.first()
    load.open += 1
    load.save()

    assert broken(rush) == {"loads_off_assignments"}


def test_an_agent_who_got_no_mail_is_found(rush):
    mails = Counter(
        (row.message_id, Lead.objects.get(pk=row.payload["lead"]).agent.email)
        for row in Outbox.objects.filter(kind="assigned")
    )
    complete, lacking = Figures(), Figures()

    check_told(complete, rush, mails)
    check_told(lacking, rush, Counter(dict(list(mails.items())[1:])))

    assert complete.broken == []
    assert len(lacking.broken) == 1
