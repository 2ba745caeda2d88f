"""Counts requests against limits, exactly, however many processes ask at once.

In Redis by one script; where there is none, or none that answers, by one UPSERT a limit.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

import redis
from django.conf import settings
from django.db import connection
from redis.backoff import NoBackoff
from redis.retry import Retry

from widget.models import ThrottleCount

# How long a Redis that did not answer is left alone: visitors must not wait for it one after another.
REDIS_REST_S = 5.0
_REDIS_TIMEOUT_S = 0.25

# A period begins with its first request. Counting stops at the first limit that is passed, so that what one address
# is refused does not use up what its site may have. Returns the place of that limit (from 1) and what is left of its
# period in milliseconds.
_REDIS_SCRIPT = """
for place, key in ipairs(KEYS) do
    local hits = redis.call('INCR', key)
    if hits == 1 then redis.call('PEXPIRE', key, ARGV[2 * place]) end
    if hits > tonumber(ARGV[2 * place - 1]) then return {place, redis.call('PTTL', key)} end
end
return {0, 0}
"""
_UPSERT = """
INSERT INTO widget_throttlecount (key, hits, ends_ms) VALUES (%(key)s, 1, %(ends)s)
ON CONFLICT (key) DO UPDATE SET
    hits = CASE WHEN widget_throttlecount.ends_ms <= %(now)s THEN 1 ELSE widget_throttlecount.hits + 1 END,
    ends_ms = CASE WHEN widget_throttlecount.ends_ms <= %(now)s THEN %(ends)s ELSE widget_throttlecount.ends_ms END
RETURNING hits, ends_ms
"""

log = logging.getLogger(__name__)
_redis_rests_until = 0.0


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` requests under `key` in a period of `seconds`."""

    key: str
    most: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Passed:
    """A limit that is used up until `wait_s` seconds from now."""

    limit: Limit
    wait_s: float


def count(limits: Sequence[Limit], *, at: datetime) -> Passed | None:
    """Count one request under each limit in order, up to the first that it passes; None where it passes none."""
    if settings.REDIS_URL and time.monotonic() >= _redis_rests_until:
        try:
            return _count_in_redis(limits)
        except redis.RedisError as problem:
            _let_redis_rest(problem)
    return _count_in_table(limits, at)


def forget_past_counts(*, at: datetime) -> int:
    """Delete counts whose period ended a while ago; returns how many."""
    ended = ThrottleCount.objects.filter(ends_ms__lt=_milliseconds(at - timedelta(minutes=5)))
    return ended.delete()[0]


def _count_in_redis(limits: Sequence[Limit]) -> Passed | None:
    client = _redis_at(settings.REDIS_URL)
    arguments = [number for limit in limits for number in (limit.most, limit.seconds * 1_000)]
    place, left_ms = client.eval(_REDIS_SCRIPT, len(limits), *(f"widget:{limit.key}" for limit in limits), *arguments)
    return Passed(limits[place - 1], left_ms / 1_000) if place else None


def _count_in_table(limits: Sequence[Limit], at: datetime) -> Passed | None:
    now = _milliseconds(at)
    with connection.cursor() as cursor:
        for limit in limits:
            cursor.execute(_UPSERT, {"key": limit.key, "now": now, "ends": now + limit.seconds * 1_000})
            hits, ends = cursor.fetchone()
            if hits > limit.most:
                return Passed(limit, (ends - now) / 1_000)
    return None


def _let_redis_rest(problem: Exception) -> None:
    global _redis_rests_until
    _redis_rests_until = time.monotonic() + REDIS_REST_S
    log.warning("Redis did not count, so the database does for %.0f s: %s", REDIS_REST_S, problem)


@cache
def _redis_at(url: str) -> redis.Redis:
    # No retries: the table counts at once.
    return redis.Redis.from_url(
        url,
        socket_timeout=_REDIS_TIMEOUT_S,
        socket_connect_timeout=_REDIS_TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
    )


def _milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1_000)
