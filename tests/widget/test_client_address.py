import ipaddress
import logging

import pytest
from django.core.cache import cache
from django.test import RequestFactory

from widget import client_address as module
from widget.client_address import client_address, counted_as, ignored_forwarders


@pytest.fixture(autouse=True)
def _nobody_noticed(monkeypatch):
    monkeypatch.setattr(module, "_noticed", set())


@pytest.fixture
def trusted(settings):
    settings.TRUSTED_PROXIES = [ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("2001:db8:ffff::/48")]


def request(peer, forwarded=None):
    headers = {} if forwarded is None else {"HTTP_X_FORWARDED_FOR": forwarded}
    return RequestFactory().get("/", REMOTE_ADDR=peer, **headers)


@pytest.mark.usefixtures("trusted")
class TestBehindATrustedProxy:
    @pytest.mark.parametrize(
        ("forwarded", "address"),
        [
            ("203.0.113.9", "203.0.113.9"),
            ("198.51.100.1, 203.0.113.9", "203.0.113.9"),
            ("203.0.113.9, 10.1.2.3", "203.0.113.9"),
            ("1.1.1.1, 203.0.113.9, 10.1.2.3, 10.9.9.9", "203.0.113.9"),
            ("203.0.113.9:51234", "203.0.113.9"),
            ("[2001:db8::7]:443", "2001:db8::7"),
            ("2001:db8::7, 2001:db8:ffff::1", "2001:db8::7"),
            ("::ffff:203.0.113.9", "203.0.113.9"),
            ("10.4.4.4", "10.4.4.4"),
        ],
    )
    def test_the_first_address_from_the_right_that_is_no_proxy_counts(self, forwarded, address):
        assert client_address(request("10.0.0.1", forwarded)) == address

    @pytest.mark.parametrize("forwarded", ["", "unknown", "203.0.113.9, unknown", "203.0.113.9, 10.0.0.1, <script>"])
    def test_nobody_vouches_for_what_stands_left_of_garbage(self, forwarded):
        assert client_address(request("10.0.0.1", forwarded)) == "10.0.0.1"

    def test_without_the_header_it_is_the_proxy_itself(self):
        assert client_address(request("10.0.0.1")) == "10.0.0.1"


class TestFromAPeerThatIsNotTrusted:
    @pytest.mark.parametrize("peer", ["203.0.113.9", "192.168.1.5", "127.0.0.1", "2001:db8::1"])
    def test_a_forged_header_changes_nothing(self, peer):
        assert client_address(request(peer, "198.51.100.77")) == peer

    def test_a_private_one_is_logged_once_and_named(self, caplog):
        with caplog.at_level(logging.WARNING, "widget"):
            for _ in range(3):
                client_address(request("192.168.7.7", "198.51.100.77"))

        assert [r.getMessage() for r in caplog.records if "192.168.7.7" in r.getMessage()] == [caplog.messages[0]]
        assert "TRUSTED_PROXIES" in caplog.messages[0]
        assert ignored_forwarders() == ["192.168.7.7"]

    def test_a_public_one_is_a_visitor_who_lies_and_nobody_is_told(self, caplog):
        client_address(request("203.0.113.9", "198.51.100.77"))

        assert not caplog.records
        assert ignored_forwarders() == []

    def test_is_named_no_longer_once_it_is_trusted(self, settings):
        client_address(request("192.168.7.7", "198.51.100.77"))

        settings.TRUSTED_PROXIES = [ipaddress.ip_network("192.168.0.0/16")]

        assert ignored_forwarders() == []

    def test_a_cache_that_is_away_costs_nothing(self, monkeypatch):
        def away(*args, **kwargs):
            raise ConnectionError("no cache")

        monkeypatch.setattr(cache, "get", away)

        assert client_address(request("192.168.7.7", "198.51.100.77")) == "192.168.7.7"
        assert ignored_forwarders() == []


def test_a_peer_without_an_address_has_none():
    assert client_address(request("", "198.51.100.77")) == ""


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("", ""),
    ],
)
def test_limits_count_an_ipv6_network_as_one(address, counted):
    assert counted_as(address) == counted
