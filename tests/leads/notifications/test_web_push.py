"""What a browser is pushed only that browser can read, and it knows who pushed."""

import json
from dataclasses import replace

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from leads.notifications.message import Kind
from leads.notifications.outcomes import Dead, Delivered, Retry
from leads.notifications.transports import _push_encryption as push
from leads.notifications.transports import web_push
from tests.leads.notifications.messages import AT, ID, message

from_base64, to_base64 = push.from_base64, push.to_base64


def key_of(text):
    return ec.derive_private_key(int.from_bytes(from_base64(text), "big"), ec.SECP256R1())


class Browser:
    """The other end: makes subscriptions and reads what is pushed."""

    def __init__(self, endpoint):
        self.key, self.secret = ec.generate_private_key(ec.SECP256R1()), bytes(range(16))
        self.subscription = {
            "endpoint": endpoint,
            "p256dh": to_base64(push.public_bytes(self.key)),
            "auth": to_base64(self.secret),
        }

    def decrypted(self, body):
        def derived(secret, salt, info, length):
            return HKDF(hashes.SHA256(), length, salt, info).derive(secret)

        salt, size, length = body[:16], int.from_bytes(body[16:20], "big"), body[20]
        sender, sealed = body[21 : 21 + length], body[21 + length :]
        assert len(sealed) <= size
        shared = self.key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender))
        both = push.public_bytes(self.key) + sender
        secret = derived(shared, self.secret, b"WebPush: info\0" + both, 32)
        content_key = derived(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
        nonce = derived(secret, salt, b"Content-Encoding: nonce\0", 12)
        padded = AESGCM(content_key).decrypt(nonce, sealed, None)
        assert padded.endswith(b"\x02")
        return padded[:-1]


class TestEncryption:
    def test_is_that_of_the_example_in_rfc_8291(self):
        """Section 5 and appendix A."""
        body = push.encrypted(
            b"When I grow up, I want to be a watermelon",
            browser_key=from_base64(
                "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
            ),
            browser_secret=from_base64("BTBZMqHH6r4Tts7J_aSIgg"),
            salt=from_base64("DGv6ra1nlYgDCS1FRnbzlw"),
            own_key=key_of("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"),
        )

        assert to_base64(body) == (
            "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27ml"
            "mlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPT"
            "pK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
        )

    def test_is_another_every_time(self):
        browser = Browser("")
        bodies = {
            push.encrypted(b"x", browser_key=push.public_bytes(browser.key), browser_secret=browser.secret)
            for _ in range(3)
        }

        assert len({body[:16] for body in bodies}) == 3
        assert len({body[21:86] for body in bodies}) == 3
        assert {browser.decrypted(body) for body in bodies} == {b"x"}

    def test_leaves_room_in_4096_bytes(self):
        browser = Browser("")
        key = push.public_bytes(browser.key)

        assert len(push.encrypted(b"x" * push.MAX_BYTES, browser_key=key, browser_secret=b"s" * 16)) == 4_096


class TestOwnKey:
    def test_is_the_one_set(self):
        assert to_base64(
            push.public_bytes(push.private_key("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw", secret=""))
        ) == ("BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8")

    def test_follows_from_the_secret_where_none_is_set(self):
        keys = [push.public_bytes(push.private_key("", secret=secret)) for secret in ("one", "one", "two")]

        assert keys[0] == keys[1] != keys[2]
        assert keys[0] == push.public_bytes(push.private_key.__wrapped__("", secret="one"))


class TestSending:
    @pytest.fixture
    def browser(self, receiver):
        return Browser(f"{receiver.url}/push/endpoint-token")

    def send(self, browser, made=None):
        return web_push.send(made or message(), web_push.read(browser.subscription), at=AT)

    def test_tells_the_browser_what_to_show(self, browser, receiver):
        receiver.answers(201)

        assert self.send(browser) == Delivered()

        [request] = receiver.received
        assert request.headers["content-encoding"] == "aes128gcm"
        assert request.headers["ttl"] == "14400"
        assert request.headers["urgency"] == "normal"
        shown = json.loads(browser.decrypted(request.body))
        assert shown == {
            "id": str(ID),
            "kind": "assigned",
            "title": "New lead: Ana Gil on WhatsApp",
            "body": "Ana Gil is waiting for you. Answer by Mon 2 Mar, 10:05.",
            "url": "https://leads.example.com/inbox/K7P2QX",
            "actions": [
                {"label": "Reply on WhatsApp", "url": "https://wa.me/34600111222?text=Hola"},
                {"label": "I have answered", "url": "https://leads.example.com/do/secret-token"},
            ],
        }

    def test_says_who_pushes(self, browser, receiver, settings):
        settings.DEFAULT_FROM_EMAIL = "Acme <leads@acme.example>"
        self.send(browser)

        scheme, token, key = receiver.received[0].headers["authorization"].replace(",", "").split()
        assert scheme == "vapid"
        public = push.public_key(from_base64(key.removeprefix("k=")))
        assert key.removeprefix("k=") == web_push.application_server_key()
        signed, _dot, signature = token.removeprefix("t=").rpartition(".")
        head, claims = (json.loads(from_base64(part)) for part in signed.split("."))
        assert head == {"typ": "JWT", "alg": "ES256"}
        assert claims == {
            "aud": receiver.url,
            "exp": int(AT.timestamp()) + 12 * 3_600,
            "sub": "mailto:leads@acme.example",
        }
        raw = from_base64(signature)
        halves = (int.from_bytes(half, "big") for half in (raw[:32], raw[32:]))
        der = encode_dss_signature(*halves)
        public.verify(der, signed.encode(), ec.ECDSA(hashes.SHA256()))
        with pytest.raises(InvalidSignature):
            public.verify(der, b"x" + signed.encode(), ec.ECDSA(hashes.SHA256()))

    def test_replaces_what_it_repeats(self, browser, receiver):
        self.send(browser)
        self.send(browser)

        topics = {request.headers["topic"] for request in receiver.received}
        assert topics == {to_base64(ID.bytes)}
        assert len(topics.pop()) <= 32

    def test_wakes_the_phone_of_whoever_is_on_call(self, browser, receiver):
        self.send(browser, message(Kind.PAGE))

        assert receiver.received[0].headers["urgency"] == "high"

    def test_drops_links_rather_than_grow_too_large(self, browser, receiver):
        made = message(
            actions=[{"label": "x" * 80, "url": f"https://leads.example.com/{n}/" + "x" * 900} for n in range(9)]
        )

        assert self.send(browser, replace(made, title="ñ" * 150)) == Delivered()

        assert len(receiver.received[0].body) <= 4_096
        assert json.loads(browser.decrypted(receiver.received[0].body))["actions"] == []

    @pytest.mark.parametrize(
        ("status", "outcome"),
        [
            (404, Dead("The push service answered 404", address_gone=True)),
            (410, Dead("The push service answered 410", address_gone=True)),
            (400, Dead("The push service answered 400")),
            (403, Dead("The push service answered 403")),
            (413, Dead("The push service answered 413")),
            (429, Retry("The push service answered 429")),
            (503, Retry("The push service answered 503")),
            (302, Dead("The push service answered 302")),
        ],
    )
    def test_forgets_browsers_that_unsubscribed(self, browser, receiver, status, outcome):
        receiver.answers(status, Location="/elsewhere")

        assert self.send(browser) == outcome


class TestSubscriptions:
    GOOD = Browser("https://push.example.com/x").subscription

    def test_are_what_browsers_make(self):
        subscription = web_push.read(self.GOOD)

        assert (len(subscription.key), len(subscription.secret)) == (65, 16)

    @pytest.mark.parametrize(
        "wrong",
        [
            {"endpoint": "http://push.example.com/x"},
            {"endpoint": "https://10.0.0.1/x"},
            {"endpoint": ""},
            {"p256dh": ""},
            {"p256dh": "not base64!"},
            {"p256dh": to_base64(b"\x04" + b"\x01" * 64)},
            {"p256dh": to_base64(b"\x02" + b"\x01" * 32)},
            {"auth": ""},
            {"auth": to_base64(b"short")},
            {"auth": "ü"},
        ],
        ids=str,
    )
    def test_that_no_browser_made_are_refused(self, wrong):
        with pytest.raises(ValueError, match="not a subscription"):
            web_push.read(self.GOOD | wrong)
