"""Stored decisions as people read them: who was looked at, and why somebody else got the lead."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agents.models import Agent, Team, Workspace
from leads.models import Decision
from leads.records import inputs_of
from routing.engine import U
from routing.engine.walk import walk
from routing.policy_changes import rule_in_words
from routing.publishing import version_document
from routing.rulebook.words import condition_in_words
from routing.snapshots import snapshot, snapshot_at

VERDICTS: dict[str, Any] = {
    "inactive": gettext_lazy("inactive"),
    "paused": gettext_lazy("paused"),
    "time_off": gettext_lazy("on time off"),
    "holiday": gettext_lazy("on holiday"),
    "off_shift": gettext_lazy("not on shift"),
    "at_cap": gettext_lazy("at a cap"),
    "language": gettext_lazy("does not have the language"),
    "channel": gettext_lazy("does not have the channel"),
    "territory": gettext_lazy("not their territory"),
    "tags": gettext_lazy("does not have the tag"),
    "already_tried": gettext_lazy("had it already"),
    "not_preferred": gettext_lazy("somebody else was preferred"),
    "lower_tier": gettext_lazy("in a later tier"),
    "weight_zero": gettext_lazy("takes no turns (weight 0)"),
    "not_their_turn": gettext_lazy("not their turn"),
    "offered": gettext_lazy("it is offered to them"),
    "chosen": gettext_lazy("chosen"),
}
_NEXT: dict[str, Any] = {
    "next_rule": gettext_lazy("nobody there: on to the next rule"),
    "on_call": gettext_lazy("nobody there: people on call were asked"),
    "fallback": gettext_lazy("nobody there: the fallback agent"),
    "assigned": gettext_lazy("assigned"),
    "held": gettext_lazy("held until somebody is there"),
    "queued": gettext_lazy("put into the nurture queue"),
}


@dataclass(frozen=True)
class CandidateRow:
    name: str
    verdict: str
    why: Any
    margin: str


@dataclass(frozen=True)
class PoolRows:
    """Whom one rule asked, and what followed."""

    rule: str
    on_call: bool
    candidates: list[CandidateRow]
    then: Any


@dataclass(frozen=True)
class RuleStep:
    """A rule that was tried: what it says, and, where it did not hold, each condition that failed with what it saw."""

    name: str
    words: str
    held: bool
    failures: list[str]


def pools_of(decision: Decision) -> list[PoolRows]:
    """The candidates of a stored decision, in the order they were asked; empty where no engine decided."""
    if decision.decision is None:
        return []
    asked = decision.decision["pools"]
    names = _agent_names(decision, (agent for pool in asked for agent, _verdict, _margin in pool[2]))
    by_load = decision.decision["reason"] == "least_busy"
    return [
        PoolRows(
            rule=rule or _("The end of the list"),
            on_call=kind == "on_call",
            candidates=[
                CandidateRow(
                    names.get(agent, "?"), verdict, VERDICTS.get(verdict, verdict), _margin_in_words(margin, by_load)
                )
                for agent, verdict, margin in candidates
            ],
            then=_NEXT.get(then, then),
        )
        for rule, kind, candidates, then in asked
    ]


def rules_tried(decision: Decision, workspace: Workspace) -> list[RuleStep] | None:
    """Every rule up to the one that acted, decided again from what is stored. None where no engine decided."""
    inputs = inputs_of(decision)
    if inputs is None:
        return None
    versions = {
        "workspace_id": workspace.pk,
        "policy_version": decision.policy_version,
        "roster_version": decision.roster_version,
    }
    is_current = (workspace.policy_version, workspace.roster_version) == (
        decision.policy_version,
        decision.roster_version,
    )
    taken = (snapshot if is_current else snapshot_at)(**versions)
    found = walk(inputs.request, taken, inputs.loads, inputs.ledgers, decision.at)
    rules = {rule["name"]: rule for rule in version_document(workspace.pk, decision.policy_version)["rules"]}
    names = target_names(workspace)
    return [
        RuleStep(
            name=trace.rule,
            words=rule_in_words(rules[trace.rule], names) if trace.rule in rules else "",
            held=trace.held,
            failures=[_failure_in_words(failure) for failure in trace.failures],
        )
        for trace in found.rules
    ]


def target_names(workspace: Workspace) -> dict[str, str]:
    """Names of teams and agents by `team:SLUG` and `agent:SLUG`."""
    teams = Team.objects.for_workspace(workspace).values_list("slug", "name")
    agents = Agent.objects.for_workspace(workspace).values_list("slug", "name")
    return {**{f"team:{slug}": name for slug, name in teams}, **{f"agent:{slug}": name for slug, name in agents}}


def _agent_names(decision: Decision, ids: Iterable[int]) -> dict[int, str]:
    rows = Agent.objects.filter(workspace_id=decision.workspace_id, pk__in=set(ids))
    return dict(rows.values_list("pk", "name"))


def _margin_in_words(margin: int | None, by_load: bool) -> str:
    if not margin:
        return ""
    if by_load:
        return _("%(number)d more open") % {"number": margin}
    return _("%(number).2f of a lead behind") % {"number": margin / U}


def _failure_in_words(failure: Any) -> str:
    condition = failure.condition
    document = {"field": condition.field, "op": condition.op, "value": condition.value}
    seen: Any = f"“{failure.seen}”"
    if failure.seen is None:
        seen = _("unknown")
    elif isinstance(failure.seen, bool):
        seen = _("yes") if failure.seen else _("no")
    return _("%(condition)s: it was %(seen)s") % {"condition": condition_in_words(document), "seen": seen}
