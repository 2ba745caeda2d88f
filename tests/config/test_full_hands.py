"""A worker that holds nothing but thinks it does."""

from types import SimpleNamespace

import pytest

from config import full_hands
from config.celery import app


class Request:
    """Something that a weak set can hold."""


def consumer(*, may_take_more):
    qos = SimpleNamespace(can_consume=lambda: may_take_more)
    return SimpleNamespace(task_consumer=SimpleNamespace(channel=SimpleNamespace(qos=qos)))


@pytest.fixture
def working(monkeypatch):
    """What the worker really works on."""
    requests = set()
    monkeypatch.setattr(full_hands.state, "reserved_requests", requests)
    return requests


def test_connects_anew_when_nothing_is_worked_on_but_nothing_more_may_be_taken(working):
    with pytest.raises(ConnectionError):
        full_hands.check(consumer(may_take_more=False))


def test_is_left_alone_while_it_works(working):
    working.add(Request())

    full_hands.check(consumer(may_take_more=False))


def test_is_left_alone_while_it_waits(working):
    full_hands.check(consumer(may_take_more=True))


def test_every_worker_checks_itself():
    assert full_hands.FullHands in app.steps["consumer"]
