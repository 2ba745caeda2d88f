"""Many requests at the same instant, on PostgreSQL."""

import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from django.db import connections

from leads.models import Assignment, Decision, Lead
from routing import snapshots
from tests.bench import exactness
from tests.widget.conftest import HOUSE, build
from tests.widget.test_api_widget_leads import rates, turns_taken

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def house(transactional_db, clock, settings):
    settings.THROTTLE_WIDGET = None
    snapshots.forget()
    return build("acme")


def at_once(threads, each, work):
    """Call `work(number)` so many times from each of the threads, which start together."""
    barrier = threading.Barrier(threads)

    def thread(first):
        barrier.wait()
        try:
            return [work(first + number) for number in range(each)]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(threads) as pool:
        return [answer for answers in pool.map(thread, range(0, threads * each, each)) for answer in answers]


def test_one_idempotency_key_a_hundred_times_is_one_lead_and_one_answer(house):
    body = {"channel": "whatsapp", "message": "Hola"}

    answers = at_once(20, 5, lambda number: house.write(body, idempotency_key="k1"))

    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    assert (Lead.objects.count(), Assignment.objects.count(), Decision.objects.count()) == (1, 1, 1)
    assert turns_taken() == 1
    assert house.write({"message": "other"}, idempotency_key="k1").status_code == 422


def test_one_visitors_24_submissions_are_one_lead(house):
    answers = at_once(12, 2, lambda number: house.write({"visitor_id": "v1", "message": f"Hola {number}"}))

    assert sorted(answer.status_code for answer in answers) == [200] * 23 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert (Lead.objects.count(), Assignment.objects.count()) == (1, 1)
    assert turns_taken() == 1


def test_of_60_at_once_against_a_limit_of_10_exactly_10_are_taken(house, settings):
    settings.THROTTLE_WIDGET = rates((10, 60), (1_000, 60))

    def forged(number):
        return house.write({"visitor_id": f"v{number}"}, address="203.0.113.9", x_forwarded_for=f"198.51.100.{number}")

    answers = at_once(12, 5, forged)

    assert sorted(answer.status_code for answer in answers) == [201] * 10 + [429] * 50
    assert Lead.objects.count() == 10


def test_leads_of_a_server_from_twelve_connections_are_exact(transactional_db, clock, capsys):
    """Every turn is taken anew from what was stored, every acknowledged lead looked for: as after a measurement."""
    snapshots.forget()
    house = build("acme", HOUSE.replace("{team: iberia}}}", "{team: iberia}}, sla: {respond_within: 5m}}"))

    def send(number):
        return house.send("leads", {"channel": "form", "email": f"v{number}@example.com"}, idempotency_key=f"k{number}")

    answers = at_once(12, 15, send)

    assert {answer.status_code for answer in answers} == {201}
    assert exactness.check([UUID(answer.json()["id"]) for answer in answers]) == []
    assert "bench exact_leads 180 leads" in capsys.readouterr().out
