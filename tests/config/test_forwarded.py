"""HTTPS is what a named proxy says, and nobody else."""

from __future__ import annotations

import ipaddress

import pytest
from django.test import RequestFactory

from config.forwarded import ForwardedScheme


@pytest.fixture(autouse=True)
def proxies(settings):
    settings.TRUSTED_PROXIES = [ipaddress.ip_network("10.0.0.0/8")]


@pytest.mark.parametrize(
    ("peer", "said", "is_secure"),
    [
        ("10.1.2.3", "https", True),
        ("10.1.2.3", "http", False),
        ("10.1.2.3", "gopher", False),
        ("203.0.113.9", "https", False),
        ("", "https", False),
    ],
)
def test_the_scheme_of_a_request(peer, said, is_secure):
    request = RequestFactory().get("/", REMOTE_ADDR=peer, HTTP_X_FORWARDED_PROTO=said)

    assert ForwardedScheme(lambda request: request.is_secure())(request) is is_secure


def test_pages_behind_a_proxy_are_for_https_alone(client, settings, db):
    settings.SECURE_HSTS_SECONDS = 60

    def header(peer: str) -> str | None:
        answer = client.get("/healthz", REMOTE_ADDR=peer, HTTP_X_FORWARDED_PROTO="https")
        return answer.headers.get("Strict-Transport-Security")

    assert header("10.1.2.3") == "max-age=60"
    assert header("203.0.113.9") is None
