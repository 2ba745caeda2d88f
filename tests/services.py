"""The parts that some tests need, and whether they are here."""

import functools
import os
import shutil
from pathlib import Path

import psycopg
import redis

LOCAL_POSTGRES = "postgres://postgres@127.0.0.1:5432/switchyard"
# Named before the settings of the tests take it out of the environment.
REDIS_URL = os.environ.setdefault("TEST_REDIS_URL", os.environ.get("REDIS_URL") or "redis://127.0.0.1:6379")

# A machine that promises every part must not pass without one.
REQUIRED = any(os.environ.get(name, "").lower() in {"1", "true"} for name in ("CI", "REQUIRE_SERVICES"))


def postgres_answers(url: str) -> bool:
    """Asks for the database every server has: that of the tests is made by them."""
    try:
        with psycopg.connect(url, dbname="postgres", connect_timeout=3):
            return True
    except psycopg.Error:
        return False


def missing_postgres() -> str | None:
    from django.db import connection

    if connection.vendor == "postgresql":
        return None
    return "needs PostgreSQL and this run is on SQLite: start one on 127.0.0.1:5432 or set DATABASE_URL"


@functools.cache
def missing_redis() -> str | None:
    try:
        with redis.Redis.from_url(REDIS_URL, socket_connect_timeout=2) as client:
            client.ping()
    except redis.RedisError:
        return "needs Redis: start one on 127.0.0.1:6379 or set REDIS_URL"
    return None


def chromium() -> str | None:
    """The path of a browser, or None."""
    names = (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if name and (path := shutil.which(name))), None)


def missing_browser() -> str | None:
    return None if chromium() else "needs Chromium: install the package chromium or set CHROMIUM to its path"


def axe() -> Path | None:
    """The script that finds what is wrong with a page for those who see or use it differently, or None."""
    script = Path(__file__).parent.parent / "widget" / "node_modules" / "axe-core" / "axe.min.js"
    return script if script.is_file() else None


def missing_axe() -> str | None:
    return missing_browser() or (None if axe() else "needs axe-core: install Node.js with npm, then `make test`")


def missing_node() -> str | None:
    """Node.js, and what the widget is built with."""
    if shutil.which("node") and (Path(__file__).parent.parent / "widget" / "node_modules" / "esbuild").is_dir():
        return None
    return "needs Node.js and the packages of widget/package.json: install Node.js with npm, then `make test`"


def missing_chaos() -> str | None:
    from tests.chaos import servers

    return servers.missing()


MISSING = {
    "postgres": missing_postgres,
    "redis": missing_redis,
    "browser": missing_browser,
    "axe": missing_axe,
    "node": missing_node,
    "chaos": missing_chaos,
}
