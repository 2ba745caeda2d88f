"""One replay: every lead of a sheet through the engine, and what became of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import datetime
from functools import lru_cache, partial
from typing import Any, NamedTuple

from agents.contacts import normalise_email, normalise_phone, phone_country, region_of_zone
from routing.engine import Facts, Outcome, Reason, Snapshot
from routing.engine.conditions import ATTRIBUTE_PREFIX
from routing.engine.facts import Value
from routing.engine.hours import instant as utc_instant
from routing.engine.simulation import Simulation
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

    def __init__(self, sheet: Sheet, simulation: Simulation) -> None:
        self._sheet = sheet
        self._people = simulation.snapshot.roster.spec.agents
        self._received = simulation.received
        self.record = simulation.record
        self.tally = simulation.tally

    def rows(self) -> Iterator[Row]:
        """One row for each lead, in the order of the sheet."""
        ids, times = (self._sheet.header.index(name) for name in ("id", "received_at"))
        people = self._people
        for number, cells in enumerate(self._sheet.rows()):
            told = self.record.told(number)
            agent = "" if told.agent is None else people[told.agent].slug
            if told.assigned is None:
                assigned_at = ""
            elif told.assigned == self._received[number]:
                assigned_at = cells[times]
            else:
                assigned_at = _as_received(cells[times], told.assigned)
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
            simulation.arrive(**reading.submission(cells))
            progress(number)
        simulation.finish()
    return Replay(sheet, simulation)


class _Reading:
    """How the cells of a row become a submission. Only what the policy looks at is worked out, and what many rows
    have in common once."""

    def __init__(self, header: Sequence[str], snapshot: Snapshot, language: str) -> None:
        needed = snapshot.policy.fields | _ALWAYS_NEEDED
        places = {name: place for place, name in enumerate(header)}
        self.received_at = places["received_at"]
        self._closed_at = places.get("closed_at")
        self._visitor, self._email, self._phone = (places.get(name) for name in ("visitor_id", "email", "phone"))
        self._region = region_of_zone(snapshot.roster.spec.zone)
        self._language = language
        self._wants_email = "email_domain" in needed
        self._wants_phone = "phone_country" in needed
        self._codes = tuple(name for name in CODES if name in places)
        self._code_places = tuple(places[name] for name in self._codes)
        self._page_url = places.get("page_url") if not _FROM_PAGE_URL.isdisjoint(needed) else None
        self._texts = tuple(
            (name, place)
            for name, place in places.items()
            if name in needed and name != "page_url" and (name in TEXTS or name.startswith(ATTRIBUTE_PREFIX))
        )
        self._coded = lru_cache(maxsize=4096)(partial(self._read_codes, needed))
        self._page = lru_cache(maxsize=4096)(partial(self._read_page, needed))

    def submission(self, cells: Sequence[str]) -> dict[str, Any]:
        """What `Simulation.arrive` takes."""
        coded = self._coded(tuple([cells[place] for place in self._code_places]))
        url = cells[self._page_url] if self._page_url is not None else ""
        values = {**coded.values, **self._page(url)} if url else {**coded.values}
        for name, place in self._texts:
            if text := cells[place].strip():
                values[name] = text
        keys: list[int] = []  # 64 bits of each: contacts are long, and there are millions of them
        if self._visitor is not None and (visitor := cells[self._visitor].strip()):
            keys.append(hash(("v", visitor)))
        if self._email is not None and cells[self._email] and (email := normalise_email(cells[self._email])):
            keys.append(hash(("e", email)))
            if self._wants_email:
                values["email_domain"] = email.rpartition("@")[2]
        dialled = cells[self._phone] if self._phone is not None else ""
        if dialled and (phone := normalise_phone(dialled, self._region)):
            keys.append(hash(("p", phone)))
            if self._wants_phone and (country := phone_country(phone)):
                values["phone_country"] = country
        closed = cells[self._closed_at].strip() if self._closed_at is not None else ""
        return {
            "at": datetime.fromisoformat(cells[self.received_at].strip()),
            "facts": Facts(values, coded.language),
            "keys": keys,
            "closed_at": instant(closed) if closed else None,
        }

    def _read_codes(self, needed: frozenset[str], cells: tuple[str, ...]) -> Facts:
        given: dict[str, Any] = {"source": "api", "language": self._language}
        given |= {name: CODES[name](cell) for name, cell in zip(self._codes, cells, strict=True) if cell.strip()}
        return build_facts(**given, needed=needed)

    def _read_page(self, needed: frozenset[str], url: str) -> Mapping[str, Value]:
        return build_facts(page_url=url, needed=needed).values


def _as_received(received_at: str, assigned: int) -> str:
    """The instant of assignment, with the offset of the row's own."""
    return utc_instant(assigned).astimezone(instant(received_at).tzinfo).isoformat()
