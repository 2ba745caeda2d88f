"""Sending many messages side by side, so that who does not answer holds up nobody else.

Messages for one address go through one lane, a few at a time. Lanes that failed the last time have threads of their
own: a hundred servers that hang take those, and no others.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connections

from leads.faults import log_fault
from leads.notifications.outcomes import Outcome, Retry
from leads.notifying.delivery import Delivery, Result

MAIL_THREADS = 8  # connections to the mail server at a time
THREADS = 128  # more than may hang at a time before they are known to: each costs little but its wait
AILING_THREADS = 32
LANE_WIDTH = 4
BEGIN_WITHIN_S = 20.0  # after that, somebody else may have the row before we are through with it

log = logging.getLogger(__name__)

Settle = Callable[[list[Result], datetime], int]


@dataclass(slots=True)
class _Lane:
    waiting: deque[Delivery] = field(default_factory=deque)
    is_stopped: bool = False


class _Pools:
    """The threads of this process, made when first needed: a forked child has none of its parent's."""

    def __init__(self) -> None:
        self.mail = ThreadPoolExecutor(MAIL_THREADS, "mail")
        self.well = ThreadPoolExecutor(THREADS, "send")
        self.ailing = ThreadPoolExecutor(AILING_THREADS, "ailing")


_pools: _Pools | None = None
_making = threading.Lock()


def _forget_pools() -> None:
    global _pools, _making
    _pools, _making = None, threading.Lock()


os.register_at_fork(after_in_child=_forget_pools)


def _the_pools() -> _Pools:
    global _pools
    with _making:
        _pools = _pools or _Pools()
        return _pools


class Round:
    """One batch on its way. What is through in time is settled together; stragglers settle themselves."""

    def __init__(self, *, at: datetime, settle: Settle) -> None:
        self._at = at
        self._settle = settle
        self._started = time.monotonic()
        self._lock = threading.Lock()
        self._results: list[Result] = []
        self._is_open = True
        self._futures: list[Future[None]] = []

    def send(self, deliveries: Iterable[Delivery]) -> None:
        pools = _the_pools()
        lanes: dict[tuple[str, bool], _Lane] = {}
        for delivery in deliveries:
            lanes.setdefault((delivery.lane, delivery.is_ailing), _Lane()).waiting.append(delivery)
        for (_name, is_ailing), lane in lanes.items():
            is_mail = lane.waiting[0].transport == "email"
            pool = pools.mail if is_mail else pools.ailing if is_ailing else pools.well
            width = MAIL_THREADS if is_mail else 1 if is_ailing else LANE_WIDTH
            for _runner in range(min(width, len(lane.waiting))):
                self._futures.append(pool.submit(self._run, lane))

    def finish(self, *, patience_s: float | None) -> int:
        """Settle what is through after at most so long (None: all of it). Returns what `settle` did, added up."""
        wait(self._futures, timeout=patience_s)
        with self._lock:
            results, self._results = self._results, []
            self._is_open = False
        return self._settle(results, self._now()) if results else 0

    def _now(self) -> datetime:
        return self._at + timedelta(seconds=time.monotonic() - self._started)

    def _run(self, lane: _Lane) -> None:
        while True:
            try:
                delivery = lane.waiting.popleft()
            except IndexError:
                return
            late = time.monotonic() - self._started > BEGIN_WITHIN_S
            outcome = None if late or lane.is_stopped else self._attempt(delivery)
            # Who does not answer now is not asked twenty times more. Mail is for many: one address says nothing of all.
            if isinstance(outcome, Retry) and delivery.transport != "email":
                lane.is_stopped = True
            self._note(Result(delivery, outcome))

    def _attempt(self, delivery: Delivery) -> Outcome:
        try:
            return delivery.attempt(self._now())
        except Exception as problem:
            log_fault(log, "Sending a message failed", problem)
            return Retry(type(problem).__name__)

    def _note(self, result: Result) -> None:
        with self._lock:
            if self._is_open:
                self._results.append(result)
                return
        try:
            self._settle([result], self._now())
        except Exception as problem:
            log_fault(log, "How a message ended could not be written down", problem)
        finally:
            connections.close_all()
