"""Doing together what waits for the same thing: one of those who wait does it for all of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
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


class Combined(Generic[T]):
    """Work of many threads, done under one key at a time, and as much of it at once as waits by then.

    Whoever comes first leads: it does what is there, its own included, then hands over to the first who came
    meanwhile. Nobody waits for more to come, so a lone piece of work is done at once.
    """

    def __init__(self, do: Callable[[list[T]], None], *, most: int) -> None:
        self._do = do
        self._most = most
        self._lock = threading.Lock()
        self._queues: dict[Hashable, list[_Waiting[T]]] = {}  # under each key that somebody leads now

    def do(self, key: Hashable, work: T) -> None:
        """Returns when it was done, together with others or alone. What came of it stands on the work itself.

        Where the leader fails, its followers return all the same: their work was not done.
        """
        mine = _Waiting(work)
        with self._lock:
            queue = self._queues.get(key)
            if queue is None:
                self._queues[key] = []
            else:
                queue.append(mine)
        if queue is not None:
            mine.turn.acquire()
            if mine.is_done:
                return
        self._lead(key, mine)

    def _lead(self, key: Hashable, mine: _Waiting[T]) -> None:
        with self._lock:
            queue = self._queues[key]
            followers = queue[: self._most - 1]
            del queue[: self._most - 1]
        try:
            self._do([mine.work, *(each.work for each in followers)])
        finally:  # whatever happened: nobody waits for a thread that is gone
            self._hand_over(key)
            for each in followers:
                each.is_done = True
                each.turn.release()

    def _hand_over(self, key: Hashable) -> None:
        with self._lock:
            queue = self._queues[key]
            if not queue:
                del self._queues[key]
                return
            successor = queue.pop(0)
        successor.turn.release()
