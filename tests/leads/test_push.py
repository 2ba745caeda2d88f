"""Browsers that show notifications: switched on and off by the agent who sits before them."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.test import Client

from agents.models import Membership, User
from leads.models import NotificationWay
from tests.leads.world import make_world, person

pytestmark = pytest.mark.django_db


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def subscription(endpoint="https://push.example.com/one"):
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    public = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return {
        "endpoint": endpoint,
        "expirationTime": None,
        "keys": {"p256dh": encoded(public), "auth": encoded(b"x" * 16)},
    }


@pytest.fixture
def world():
    return make_world(person("ana", email="ana@acme.test"), person("bo"))


def log_in(world, slug, **options):
    user = User.objects.create_user(f"{slug}@login.test")
    Membership.objects.create(workspace=world.workspace, user=user, role="agent")
    world.change(slug, user=user)
    client = Client(**options)
    client.force_login(user)
    return client


def post(client, name, values):
    return client.post(f"/inbox/push/{name}", values, content_type="application/json")


def ways(world, slug):
    rows = NotificationWay.objects.filter(agent=world.agent(slug)).order_by("position")
    return [way.transport for way in rows]


def test_a_browser_comes_before_mail_and_not_instead_of_it(world):
    ana = log_in(world, "ana")

    assert post(ana, "subscribe", subscription()).json() == {"subscribed": True}
    assert post(ana, "subscribe", subscription()).json() == {"subscribed": True}

    assert ways(world, "ana") == ["web_push", "email"]


def test_the_page_learns_the_key_of_this_installation(world):
    assert len(log_in(world, "ana").get("/inbox/push/key").json()["key"]) == 87


def test_it_is_switched_off_again(world):
    ana = log_in(world, "ana")
    post(ana, "subscribe", subscription())

    assert post(ana, "unsubscribe", {"endpoint": "https://push.example.com/one"}).json() == {"subscribed": False}
    assert ways(world, "ana") == ["email"]


def test_a_shared_browser_shows_nothing_of_whoever_used_it_before(world):
    post(log_in(world, "ana"), "subscribe", subscription())
    post(log_in(world, "bo"), "subscribe", subscription())

    assert ways(world, "ana") == ["email"]
    assert ways(world, "bo") == ["web_push"]


def test_nobody_keeps_more_than_ten(world):
    ana = log_in(world, "ana")
    for number in range(12):
        post(ana, "subscribe", subscription(f"https://push.example.com/{number}"))

    assert ways(world, "ana").count("web_push") == 10
    assert not NotificationWay.objects.filter(address__endpoint="https://push.example.com/1").exists()


@pytest.mark.parametrize(
    "given",
    [
        {},
        [],
        {"endpoint": 7},
        {"endpoint": "https://push.example.com/one", "keys": {"p256dh": "x", "auth": "y"}},
        subscription("http://10.0.0.1/inside"),
        {"padding": "x" * 10_000},
    ],
)
def test_what_no_browser_made_is_refused(world, given):
    assert post(log_in(world, "ana"), "subscribe", given).status_code == 400
    assert not NotificationWay.objects.exists()


def test_strangers_are_turned_away(world):
    outsider = Client()
    outsider.force_login(User.objects.create_user("nobody@mail.test"))

    assert post(Client(), "subscribe", subscription()).status_code == 401
    assert post(outsider, "subscribe", subscription()).status_code == 403
    assert post(log_in(world, "ana", enforce_csrf_checks=True), "subscribe", subscription()).status_code == 403
    assert not NotificationWay.objects.exists()
