"""Processes that end with the run, whatever ends it."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from config.supervisor import _end_with

STOP_S = 10.0


@dataclass
class Process:
    """One process in a group of its own. Start it from the main thread: it dies with the thread that started it."""

    name: str
    command: Sequence[str]
    log: Path
    user: str | None = None
    env: Mapping[str, str] | None = None
    process: subprocess.Popen | None = field(default=None, init=False)
    started: float = field(default=0.0, init=False)

    def start(self) -> None:
        self.started = time.monotonic()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/" if self.user else None,
                user=self.user,
                group=self.user,
                extra_groups=[] if self.user else None,
                env=self.env,
                start_new_session=True,
                preexec_fn=_end_with(os.getpid()),
            )

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def age_s(self) -> float:
        return time.monotonic() - self.started if self.is_running else 0.0

    @property
    def children(self) -> list[int]:
        """Process ids, the oldest first. Linux only."""
        if not self.is_running:
            return []
        with contextlib.suppress(OSError):
            text = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
            return sorted(pid for pid in map(int, text.split()) if not _is_dead(pid))
        return []

    def kill(self) -> None:
        """SIGKILL to the process and everything it started."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def stop(self, number: int = signal.SIGTERM, *, grace_s: float = STOP_S) -> None:
        """Ask it to end; kill what is left of its group."""
        if self.is_running:
            self.process.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(grace_s)
        self.kill()


def _is_dead(pid: int) -> bool:
    """Whether it only waits for its parent to notice: such a one can be killed without any effect."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def kill(pid: int) -> bool:
    """Whether there was such a process to kill."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]
