"""Keeps the processes of an installation running on one machine: web, worker, beat."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

GRACE_S = 10.0  # a worker may finish what it has in hand; whatever takes longer is found again by the sweep
STEADY_S = 60.0  # who ran this long may fail again without having to wait for a restart
LONGEST_WAIT_S = 30.0
_POLL_S = 0.1
_PR_SET_PDEATHSIG = 1


@dataclass
class Child:
    """One process, with its place in the group of processes that it starts itself."""

    name: str
    command: Sequence[str]
    process: subprocess.Popen | None = None
    started: float = 0.0
    failures: int = 0
    due: float = 0.0

    def start(self) -> None:
        # A session of its own: Ctrl-C in the terminal reaches the supervisor alone, which stops the others in order.
        self.process = subprocess.Popen(self.command, start_new_session=True, preexec_fn=_end_with(os.getpid()))  # noqa: S603
        self.started = time.monotonic()

    def signal(self, number: int) -> None:
        """Sends to the process and to everything it started."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def terminate(self) -> None:
        """Asks the process alone, which knows how to stop its own children."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None


class Supervisor:
    """Starts every command and starts it again when it dies, until told to stop."""

    def __init__(self, commands: Mapping[str, Sequence[str]], *, say: Callable[[str], None], grace_s: float = GRACE_S):
        self.children = [Child(name, command) for name, command in commands.items()]
        self.say = say
        self.grace_s = grace_s
        self.stops = 0

    def run(self, *, poll: Callable[[], None] = lambda: None) -> None:
        """Returns after SIGINT, SIGTERM or SIGHUP, when nothing runs any more. `poll` is called all the while."""
        signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        previous = {number: signal.signal(number, self._stop) for number in signals}
        try:
            while not self.stops:
                for child in self.children:
                    self._tend(child)
                poll()
                time.sleep(_POLL_S)
        finally:
            self._end()
            for number, action in previous.items():
                signal.signal(number, action)

    def _stop(self, number: int, frame: object) -> None:
        self.stops += 1

    def _tend(self, child: Child) -> None:
        now = time.monotonic()
        if child.is_running:
            return
        if child.process is not None:
            child.failures = 1 if now - child.started > STEADY_S else child.failures + 1
            wait = min(0.5 * 2 ** (child.failures - 1), LONGEST_WAIT_S)
            self.say(f"{child.name} {_end_of(child.process.returncode)}; starting it again in {wait:g} s")
            child.signal(signal.SIGKILL)  # what a killed process leaves behind would keep its port and its work
            child.process, child.due = None, now + wait
        if now >= child.due:
            child.start()

    def _end(self) -> None:
        """Asks everybody to finish, and ends who has not after the grace, or at a second Ctrl-C."""
        self.say("Stopping ...")
        for child in self.children:
            child.terminate()
        asked, deadline = self.stops, time.monotonic() + self.grace_s
        while any(child.is_running for child in self.children):
            if time.monotonic() > deadline or self.stops > max(asked, 1):
                break
            time.sleep(_POLL_S)
        for child in self.children:
            child.signal(signal.SIGKILL)
            if child.process is not None:
                child.process.wait()


def _end_with(parent: int) -> Callable[[], None] | None:
    """For a child to run before its program: it ends when the parent does, even one that was killed. Linux only."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None).prctl

    def end_with_parent() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)

    return end_with_parent


def _end_of(returncode: int) -> str:
    if returncode < 0:
        return f"was ended by {signal.Signals(-returncode).name}"
    return f"stopped with exit code {returncode}"
