"""One replay: every lead of a sheet through the engine, and what became of each."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing
from datetime import datetime
from typing import NamedTuple

from agents.contacts import normalise_email, normalise_phone, region_of_zone
from routing.engine import Facts, Outcome, Reason, Snapshot
from routing.engine.conditions import ATTRIBUTE_PREFIX
from routing.engine.hours import instant as utc_instant
from routing.engine.hours import microseconds
from routing.engine.record import Record
from routing.engine.simulation import Simulation
from routing.engine.tally import Tally
from routing.facts import build_facts
from routing.replay.sheet import CODES, TEXTS, Sheet, instant
from routing.replay.store import SpooledFacts

# Fields that people are compared with, whatever the rules look at.
_ALWAYS_NEEDED = frozenset({"channel", "country", "region"})
_FROM_PAGE_URL = frozenset({"page_url", "page_path", "page_host", "utm_source", "utm_medium", "utm_campaign"})


class Row(NamedTuple):
    """What is said of one lead. `agent` is a slug; texts are empty where there is nothing to say."""

    id: str
    received_at: str
    outcome: Outcome
    agent: str
    rule: str
    reason: Reason
    assigned_at: str


class Replay:
    """What a replay came to. `rows` reads the sheet once more: nothing is kept in memory of a lead but its numbers."""

    def __init__(self, sheet: Sheet, snapshot: Snapshot, record: Record, tally: Tally) -> None:
        self._sheet = sheet
        self._snapshot = snapshot
        self.record = record
        self.tally = tally

    def rows(self) -> Iterator[Row]:
        """One row for each lead, in the order of the sheet."""
        ids, times = (self._sheet.header.index(name) for name in ("id", "received_at"))
        people = self._snapshot.roster.spec.agents
        for number, cells in enumerate(self._sheet.rows()):
            told = self.record.told(number)
            agent = "" if told.agent is None else people[told.agent].slug
            assigned_at = "" if told.assigned is None else _as_received(cells[times], told.assigned)
            yield Row(cells[ids], cells[times], told.outcome, agent, told.rule or "", told.reason, assigned_at)


def replay(
    sheet: Sheet, snapshot: Snapshot, *, language: str, progress: Callable[[int], None] = lambda done: None
) -> Replay:
    """Route every lead of a checked sheet. `language` is what a lead without one speaks; `progress` is told how
    many are done after each."""
    reading = _Reading(sheet.header, snapshot, language)
    with closing(SpooledFacts()) as store:
        simulation = Simulation(snapshot, store)
        for number, cells in enumerate(sheet.rows(), 1):
            simulation.arrive(
                at=instant(cells[reading.received_at]),
                facts=reading.facts(cells),
                keys=reading.keys(cells),
                closed_at=reading.closed_at(cells),
            )
            progress(number)
        simulation.finish()
    return Replay(sheet, snapshot, simulation.record, simulation.tally)


class _Reading:
    """How the cells of a row become a submission. Only what the policy looks at is worked out."""

    def __init__(self, header: Sequence[str], snapshot: Snapshot, language: str) -> None:
        self._needed = needed = snapshot.policy.fields | _ALWAYS_NEEDED
        places = {name: place for place, name in enumerate(header)}
        self.received_at = places["received_at"]
        self._closed_at = places.get("closed_at")
        self._contacts = tuple(places.get(name) for name in ("visitor_id", "email", "phone"))
        self._region = region_of_zone(snapshot.roster.spec.zone)
        self._language = language
        self._wants_email = "email_domain" in needed
        self._wants_phone = "phone_country" in needed
        self._language_at = places.get("language")
        self._codes = tuple(
            (name, places[name], read)
            for name, read in CODES.items()
            if name in places and name in needed and name != "language"
        )
        self._texts = tuple((name, places[name]) for name in TEXTS if name in places and _is_read(name, needed))
        self._attributes = tuple(
            (name.removeprefix(ATTRIBUTE_PREFIX), place)
            for name, place in places.items()
            if name.startswith(ATTRIBUTE_PREFIX) and name in needed
        )

    def facts(self, cells: Sequence[str]) -> Facts:
        given = {name: cells[place] for name, place in self._texts}
        for name, place, read in self._codes:
            if cells[place].strip():
                given[name] = read(cells[place])
        given.setdefault("source", "api")
        spoken = cells[self._language_at].strip() if self._language_at is not None else ""
        _, email, phone = self._contacts
        return build_facts(
            **given,
            language=spoken or self._language,
            email=normalise_email(cells[email]) if self._wants_email and email is not None else None,
            phone=self._phone(cells[phone]) if self._wants_phone and phone is not None else None,
            attributes={name: cells[place] for name, place in self._attributes},
            needed=self._needed,
        )

    def keys(self, cells: Sequence[str]) -> list[int]:
        """By what the person is known again, in the order in which it decides: digests, of 64 bits."""
        visitor, email, phone = self._contacts
        keys = []
        if visitor is not None and (text := cells[visitor].strip()):
            keys.append(_digest("v", text))
        if email is not None and cells[email] and (address := normalise_email(cells[email])):
            keys.append(_digest("e", address))
        if phone is not None and cells[phone] and (number := self._phone(cells[phone])):
            keys.append(_digest("p", number))
        return keys

    def closed_at(self, cells: Sequence[str]) -> datetime | None:
        if self._closed_at is None or not cells[self._closed_at].strip():
            return None
        return instant(cells[self._closed_at])

    def _phone(self, text: str) -> str | None:
        return normalise_phone(text, self._region) if text else None


def _is_read(column: str, needed: Collection[str]) -> bool:
    return not _FROM_PAGE_URL.isdisjoint(needed) if column == "page_url" else column in needed


def _digest(kind: str, text: str) -> int:
    return int.from_bytes(hashlib.blake2b(f"{kind}{text}".encode(), digest_size=8).digest())


def _as_received(received_at: str, assigned: int) -> str:
    """The instant of assignment, written as the row writes its own: same offset, same text where they are equal."""
    at = instant(received_at)
    if microseconds(at) == assigned:
        return received_at
    return utc_instant(assigned).astimezone(at.tzinfo).isoformat()
