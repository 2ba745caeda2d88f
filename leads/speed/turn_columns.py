"""Decisions as columns: why people could not take a lead, whose turn it was, and what that gave everybody.

Whoever reports narrows the columns by any words at once, and adds up what is left. What many decisions of a day have in
common is written once, as a numbered set: the verdicts on everybody who was looked at, and the shares that a turn gave.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from leads.models import Decision, GivenBack
from routing.engine.hours import microseconds

# Verdicts that are no gap: the lead went by turns among those who could take it.
NO_GAP = frozenset({"chosen", "not_their_turn", "offered"})
# What decides about a lead first, and again when the visitor writes once more.
FIRST = frozenset({"intake", "join"})

# Its key, when it was made, and when its turn was given back, -1 where it was not; in microseconds since 1970.
NUMBERS = ("decision", "at", "undone")
# Codes: places in the list of the day's `words` of this name.
PARTS = ("rule", "channel", "country", "source")
CODED = (*PARTS, "outcome", "agent")
# Numbers of sets, of which 0 is the empty one.
SETS = ("verdicts", "shares")
# Bits of `marks`: decided first; the agent could take it; a turn was taken; the ledger stood even before.
IS_FIRST, COULD_TAKE, IS_TURN, WAS_EVEN = 1, 2, 4, 8
# `chosen`: whose turn it was, a place in the words `seat`, each [ledger, agent]. The others are the sets' entries, one
# set after the other, as many as their `_sizes` say: an agent (a place in the words `agent`) with why they could not
# take it (words `reason`, '' where they could); a seat with the units of the ledger that it was given.
COLUMNS = (
    *NUMBERS, *CODED, "chosen", "marks", *SETS, "verdict_sizes", "verdict_agents", "verdict_reasons", "share_sizes",
    "share_seats", "share_units",
)  # fmt: skip
WORDS = (*CODED, "seat", "reason")

_READ = (
    "pk", "at", "given_back", "given_back_at", "lead__channel", "lead__country", "lead__source", "outcome", "agent_id",
    "trigger", "moved_ledger", "decision", "ledger",
)  # fmt: skip


def decisions_between(*, workspace_id: int, start: datetime, end: datetime) -> Iterable[tuple[Any, ...]]:
    """The rows that `packed` takes, of the decisions of `[start, end)` in the order of time."""
    found = Decision.objects.filter(workspace_id=workspace_id, at__gte=start, at__lt=end).order_by("at", "pk")
    return found.values_list(*_READ).iterator(chunk_size=2_000)


def packed(rows: Iterable[tuple[Any, ...]]) -> dict[str, Any]:
    """Columns of these decisions, in their order, and `words`, what their codes mean."""
    words: dict[str, dict[Any, int]] = {name: {} for name in WORDS}
    agents, seats, reasons = words["agent"], words["seat"], words["reason"]
    agents[0] = seats[0, 0] = 0  # nobody's
    sets: dict[str, dict[Any, int]] = {name: {(): 0} for name in SETS}
    columns = {name: array("q") for name in NUMBERS}
    columns |= {name: array("H") for name in (*CODED, "chosen")} | {name: array("I") for name in SETS}
    marks = array("B")
    for pk, at, back, back_at, channel, country, source, outcome, agent, trigger, moved, decision, before in rows:
        verdicts = last_verdicts(decision)
        marked = IS_FIRST * (trigger in FIRST) | COULD_TAKE * (verdicts.get(agent) in NO_GAP)
        chosen, undone = 0, -1
        shares: tuple[tuple[int, int], ...] = ()
        if moved and decision is not None:
            ledger = int(decision["ledger"])
            taker, given, _paid, _number, _owed = decision["turn"]
            chosen = seats.setdefault((ledger, taker), len(seats))
            shares = tuple((seats.setdefault((ledger, who), len(seats)), units) for who, units in sorted(given))
            if back == GivenBack.PAID:
                undone = 0 if back_at is None else microseconds(back_at)
            entries = before["entries"].values() if before is not None else ()
            marked |= IS_TURN | WAS_EVEN * (not any(entry[0] for entry in entries))
        why = tuple(
            (
                agents.setdefault(who, len(agents)),
                reasons.setdefault("" if verdict in NO_GAP else verdict, len(reasons)),
            )
            for who, verdict in sorted(verdicts.items())
        )
        rule = decision["rule"] or "" if decision is not None else ""
        for name, number in zip(NUMBERS, (pk, microseconds(at), undone), strict=True):
            columns[name].append(number)
        for name, word in zip(CODED, (rule, channel, country, source, outcome, agent or 0), strict=True):
            columns[name].append(words[name].setdefault(word, len(words[name])))
        for name, entry in zip(SETS, (why, shares), strict=True):
            columns[name].append(sets[name].setdefault(entry, len(sets[name])))
        columns["chosen"].append(chosen)
        marks.append(marked)
    columns |= {"marks": marks, **_entries("verdict", ("agents", "reasons"), "HH", sets["verdicts"])}
    columns |= _entries("share", ("seats", "units"), "Hq", sets["shares"])
    return {
        "words": {name: list(known) for name, known in words.items()},
        **{name: column.tobytes() for name, column in columns.items()},
    }


def last_verdicts(decision: dict[str, Any] | None) -> dict[int, str]:
    """The last reason of each agent: who was passed over by one rule may have been asked by a later one."""
    if decision is None:
        return {}
    return {agent: verdict for pool in decision["pools"] for agent, verdict, _margin in pool[2]}


def _entries(name: str, parts: tuple[str, str], types: str, sets: Iterable[tuple[Any, ...]]) -> dict[str, array[int]]:
    """What is in these sets, in order: how many each has, and both parts of each entry."""
    found = list(sets)
    entries = [entry for of in found for entry in of]
    sizes = {f"{name}_sizes": array("H", map(len, found))}
    return sizes | {
        f"{name}_{part}": array(kind, [entry[place] for entry in entries])
        for place, (part, kind) in enumerate(zip(parts, types, strict=True))
    }
