"""Adding up what the ledgers' turns gave and owed, and why people did not get leads, from stored decisions."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from leads.models import Decision

# Verdicts that are no gap: the lead went by turns among those who could take it.
NO_GAP = frozenset({"chosen", "not_their_turn", "offered"})
# What decides about a lead first, and again when the visitor writes once more.
FIRST = ("intake", "join")

# What is read of a decision.
READ = ("decision", "ledger", "moved_ledger", "given_back", "outcome", "agent_id", "trigger")
PAID = "paid"
# By what the decisions of a day are added up apart, too: each word that any of them has.
PARTS = ("rule", "channel", "country", "source")


def part_of(name: str, word: str) -> str:
    """What the sums of the decisions are stored as that have this word."""
    return f"{name}={word}"


def sums_of(*, workspace_id: int, start: datetime, end: datetime) -> dict[str, dict[str, Any]]:
    """Of the decisions of `[start, end)`, as plain JSON: of all of them (''), and of each part.

    `ledgers`: for each ledger (a team's id, "0" for the workspace's own) what each agent was due (units of the
    ledger) and got by its turns that were not given back, how many turns there were, whether everybody stood even
    before the first, and `takers`, who was given what for every lead, null where that changed or a turn was undone.
    `asked`: how often each agent was looked at for a lead; `missed`: why they could not take it. `taken`: how often
    they got one that they could take; `otherwise`: in any other way, by hand or as the fallback. `outcomes`: how many
    leads were first decided so.
    """
    decisions = Decision.objects.filter(workspace_id=workspace_id, at__gte=start, at__lt=end).order_by("at", "pk")
    rows: dict[str, list[tuple[Any, ...]]] = {"": []}
    read = decisions.values_list(*READ, "lead__channel", "lead__country", "lead__source").iterator(chunk_size=2_000)
    for *row, channel, country, source in read:
        rule = row[0]["rule"] or "" if row[0] is not None else ""
        rows[""].append(tuple(row))
        for name, word in zip(PARTS, (rule, channel, country, source), strict=True):
            rows.setdefault(part_of(name, word), []).append(tuple(row))
    return {part: add_up(of) for part, of in rows.items()}


def add_up(rows: Iterable[tuple[Any, ...]]) -> dict[str, Any]:
    """The same of rows of `READ`, in the order of time."""
    ledgers: dict[str, dict[str, Any]] = {}
    missed: dict[str, dict[str, int]] = {}
    asked: dict[str, int] = {}
    undone: set[str] = set()
    taken: dict[str, int] = {}
    otherwise: dict[str, int] = {}
    outcomes: dict[str, int] = {}
    for decision, ledger, moved, given_back, outcome, agent, trigger in rows:
        if trigger in FIRST:
            outcomes[outcome] = outcomes.get(outcome, 0) + 1
        verdicts = last_verdicts(decision)
        if agent is not None:
            got = taken if verdicts.get(agent) in NO_GAP else otherwise
            got[str(agent)] = got.get(str(agent), 0) + 1
        if decision is None:
            continue
        _count_gaps(asked, missed, verdicts)
        if moved and given_back == PAID:
            undone.add(str(decision["ledger"]))
        elif moved:
            _count_turn(ledgers, decision, ledger)
    for name in undone & ledgers.keys():
        ledgers[name]["takers"] = None
    return {
        "ledgers": ledgers, "asked": asked, "missed": missed, "taken": taken, "otherwise": otherwise,
        "outcomes": outcomes,
    }  # fmt: skip


def last_verdicts(decision: dict[str, Any] | None) -> dict[int, str]:
    """The last reason of each agent: who was passed over by one rule may have been asked by a later one."""
    if decision is None:
        return {}
    return {agent: verdict for pool in decision["pools"] for agent, verdict, _margin in pool[2]}


def join(days: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The sums of several days, in their order, as one."""
    whole: dict[str, Any] = {"ledgers": {}, "asked": {}, "missed": {}, "taken": {}, "otherwise": {}, "outcomes": {}}
    for day in days:
        for name in ("asked", "taken", "otherwise", "outcomes"):
            _add(whole[name], day.get(name, {}))
        for agent, reasons in day.get("missed", {}).items():
            _add(whole["missed"].setdefault(agent, {}), reasons)
        for ledger, sums in day.get("ledgers", {}).items():
            known = whole["ledgers"].get(ledger)
            if known is None:
                whole["ledgers"][ledger] = {**sums, "due": dict(sums["due"]), "got": dict(sums["got"])}
                continue
            known["turns"] += sums["turns"]
            known["takers"] = known["takers"] if known["takers"] == sums["takers"] else None
            _add(known["due"], sums["due"])
            _add(known["got"], sums["got"])
    return whole


def _count_turn(ledgers: dict[str, dict[str, Any]], decision: dict[str, Any], before: dict[str, Any] | None) -> None:
    chosen, given, _paid, _number, _owed = decision["turn"]
    takers = {str(agent): share for agent, share in given}
    name = str(decision["ledger"])
    sums = ledgers.get(name)
    if sums is None:
        entries = before["entries"] if before is not None else {}
        is_even = not any(entry[0] for entry in entries.values())
        sums = ledgers[name] = {"due": {}, "got": {}, "turns": 0, "even": is_even, "takers": takers}
    elif sums["takers"] != takers:
        sums["takers"] = None
    sums["turns"] += 1
    _add(sums["due"], takers)
    sums["got"][str(chosen)] = sums["got"].get(str(chosen), 0) + 1


def _count_gaps(asked: dict[str, int], missed: dict[str, dict[str, int]], verdicts: dict[int, str]) -> None:
    for agent, verdict in verdicts.items():
        asked[str(agent)] = asked.get(str(agent), 0) + 1
        if verdict not in NO_GAP:
            reasons = missed.setdefault(str(agent), {})
            reasons[verdict] = reasons.get(verdict, 0) + 1


def _add(sums: dict[str, int], more: dict[str, int]) -> None:
    for name, number in more.items():
        sums[name] = sums.get(name, 0) + number
