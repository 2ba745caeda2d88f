"""Whom a request comes from: one address, the same for geo, limits and logs."""

from __future__ import annotations

import ipaddress
import logging
import threading

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Peers of a private network. Python's own `is_private` counts documentation networks too.
_PRIVATE = tuple(
    ipaddress.ip_network(network)
    for network in (
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "::1/128",
        "fc00::/7",
        "fe80::/10",
    )
)
_IGNORED_KEY = "widget:ignored-forwarders"
_REMEMBERED_S = 7 * 86_400
_MOST_REMEMBERED = 20

log = logging.getLogger(__name__)
_noticed: set[str] = set()
_noticing = threading.Lock()


def client_address(request: HttpRequest) -> str:
    """The address that the request comes from; empty where the peer has none (a local socket).

    X-Forwarded-For is read from the right, and only as far as trusted proxies wrote it: what stands left of the first
    address that is not one of TRUSTED_PROXIES was written by somebody else, and changes nothing.
    """
    peer = _parsed(request.META.get("REMOTE_ADDR", ""))
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR")
    if peer is None:
        return ""
    if forwarded is None:
        return str(peer)
    if not _is_trusted(peer):
        if any(peer in network for network in _PRIVATE):
            _notice(str(peer))
        return str(peer)
    address = peer
    for text in reversed(forwarded.split(",")):
        hop = _parsed(text)
        if hop is None:  # such as `unknown`: further left nobody vouches for anything
            break
        address = hop
        if not _is_trusted(hop):
            break
    return str(address)


def counted_as(address: str) -> str:
    """What limits count by: the address, of IPv6 its /64, which one customer of a provider has whole."""
    parsed = _parsed(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((int(parsed) >> 64 << 64, 64)))
    return str(parsed) if parsed else ""


def ignored_forwarders() -> list[str]:
    """Private peers that sent X-Forwarded-For in the last days and are not in TRUSTED_PROXIES: a proxy not named yet.

    While one is not named, all its visitors share one address, and with it their limits and their country.
    """
    try:
        peers = cache.get(_IGNORED_KEY, [])
    except Exception as problem:
        log.warning("The cache did not say whose X-Forwarded-For was ignored: %s", problem)
        return []
    return [peer for peer in peers if (address := _parsed(peer)) and not _is_trusted(address)]


def _parsed(text: str) -> Address | None:
    """An address as proxies write it, with or without a port. IPv4 in IPv6's clothes is IPv4."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _is_trusted(address: Address) -> bool:
    return any(address in network for network in settings.TRUSTED_PROXIES)


def _notice(peer: str) -> None:
    """Log it once, and keep it where the start page can read it."""
    with _noticing:
        if peer in _noticed or len(_noticed) >= _MOST_REMEMBERED:
            return
        _noticed.add(peer)
    log.warning(
        "Ignored X-Forwarded-For from %s: if that is your reverse proxy, add it to TRUSTED_PROXIES; "
        "until then all its visitors count as one address.",
        peer,
    )
    try:
        peers = [known for known in cache.get(_IGNORED_KEY, []) if known != peer]
        cache.set(_IGNORED_KEY, [*peers, peer][-_MOST_REMEMBERED:], _REMEMBERED_S)
    except Exception as problem:  # a cache that is away must not cost a lead
        log.warning("The cache could not keep that: %s", problem)
