"""The outbox: what is due is told once, in time, and what fails is tried again."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from standardwebhooks import Webhook

from agents.models import Membership, User
from leads import actions, outbox, touches
from leads.actor import ITSELF
from leads.models import Event, HeldQueue, NotificationWay, Outbox, QuietHours, WebhookEndpoint
from leads.notifications import transports
from leads.notifications.outcomes import Dead, Delivered, Retry
from leads.notifying import sending, webhooks
from tests.leads.notifications.conftest import receiver  # noqa: F401 - a fixture
from tests.leads.notifications.test_email import mailbox  # noqa: F401 - a fixture
from tests.leads.world import MORNING, NIGHT, NOON, OFFICE, make_world, only, person, rule

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


class Carrier:
    """Stands in for all transports: keeps what it is given, and answers as told."""

    def __init__(self):
        self.sent, self.outcomes, self.raises = [], {}, None

    def __call__(self, message, *, transport, address, at):
        self.sent.append((transport, message, address))
        if self.raises:
            raise self.raises
        return self.outcomes.get(transport, Delivered())

    @property
    def ways(self):
        return [transport for transport, _message, _address in self.sent]


@pytest.fixture
def carrier(monkeypatch):
    carrier = Carrier()
    monkeypatch.setattr(transports, "send", carrier)
    return carrier


@pytest.fixture
def configured(settings):
    settings.TELEGRAM_BOT_TOKEN = "1:secret"


def way(world, slug, transport, position=1, **fields):
    address = {
        "telegram": {"chat_id": "4711"},
        "email": {"address": f"{slug}@home.test"},
        "slack": {"url": "https://hooks.slack.com/services/secret"},
    }[transport]
    return NotificationWay.objects.create(
        workspace=world.workspace,
        agent=world.agent(slug),
        transport=transport,
        address=address,
        position=position,
        **fields,
    )


def tell(world, kind, at=NOON, **payload):
    return Outbox.objects.create(workspace=world.workspace, kind=kind, payload=payload, created_at=at, next_try_at=at)


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
        assert (row.next_try_at, row.sent_by) == (None, "email")
        assert row.done_at >= NOON

    def test_reaches_a_mail_server_again_with_the_same_id(self, mailbox):  # noqa: F811
        world = make_world(person("ana", email="ana@acme.test"))
        world.send(name="Eva")
        mailbox.answers["DATA"] = "451 Try again later"

        assert outbox.drain(at=NOON) == 0
        del mailbox.answers["DATA"]
        assert outbox.drain(at=NOON + MINUTE) == 1

        ((to, sent),) = mailbox.mails
        assert to == ["ana@acme.test"]
        assert str(Outbox.objects.get().message_id) in sent["Message-ID"]

    def test_offers_links_that_act_for_the_agent_alone(self):
        world = make_world(person("ana", email="ana@acme.test"))
        world.send(channel="form")

        outbox.drain(at=NOON)

        assert "/act/" in mail.outbox[0].body

    def test_is_done_where_there_is_nobody_to_tell(self):
        world = make_world(person("ana"))
        world.send()

        assert outbox.drain(at=NOON) == 1
        assert not mail.outbox
        assert "No way" in Outbox.objects.get().last_error

    def test_does_not_tell_whoever_no_longer_has_the_lead(self):
        world = make_world(person("ana", email="ana@acme.test"), person("bo", email="bo@acme.test"))
        lead = world.lead(world.send())
        actions.reassign(lead=lead, to=world.agent("bo"), at=NOON)

        outbox.drain(at=NOON)

        assert [message.to for message in mail.outbox] == [["bo@acme.test"]]

    def test_does_not_tell_who_became_inactive(self):
        world = make_world(person("ana", email="ana@acme.test"))
        world.send()
        world.change("ana", is_active=False)

        assert outbox.drain(at=NOON) == 1
        assert not mail.outbox

    def test_prints_nothing_where_no_mail_is_set_up(self, settings, capsys):
        settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
        world = make_world(person("ana", email="ana@acme.test"))
        world.send(message="secret")

        assert outbox.drain(at=NOON) == 1
        assert "secret" not in "".join(capsys.readouterr())

    def test_speaks_the_agents_language(self, settings):
        settings.LANGUAGES = [("en", "English"), ("es", "Español")]
        world = make_world(person("ana", email="ana@acme.test", languages=["pt", "es-MX", "en"]))
        world.send()

        outbox.drain(at=NOON)

        assert mail.outbox[0].extra_headers["Content-Language"] == "es"

    def test_tells_members_who_are_no_agents(self):
        world = make_world(person("ana"))
        lead = world.lead(world.send())
        Outbox.objects.all().delete()
        boss = User.objects.create_user("boss@acme.test")
        Membership.objects.create(workspace=world.workspace, user=boss, role="manager")
        tell(world, "escalation", user=boss.pk, lead=str(lead.pk))

        assert outbox.drain(at=NOON) == 1

        (message,) = mail.outbox
        assert message.to == ["boss@acme.test"]
        assert "Ana has the lead" in message.body
        assert "/act/" not in message.body

    def test_tells_no_outsider(self):
        world = make_world(person("ana"))
        lead = world.lead(world.send())
        stranger = User.objects.create_user("stranger@other.test")
        tell(world, "escalation", user=stranger.pk, lead=str(lead.pk))

        outbox.drain(at=NOON)

        assert not mail.outbox

    def test_passes_on_what_the_row_says_beyond_the_lead(self):
        world = make_world(person("ana", email="ana@acme.test"))
        Outbox.objects.all().delete()
        gap = {
            "starts_at": "2026-03-07T00:00:00+00:00",
            "ends_at": "2026-03-08T00:00:00+00:00",
            "leads": 4,
            "why": "Fair",
        }
        tell(world, "coverage_warning", agent=world.agent("ana").pk, gaps=[gap])

        outbox.drain(at=NOON)

        assert "Sat 7 Mar, 00:00" in mail.outbox[0].body

    def test_keeps_what_it_has_no_words_for_where_people_see_it(self):
        world = make_world(person("ana", email="ana@acme.test"))
        tell(world, "horoscope", agent=world.agent("ana").pk)

        assert outbox.drain(at=NOON) == 0
        row = Outbox.objects.get()
        assert (row.done_at, row.next_try_at) == (None, None)
        assert row.last_error

    def test_tells_the_others_where_one_message_cannot_be_written(self, monkeypatch, caplog):
        world = make_world(person("ana", email="ana@acme.test"), person("bo", email="bo@acme.test"))
        world.sent(2)
        write = outbox.message_of

        def stumble(rows, kind, recipient, leads, *, at):
            if recipient.slug == "ana":
                raise RuntimeError("eva@example.com")
            return write(rows, kind, recipient, leads, at=at)

        monkeypatch.setattr(outbox, "message_of", stumble)
        outbox.drain(at=NOON)

        assert [message.to for message in mail.outbox] == [["bo@acme.test"]]
        assert "eva@example.com" not in caplog.text


class TestWhatFails:
    def test_is_tried_ten_times_over_three_days_and_stops_visibly(self, carrier):
        world = make_world(person("ana", email="ana@acme.test"))
        world.send()
        carrier.outcomes["email"] = Retry("No mail server")
        tried_at = []

        while (row := Outbox.objects.get()).next_try_at is not None:
            tried_at.append(row.next_try_at)
            assert outbox.drain(at=row.next_try_at) == 0

        distances = [later - earlier for earlier, later in pairwise(tried_at)]
        assert len(tried_at) == outbox.MOST_TRIES == 10
        assert distances == sorted(distances)
        assert timedelta(hours=75) < tried_at[-1] - tried_at[0] < timedelta(hours=77)
        assert (row.done_at, row.last_error) == (None, "No mail server")
        assert len({message.id for _way, message, _address in carrier.sent}) == 1

    def test_in_a_way_nobody_foresaw_is_tried_again(self, carrier, caplog):
        world = make_world(person("ana", email="ana@acme.test"))
        world.send()
        carrier.raises = RuntimeError("eva@example.com")

        assert outbox.drain(at=NOON) == 0

        row = Outbox.objects.get()
        assert row.next_try_at > NOON
        assert row.last_error == "RuntimeError"
        assert "eva@example.com" not in caplog.text

    def test_is_told_again_with_the_same_id_where_the_process_was_killed(self, carrier):
        world = make_world(person("ana", email="ana@acme.test"))
        world.sent(4)
        carrier.raises = SystemExit()  # nothing after it is written down
        ids = set(Outbox.objects.values_list("message_id", flat=True))

        outbox._claim(NOON, 100)  # and killed
        assert outbox.drain(at=NOON + MINUTE / 2) == 0
        carrier.raises = None
        assert outbox.drain(at=NOON + 2 * MINUTE) == 4

        assert {message.id for _way, message, _address in carrier.sent} == ids

    def test_that_ends_its_process_is_given_up_visibly_after_five_tries_and_takes_nobody_with_it(self):
        world = make_world(person("ana", email="ana@acme.test"))
        world.sent(30)
        poison = Outbox.objects.order_by("pk")[15]
        tried, at = 0, NOON
        while Outbox.objects.filter(next_try_at__isnull=False).exists():
            rows = outbox._claim(at, 100)
            if poison.pk in [row.pk for row in rows]:
                tried += 1  # and killed
                at += outbox.LEASE
            else:
                mine = [row.pk for row in rows]
                Outbox.objects.filter(pk__in=mine).update(done_at=at, next_try_at=None, claim=None)

        assert tried == outbox.MOST_LOST == 5
        (given_up,) = Outbox.objects.filter(done_at=None)
        assert given_up == poison
        assert given_up.last_error == "No try came to an end"

    def test_is_sent_again_on_request(self, carrier):
        world = make_world(person("ana", email="ana@acme.test"))
        world.send()
        carrier.outcomes["email"] = Dead("No such mailbox")
        outbox.drain(at=NOON)
        (before,) = Outbox.objects.all()
        assert (before.done_at, before.next_try_at, before.last_error) == (None, None, "No such mailbox")

        carrier.outcomes.clear()
        assert outbox.resend(Outbox.objects.all(), at=NOON + MINUTE) == 1
        assert outbox.drain(at=NOON + MINUTE) == 1

        assert len({message.id for _way, message, _address in carrier.sent}) == 1


@pytest.mark.usefixtures("configured")
class TestTheWays:
    def test_are_tried_in_their_order(self, carrier):
        world = make_world(person("ana", email="ana@acme.test"))
        way(world, "ana", "email", 2)
        way(world, "ana", "telegram", 1)
        world.send()

        outbox.drain(at=NOON)

        assert carrier.ways == ["telegram"]

    def test_give_way_to_the_next_one_where_one_is_dead(self, carrier):
        world = make_world(person("ana"))
        gone = way(world, "ana", "telegram", 1)
        way(world, "ana", "email", 2)
        world.send()
        carrier.outcomes["telegram"] = Dead("Telegram: bot was blocked by the user", address_gone=True)

        outbox.drain(at=NOON)
        assert outbox.drain(at=NOON + MINUTE) == 1

        assert carrier.ways == ["telegram", "email"]
        gone.refresh_from_db()
        assert not gone.is_active
        assert "blocked" in gone.last_error

    def test_give_way_after_three_tries_in_vain(self, carrier):
        world = make_world(person("ana"))
        way(world, "ana", "telegram", 1)
        way(world, "ana", "email", 2)
        world.send()
        carrier.outcomes["telegram"] = Retry("No answer")

        for _ in range(4):
            outbox.drain(at=Outbox.objects.get().next_try_at + MINUTE)

        assert carrier.ways == ["telegram"] * 3 + ["email"]
        assert Outbox.objects.get().sent_by == "email"

    def test_stay_silent_in_quiet_hours_unless_they_are_silent_anyway(self, carrier):
        world = make_world(person("ana", timezone="Europe/Madrid"), person("bo", timezone="Europe/Madrid"))
        for slug in ("ana", "bo"):
            way(world, slug, "telegram", 1)
            QuietHours.objects.create(
                workspace=world.workspace, agent=world.agent(slug), start_minute=22 * 60, end_minute=8 * 60
            )
        way(world, "ana", "email", 2)
        world.sent(2, at=NIGHT)

        outbox.drain(at=NIGHT)

        assert carrier.ways == ["email"]
        waits = Outbox.objects.get(done_at=None)
        assert waits.next_try_at == MORNING.replace(hour=7)  # 8:00 in Madrid
        assert waits.tries == 0

    def test_wake_whoever_is_paged(self, carrier):
        world = make_world(person("ana"))
        way(world, "ana", "telegram")
        QuietHours.objects.create(
            workspace=world.workspace, agent=world.agent("ana"), start_minute=22 * 60, end_minute=8 * 60
        )
        lead = world.lead(world.send(at=NIGHT))
        Outbox.objects.all().delete()
        tell(world, "page", at=NIGHT, agent=world.agent("ana").pk, lead=str(lead.pk))

        outbox.drain(at=NIGHT)

        assert carrier.ways == ["telegram"]

    def test_carry_only_what_they_are_for(self, carrier):
        world = make_world(person("ana"))
        way(world, "ana", "telegram", 1, muted=["assigned"])
        way(world, "ana", "email", 2)
        world.send()

        outbox.drain(at=NOON)

        assert carrier.ways == ["email"]

    def test_show_no_more_of_an_address_than_helps(self):
        world = make_world(person("ana"))

        assert "secret" not in str(way(world, "ana", "slack"))
        assert str(way(world, "ana", "email")) == "E-mail: a…@home.test"

    def test_of_one_agent_are_no_others(self, carrier):
        world = make_world(person("ana"), person("bo"), teams={"sales": ["ana"]})
        way(world, "bo", "telegram")
        world.send()

        outbox.drain(at=NOON)

        assert carrier.sent == []


class TestManyAtOnce:
    def test_of_the_night_are_one_digest_each(self):
        people = [person(slug, email=f"{slug}@acme.test", shifts=OFFICE) for slug in "ab"]
        world = make_world(*people, rules=[rule("everything", if_nobody="hold")])
        for _ in range(6):
            world.send(at=NIGHT)
        world.release(MORNING)

        assert outbox.drain(at=MORNING) == 6

        assert sorted(message.to[0] for message in mail.outbox) == ["a@acme.test", "b@acme.test"]
        assert {message.subject for message in mail.outbox} == {"3 leads are waiting for you"}

    def test_wait_for_each_other_while_the_night_is_being_released(self):
        world = make_world(
            person("a", email="a@acme.test", shifts=OFFICE), rules=[rule("everything", if_nobody="hold")]
        )
        world.send(at=NIGHT)
        world.release(MORNING)
        HeldQueue.objects.update(claimed_until=MORNING + MINUTE)

        assert outbox.drain(at=MORNING) == 0
        assert outbox.drain(at=MORNING + MINUTE) == 1

    def test_are_one_message_where_they_come_in_a_storm(self):
        world = make_world(person("ana", email="ana@acme.test"))
        world.sent(5)

        assert outbox.drain(at=NOON) == 5

        (message,) = mail.outbox
        assert "one after another" in message.body

    def test_stay_the_same_message_when_it_is_repeated(self, carrier):
        world = make_world(person("ana", email="ana@acme.test"))
        world.sent(5)
        carrier.outcomes["email"] = Retry("No mail server")
        outbox.drain(at=NOON)
        carrier.outcomes.clear()
        world.send(at=NOON)

        outbox.drain(at=NOON + MINUTE)

        digests = [message for _way, message, _address in carrier.sent if message.kind == "digest"]
        assert len(digests) == 2
        assert len({message.id for message in digests}) == 1
        assert len(carrier.sent) == 3  # the sixth lead for itself

    def test_are_offered_to_everybody_who_may_take_it(self):
        world = make_world(
            person("a", email="a@acme.test"),
            person("b", email="b@acme.test"),
            rules=[rule("race", when=only("channel", "form"), by="claim")],
        )
        world.send()

        outbox.drain(at=NOON)

        assert sorted(message.to[0] for message in mail.outbox) == ["a@acme.test", "b@acme.test"]

    def test_cost_a_handful_of_statements(self):
        people = [person(f"p{number}", email=f"p{number}@acme.test") for number in range(50)]
        world = make_world(*people)
        world.sent(100)

        with CaptureQueriesContext(connection) as counted:
            assert outbox.drain(at=NOON) == 100

        assert len(mail.outbox) == 100
        assert len(counted) <= 16, "\n".join(query["sql"][:200] for query in counted.captured_queries)

    def test_are_not_held_up_by_those_who_do_not_answer(self, monkeypatch):
        """What is through is settled while the others still hang; they settle themselves when they come to an end."""
        hung, let_go = [], threading.Event()
        world = make_world(person("ana"), person("bo"), person("cy"))
        for slug in ("ana", "bo", "cy"):
            way(world, slug, "slack")

        def send(message, *, transport, address, at):
            if "Ana" in address["url"]:
                hung.append(message)
                let_go.wait(10)
                return Retry("No answer")
            return Delivered()

        monkeypatch.setattr(transports, "send", send)
        NotificationWay.objects.filter(agent=world.agent("ana")).update(address={"url": "https://hooks.slack.com/Ana"})
        world.sent(6)
        settled = threading.Semaphore(0)
        settle = outbox.settle

        def settled_here(results, at):
            if threading.current_thread() is threading.main_thread():
                return settle(results, at)
            return settled.release()  # its own connection would not see what this test has not committed

        monkeypatch.setattr(outbox, "settle", settled_here)
        assert outbox.drain(at=NOON, patience_s=0.5) == 4
        assert len(hung) == 1  # the other one waits behind it
        let_go.set()
        assert settled.acquire(timeout=10)
        assert settled.acquire(timeout=10)


class TestALane:
    def test_that_does_not_answer_is_left_alone_without_counting_tries(self, monkeypatch):
        world = make_world(person("ana"))
        slack = way(world, "ana", "slack", last_error="No answer")  # known to ail: one at a time
        world.sent(2)
        asked = []

        def send(message, *, transport, address, at):
            asked.append(message)
            return Retry("No answer")

        monkeypatch.setattr(transports, "send", send)
        outbox.drain(at=NOON)

        assert len(asked) == 1
        assert sorted(Outbox.objects.values_list("tries", flat=True)) == [0, 1]
        assert all(row.next_try_at > NOON for row in Outbox.objects.all())
        slack.refresh_from_db()
        assert slack.last_error == "No answer"

    def test_that_works_again_is_well(self, carrier):
        world = make_world(person("ana"))
        slack = way(world, "ana", "slack", last_error="No answer")
        world.sent(2)

        assert outbox.drain(at=NOON) == 1
        slack.refresh_from_db()
        assert slack.last_error == ""
        assert outbox.drain(at=NOON + MINUTE) == 1

    def test_that_comes_too_late_is_given_back(self, carrier, monkeypatch):
        monkeypatch.setattr(sending, "BEGIN_WITHIN_S", -1)
        world = make_world(person("ana", email="ana@acme.test"))
        world.send()

        assert outbox.drain(at=NOON) == 0

        row = Outbox.objects.get()
        assert carrier.sent == []
        assert (row.tries, row.claim) == (0, None)
        assert row.next_try_at > NOON


class TestWebhooks:
    @pytest.fixture
    def listening(self, receiver):  # noqa: F811
        def listen(world, **fields):
            return webhooks.make_endpoint(workspace=world.workspace, url=f"{receiver.url}/hook", at=NOON, **fields)

        return listen

    def deliver(self, at=NOON):
        webhooks.expand(at=at)
        return outbox.drain(at=at)

    def test_tell_servers_what_happened_signed(self, receiver, listening):  # noqa: F811
        world = make_world(person("ana"))
        endpoint = listening(world)
        lead = world.lead(world.send(name="Eva", email="eva@example.com"))
        actions.close(lead=lead, at=NOON, closed_as="won")

        self.deliver()

        told = {json.loads(request.body)["type"]: request for request in receiver.received}
        assert set(told) == {"lead.received", "lead.assigned", "lead.closed"}
        body = json.loads(told["lead.assigned"].body)
        assert body["data"]["lead"]["id"] == str(lead.pk)
        assert body["data"]["event"]["agent"] == "ana"
        assert b"eva@example.com" not in b"".join(request.body for request in receiver.received)
        row = Outbox.objects.get(payload__type="lead.assigned")
        assert told["lead.assigned"].headers["webhook-id"] == f"msg_{row.message_id.hex}"
        headers = told["lead.assigned"].headers
        signed_at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
        signature = Webhook(endpoint.secret).sign(headers["webhook-id"], signed_at, told["lead.assigned"].body.decode())
        assert headers["webhook-signature"] == signature

    def test_hear_of_each_event_once_and_only_of_what_they_asked_for(self, receiver, listening):  # noqa: F811
        world = make_world(person("ana"))
        listening(world, events=["lead.assigned"])
        world.send()

        self.deliver()
        self.deliver()

        assert [json.loads(request.body)["type"] for request in receiver.received] == ["lead.assigned"]

    def test_hear_nothing_of_what_was_before_them_or_of_others(self, receiver, listening):  # noqa: F811
        world, other = make_world(person("ana")), make_world(person("bo"), slug="other")
        world.send()
        listening(world)
        other.send()

        self.deliver()

        assert receiver.received == []

    def test_hear_of_events_that_are_committed_after_later_ones(self, receiver, listening):  # noqa: F811
        world = make_world(person("ana"))
        listening(world, events=["lead.received", "lead.assigned"])
        world.send()
        late = Event.objects.get(kind="received")
        values = {field.attname: getattr(late, field.attname) for field in Event._meta.concrete_fields}
        late.delete()

        self.deliver()
        assert [json.loads(request.body)["type"] for request in receiver.received] == ["lead.assigned"]
        Event.objects.create(**values)
        self.deliver()
        self.deliver()

        types = [json.loads(request.body)["type"] for request in receiver.received]
        assert types == ["lead.assigned", "lead.received"]

    def test_hear_nothing_of_what_agents_note(self, receiver, listening):  # noqa: F811
        world = make_world(person("ana"))
        lead = world.lead(world.send())
        listening(world)
        touches.note(lead=lead, text="A difficult one", at=NOON, by=ITSELF)

        self.deliver()

        assert receiver.received == []

    def test_that_are_gone_are_switched_off(self, receiver, listening):  # noqa: F811
        world = make_world(person("ana"))
        endpoint = listening(world, events=["lead.assigned"])
        world.send()
        receiver.answers(410)

        self.deliver()

        endpoint.refresh_from_db()
        assert not endpoint.is_active
        row = Outbox.objects.get(kind="webhook")
        assert (row.done_at, row.next_try_at) == (None, None)

        receiver.answers(200)
        WebhookEndpoint.objects.update(is_active=True)
        outbox.resend(Outbox.objects.filter(kind="webhook"), at=NOON)
        outbox.drain(at=NOON)
        row.refresh_from_db()
        assert row.sent_by == "webhook"
        first, second = receiver.received
        assert first.headers["webhook-id"] == second.headers["webhook-id"]
        assert first.body == second.body

    def test_are_signed_with_both_secrets_while_one_is_being_replaced(self, receiver, listening):  # noqa: F811
        world = make_world(person("ana"))
        endpoint = listening(world, events=["lead.assigned"])
        webhooks.rotate_secret(endpoint)
        world.send()

        self.deliver()

        assert len(receiver.received[0].headers["webhook-signature"].split()) == 2

    def test_cost_intake_nothing(self, receiver, listening):  # noqa: F811
        world = make_world(person("ana"))
        world.send()
        with CaptureQueriesContext(connection) as before:
            world.send()
        listening(world)
        with CaptureQueriesContext(connection) as after:
            world.send()

        assert len(after) == len(before)
