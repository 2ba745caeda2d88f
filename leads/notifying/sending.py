"""Sending many messages side by side, so that who does not answer holds up nobody else.

Messages for one address go through one lane, which takes one thread until it has shown that it works, and a few then.
Lanes that failed the last time have threads of their own: a hundred servers that hang take those, and no others.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connections

from leads.faults import log_fault
from leads.notifications.outcomes import Delivered, Outcome, Retry
from leads.notifying.delivery import Delivery, Result

MAIL_THREADS = 8  # connections to the mail server at a time
THREADS = 128  # more than may hang at a time before they are known to: each costs little but its wait
AILING_THREADS = 32
LANE_WIDTH = 4
BEGIN_WITHIN_S = 20.0  # after that, somebody else may have the row before we are through with it
SLOW_AFTER_S = 2.0  # a lane in which nothing has ended for so long takes no more

log = logging.getLogger(__name__)

Settle = Callable[[list[Result], datetime], int]


@dataclass(slots=True)
class _Lane:
    """Deliveries to one address, of whatever round, and the threads at work on them."""

    pool: ThreadPoolExecutor
    width: int
    is_ailing: bool
    waiting: deque[tuple[Round, Delivery]] = field(default_factory=deque)
    running: int = 0
    moved: float = 0.0  # when something last began in an idle lane, or ended

    @property
    def takes_more(self) -> bool:
        """One try at a time where the last one failed; and nothing behind who does not answer."""
        if self.is_ailing:
            return not (self.running or self.waiting)
        return not self.running or time.monotonic() - self.moved < SLOW_AFTER_S


class _Lanes:
    """The lanes of this process. Everything about them happens under `lock`, except sending."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._lanes: dict[tuple[str, bool], _Lane] = {}
        self._mail = ThreadPoolExecutor(MAIL_THREADS, "mail")
        self._well = ThreadPoolExecutor(THREADS, "send")
        self._ailing = ThreadPoolExecutor(AILING_THREADS, "ailing")

    def put(self, round_: Round, delivery: Delivery) -> bool:
        """Queue it; False where its lane takes no more now."""
        with self.lock:
            name = (delivery.lane, delivery.is_ailing)
            lane = self._lanes.get(name)
            if lane is None:
                lane = self._lanes[name] = self._made_for(delivery)
            is_mail = lane.pool is self._mail
            if not (is_mail or lane.takes_more):
                return False
            lane.waiting.append((round_, delivery))
            if not lane.running:
                lane.moved = time.monotonic()
            if not lane.running or (is_mail and lane.running < lane.width):
                self._start(name, lane)
            return True

    def _made_for(self, delivery: Delivery) -> _Lane:
        if delivery.transport == "email":
            return _Lane(self._mail, MAIL_THREADS, is_ailing=False)
        if delivery.is_ailing:
            return _Lane(self._ailing, 1, is_ailing=True)
        return _Lane(self._well, LANE_WIDTH, is_ailing=False)

    def _start(self, name: tuple[str, bool], lane: _Lane) -> None:
        lane.running += 1
        lane.pool.submit(self._run, name, lane)

    def _run(self, name: tuple[str, bool], lane: _Lane) -> None:
        outcome: Outcome | None = None
        while True:
            with self.lock:
                if isinstance(outcome, Delivered) and lane.waiting and lane.running < lane.width:
                    self._start(name, lane)
                # Who does not answer now is not asked twenty times more. Mail is for many: one address says nothing
                # of all.
                left = []
                if isinstance(outcome, Retry) and lane.pool is not self._mail:
                    left = list(lane.waiting)
                    lane.waiting.clear()
                if not lane.waiting:
                    lane.running -= 1
                    if not lane.running:
                        self._lanes.pop(name, None)
                    item = None
                else:
                    item = lane.waiting.popleft()
            for round_ in {id(round_): round_ for round_, _delivery in left}.values():
                round_.note([Result(delivery, None) for of, delivery in left if of is round_])
            if item is None:
                return
            round_, delivery = item
            outcome = round_.attempt(delivery)
            with self.lock:
                lane.moved = time.monotonic()
            round_.note([Result(delivery, outcome)])


_lanes: _Lanes | None = None
_making = threading.Lock()


def _the_lanes() -> _Lanes:
    """Made when first needed: a forked child has none of its parent's threads."""
    global _lanes
    with _making:
        _lanes = _lanes or _Lanes()
        return _lanes


def _forget_lanes() -> None:
    global _lanes, _making
    _lanes, _making = None, threading.Lock()


os.register_at_fork(after_in_child=_forget_lanes)


class Round:
    """One batch on its way. What is through in time is settled together; stragglers settle themselves."""

    def __init__(self, *, at: datetime, settle: Settle) -> None:
        self._at = at
        self._settle = settle
        self._started = time.monotonic()
        self._changed = threading.Condition()
        self._results: list[Result] = []
        self._left = 0
        self._is_open = True

    def send(self, deliveries: Iterable[Delivery]) -> None:
        lanes = _the_lanes()
        for delivery in deliveries:
            with self._changed:
                self._left += 1
            if not lanes.put(self, delivery):
                self.note([Result(delivery, None)])

    def finish(self, *, patience_s: float | None) -> int:
        """Settle what is through after at most so long (None: all of it). Returns what `settle` did."""
        with self._changed:
            self._changed.wait_for(lambda: not self._left, timeout=patience_s)
            results, self._results = self._results, []
            self._is_open = False
        return self._settle(results, self._now()) if results else 0

    def attempt(self, delivery: Delivery) -> Outcome | None:
        """None: it came too late to begin."""
        if time.monotonic() - self._started > BEGIN_WITHIN_S:
            return None
        try:
            return delivery.attempt(self._now())
        except Exception as problem:
            log_fault(log, "Sending a message failed", problem)
            return Retry(type(problem).__name__)

    def note(self, results: Sequence[Result]) -> None:
        with self._changed:
            self._left -= len(results)
            if self._is_open:
                self._results += results
                self._changed.notify_all()
                return
        try:
            self._settle(list(results), self._now())
        except Exception as problem:
            log_fault(log, "How a message ended could not be written down", problem)
        finally:
            connections.close_all()

    def _now(self) -> datetime:
        return self._at + timedelta(seconds=time.monotonic() - self._started)
