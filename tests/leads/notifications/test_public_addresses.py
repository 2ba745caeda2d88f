"""Only somebody else's machine on the public internet is public."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leads.notifications.public_addresses import is_public

NOT_PUBLIC = [
    *("0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200", "100.127.255.255"),
    *("127.0.0.1", "127.255.255.254", "168.63.129.16", "169.254.169.254", "172.16.0.1", "172.31.255.255"),
    *("192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.0.1", "198.18.0.1", "198.19.255.255", "198.51.100.1"),
    *("203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "::8.8.8.8"),
    *("::ffff:0:127.0.0.1", "64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b::10.0.0.1", "64:ff9b:1::8.8.8.8"),
    *("100::1", "2001::1", "2001:0:7f00:1::", "2001:10::1", "2001:20::1", "2001:2::1", "2001:db8::1"),
    *("2002:7f00:1::", "2002:a00:1::1", "2002:808:808::1", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254"),
    *("fd12:3456::1", "fe80::1", "febf::1", "fec0::1", "ff02::1", "ff0e::1"),
    *("2a00:1450:4003::5efe:127.0.0.1", "2a00:1450:4003::200:5efe:10.0.0.1"),
]
PUBLIC = [
    *("8.8.8.8", "93.184.215.14", "100.63.255.255", "100.128.0.0", "172.15.255.255", "172.32.0.1", "223.255.255.255"),
    *("2606:4700:4700::1111", "2a00:1450:4003:80e::200e", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"),
]
NAT64 = IPv6Network("64:ff9b::/96")


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_inside_addresses_are_not_public_however_they_are_wrapped(address):
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_outside_addresses_are(address):
    assert is_public(ip_address(address))


@given(st.integers(0, 2**32 - 1).map(IPv4Address) | st.integers(0, 2**128 - 1).map(IPv6Address))
def test_nothing_is_public_that_python_knows_not_to_be(address):
    if is_public(address) and not getattr(address, "ipv4_mapped", None) and address not in NAT64:
        assert address.is_global


@given(st.integers(0, 2**32 - 1))
def test_a_wrapped_address_is_as_public_as_what_is_in_it(number):
    inner = is_public(IPv4Address(number))

    assert is_public(IPv6Address((0xFFFF << 32) | number)) == inner
    assert is_public(IPv6Address((0x0064_FF9B << 96) | number)) == inner
