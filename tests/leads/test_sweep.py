"""The sweep: what is due is done once, and what fails is tried again."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from leads import selectors, tasks, wake
from tests.leads.world import NOON, make_world, person

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


class TestTheSweep:
    def test_beats_releases_and_tells(self):
        now = timezone.now()
        world = make_world(person("ana", email="ana@acme.test", is_paused=True))
        world.send(at=now)
        world.change("ana", is_paused=False)

        tasks.sweep()

        assert selectors.sweeper_heartbeat_at() >= now
        assert world.leads()[0].agent.slug == "ana"
        assert len(mail.outbox) == 1

    def test_goes_on_where_one_part_fails(self, monkeypatch, caplog):
        world = make_world(person("ana", email="ana@acme.test"))
        world.send(at=timezone.now())

        def explode(**kwargs):
            raise RuntimeError("eva@example.com")

        monkeypatch.setattr(tasks, "release_held", explode)
        tasks.sweep()

        assert len(mail.outbox) == 1
        assert "RuntimeError" in caplog.text
        assert "eva@example.com" not in caplog.text

    def test_knows_since_when_the_oldest_row_waits(self):
        world = make_world(person("ana"))
        assert selectors.oldest_due_at() is None

        world.send()

        assert selectors.oldest_due_at() == NOON


class TestTheWakeUp:
    @pytest.fixture
    def sent(self, monkeypatch):
        sent = []
        monkeypatch.setattr(wake, "_next_at", 0.0)
        monkeypatch.setattr(wake.current_app, "send_task", lambda name, **options: sent.append(name))
        return sent

    def test_follows_a_lead_when_it_is_committed(self, sent, django_capture_on_commit_callbacks):
        world = make_world(person("ana"))

        with django_capture_on_commit_callbacks() as callbacks:
            world.send()
        assert sent == []
        for callback in callbacks:
            callback()
        for thread in threading.enumerate():  # nobody waits for the broker but a thread of its own
            if thread.name == wake.THREAD:
                thread.join(timeout=20)

        assert sent == ["leads.tasks.sweep"]

    def test_is_one_for_all_leads_of_a_second(self, sent):
        for _ in range(50):
            wake.sweeper()

        assert len(sent) == 1

    def test_that_the_broker_does_not_take_is_nobodys_trouble(self, monkeypatch):
        def explode(*args, **kwargs):
            raise OSError

        monkeypatch.setattr(wake, "_next_at", 0.0)
        monkeypatch.setattr(wake.current_app, "send_task", explode)

        wake.sweeper()
