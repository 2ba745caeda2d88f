"""A whole installation of its own, in a folder and a database that go with it."""

from __future__ import annotations

import http.client
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
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
def on_servers(*, like: Mapping[str, str] | None = None) -> Iterator[dict[str, str]]:
    """The environment of one on PostgreSQL and, where one answers, Redis. Raises where PostgreSQL does not answer.

    `like`: the environment of another one, whose database is copied; nobody may be connected to it.
    """
    server = os.environ.get("BENCH_DATABASE_URL") or "postgres://postgres@127.0.0.1:5432/"
    name = f"switchyard_bench_{secrets.token_hex(4)}"
    broker = "" if services.missing_redis() else urlsplit(services.REDIS_URL)._replace(path="/7").geturl()
    with (
        tempfile.TemporaryDirectory(prefix="switchyard-bench-") as folder,
        psycopg.connect(server, dbname="postgres", autocommit=True) as control,
    ):
        _empty(broker)
        template = f' TEMPLATE "{urlsplit(like["DATABASE_URL"]).path[1:]}"' if like else ""
        control.execute(f'CREATE DATABASE "{name}"{template}')
        try:
            url = urlsplit(server)._replace(path=f"/{name}").geturl()
            yield _environment(folder) | {"DATABASE_URL": url, "REDIS_URL": broker}
        finally:
            control.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
            _empty(broker)


def _empty(broker: str) -> None:
    if broker:
        with redis.Redis.from_url(broker) as cache:
            cache.flushdb()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


@contextmanager
def served(command: Sequence[str], environment: Mapping[str, str]) -> Iterator[int]:
    """The web server of this command, on a free port, which it answers on by then."""
    port = free_port()
    moved = [part.replace(":8000", f":{port}") for part in command]
    process = subprocess.Popen(moved, cwd=ROOT, env=dict(environment), start_new_session=True)
    try:
        for _ in range(600):
            web = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            try:
                web.request("GET", "/healthz")
                web.getresponse()
                break
            except OSError:
                time.sleep(0.1)
            finally:
                web.close()
        else:
            raise RuntimeError("the web server did not answer within a minute")
        yield port
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


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
