"""Waking the sweeper before its next second, where that can be done quickly. The rows that are due need no message."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

from celery import current_app
from django.db import transaction

SWEEP = "leads.tasks.sweep"
THREAD = "wake the sweeper"
AT_MOST_EVERY_S = 1.0
TIMEOUT_S = 0.05

log = logging.getLogger(__name__)
_lock = threading.Lock()
_next_at = 0.0
_broker: Any = None  # kept: to connect anew takes ten times the time of a message


def after_commit() -> None:
    """Wake the sweeper once this transaction is committed."""
    transaction.on_commit(_soon, robust=True)


def _soon() -> None:
    # By a thread of its own: whoever handed in a lead need not wait for a broker.
    if time.monotonic() >= _next_at:
        threading.Thread(target=sweeper, name=THREAD, daemon=True).start()


def sweeper() -> None:
    """Send one message, at most one a second from this process. A broker that does not take it at once is left alone:
    beat sends the next sweep anyway."""
    global _next_at
    now = time.monotonic()
    with _lock:
        if now < _next_at:
            return
        _next_at = now + AT_MOST_EVERY_S
    try:
        with _lock:
            _wake()
    except Exception as problem:
        log.debug("The sweeper was not woken: %s", type(problem).__name__)


def _wake() -> None:
    global _broker
    broker, _broker = _broker or _connection(), None
    current_app.send_task(SWEEP, connection=broker, retry=False, expires=5, ignore_result=True)
    _broker = broker  # one that failed is not used again


def _connection() -> Any:
    options = {
        "socket_connect_timeout": TIMEOUT_S,
        "socket_timeout": TIMEOUT_S,
        # Without a number kombu tries for ever.
        "max_retries": 1,
        "interval_start": 0,
        "interval_step": 0,
        "interval_max": 0,
    }
    return current_app.connection_for_write(connect_timeout=TIMEOUT_S, transport_options=options)
