"""Telling waiting in vain from a database that is away."""

from __future__ import annotations

from django.db import InterfaceError, OperationalError

_LOCK_TIMEOUT = "55P03"
_COLLIDED = frozenset({"40001", "40P01"})  # serialization failure, deadlock: done again, it may work


def is_lock_timeout(problem: BaseException) -> bool:
    """Whether somebody else held a row for longer than one was ready to wait."""
    return _sqlstate(problem) == _LOCK_TIMEOUT


def is_collision(problem: BaseException) -> bool:
    """Whether the database let another transaction win, and this one may simply be done again."""
    return _sqlstate(problem) in _COLLIDED


def is_outage(problem: BaseException) -> bool:
    """Whether the database did not answer, so that nothing can be stored at all."""
    return (
        isinstance(problem, OperationalError | InterfaceError)
        and not is_lock_timeout(problem)
        and not is_collision(problem)
    )


def _sqlstate(problem: BaseException) -> str | None:
    return getattr(problem.__cause__, "sqlstate", None)
