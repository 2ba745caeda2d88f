"""A mail server that keeps what it is handed."""

from __future__ import annotations

import email
import threading
from collections import Counter
from uuid import UUID

from aiosmtpd.controller import Controller

from tests.chaos.processes import free_port


class Mailbox:
    """`received` counts mails by message id and recipient. Thread-safe by the lock of `snapshot`."""

    def __init__(self) -> None:
        self.port = free_port()
        self._received: Counter[tuple[UUID, str]] = Counter()
        self._lock = threading.Lock()
        self._server = Controller(self, hostname="127.0.0.1", port=self.port)

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - aiosmtpd looks for this name
        message_id = email.message_from_bytes(envelope.content)["Message-ID"]
        of = UUID(message_id.strip().strip("<>").partition("@")[0])
        with self._lock:
            for recipient in envelope.rcpt_tos:
                self._received[of, recipient] += 1
        return "250 OK"

    def start(self) -> None:
        self._server.start()

    def stop(self) -> None:
        self._server.stop()

    def snapshot(self) -> Counter[tuple[UUID, str]]:
        with self._lock:
            return self._received.copy()
