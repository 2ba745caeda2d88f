"""Clients that hand in leads all at once, each until it has been taken."""

from __future__ import annotations

import contextlib
import http.client
import json
import queue
import threading
import time
from collections import Counter
from dataclasses import dataclass

_TIMEOUT_S = 30.0
_PAUSE_S = 0.2  # before a client asks again; less than Retry-After asks for, as impatient clients do
_AGAIN = frozenset({409, 503})  # the same key is still being answered; the database is away


@dataclass(frozen=True, slots=True)
class Taken:
    """The answer that a client got for its lead. `seconds`: of the last request alone."""

    email: str
    status: int
    lead_id: str
    has_agent: bool
    seconds: float


class Rush:
    """`taken` are the leads that got a 2xx, `statuses` counts every answer, `broken` the requests that got none.

    `without_retry_after` counts answers of 503 that do not say when to come back; `refused` those that a client cannot
    do anything about, by status.
    """

    def __init__(self, *, name: str, port: int, api_key: str, leads: int, clients: int) -> None:
        self.name, self.port, self.api_key, self.leads = name, port, api_key, leads
        self.taken: list[Taken] = []
        self.statuses: Counter[int] = Counter()
        self.refused: Counter[int] = Counter()
        self.broken = 0
        self.without_retry_after = 0
        self._waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
        for number in range(leads):
            self._waiting.put(number)
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._client, daemon=True) for _ in range(clients)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    @property
    def is_running(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    @property
    def progress(self) -> float:
        """From 0 to 1."""
        return len(self.taken) / self.leads

    def stop(self) -> None:
        """No new request begins after this."""
        self._over.set()

    def _client(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_TIMEOUT_S)
        with contextlib.suppress(queue.Empty):
            while not self._over.is_set():
                self._hand_in(connection, self._waiting.get_nowait())
        connection.close()

    def _hand_in(self, connection: http.client.HTTPConnection, number: int) -> None:
        email = f"{self.name}-{number}@visitor.test"
        body = json.dumps({"channel": "form", "email": email, "language": ("en", "es")[number % 2], "message": "Hello"})
        headers = {
            "Authorization": f"Bearer {self.api_key}",
            "Content-Type": "application/json",
            "Idempotency-Key": f"{self.name}-{number}",
        }
        while not self._over.is_set():
            began = time.monotonic()
            try:
                connection.request("POST", "/api/v1/leads", body, headers)
                response = connection.getresponse()
                answer = response.read()
            except (OSError, http.client.HTTPException):
                connection.close()
                with self._lock:
                    self.broken += 1
                self._over.wait(_PAUSE_S)
                continue
            seconds = time.monotonic() - began
            with self._lock:
                self.statuses[response.status] += 1
                if response.status in (200, 201):
                    lead = json.loads(answer)
                    self.taken.append(Taken(email, response.status, lead["id"], lead["agent"] is not None, seconds))
                    return
                if response.status == 503 and not response.getheader("Retry-After", "").isdigit():
                    self.without_retry_after += 1
                if response.status not in _AGAIN:
                    self.refused[response.status] += 1
                    if response.status < 500:
                        return
            self._over.wait(_PAUSE_S)
