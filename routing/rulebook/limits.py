"""What a policy uses of its workspace's plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from agents import plans
from routing.rulebook.conditions import Document
from routing.rulebook.errors import Path, PolicyError

_GEO_FIELDS = frozenset({"country", "region", "city"})
_SCORE_FIELDS = frozenset({"score", "intent"})
_STRATEGIES = frozenset({"priority", "least_busy", "claim"})


def features_used(document: Document) -> Iterator[tuple[str, Path]]:
    """Pairs of a feature of `agents.plans` and the place that uses it, in the order of a normal-form document."""
    if "sla" in document:
        yield "sla", ("workspace", "sla")
    for place, rule in enumerate(document["scoring"]):
        yield "scoring", ("scoring", place)
        yield from _of_conditions(rule.get("when"), ("scoring", place, "when"))
    for place, rule in enumerate(document["rules"]):
        yield from features_of_rule(rule, ("rules", place))


def features_of_rule(rule: Document, path: Path = ()) -> Iterator[tuple[str, Path]]:
    yield from _of_conditions(rule.get("when"), (*path, "when"))
    route = rule["route"]
    if route.get("by") in _STRATEGIES:
        yield route["by"], (*path, "route", "by")
    for key in ("require", "prefer"):
        if wishes := route.get(key):
            yield "require_prefer", (*path, "route", key)
            if "territory" in wishes:
                yield "geo", (*path, "route", key)
    if "sla" in rule:
        yield "sla", (*path, "sla")


def _of_conditions(when: Mapping[str, Any] | None, path: Path) -> Iterator[tuple[str, Path]]:
    if when is None:
        return
    yield "conditions", path
    fields = {condition["field"] for condition in conditions_of(when)}
    if fields & _GEO_FIELDS:
        yield "geo", path
    if fields & _SCORE_FIELDS:
        yield "score_intent", path


def conditions_of(when: Mapping[str, Any] | None) -> Iterator[Document]:
    """Every condition of a normal-form `when`, whatever its group."""
    if when is None:
        return
    for member in [when] if "all" in when else when["any"]:
        yield from member.get("all", [member])


def check_plan(document: Document, plan: str) -> list[PolicyError]:
    """One error for each use of what the plan does not have, with the plan's own sentence."""
    return [
        PolicyError(path, plans.refusal(plan, feature))
        for feature, path in features_used(document)
        if not plans.allows(plan, feature)
    ]
