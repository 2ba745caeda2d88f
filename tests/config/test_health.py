"""The health addresses say what works and what does not, in terms that an operator can act on."""

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone
from kombu import Connection

from config import health
from leads import selectors, watchdog


@pytest.fixture
def working(monkeypatch):
    """The sweeper runs and nothing is overdue."""
    monkeypatch.setattr(selectors, "sweeper_heartbeat_at", timezone.now)
    monkeypatch.setattr(selectors, "oldest_due_at", lambda: None)
    monkeypatch.setattr(watchdog, "looked_at", timezone.now)
    monkeypatch.setattr(watchdog, "harm_done", lambda: 0)


def readyz(client):
    response = client.get("/readyz")
    return response.status_code, response.json()


def test_a_living_process_says_so_without_asking_the_database(client):
    response = client.get("/healthz")  # this test may not touch the database

    assert response.status_code == 200
    assert response.json() == {"status": "ok"}
    assert "no-store" in response["Cache-Control"]


@pytest.mark.portable
@pytest.mark.django_db
@pytest.mark.usefixtures("working")
def test_an_installation_that_works_is_ready(client):
    status, body = readyz(client)

    assert status == 200
    assert body["status"] == "ok"
    assert {name: part["status"] for name, part in body["checks"].items()} == {
        "database": "ok",
        "broker": "ok",
        "sweeper": "ok",
        "due": "ok",
        "watchdog": "ok",
    }


@pytest.mark.usefixtures("working")
def test_a_database_that_does_not_answer_is_not_ready(client, monkeypatch):
    def refused():
        raise OperationalError("connection to server failed: password hunter2")

    monkeypatch.setattr(health, "_database", refused)

    status, body = readyz(client)

    assert status == 503
    assert body["checks"]["database"] == {"status": "failing", "detail": "no answer (OperationalError)"}


@pytest.mark.django_db
@pytest.mark.usefixtures("working")
def test_a_broker_that_does_not_answer_is_not_ready(client, monkeypatch):
    away = Connection("redis://127.0.0.1:1/0")
    monkeypatch.setattr(health.app, "connection_for_write", lambda: away)

    status, body = readyz(client)

    assert status == 503
    assert body["checks"]["broker"]["status"] == "failing"
    assert body["checks"]["database"]["status"] == "ok"


@pytest.mark.django_db
@pytest.mark.usefixtures("working")
@pytest.mark.parametrize("beat", [None, timedelta(minutes=5)])
def test_a_sweeper_that_stands_still_is_not_ready(client, monkeypatch, beat):
    monkeypatch.setattr(selectors, "sweeper_heartbeat_at", lambda: timezone.now() - beat if beat else None)

    status, body = readyz(client)

    assert status == 503
    assert "are worker and beat running?" in body["checks"]["sweeper"]["detail"]


@pytest.mark.django_db
@pytest.mark.usefixtures("working")
def test_rows_that_wait_too_long_are_not_ready(client, monkeypatch):
    monkeypatch.setattr(selectors, "oldest_due_at", lambda: timezone.now() - timedelta(minutes=3))
    assert readyz(client)[0] == 503

    monkeypatch.setattr(selectors, "oldest_due_at", lambda: timezone.now() - timedelta(seconds=3))
    assert readyz(client)[0] == 200


@pytest.mark.django_db
@pytest.mark.usefixtures("working")
@pytest.mark.parametrize("looked", [None, timedelta(minutes=20)])
def test_a_silent_watchdog_is_not_ready(client, monkeypatch, looked):
    monkeypatch.setattr(watchdog, "looked_at", lambda: timezone.now() - looked if looked else None)

    status, body = readyz(client)

    assert status == 503
    assert "are worker and beat running?" in body["checks"]["watchdog"]["detail"]


@pytest.mark.django_db
@pytest.mark.usefixtures("working")
def test_a_lead_that_is_not_where_it_must_be_is_not_ready(client, monkeypatch):
    monkeypatch.setattr(watchdog, "harm_done", lambda: 2)

    status, body = readyz(client)

    assert status == 503
    assert body["checks"]["watchdog"]["detail"].startswith("2 leads")
