"""The same rules for other engines, as their documentation shows how to write them: a decision table for zen-engine,
one expression a rule for rule-engine. Each builder returns what names the first rule that holds, None where none does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import rule_engine
import zen

from tests.bench.worlds import FIELDS

Rules = list[list[dict[str, Any]]]
First = Callable[[Mapping[str, str]], int | None]


def zen_table(rules: Rules) -> First:
    """A decision table of zen-engine (hit policy `first`): a column for each field, a row for each rule."""
    rows = [
        {"_id": str(number), "rule": str(number), **{condition["field"]: _cell(condition) for condition in conditions}}
        for number, conditions in enumerate(rules)
    ]
    inputs = [{"id": field, "name": field, "type": "expression", "field": field} for field in FIELDS]
    table = {
        "hitPolicy": "first",
        "inputs": inputs,
        "outputs": [{"id": "rule", "name": "rule", "type": "expression", "field": "rule"}],
        "rules": [dict.fromkeys(FIELDS, "") | row for row in rows],
    }
    place = {"x": 0, "y": 0}
    graph = {
        "nodes": [
            {"id": "in", "name": "lead", "type": "inputNode", "position": place},
            {"id": "table", "name": "rules", "type": "decisionTableNode", "position": place, "content": table},
            {"id": "out", "name": "rule", "type": "outputNode", "position": place},
        ],
        "edges": [
            {"id": "a", "type": "edge", "sourceId": "in", "targetId": "table"},
            {"id": "b", "type": "edge", "sourceId": "table", "targetId": "out"},
        ],
    }
    decision = zen.ZenEngine().create_decision(json.dumps(graph))

    def first(lead: Mapping[str, str]) -> int | None:
        found: int | None = decision.evaluate(lead)["result"].get("rule")
        return found

    return first


def _cell(condition: dict[str, Any]) -> str:
    """What a cell of the table says. `$` is the lead's value."""
    op, value = condition["op"], condition["value"]
    if op == "in":
        return ", ".join(json.dumps(one) for one in value)
    if op == "is":
        return json.dumps(value)
    return f"{'startsWith' if op == 'starts_with' else 'contains'}($, {json.dumps(value)})"


def rule_engine_list(rules: Rules) -> First:
    """One expression of rule-engine for each rule, tried in turn."""
    compiled = [rule_engine.Rule(" and ".join(map(_term, conditions))) for conditions in rules]

    def first(lead: Mapping[str, str]) -> int | None:
        return next((number for number, rule in enumerate(compiled) if rule.matches(lead)), None)

    return first


def _term(condition: dict[str, Any]) -> str:
    field, op, value = condition["field"], condition["op"], condition["value"]
    if op == "in":
        return f"{field} in {json.dumps(value)}"
    if op == "is":
        return f"{field} == {json.dumps(value)}"
    if op == "starts_with":
        return f"{field}.starts_with({json.dumps(value)})"
    return f"{json.dumps(value)} in {field}"
