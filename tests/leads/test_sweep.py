"""The sweep: what is due is done once, and what fails is tried again."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from django.core import mail
from django.utils import timezone

from leads import actions, outbox, selectors, tasks, wake
from leads.models import HeldQueue, Outbox
from tests.leads.world import MORNING, NIGHT, NOON, OFFICE, make_world, only, person, rule

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


class BrokenMail:
    def __init__(self, *args, **kwargs):
        raise OSError("no route to eva@example.com")


class TestTheOutbox:
    def test_tells_the_agent_once(self):
        world = make_world(person("ana", email="ana@acme.test"))
        world.send(message="Hello", name="Eva")

        assert outbox.drain(at=NOON) == 1
        assert outbox.drain(at=NOON + timedelta(hours=1)) == 0

        (message,) = mail.outbox
        row = Outbox.objects.get()
        assert message.to == ["ana@acme.test"]
        assert "Hello" in message.body
        assert str(row.message_id) in message.extra_headers["Message-ID"]
        assert (row.done_at, row.next_try_at) == (NOON, None)

    def test_is_done_where_there_is_nobody_to_tell(self):
        world = make_world(person("ana"))
        world.send()

        assert outbox.drain(at=NOON) == 1
        assert not mail.outbox

    def test_does_not_tell_whoever_no_longer_has_the_lead(self):
        world = make_world(person("ana", email="ana@acme.test"), person("bo", email="bo@acme.test"))
        lead = world.lead(world.send())
        actions.reassign(lead=lead, to=world.agent("bo"), at=NOON)

        outbox.drain(at=NOON)

        assert [message.to for message in mail.outbox] == [["bo@acme.test"]]

    def test_prints_nothing_where_no_mail_is_set_up(self, settings, capsys):
        settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
        world = make_world(person("ana", email="ana@acme.test"))
        world.send(message="secret")

        assert outbox.drain(at=NOON) == 1
        assert "secret" not in "".join(capsys.readouterr())

    def test_tries_again_later_and_later_and_stops_visibly(self, monkeypatch, caplog):
        world = make_world(person("ana", email="ana@acme.test"))
        world.send()
        monkeypatch.setattr(outbox.EmailMessage, "send", BrokenMail)
        tried_at, at = [], NOON

        while (row := Outbox.objects.get()).next_try_at is not None:
            at = row.next_try_at
            tried_at.append(at)
            assert outbox.drain(at=at) == 0

        distances = [later - earlier for earlier, later in pairwise(tried_at)]
        assert len(tried_at) == outbox.MOST_TRIES
        assert distances == sorted(distances)
        assert (row.done_at, row.last_error) == (None, "OSError")
        assert "eva@example.com" not in caplog.text

    def test_of_the_night_is_one_digest_each(self):
        people = [person(slug, email=f"{slug}@acme.test", shifts=OFFICE) for slug in "ab"]
        world = make_world(*people, rules=[rule("everything", if_nobody="hold")])
        for _ in range(6):
            world.send(at=NIGHT)
        world.release(MORNING)

        assert outbox.drain(at=MORNING) == 6

        assert sorted(message.to[0] for message in mail.outbox) == ["a@acme.test", "b@acme.test"]
        assert {message.subject for message in mail.outbox} == {"3 new leads"}

    def test_waits_with_the_digest_while_the_night_is_being_released(self):
        world = make_world(
            person("a", email="a@acme.test", shifts=OFFICE), rules=[rule("everything", if_nobody="hold")]
        )
        world.send(at=NIGHT)
        world.release(MORNING)
        HeldQueue.objects.update(claimed_until=MORNING + MINUTE)

        assert outbox.drain(at=MORNING) == 0
        assert outbox.drain(at=MORNING + MINUTE) == 1

    def test_offers_a_lead_to_everybody_who_may_take_it(self):
        world = make_world(
            person("a", email="a@acme.test"),
            person("b", email="b@acme.test"),
            rules=[rule("race", when=only("channel", "form"), by="claim")],
        )
        world.send()

        outbox.drain(at=NOON)

        assert sorted(message.to[0] for message in mail.outbox) == ["a@acme.test", "b@acme.test"]


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
