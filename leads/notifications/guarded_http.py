"""The one HTTP client for addresses that users supply: it reaches the public internet and nothing else.

The address is resolved here, once, and what was checked is what gets connected to: a name that answers differently the
second time is not asked a second time. No redirects, no proxies, no credentials, no cookies, no decompression.
"""

from __future__ import annotations

import functools
import queue
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

import httpcore
from django.conf import settings
from django.utils.translation import gettext as _

from leads.notifications.public_addresses import Address, is_loopback, is_public

CONNECT_S = 3.0
TOTAL_S = 10.0
ANSWER_BYTES = 65_536
_ADDRESSES_TRIED = 3

_PRINTABLE = re.compile(r"[!-\[\]-~]{1,2048}")  # ASCII without spaces and the backslash, which parsers disagree about
_NAME = re.compile(
    r"(?=.{1,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?", re.IGNORECASE
)


class Refused(Exception):
    """This address is not one we talk to. The text is a sentence for whoever typed it."""


class Unreachable(Exception):
    """No answer; another time there may be one. The text is a sentence without the address, which may hold secrets."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`body_excerpt`: the first 64 kB as text. `retry_after`: the header as it came, '' where there was none."""

    status: int
    body_excerpt: str = ""
    retry_after: str = ""


def check(url: str) -> None:
    """Raise Refused where `post` would without asking the network: for forms."""
    _Target.read(url)


