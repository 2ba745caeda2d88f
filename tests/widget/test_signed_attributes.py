"""What a customer's server says about a visitor."""

import base64
import hashlib
import hmac
import json
from datetime import timedelta

import pytest

from leads.models import Lead
from tests.widget.conftest import MONDAY_NOON
from tests.widget.test_api_doors import problem
from widget.signed_attributes import sign, signed_attributes

SECRET = "0123456789abcdef"
LATER = MONDAY_NOON + timedelta(minutes=5)


def read(token, secret=SECRET, at=MONDAY_NOON):
    return signed_attributes(token, secret=secret, at=at)


def signed_bytes(raw: bytes, secret: str = SECRET) -> str:
    payload = base64.urlsafe_b64encode(raw).decode().rstrip("=")
    return f"{payload}.{hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()}"


def test_what_the_secret_signed_is_known():
    assert read(sign({"plan": "team", "seats": 12}, secret=SECRET, expires_at=LATER)) == {"plan": "team", "seats": 12}


def test_the_format_is_the_documented_one():
    assert read(signed_bytes(json.dumps({"plan": "team", "exp": LATER.timestamp()}).encode())) == {"plan": "team"}


def test_it_is_over_when_its_time_is():
    token = sign({"plan": "team"}, secret=SECRET, expires_at=LATER)

    assert read(token, at=LATER - timedelta(seconds=1)) == {"plan": "team"}
    assert read(token, at=LATER) == {}


@pytest.mark.parametrize(
    "forge",
    [
        lambda t: t[:-1] + ("0" if t[-1] != "0" else "1"),
        lambda t: "x" + t,
        lambda t: t.upper(),
        lambda t: t.replace(".", ""),
        lambda t: t.split(".")[0] + ".",
        lambda t: t + ".",
        lambda t: t.split(".")[0] + ".é",
        lambda t: "." + t.split(".")[1],
        lambda t: "",
        lambda t: None,
    ],
)
def test_what_is_forged_says_nothing(forge):
    assert read(forge(sign({"plan": "team"}, secret=SECRET, expires_at=LATER))) == {}


@pytest.mark.parametrize(
    "raw",
    [
        b'{"plan": "team"}',
        b'{"plan": "team", "exp": null}',
        b'{"plan": "team", "exp": true}',
        b'{"plan": "team", "exp": "2030-01-01"}',
        b'{"plan": "team", "exp": NaN}',
        b'{"plan": "\\u0000", "exp": 9999999999}',
        b'{"": 1, "exp": 9999999999}',
        b"[]",
        b"{",
        b"\xff",
        b"",
    ],
)
def test_what_is_signed_but_without_an_end_or_without_sense_says_nothing(raw):
    assert read(signed_bytes(raw)) == {}


def test_a_site_without_a_secret_believes_nobody():
    assert read(sign({"plan": "team"}, secret="", expires_at=LATER), secret="") == {}


class TestOnALead:
    def test_the_server_outranks_the_browser(self, acme):
        token = sign({"plan": "enterprise", "vip": True}, secret=acme.site.signing_secret, expires_at=LATER)

        acme.write({"attributes": {"plan": "free", "vip": False, "age": 3}, "signed": token})

        assert Lead.objects.get().attributes == {"plan": "enterprise", "vip": True}

    def test_another_sites_secret_says_nothing_and_costs_nobody_their_lead(self, acme, rival):
        token = sign({"vip": True}, secret=rival.site.signing_secret, expires_at=LATER)

        assert acme.write({"signed": token}).status_code == 201
        assert Lead.objects.get().attributes == {}
        assert acme.site.signing_secret != rival.site.signing_secret

    def test_what_is_no_text_is_400(self, acme):
        assert problem(acme.write({"signed": {"vip": True}}), 400)["errors"].keys() == {"signed"}
        assert not Lead.objects.exists()
