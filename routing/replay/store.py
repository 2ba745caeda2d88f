"""Facts of leads that wait, in a temporary file: messages are long, and many leads may wait."""

from __future__ import annotations

import json
import tempfile
from functools import lru_cache

from routing.engine import Facts
from routing.facts import facts_from_json, facts_to_json

_IN_MEMORY = 1_000_000  # bytes, before there is a file


class SpooledFacts:
    """Tickets are places in the file."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - closed by `close`
        self._end = 0
        self.facts = lru_cache(maxsize=64)(self._read)

    def keep(self, facts: Facts) -> int:
        ticket = self._end
        self._file.seek(ticket)
        self._end += self._file.write(json.dumps(facts_to_json(facts)).encode() + b"\n")
        return ticket

    def close(self) -> None:
        self._file.close()

    def _read(self, ticket: int) -> Facts:
        self._file.seek(ticket)
        return facts_from_json(json.loads(self._file.readline()))
