"""Decisions as they are stored: with everything that was read to reach them, enough to reach them again."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from leads.arrivals import seen_by
from leads.models import Decision, Lead, Trigger
from routing import engine
from routing.facts import facts_from_json, facts_to_json
from routing.snapshots import versions_of_data

if TYPE_CHECKING:
    from leads.placing import Judgement


def decision_of(lead: Lead, judgement: Judgement, *, trigger: Trigger, took_turn: bool) -> dict[str, Any]:
    """The decision's columns for a judgement about a lead that is settled."""
    basis, decision = judgement.basis, judgement.decision
    common = _common(lead, trigger, basis.policy_version, basis.roster_version, basis.at)
    if not judgement.by_rules:
        return {**common, "request": {}}
    people = {candidate.agent for candidate in decision.candidates}
    return {
        **common,
        "request": request_to_json(judgement.request, fields=basis.snapshot.policy.fields),
        "loads": {
            str(agent): load_to_json(judgement.loads[agent]) for agent in sorted(people & judgement.loads.keys())
        },
        "ledger": None if judgement.ledger is None else ledger_to_json(judgement.ledger, people),
        "decision": decision_to_json(decision),
        "moved_ledger": took_turn,
    }


def keep_choice(lead: Lead, *, trigger: Trigger, policy_version: int, roster_version: int, at: datetime) -> None:
    """Store that the lead went where it is now without the rules: a person chose, or routing had failed."""
    Decision.objects.create(**_common(lead, trigger, policy_version, roster_version, at), request={})


def _common(lead: Lead, trigger: Trigger, policy_version: int, roster_version: int, at: datetime) -> dict[str, Any]:
    versions = versions_of_data()
    return {
        "workspace_id": lead.workspace_id,
        "lead_id": lead.pk,
        "at": at,
        "trigger": trigger.value,
        "policy_version": policy_version,
        "roster_version": roster_version,
        "zone_data": versions["tzdata"],
        "holiday_data": versions["holidays"],
        "outcome": lead.outcome,
        "reason": lead.reason,
        "agent_id": lead.agent_id,
    }


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a stored decision was reached with, for the engine."""

    request: engine.Request
    loads: Mapping[int, engine.Load]
    ledgers: Mapping[int, engine.Ledger]


def inputs_of(row: Decision) -> Inputs | None:
    """None where the rules did not decide."""
    if row.decision is None:
        return None
    ledgers = {}
    if row.ledger is not None and row.decision["ledger"] is not None:
        ledgers[row.decision["ledger"]] = ledger_from_json(row.ledger)
    loads = {int(agent): load_from_json(load) for agent, load in row.loads.items()}
    return Inputs(request_from_json(row.request), loads, ledgers)


def request_to_json(request: engine.Request, *, fields: Collection[str]) -> dict[str, Any]:
    """`fields` are those that the policy looks at."""
    return {
        "facts": facts_to_json(seen_by(request.facts, fields)),
        "known": {"returning": request.known.returning, "agent": request.known.agent},
        "channels": list(request.channels),
        "tried": sorted(request.tried),
        "claim_over": request.claim_over,
    }


def request_from_json(document: Mapping[str, Any]) -> engine.Request:
    return engine.Request(
        facts=facts_from_json(document["facts"]),
        known=engine.Known(**document["known"]),
        channels=tuple(document["channels"]),
        tried=frozenset(document["tried"]),
        claim_over=document["claim_over"],
    )


def load_to_json(load: engine.Load) -> list[Any]:
    last = load.last_assigned_at
    return [
        load.open, load.hour_key, load.hour, load.day_key, load.day, load.week_key, load.week,
        None if last is None else last.isoformat(),
    ]  # fmt: skip


def load_from_json(document: list[Any]) -> engine.Load:
    opened, hour_key, hour, day_key, day, week_key, week, last = document
    last_assigned_at = None if last is None else datetime.fromisoformat(last)
    return engine.Load(opened, hour_key, hour, day_key, day, week_key, week, last_assigned_at)


def ledger_to_json(ledger: engine.Ledger, people: Collection[int]) -> dict[str, Any]:
    """The ledger as far as these people's entries go: nobody else's were read."""
    return {
        "turns": ledger.turns,
        "entries": {str(agent): list(ledger.entries[agent]) for agent in sorted(people) if agent in ledger.entries},
    }


def ledger_from_json(document: Mapping[str, Any]) -> engine.Ledger:
    entries = {int(agent): engine.Entry(*entry) for agent, entry in document["entries"].items()}
    return engine.Ledger(entries, document["turns"])


def decision_to_json(decision: engine.Decision) -> dict[str, Any]:
    return {
        "outcome": decision.outcome.value,
        "agent": decision.agent,
        "rule": decision.rule,
        "reason": decision.reason.value,
        "channel": decision.channel,
        "pools": [
            [pool.rule, pool.asked.value, [[c.agent, c.verdict.value, c.margin] for c in pool.candidates], pool.then]
            for pool in decision.pools
        ],
        "turn": None if decision.turn is None else turn_to_json(decision.turn),
        "ledger": decision.ledger,
        "target": None if decision.target is None else [decision.target.kind, decision.target.id],
        "score": decision.score,
        "intent": decision.intent,
    }


def turn_to_json(turn: engine.Turn) -> list[Any]:
    return [turn.chosen, list(map(list, turn.given)), turn.paid, turn.number, list(map(list, turn.owed))]


def turn_from_json(document: list[Any]) -> engine.Turn:
    chosen, given, paid, number, owed = document
    return engine.Turn(chosen, tuple(map(tuple, given)), paid, number, tuple(map(tuple, owed)))