def post(url: str, *, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Send `body`, and wait for the answer at most 10 s in all. Any status is an answer, redirects too.

    Raises Refused before a socket is opened, or Unreachable.
    """
    deadline = time.monotonic() + TOTAL_S
    target = _Target.read(url)
    addresses = _checked_addresses(target)
    sent = [("Host", target.host_header), ("User-Agent", "Switchyard"), ("Accept-Encoding", "identity")]
    try:
        with (
            httpcore.ConnectionPool(
                ssl_context=_tls(), network_backend=_Pinned(addresses, deadline=deadline)
            ) as connections,
            connections.stream(
                "POST",
                httpcore.URL(
                    scheme=target.scheme.encode(), host=target.host, port=target.port, target=target.path.encode()
                ),
                headers=[*sent, *headers.items()],
                content=body,
            ) as response,
        ):
            return Answer(response.status, _excerpt(response.iter_stream()), _header(response, b"retry-after"))
    except httpcore.TimeoutException as problem:
        raise Unreachable(_("No answer within the time allowed.")) from problem
    except httpcore.NetworkError as problem:
        if isinstance(problem.__context__, ssl.SSLError):
            raise Unreachable(_("No secure connection: the certificate or the encryption is not right.")) from problem
        raise Unreachable(_("No connection.")) from problem
    except httpcore.RemoteProtocolError as problem:
        raise Unreachable(_("The answer was not HTTP.")) from problem


@dataclass(frozen=True, slots=True)
class _Target:
    """A URL taken apart once, so that no two readers of it can disagree. `literal`: the host where it is an address."""

    scheme: str
    host: str
    port: int
    path: str
    literal: Address | None

    @classmethod
    def read(cls, url: str) -> _Target:
        if not _PRINTABLE.fullmatch(url):
            raise Refused(
                _("A web address has at most 2,048 plain characters: no spaces, no backslashes, names as xn--….")
            )
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise Refused(_("This is not a web address.")) from None
        loopback_too = settings.ALLOW_LOOPBACK_WEBHOOKS
        if parts.scheme != "https" and not (parts.scheme == "http" and loopback_too):
            raise Refused(_only_https())
        if "@" in parts.netloc:
            raise Refused(_("An address with a user name or a password in it is not allowed."))
        host = parts.hostname or ""
        literal = _literal(host, is_bracketed=parts.netloc.startswith("["))
        if literal is None and not _NAME.fullmatch(host):
            raise Refused(_("The host of a web address is a name such as hooks.example.com."))
        if literal is not None and not is_public(literal) and not (loopback_too and is_loopback(literal)):
            raise Refused(_not_public())
        if port is None:
            port = 443 if parts.scheme == "https" else 80
        if port != 443 and port < 1024 and not loopback_too:
            raise Refused(_("The port must be 443 or above 1023."))
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return cls(parts.scheme, host, port, path, literal)

    @property
    def host_header(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == {"https": 443, "http": 80}[self.scheme] else f"{host}:{self.port}"


def _literal(host: str, *, is_bracketed: bool) -> Address | None:
    """The address that the host is, in its one full form. 127.1, 0x7f.1 and 2130706433 are none, nor are they names."""
    try:
        address = ip_address(host)
    except ValueError:
        return None
    if "%" in host or is_bracketed != (address.version == 6):
        return None
    return address


def _checked_addresses(target: _Target) -> list[Address]:
    """Where to connect. One address that is not public condemns them all: nobody's own name leads to both kinds."""
    addresses = [target.literal] if target.literal else _resolved(target.host, target.port)
    if settings.ALLOW_LOOPBACK_WEBHOOKS and all(is_loopback(address) for address in addresses):
        return addresses
    if target.scheme != "https":
        raise Refused(_only_https())
    if not all(is_public(address) for address in addresses):
        raise Refused(_not_public())
    return addresses


def _only_https() -> str:
    return _("Only addresses that begin with https:// are allowed.")


def _not_public() -> str:
    return _("This address does not lead to the public internet.")


def _resolved(host: str, port: int) -> list[Address]:
    """The name's addresses. Asked in a thread, because the system's resolver knows no time limit that we could set."""
    found: queue.SimpleQueue[list[Address] | OSError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found.put(list(dict.fromkeys(ip_address(answer[4][0]) for answer in answers)))
        except OSError as problem:
            found.put(problem)

    threading.Thread(target=ask, name="resolve", daemon=True).start()
    try:
        addresses = found.get(timeout=CONNECT_S)
    except queue.Empty:
        raise Unreachable(_("The name was not found in time.")) from None
    if isinstance(addresses, OSError) or not addresses:
        raise Unreachable(_("The name was not found."))
    return addresses


class _Pinned(httpcore.NetworkBackend):
    """Connects to the checked addresses, whatever host it is asked for, and to nothing after the deadline."""

    def __init__(self, addresses: list[Address], *, deadline: float) -> None:
        self._addresses = addresses[:_ADDRESSES_TRIED]
        self._deadline = deadline
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        problem: Exception | None = None
        for address in self._addresses:
            wait_s = min(CONNECT_S / len(self._addresses), _left(self._deadline, httpcore.ConnectTimeout))
            try:
                stream = self._sockets.connect_tcp(str(address), port, timeout=wait_s, socket_options=socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as failed:
                problem = failed
            else:
                return _Timed(stream, deadline=self._deadline)
        assert problem is not None
        raise problem


class _Timed(httpcore.NetworkStream):
    """A connection whose deadline is for all of it: a server that drips one byte a second does not extend it."""

    def __init__(self, stream: httpcore.NetworkStream, *, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(self._deadline, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        # The stream's own loop starts its time anew with every piece that a slow reader takes.
        connected: socket.socket = self._stream.get_extra_info("socket")
        unsent = memoryview(buffer)
        try:
            while unsent:
                connected.settimeout(_left(self._deadline, httpcore.WriteTimeout))
                unsent = unsent[connected.send(unsent) :]
        except TimeoutError as problem:
            raise httpcore.WriteTimeout from problem
        except OSError as problem:
            raise httpcore.WriteError from problem

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        wait_s = min(CONNECT_S, _left(self._deadline, httpcore.ConnectTimeout))
        return _Timed(self._stream.start_tls(ssl_context, server_hostname, wait_s), deadline=self._deadline)

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)


def _left(deadline: float, expired: type[httpcore.TimeoutException]) -> float:
    left_s = deadline - time.monotonic()
    if left_s <= 0:
        raise expired
    return left_s


# Trusts what the system trusts, and Mozilla's list. Made once: it takes longer than the request.
_tls = functools.cache(httpcore.default_ssl_context)


def _excerpt(chunks: Iterable[bytes]) -> str:
    read = bytearray()
    for chunk in chunks:
        read += chunk
        if len(read) >= ANSWER_BYTES:
            break
    return bytes(read[:ANSWER_BYTES]).decode(errors="replace")


def _header(response: httpcore.Response, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in response.headers if key.lower() == name), "")
