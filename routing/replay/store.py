"""The facts of leads that wait, in a temporary file: messages are long, and many leads may wait."""

from __future__ import annotations

import hashlib
import json
import tempfile
from functools import lru_cache

from routing.engine import Facts
from routing.facts import facts_from_json, facts_to_json

_IN_MEMORY = 1_000_000  # bytes, before there is a file


class SpooledFacts:
    """Tickets are places in the file. Equal facts are written once."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - closed by `close`
        self._places: dict[bytes, int] = {}
        self._end = 0
        self.facts = lru_cache(maxsize=16)(self._read)

    def keep(self, facts: Facts) -> int:
        written = json.dumps(facts_to_json(facts), sort_keys=True).encode() + b"\n"
        digest = hashlib.blake2b(written, digest_size=16).digest()
        place = self._places.get(digest)
        if place is None:
            place = self._places[digest] = self._end
            self._file.seek(place)
            self._end += self._file.write(written)
        return place

    def close(self) -> None:
        self._file.close()

    def _read(self, ticket: int) -> Facts:
        self._file.seek(ticket)
        return facts_from_json(json.loads(self._file.readline()))
