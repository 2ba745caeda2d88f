"""A process of its own that asks a web server as fast as it answers, over so many kept connections.

Reads one JSON line a phase from standard input and writes one when that is over; see `Phase` and `Answers`. It does
next to nothing by itself, as what it takes of the processors the server lacks.
"""

from __future__ import annotations

import json
import select
import socket
import sys
import time
from dataclasses import asdict, dataclass, field
from statistics import quantiles

CONNECTIONS = 16


@dataclass(frozen=True, slots=True)
class Phase:
    """`head` and `body` hold %(n)s, the number of the request: no two are the same, and none ever was before; and
    %(hundredth)s, its last two digits.

    Ends after so many seconds, or so many `requests` where that is not 0.
    """

    port: int
    head: str
    body: str
    first: int
    seconds: float = 0.0
    requests: int = 0
    connections: int = CONNECTIONS

    def request(self, number: int) -> bytes:
        numbers = {"n": number, "hundredth": number % 100}
        body = self.body % numbers
        return (self.head % numbers + f"Content-Length: {len(body)}\r\n\r\n{body}").encode()


@dataclass(slots=True)
class Answers:
    """`took_s`: from the first request to the last answer. `ids` are of what was made (201)."""

    took_s: float = 0.0
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    statuses: dict[int, int] = field(default_factory=dict)
    ids: list[str] = field(default_factory=list)
    cut_off: int = 0

    @property
    def a_second(self) -> float:
        return sum(self.statuses.values()) / self.took_s


class _Connection:
    """One request at a time. `answer` None: not whole yet."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.socket = self._open()
        self.read = b""
        self.began = 0.0

    def _open(self) -> socket.socket:
        opened = socket.create_connection(("127.0.0.1", self.port))
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return opened

    def send(self, request: bytes) -> None:
        self.read = b""
        self.began = time.perf_counter()
        self.socket.sendall(request)

    def reopen(self) -> None:
        self.socket.close()
        self.socket = self._open()

    def receive(self) -> tuple[int, bytes, bool] | None:
        """Status, body, and whether the server closes now. Raises ConnectionError where it did without an answer."""
        piece = self.socket.recv(65_536)
        if not piece:
            raise ConnectionError
        self.read += piece
        head, blank, body = self.read.partition(b"\r\n\r\n")
        if not blank:
            return None
        lowered = head.lower()
        at = lowered.index(b"content-length:") + 15
        length = int(lowered[at:].split(b"\r\n", 1)[0])
        if len(body) < length:
            return None
        return int(head[9:12]), body, b"connection: close" in lowered


def ask(phase: Phase) -> Answers:
    """Until the phase is over and every request that began is answered."""
    answers = Answers()
    waits: list[float] = []
    poll = select.epoll()
    connections = {}
    for _ in range(phase.connections):
        made = _Connection(phase.port)
        connections[made.socket.fileno()] = made
        poll.register(made.socket.fileno(), select.EPOLLIN)
    number, last = phase.first, phase.first + phase.requests
    began = time.perf_counter()
    until = began + phase.seconds
    for each in connections.values():
        each.send(phase.request(number))
        number += 1
    busy = len(connections)
    while busy:
        for descriptor, _event in poll.poll():
            connection = connections[descriptor]
            closes = True
            try:
                answer = connection.receive()
                if answer is None:
                    continue
                status, body, closes = answer
                waits.append(time.perf_counter() - connection.began)
                answers.statuses[status] = answers.statuses.get(status, 0) + 1
                if status == 201:
                    answers.ids.append(body[7:43].decode() if body[6:7] == b'"' else "")
            except ConnectionError:
                answers.cut_off += 1
            if closes:
                poll.unregister(descriptor)
                del connections[descriptor]
                connection.reopen()
                connections[connection.socket.fileno()] = connection
                poll.register(connection.socket.fileno(), select.EPOLLIN)
            if number < last if phase.requests else time.perf_counter() < until:
                connection.send(phase.request(number))
                number += 1
            else:
                busy -= 1
    answers.took_s = time.perf_counter() - began
    for each in connections.values():
        each.socket.close()
    hundredths = quantiles(waits, n=100, method="inclusive")
    answers.p50_ms, answers.p99_ms = hundredths[49] * 1_000, hundredths[98] * 1_000
    return answers


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(asdict(ask(Phase(**json.loads(line))))), flush=True)
