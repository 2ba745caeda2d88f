"""What goes over the wire to PostgreSQL, counted by whoever passes it on: whatever sends it, nothing can be missed."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections import Counter
from collections.abc import Iterator

_STATEMENTS = frozenset(b"QE")  # a simple query; the execution of a prepared one
_SYNCS = frozenset(b"QSH")  # what makes the server answer: a round trip where somebody waits for it


class Wire:
    """Counts since it was last asked: `statements`, and `flushes`, after which the server answers."""

    def __init__(self, port: int) -> None:
        self.port = port  # the one to connect to
        self.statements = 0
        self.flushes = 0
        self._lock = threading.Lock()

    def reset(self) -> None:
        with self._lock:
            self.statements = self.flushes = 0

    def saw(self, kinds: Counter[int]) -> None:
        with self._lock:
            self.statements += sum(count for kind, count in kinds.items() if kind in _STATEMENTS)
            self.flushes += sum(count for kind, count in kinds.items() if kind in _SYNCS)


@contextlib.contextmanager
def tapped(host: str, port: int) -> Iterator[Wire]:
    """Passes connections on to this server."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        wire = Wire(listening.getsockname()[1])

        def accept() -> None:
            while True:
                try:
                    client, _address = listening.accept()
                except OSError:
                    return
                server = socket.create_connection((host, port))
                for made in (client, server):
                    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=_pass_on, args=(client, server, wire), daemon=True).start()
                threading.Thread(target=_pass_on, args=(server, client, None), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield wire


def _pass_on(source: socket.socket, target: socket.socket, wire: Wire | None) -> None:
    pending, begun = b"", False
    with contextlib.suppress(OSError):
        while piece := source.recv(65_536):
            if wire is not None:
                pending += piece
                kinds: Counter[int] = Counter()
                if not begun and len(pending) >= 4 and len(pending) >= (length := int.from_bytes(pending[:4])):
                    pending, begun = pending[length:], True  # the first message alone has no kind
                while begun and len(pending) >= 5 and len(pending) > (length := int.from_bytes(pending[1:5])):
                    kinds[pending[0]] += 1
                    pending = pending[length + 1 :]
                wire.saw(kinds)
            target.sendall(piece)
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
