"""A PostgreSQL cluster and a Redis of this run's own, so that they can be stopped without anybody else noticing."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg
import redis

from tests.chaos.processes import Process, free_port

_START_S = 30.0


def missing() -> str | None:
    """What this machine lacks for a run."""
    if not Path("/proc/self/task").is_dir():
        return "needs Linux: whom to kill is read from /proc"
    if _postgres_folder() is None:
        return "needs the programs of PostgreSQL (initdb, postgres): install the package postgresql"
    if os.geteuid() == 0 and _postgres_user() is None:
        return "needs a user postgres when it is run as root: PostgreSQL refuses to run as root"
    if shutil.which("redis-server") is None:
        return "needs the program redis-server: install the package redis-server"
    return None


class Postgres:
    """A cluster of its own, with one empty database."""

    def __init__(self, log: Path) -> None:
        programs = _postgres_folder()
        user = _postgres_user() if os.geteuid() == 0 else None
        self.port = free_port()
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/switchyard"
        self.folder = Path(tempfile.mkdtemp(prefix="switchyard-chaos-pg-"))
        if user:
            shutil.chown(self.folder, user, user)
        initdb = [programs / "initdb", "-D", self.folder / "data", "-U", "postgres", "-A", "trust", "-E", "UTF8"]
        self._initdb = ([*map(str, initdb), "--locale=C", "--no-sync"], user)
        command = [programs / "postgres", "-D", self.folder / "data", "-p", str(self.port), "-h", "127.0.0.1"]
        command += ["-k", self.folder, "-c", "max_connections=100", "-c", "log_min_messages=fatal"]
        self.process = Process("postgres", [*map(str, command)], log, user=user)

    def create(self) -> None:
        command, user = self._initdb
        subprocess.run(
            command, check=True, stdout=subprocess.DEVNULL, cwd="/", user=user, group=user,
            extra_groups=[] if user else None,
        )  # fmt: skip
        self.start()
        with psycopg.connect(self.url, dbname="postgres", autocommit=True) as connection:
            connection.execute("CREATE DATABASE switchyard")

    def start(self) -> None:
        """Returns when it answers."""
        self.process.start()
        _wait_for(self._answers, "PostgreSQL")

    def crash(self) -> None:
        """As if it had died: without a checkpoint, so that the next start recovers."""
        self.process.stop(signal.SIGQUIT)

    def shut_down(self) -> None:
        """As an administrator restarts it: connections are cut, what was committed is written."""
        self.process.stop(signal.SIGINT)

    def remove(self) -> None:
        self.process.stop(signal.SIGINT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _answers(self) -> bool:
        if not self.process.is_running:
            raise RuntimeError("PostgreSQL did not start")
        try:
            with psycopg.connect(self.url, dbname="postgres", connect_timeout=2):
                return True
        except psycopg.OperationalError:
            return False


class Redis:
    """Keeps nothing: after a stop every message is gone, too."""

    def __init__(self, folder: Path, log: Path) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        command = ["redis-server", "--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(folder)]
        self.process = Process("redis", [*command, "--save", "", "--appendonly", "no"], log)

    def start(self) -> None:
        """Returns when it answers."""
        self.process.start()
        _wait_for(self._answers, "Redis")

    def stop(self) -> None:
        self.process.stop()

    def _answers(self) -> bool:
        if not self.process.is_running:
            raise RuntimeError("Redis did not start")
        try:
            with redis.Redis.from_url(self.url, socket_connect_timeout=1) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


def _wait_for(answers, name: str) -> None:
    deadline = time.monotonic() + _START_S
    while not answers():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{name} did not answer within {_START_S:.0f} s")
        time.sleep(0.05)


def _postgres_folder() -> Path | None:
    """Where the server's programs are: on the path, or where Debian puts them (the newest version)."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    versions = [folder for folder in Path("/usr/lib/postgresql").glob("*/bin") if (folder / "initdb").exists()]
    return max(versions, key=lambda folder: float(folder.parent.name), default=None)


def _postgres_user() -> str | None:
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        return None
