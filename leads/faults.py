"""Telling operators of a fault without repeating anybody's data."""

from __future__ import annotations

import logging
import traceback


def log_fault(log: logging.Logger, what: str, problem: BaseException) -> None:
    """Log the kind of an exception and where it came from. Not its message: a database, for one, repeats there what
    it was given."""
    frames = traceback.extract_tb(problem.__traceback__)[-5:]
    where = ", ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in reversed(frames))
    log.error("%s: %s at %s", what, type(problem).__name__, where)
