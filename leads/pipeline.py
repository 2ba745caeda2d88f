"""A transaction in two round trips: what is read under locks, and what is written with the commit.

Django's cursors wait for each statement. PostgreSQL's own protocol lets several be sent at once, and the last of them
together with the commit, which is all that separates a lead from a bare insert.
"""

from __future__ import annotations

import select
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from django.db import OperationalError, connection, transaction
from psycopg import pq

Row = tuple[bytes, ...]


class Refused(Exception):
    """The database refused a statement, and with it all of the transaction. `sqlstate` says why."""

    def __init__(self, sqlstate: str, why: str) -> None:
        super().__init__(f"{sqlstate} {why}")
        self.sqlstate = sqlstate


@dataclass(frozen=True, slots=True)
class Statement:
    """Prepared once a connection, under this name."""

    name: str
    sql: str


# By psycopg's connection: what it has prepared.
_prepared: WeakKeyDictionary[Any, set[str]] = WeakKeyDictionary()


@contextmanager
def one_transaction() -> Iterator[Pipeline]:
    """A transaction of its own; within one of Django's, a part of that. It ends with `Pipeline.commit`.

    Raises Refused, and OperationalError where the database does not answer: then nothing of it remains, unless that
    happened while it was being committed.
    """
    with transaction.atomic() if connection.in_atomic_block else nullcontext():
        connection.ensure_connection()
        pipeline = Pipeline(connection.connection.pgconn, _prepared.setdefault(connection.connection, set()))
        try:
            yield pipeline
        except (Refused, OperationalError):
            raise  # it is over already
        except Exception:
            pipeline.abandon()
            raise
        except BaseException:
            connection.close()
            raise


class Pipeline:
    """Statements of one transaction, sent without waiting for each other."""

    def __init__(self, server: Any, prepared: set[str]) -> None:
        self._server = server
        self._prepared = prepared
        self._is_ending = False
        self._asked: list[str | None] = []  # None: it is answered with rows; else the name that it prepares

    def ask(self, statement: Statement, *parameters: bytes | None) -> None:
        """Send a statement with parameters in PostgreSQL's text format. `answers` or `commit` say what came of it."""
        name = statement.name.encode()
        try:
            if self._server.pipeline_status == pq.PipelineStatus.OFF:
                self._server.enter_pipeline_mode()
            if statement.name not in self._prepared:
                self._server.send_prepare(name, statement.sql.encode())
                self._asked.append(statement.name)
            self._server.send_query_prepared(name, parameters)
        except psycopg.OperationalError as problem:
            raise self._lost(problem) from problem
        self._asked.append(None)
        if connection.queries_logged:
            connection.queries_log.append({"sql": statement.sql, "time": "0"})

    def answers(self) -> list[list[Row]]:
        """The rows of each statement asked since the last answers. Its locks are held from now on."""
        self._server.send_flush_request()
        return self._read()

    def commit(self) -> list[list[Row]]:
        """The same, and the end of the transaction."""
        self._server.pipeline_sync()
        self._is_ending = True
        rows = self._read()
        self._end()
        return rows

    def abandon(self) -> None:
        """Let go of the locks. Nothing was written."""
        if self._server.pipeline_status != pq.PipelineStatus.OFF:
            self._server.pipeline_sync()
            self._end()

    def _read(self) -> list[list[Row]]:
        found = []
        try:
            self._send()
            for prepares in self._asked:
                result = self._next()
                if result.status not in _WELL:
                    raise self._refused(result)
                if prepares is None:
                    found.append(_rows(result))
                else:
                    self._prepared.add(prepares)
        except psycopg.OperationalError as problem:
            raise self._lost(problem) from problem
        self._asked = []
        return found

    def _send(self) -> None:
        while self._server.flush():  # more than the socket takes at once
            self._wait(select.POLLIN | select.POLLOUT)
            self._server.consume_input()

    def _next(self) -> Any:
        """The next result; between two there is nothing, once."""
        for _ in range(2):
            while self._server.is_busy():
                self._wait(select.POLLIN)
                self._server.consume_input()
            if (result := self._server.get_result()) is not None:
                return result
        raise psycopg.OperationalError("PostgreSQL has no more to say")

    def _wait(self, events: int) -> None:
        poll = select.poll()
        poll.register(self._server.socket, events)
        poll.poll()

    def _end(self) -> None:
        """Read up to the end of the transaction. Raises Refused where the commit itself was."""
        refused = None
        try:
            self._send()
            while (result := self._next()).status != pq.ExecStatus.PIPELINE_SYNC:
                if result.status == pq.ExecStatus.FATAL_ERROR and refused is None:
                    refused = _refusal(result)
            self._server.exit_pipeline_mode()
        except psycopg.OperationalError as problem:
            raise self._lost(problem) from problem
        if refused is not None:
            raise refused

    def _refused(self, result: Any) -> Refused:
        """The transaction is over, and the connection as good as before."""
        if not self._is_ending:
            self._server.pipeline_sync()
        with suppress(Refused):
            self._end()
        return _refusal(result)

    def _lost(self, problem: Exception) -> OperationalError:
        connection.close()
        return OperationalError(str(problem))


_WELL = frozenset({pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK})


def _rows(result: Any) -> list[Row]:
    # Nothing that is asked this way is ever null.
    return [
        tuple(result.get_value(row, column) or b"" for column in range(result.nfields)) for row in range(result.ntuples)
    ]


def _refusal(result: Any) -> Refused:
    def said(field: pq.DiagnosticField) -> str:
        return (result.error_field(field) or b"").decode(errors="replace")

    # The primary message names tables and columns; the detail would have people's data in it.
    return Refused(said(pq.DiagnosticField.SQLSTATE), said(pq.DiagnosticField.MESSAGE_PRIMARY))
