"""Webhooks are signed as receivers all over know how to check."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from leads.notifications.outcomes import Dead, Delivered, Retry
from leads.notifications.transports import webhook
from leads.notifications.transports.webhook import Endpoint, new_secret
from tests.leads.notifications.messages import AT, ID, message

NEW, OLD = new_secret(), new_secret()


@pytest.fixture
def now():
    """The library's own check compares with the clock."""
    return datetime.now(UTC)


def test_is_what_the_specifications_own_library_accepts(receiver, now):
    assert webhook.send(message(), Endpoint(f"{receiver.url}/hook", (NEW,)), at=now) == Delivered()

    [request] = receiver.received
    assert Webhook(NEW).verify(request.body, request.headers) == {
        "type": "notification.assigned",
        "timestamp": "2026-03-02T09:00:00Z",
        "data": {
            "title": "New lead: Ana Gil on WhatsApp",
            "text": message().text,
            "url": "https://leads.example.com/inbox/K7P2QX",
            "language": "en",
        },
    }
    assert request.headers["webhook-id"] == f"msg_{ID.hex}"
    assert request.headers["content-type"].startswith("application/json")


def test_is_right_wherever_the_clock_stands(receiver, now):
    webhook.send(message(), Endpoint(receiver.url, (NEW,)), at=now.astimezone(timezone(timedelta(hours=5))))

    assert Webhook(NEW).verify(receiver.received[0].body, receiver.received[0].headers)


def test_carries_two_signatures_while_the_secret_changes(receiver, now):
    endpoint = webhook.read({"url": receiver.url, "secret": NEW, "old_secret": OLD})

    webhook.send(message(), endpoint, at=now)

    [request] = receiver.received
    for secret in (NEW, OLD):
        assert Webhook(secret).verify(request.body, request.headers)
    assert len(request.headers["webhook-signature"].split()) == 2
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(request.body, request.headers)


def test_a_repeat_has_the_same_id_and_body_and_its_own_time(receiver):
    for minutes in (0, 5):
        webhook.send(message(), Endpoint(receiver.url, (NEW,)), at=AT + timedelta(minutes=minutes))

    first, second = receiver.received
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) == 300
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]


def test_carries_any_event(receiver):
    webhook.deliver(
        Endpoint(receiver.url, (NEW,)), message_id=ID, event="lead.assigned", data={"é": 1}, happened_at=AT, at=AT
    )

    assert json.loads(receiver.received[0].body) == {
        "type": "lead.assigned",
        "timestamp": "2026-03-02T09:00:00Z",
        "data": {"é": 1},
    }


@pytest.mark.parametrize("status", [301, 307, 400, 401, 404, 500, 503])
def test_anything_but_success_is_tried_again(receiver, status):
    receiver.answers(status, Location=f"{receiver.url}/elsewhere")

    outcome = webhook.send(message(), Endpoint(receiver.url, (NEW,)), at=AT)

    assert outcome == Retry(f"The webhook answered {status}")
    assert len(receiver.received) == 1


def test_410_says_that_nobody_listens_any_more(receiver):
    receiver.answers(410)

    outcome = webhook.send(message(), Endpoint(receiver.url, (NEW,)), at=AT)

    assert outcome == Dead("The webhook answered 410", address_gone=True)


def test_comes_back_when_it_is_told_to(receiver):
    receiver.answers(503, Retry_After="90")

    outcome = webhook.send(message(), Endpoint(receiver.url, (NEW,)), at=AT)

    assert outcome == Retry("The webhook answered 503", timedelta(seconds=90))


@pytest.mark.parametrize(
    "secret",
    ["", "whsec_", "whsec_c2hvcnQ=", "whsec_" + "A" * 400, NEW.removeprefix("whsec_"), "whsec_ü"],
    ids=["empty", "prefix alone", "short", "long", "without its prefix", "not base64"],
)
def test_needs_a_secret_worth_the_name(secret):
    with pytest.raises(ValueError, match="whsec_"):
        webhook.read({"url": "https://hooks.example.com/", "secret": secret})
