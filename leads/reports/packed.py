"""Reading packed days, and telling which are not packed."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import psycopg
from django.db import connection

from leads.models import LeadDay, TurnDay
from leads.speed import days
from leads.speed.days import DAY


def days_between(start: datetime, end: datetime) -> list[date]:
    """The days (UTC) that `[start, end)` lies in."""
    first, last = days.day_of(start), days.day_of(end - timedelta(microseconds=1))
    return [first + place * DAY for place in range((last - first).days + 1)]


def stored(
    model: type[LeadDay | TurnDay], *, workspace_id: int, wanted: Sequence[date], names: Sequence[str]
) -> dict[date, Mapping[str, Any]]:
    """Of these days, which follow each other, those that are packed as they are now: `words`, and these columns. Two
    statements beside that of the days."""
    stale = days.changed_since_noted(workspace_id)
    rows = model._default_manager.filter(workspace_id=workspace_id, day__gte=wanted[0], day__lte=wanted[-1])
    found = _read(rows.order_by("day").values_list("day", "words", *names), ("day", "words", *names))
    return {row["day"]: row for row in found if row["day"] not in stale}


def stretches(wanted: Sequence[date], known: Container[date]) -> Iterator[tuple[date, date]]:
    """Those of these days, which follow each other, that are not among the known ones, as `[since, until)`."""
    since = None
    for day in [*wanted, wanted[-1] + DAY]:
        is_missing = day <= wanted[-1] and day not in known
        if is_missing and since is None:
            since = day
        elif not is_missing and since is not None:
            yield since, day
            since = None


def _read(rows: Any, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    if connection.vendor != "postgresql":
        for row in rows:
            yield dict(zip(names, row, strict=True))
        return
    # In text, which Django asks for, every byte is two, and has to be read one by one.
    sql, given = rows.query.sql_with_params()
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(sql, given, binary=True)
        for row in cursor:
            yield dict(zip(names, row, strict=True))
