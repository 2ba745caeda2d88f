"""Doing together what waits for the same thing: one of those who wait does it for all of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

T = TypeVar("T")


class _Waiting(Generic[T]):
    """`turn` is released when the work is done, or is this one's to do."""

    __slots__ = ("is_done", "turn", "work")

    def __init__(self, work: T) -> None:
        self.work = work
        self.is_done = False
        self.turn = threading.Lock()  # cheaper to wait on than an Event, which makes a lock for each who waits
        self.turn.acquire()


class _Queue(Generic[T]):
    """What is known under one key. `gathered` is released when nobody is on their way any more."""

    __slots__ = ("coming", "gathered", "is_led", "waiting")

    def __init__(self) -> None:
        self.waiting: list[_Waiting[T]] = []
        self.is_led = False
        self.coming = 0
        self.gathered: threading.Lock | None = None


class Combined(Generic[T]):
    """Work of many threads, done under one key at a time, and as much of it at once as is there by then.

    Whoever comes first leads: it does what is there, its own included, then hands over to the first who came
    meanwhile. Who is known to be coming is waited for, for `patience_s` at most; where nobody is, a lone piece of work
    is done at once.
    """

    def __init__(self, do: Callable[[list[T]], None], *, most: int, patience_s: float = 0.0) -> None:
        self._do = do
        self._most = most
        self._patience_s = patience_s
        self._lock = threading.Lock()
        self._queues: dict[Hashable, _Queue[T]] = {}
        self._thread = threading.local()

    @contextmanager
    def coming(self, key: Hashable) -> Iterator[None]:
        """Within this, the thread is on its way to `do` something under the key; it may find that it need not."""
        self._thread.comes_to = key
        with self._lock:
            self._queues.setdefault(key, _Queue()).coming += 1
        try:
            yield
        finally:
            with self._lock:
                self._arrived(key)

    def do(self, key: Hashable, work: T) -> None:
        """Returns when it was done, together with others or alone. What came of it stands on the work itself.

        Where the leader fails, its followers return all the same: their work was not done.
        """
        mine = _Waiting(work)
        with self._lock:
            queue = self._queues.setdefault(key, _Queue())
            leads, queue.is_led = not queue.is_led, True
            if not leads:
                queue.waiting.append(mine)
            self._arrived(key)
        if not leads:
            mine.turn.acquire()
            if mine.is_done:
                return
        self._lead(key, mine)

    def _arrived(self, key: Hashable) -> None:
        """This thread is no longer on its way there, if it was. The lock is held."""
        if getattr(self._thread, "comes_to", None) != key:
            return
        self._thread.comes_to = None
        queue = self._queues[key]
        queue.coming -= 1
        if not queue.coming and queue.gathered is not None:
            queue.gathered.release()
            queue.gathered = None
        self._forget(key)

    def _lead(self, key: Hashable, mine: _Waiting[T]) -> None:
        self._gather(key)
        with self._lock:
            queue = self._queues[key]
            followers = queue.waiting[: self._most - 1]
            del queue.waiting[: self._most - 1]
        try:
            self._do([mine.work, *(each.work for each in followers)])
        finally:  # whatever happened: nobody waits for a thread that is gone
            self._hand_over(key)
            for each in followers:
                each.is_done = True
                each.turn.release()

    def _gather(self, key: Hashable) -> None:
        """Wait for those who are coming, for a moment."""
        with self._lock:
            queue = self._queues[key]
            if not (self._patience_s and queue.coming) or len(queue.waiting) >= self._most - 1:
                return
            queue.gathered = gathered = threading.Lock()
            gathered.acquire()
        gathered.acquire(timeout=self._patience_s)
        with self._lock:
            queue.gathered = None

    def _hand_over(self, key: Hashable) -> None:
        with self._lock:
            queue = self._queues[key]
            successor = queue.waiting.pop(0) if queue.waiting else None
            queue.is_led = successor is not None
            self._forget(key)
        if successor is not None:
            successor.turn.release()

    def _forget(self, key: Hashable) -> None:
        queue = self._queues[key]
        if not (queue.is_led or queue.coming):
            del self._queues[key]
