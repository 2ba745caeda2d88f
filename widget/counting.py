"""Counts requests against limits, exactly, however many processes ask at once.

In Redis by one script; where there is none, or none that answers, by one UPSERT a limit.
"""

from __future__ import annotations

import logging
import threading
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
_LOTS = 100
_LARGEST_LOT = 100
_MOST_LOTS = 10_000

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
_REDIS_LOT_SCRIPT = """
local hits = redis.call('INCRBY', KEYS[1], ARGV[1])
if hits == tonumber(ARGV[1]) then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return {hits, redis.call('PTTL', KEYS[1])}
"""
_UPSERT = """
INSERT INTO widget_throttlecount (key, hits, ends_ms) VALUES (%(key)s, %(lot)s, %(ends)s)
ON CONFLICT (key) DO UPDATE SET
    hits = CASE WHEN widget_throttlecount.ends_ms <= %(now)s THEN 0 ELSE widget_throttlecount.hits END + %(lot)s,
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


def count_in_lots(limit: Limit, *, at: datetime) -> Passed | None:
    """Count one request, asking for the hundredth part of what the limit lets pass at once, and seldom therefore.

    Never more pass than the limit says. What a process has asked for and does not use is lost to the others until the
    period is over; a limit below two hundred is counted one by one.
    """
    most = min(limit.most // _LOTS, _LARGEST_LOT)
    if most < 2:
        return count([limit], at=at)
    with _lots_lock:
        lot = _lots.get(limit)
        if lot is not None and lot.left and time.monotonic() < lot.ends:
            lot.left -= 1
            return None
    hits, ends_in_s = _take(limit, most, at)
    left = most - max(0, hits - limit.most)
    if left <= 0:
        return Passed(limit, ends_in_s)
    with _lots_lock:
        now = time.monotonic()
        lot = _lots.get(limit)
        if lot is not None and now < lot.ends:  # another thread's, asked for meanwhile
            lot.left += left - 1
            return None
        if len(_lots) >= _MOST_LOTS:
            _lots.clear()
        _lots[limit] = _Lot(left - 1, now + ends_in_s)
    return None


def forget_lots() -> None:
    with _lots_lock:
        _lots.clear()


def forget_past_counts(*, at: datetime) -> int:
    """Delete counts whose period ended a while ago; returns how many."""
    ended = ThrottleCount.objects.filter(ends_ms__lt=_milliseconds(at - timedelta(minutes=5)))
    return ended.delete()[0]


@dataclass(slots=True)
class _Lot:
    """What may still pass without asking, until `ends` (monotonic)."""

    left: int
    ends: float


_lots: dict[Limit, _Lot] = {}
_lots_lock = threading.Lock()


def _take(limit: Limit, lot: int, at: datetime) -> tuple[int, float]:
    """Count so many at once. Returns how many have been in this period, and in how many seconds it ends."""
    if settings.REDIS_URL and time.monotonic() >= _redis_rests_until:
        try:
            client = _redis_at(settings.REDIS_URL)
            arguments = (f"widget:{limit.key}", lot, limit.seconds * 1_000)
            hits, left_ms = client.eval(_REDIS_LOT_SCRIPT, 1, *arguments)
            return hits, left_ms / 1_000
        except redis.RedisError as problem:
            _let_redis_rest(problem)
    now = _milliseconds(at)
    with connection.cursor() as cursor:
        cursor.execute(_UPSERT, {"key": limit.key, "lot": lot, "now": now, "ends": now + limit.seconds * 1_000})
        hits, ends = cursor.fetchone()
    return hits, (ends - now) / 1_000


def _count_in_redis(limits: Sequence[Limit]) -> Passed | None:
    client = _redis_at(settings.REDIS_URL)
    arguments = [number for limit in limits for number in (limit.most, limit.seconds * 1_000)]
    place, left_ms = client.eval(_REDIS_SCRIPT, len(limits), *(f"widget:{limit.key}" for limit in limits), *arguments)
    return Passed(limits[place - 1], left_ms / 1_000) if place else None


def _count_in_table(limits: Sequence[Limit], at: datetime) -> Passed | None:
    now = _milliseconds(at)
    with connection.cursor() as cursor:
        for limit in limits:
            ends = now + limit.seconds * 1_000
            cursor.execute(_UPSERT, {"key": limit.key, "lot": 1, "now": now, "ends": ends})
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
