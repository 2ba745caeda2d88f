"""What a replay prints: a row for each lead, and what the turns came to."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from io import StringIO
from itertools import chain, islice
from typing import Any, TextIO

from routing.engine import ON_CALL_LEDGER, Roster, U
from routing.engine.tally import Tally
from routing.replay.run import Replay, Row

ON_CALL = "(on call)"
_ROWS_AT_ONCE = 500


def write_csv(rows: Iterable[Row], out: TextIO) -> None:
    every = chain([Row._fields], rows)
    while some := list(islice(every, _ROWS_AT_ONCE)):
        block = StringIO()
        csv.writer(block, lineterminator="\n").writerows(some)
        out.write(block.getvalue())


def write_json(rows: Iterable[Row], out: TextIO) -> None:
    """One array, an object a line; what is empty in CSV is null."""
    before = "["
    for row in rows:
        out.write(before + "\n")
        said = {name: value or None for name, value in row._asdict().items()}
        before = json.dumps(said, ensure_ascii=False) + ","
    out.write(before.removesuffix(",") + "\n]\n")


FORMATS: dict[str, Callable[[Iterable[Row], Any], None]] = {"csv": write_csv, "json": write_json}


def summary(replay: Replay, roster: Roster) -> Iterator[tuple[str, ...]]:
    """The lines of the summary, each as its cells."""
    yield "team", "agent", "due", "received", "other"
    ledgers = list(_ledgers(roster))
    for ledger, name, members in ledgers:
        yield from _members(replay.tally, roster, ledger, name, members)
    for ledger, name, _members_of in ledgers:
        yield "worst", name, f"{replay.tally.accounts[ledger].worst / U:.4f}"
    for outcome, count in replay.record.outcomes().items():
        yield "outcome", outcome, str(count)


def _ledgers(roster: Roster) -> Iterator[tuple[int, str, list[int]]]:
    """Every ledger that there is, with the name of its team and its members."""
    for team in sorted(roster.spec.teams.values(), key=lambda team: team.slug):
        if not team.archived:
            yield team.id, team.slug, sorted(member.agent for member in team.members)
    if people := sorted(roster.members(roster.on_call_people)):
        yield ON_CALL_LEDGER, ON_CALL, people


def _members(tally: Tally, roster: Roster, ledger: int, name: str, members: list[int]) -> Iterator[tuple[str, ...]]:
    account = tally.accounts[ledger]
    for agent in members:
        hundredths = (account.due.get(agent, 0) * 100 + U // 2) // U
        received = account.received.get(agent, 0)
        yield (
            name,
            roster.spec.agents[agent].slug,
            f"{hundredths // 100}.{hundredths % 100:02}",
            str(received),
            str(tally.other(ledger, agent)),
        )
