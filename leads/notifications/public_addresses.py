"""Which addresses lie on the public internet: the only ones a user-supplied URL may lead to.

The table holds what the IANA registries of special-purpose addresses (IPv4, IPv6) call not globally reachable, and
what clouds serve to their machines under public-looking addresses. It is ours because that of `ipaddress` differs from
one Python to the next.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address

_NOT_PUBLIC_4 = [
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # Azure's services for its own machines
        "169.254.0.0/16",  # link-local, and the clouds' metadata
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
]
# Global unicast lies in here. Outside: unspecified, loopback, IPv4-compatible, unique local, link-local, site-local,
# multicast and segment routing.
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NOT_PUBLIC_6 = [
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments: Teredo, ORCHID, benchmarks
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4 carries an IPv4 address past every check; long out of use
        "3fff::/20",  # documentation
    )
]
_MAPPED = IPv6Network("::ffff:0:0/96")
_NAT64 = IPv6Network("64:ff9b::/96")
_ISATAP = {0x00005EFE, 0x02005EFE}  # the upper half of an interface id that carries an IPv4 address


def unwrapped(address: Address) -> Address:
    """The IPv4 address that an IPv4-mapped or NAT64 one stands for; any other as it is."""
    if isinstance(address, IPv6Address) and (address in _MAPPED or address in _NAT64):
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def is_public(address: Address) -> bool:
    """Whether it is somebody else's machine on the public internet, whatever it comes wrapped in."""
    address = unwrapped(address)
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_4)
    return (
        address in _GLOBAL_UNICAST
        and not any(address in network for network in _NOT_PUBLIC_6)
        and (int(address) >> 32) & 0xFFFF_FFFF not in _ISATAP
    )


def is_loopback(address: Address) -> bool:
    return unwrapped(address).is_loopback
