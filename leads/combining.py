"""Doing together what waits for the same thing: one of those who wait does it for all of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")

_MOST_REMEMBERED = 1_000  # keys; beyond, those that nobody uses just now are forgotten


class _Waiting(Generic[T]):
    """`turn` is released when the work is done, or is this one's to do."""

    __slots__ = ("is_done", "turn", "work")

    def __init__(self, work: T) -> None:
        self.work = work
        self.is_done = False
        self.turn = threading.Lock()  # cheaper to wait on than an Event, which makes a lock for each who waits
        self.turn.acquire()


class _Queue(Generic[T]):
    """What is known under one key.

    `crowd`: how many there were when the last work ended, done or waiting; who was answered may come again, until
    `expected_until` (by the monotonic clock). `gathered` is released when as many are there.
    """

    __slots__ = ("crowd", "expected_until", "gathered", "is_led", "waiting")

    def __init__(self) -> None:
        self.waiting: list[_Waiting[T]] = []
        self.is_led = False
        self.crowd = 1
        self.expected_until = 0.0
        self.gathered: threading.Lock | None = None


class Combined(Generic[T]):
    """Work of many threads, done under one key at a time, and as much of it at once as is there by then.

    Whoever comes first leads: it does what is there, its own included, then hands over to the first who came
    meanwhile. Who was there the last time is waited for, for twice what that took and `patience_s` at most: senders
    that hand in one lead after another come back all at once. A lone one is done at once.
    """

    def __init__(self, do: Callable[[list[T]], None], *, most: int, patience_s: float = 0.0) -> None:
        self._do = do
        self._most = most
        self._patience_s = patience_s
        self._lock = threading.Lock()
        self._queues: dict[Hashable, _Queue[T]] = {}

    def do(self, key: Hashable, work: T) -> None:
        """Returns when it was done, together with others or alone. What came of it stands on the work itself.

        Where the leader fails, its followers return all the same: their work was not done.
        """
        mine = _Waiting(work)
        with self._lock:
            queue = self._queues.get(key) or self._opened(key)
            leads, queue.is_led = not queue.is_led, True
            if not leads:
                queue.waiting.append(mine)
                if queue.gathered is not None and self._are_all_here(queue):
                    queue.gathered.release()
                    queue.gathered = None
        if not leads:
            mine.turn.acquire()
            if mine.is_done:
                return
        self._lead(key, queue, mine)

    def _opened(self, key: Hashable) -> _Queue[T]:
        if len(self._queues) >= _MOST_REMEMBERED:
            self._queues = {each: queue for each, queue in self._queues.items() if queue.is_led}
        queue = self._queues[key] = _Queue()
        return queue

    def _are_all_here(self, queue: _Queue[T]) -> bool:
        return 1 + len(queue.waiting) >= min(queue.crowd, self._most)

    def _lead(self, key: Hashable, queue: _Queue[T], mine: _Waiting[T]) -> None:
        self._gather(queue)
        with self._lock:
            followers = queue.waiting[: self._most - 1]
            del queue.waiting[: self._most - 1]
        began = time.monotonic()
        try:
            self._do([mine.work, *(each.work for each in followers)])
        finally:  # whatever happened: nobody waits for a thread that is gone
            self._hand_over(key, queue, done=1 + len(followers), began=began)
            for each in followers:
                each.is_done = True
                each.turn.release()

    def _gather(self, queue: _Queue[T]) -> None:
        """Wait for those who were there the last time, for a moment."""
        with self._lock:
            patience_s = queue.expected_until - time.monotonic()
            if patience_s <= 0 or self._are_all_here(queue):
                return
            queue.gathered = gathered = threading.Lock()
            gathered.acquire()
        gathered.acquire(timeout=patience_s)
        with self._lock:
            queue.gathered = None

    def _hand_over(self, key: Hashable, queue: _Queue[T], *, done: int, began: float) -> None:
        with self._lock:
            queue.crowd = done + len(queue.waiting)
            now = time.monotonic()
            queue.expected_until = now + min(2 * (now - began), self._patience_s)
            successor = queue.waiting.pop(0) if queue.waiting else None
            queue.is_led = successor is not None
            if not (queue.is_led or self._patience_s):
                del self._queues[key]
        if successor is not None:
            successor.turn.release()
