"""gunicorn's threaded worker, for processes that share connections evenly.

All processes listen on one socket, and whichever is quicker takes a connection, though it may have a dozen and another
one three. Connections are kept, so it stays like this: one process works off a queue while the other one waits.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from multiprocessing.sharedctypes import RawArray
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

_MOST_PROCESSES = 64
_HEAD_START_S = 0.001

# Shared by all processes, as this is imported before they are forked. A pid, and how many connections it has.
_pids = RawArray("i", _MOST_PROCESSES)
_open = RawArray("i", _MOST_PROCESSES)


class BalancedThreadWorker(ThreadWorker):
    """Before it takes a connection more than another process has, it gives that one a millisecond to come first."""

    place = 0

    def init_process(self) -> None:
        self.place = _free_place()
        _open[self.place] = 0
        _pids[self.place] = os.getpid()
        super().init_process()

    def notify(self) -> None:
        """Every round of the worker's loop begins with it."""
        _open[self.place] = self.nr_conns
        super().notify()

    def accept(self, listener: Any) -> None:
        if any(pid and open_ < self.nr_conns for pid, open_ in zip(_pids, _open, strict=True)):
            time.sleep(_HEAD_START_S)
        super().accept(listener)


def _free_place() -> int:
    """One that no living process has. Two that start at once may share one: then they count as the fuller of them."""
    for place, pid in enumerate(_pids):
        if not pid or not _is_alive(pid):
            return place
    return _MOST_PROCESSES - 1


def _is_alive(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False
