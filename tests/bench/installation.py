"""A whole installation of its own, in a folder and a database that go with it."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import redis

from tests import services

ROOT = Path(__file__).resolve().parents[2]
_CELERY = [sys.executable, "-W", "ignore::UserWarning:celery.platforms", "-m", "celery", "--quiet", "-A", "config"]


@contextmanager
def embedded() -> Iterator[dict[str, str]]:
    """The environment of an installation on embedded defaults."""
    with tempfile.TemporaryDirectory(prefix="switchyard-bench-") as folder:
        yield _environment(folder)


@contextmanager
def on_servers() -> Iterator[dict[str, str]]:
    """The environment of one on PostgreSQL and Redis. Raises where one of them does not answer."""
    server = os.environ.get("DATABASE_URL") or services.LOCAL_POSTGRES
    name = f"switchyard_bench_{secrets.token_hex(4)}"
    broker = urlsplit(services.REDIS_URL)._replace(path="/7").geturl()
    with (
        tempfile.TemporaryDirectory(prefix="switchyard-bench-") as folder,
        redis.Redis.from_url(broker) as cache,
        psycopg.connect(server, dbname="postgres", autocommit=True) as control,
    ):
        cache.flushdb()
        control.execute(f'CREATE DATABASE "{name}"')
        try:
            url = urlsplit(server)._replace(path=f"/{name}").geturl()
            yield _environment(folder) | {"DATABASE_URL": url, "REDIS_URL": broker}
        finally:
            control.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
            cache.flushdb()


def _environment(folder: str) -> dict[str, str]:
    given = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "LC_ALL")}
    return given | {
        "ENV_FILE": os.devnull,
        "VAR_DIR": folder,
        "DEBUG": "",
        "SECRET_KEY": "for a measurement only, and long enough to sign with",
        "ALLOWED_HOSTS": "127.0.0.1",
        "PUBLIC_URL": "http://127.0.0.1:8000",
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }


def manage(environment: Mapping[str, str], *arguments: str) -> None:
    subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT, env=dict(environment), check=True)


@contextmanager
def running(environment: Mapping[str, str], *, workers: int) -> Iterator[None]:
    """A Celery worker with so many children, and beat, as an installation runs them."""
    worker = ["worker", "--loglevel", "warning", "--concurrency", str(workers)]
    commands = [
        [*_CELERY, *worker, "--without-gossip", "--without-mingle", "--without-heartbeat"],
        [*_CELERY, "beat", "--loglevel", "warning", "--pidfile="],
    ]
    started = [
        subprocess.Popen(command, cwd=ROOT, env=dict(environment), start_new_session=True) for command in commands
    ]
    try:
        yield
    finally:
        for process in started:
            process.terminate()
        for process in started:
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
