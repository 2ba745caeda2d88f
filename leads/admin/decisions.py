"""Stored decisions as people read them: who was looked at, and why somebody else got the lead."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from agents.models import Agent
from leads.models import Decision
from routing.engine import U
from routing.explaining import THEN_WORDS, VERDICT_WORDS


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
                    names.get(agent, "?"),
                    verdict,
                    VERDICT_WORDS.get(verdict, verdict),
                    _margin_in_words(margin, by_load),
                )
                for agent, verdict, margin in candidates
            ],
            then=THEN_WORDS.get(then, then),
        )
        for rule, kind, candidates, then in asked
    ]


def _agent_names(decision: Decision, ids: Iterable[int]) -> dict[int, str]:
    rows = Agent.objects.filter(workspace_id=decision.workspace_id, pk__in=set(ids))
    return dict(rows.values_list("pk", "name"))


def _margin_in_words(margin: int | None, by_load: bool) -> str:
    if not margin:
        return ""
    if by_load:
        return _("%(number)d more open") % {"number": margin}
    return _("%(number).2f of a lead behind") % {"number": margin / U}
