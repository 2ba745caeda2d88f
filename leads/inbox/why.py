"""Why (not) me: the workspace's latest decisions as far as they concern one agent, read from what was stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agents.models import Agent, TeamMember
from leads.models import Decision, Lead
from leads.models.reasons import OUTCOMES, REASONS
from routing.engine import U
from routing.models import Ledger

LOOKED_AT = 100  # leads

WHY_NOT: dict[str, Any] = {
    "inactive": gettext_lazy("You were inactive."),
    "paused": gettext_lazy("You were paused."),
    "time_off": gettext_lazy("You were on time off."),
    "holiday": gettext_lazy("It was a holiday where you are."),
    "off_shift": gettext_lazy("You were not on shift."),
    "at_cap": gettext_lazy("You had as many leads as you may have."),
    "language": gettext_lazy("It asked for a language that you do not have."),
    "channel": gettext_lazy("It asked for a channel that you do not have."),
    "territory": gettext_lazy("It was not from your territory."),
    "tags": gettext_lazy("It asked for a tag that you do not have."),
    "already_tried": gettext_lazy("You had had it already."),
    "not_preferred": gettext_lazy("Somebody else fitted it better."),
    "lower_tier": gettext_lazy("Somebody of an earlier tier was there."),
    "weight_zero": gettext_lazy("You take no turns in this team (weight 0)."),
    "not_their_turn": gettext_lazy("It was not your turn."),
    "offered": gettext_lazy("It was offered to you."),
    "chosen": gettext_lazy("It was given to you."),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One decision. `credit` is what the ledger said of the agent before it, in leads; None where none was asked."""

    at: datetime
    lead: Lead
    is_mine: bool
    rule: str
    why: str
    margin: str
    credit: str | None
    went_to: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What a team's ledger says of the agent now, in leads: above zero they are due some, below they had more."""

    team: str
    weight: int
    credit: str
    in_words: str


def standings(agent: Agent) -> list[Standing]:
    places = list(
        TeamMember.objects.filter(agent=agent, team__archived_at=None).select_related("team").order_by("team__name")
    )
    ledgers = Ledger.objects.for_workspace(agent.workspace).filter(team__in=[place.team_id for place in places])
    credit = {row.team_id: _credit(row.entries, agent.pk) for row in ledgers}
    return [
        Standing(
            place.team.name,
            place.weight,
            _in_leads(credit.get(place.team_id, 0)),
            _standing_in_words(credit.get(place.team_id, 0)),
        )
        for place in places
    ]


def latest(agent: Agent) -> list[Row]:
    """The decisions about the workspace's last leads for which the agent was looked at, or which gave them one; the
    newest first. A fixed number of statements; no rule is walked again."""
    own = Lead.objects.for_workspace(agent.workspace)
    leads = {
        lead.pk: lead
        for lead in own.only("workspace_id", "reference", "agent_id", "received_at").order_by("-received_at", "-pk")[
            :LOOKED_AT
        ]
    }
    decisions = Decision.objects.filter(lead__in=list(leads)).defer("request", "loads").order_by("-at", "-pk")
    found = [(decision, place) for decision in decisions if (place := _place_in(decision, agent.pk)) is not None]
    names = dict(
        Agent.objects.filter(workspace=agent.workspace, pk__in={decision.agent_id for decision, _place in found})
        .values_list("pk", "name")
    )  # fmt: skip
    return [_row(decision, place, leads[decision.lead_id], agent, names) for decision, place in found]


def _place_in(decision: Decision, agent: int) -> tuple[str, str, int | None] | None:
    """Rule, verdict and margin of the last time that the decision looked at the agent."""
    pools = decision.decision["pools"] if decision.decision is not None else []
    for rule, _asked, candidates, _then in reversed(pools):
        for candidate, verdict, margin in candidates:
            if candidate == agent:
                return rule, verdict, margin
    return ("", "chosen", None) if decision.agent_id == agent else None


def _row(
    decision: Decision, place: tuple[str, str, int | None], lead: Lead, agent: Agent, names: dict[int, str]
) -> Row:
    rule, verdict, margin = place
    got_it = decision.agent_id == agent.pk
    why = str(WHY_NOT["chosen" if got_it else verdict] if got_it or verdict in WHY_NOT else verdict)
    reason = str(dict(REASONS).get(decision.reason, decision.reason))
    if got_it:
        went_to = _("you: %(reason)s") % {"reason": reason}
    elif decision.agent_id is not None:
        went_to = _("%(name)s: %(reason)s") % {"name": names.get(decision.agent_id, "?"), "reason": reason}
    else:
        went_to = str(dict(OUTCOMES).get(decision.outcome, decision.outcome))
    by_load = decision.decision is not None and decision.decision["reason"] == "least_busy"
    return Row(
        at=decision.at,
        lead=lead,
        is_mine=lead.agent_id == agent.pk,
        rule=rule,
        why=why,
        margin=_margin_in_words(margin, by_load=by_load) if margin and not got_it else "",
        credit=None if decision.ledger is None else _in_leads(_credit(decision.ledger["entries"], agent.pk)),
        went_to=went_to,
    )


def _credit(entries: dict[str, Any], agent: int) -> int:
    entry = entries.get(str(agent))
    return 0 if entry is None else entry[0]


def _in_leads(credit: int) -> str:
    return f"{credit / U:+.2f}".replace("-", "−") if abs(credit) >= U / 200 else "0"


def _standing_in_words(credit: int) -> str:
    if abs(credit) < U / 200:
        return _("Even: you had your share.")
    if credit > 0:
        return _("You are due %(part).2f of a lead.") % {"part": credit / U}
    return _("You had %(part).2f of a lead more than your share.") % {"part": -credit / U}


def _margin_in_words(margin: int, *, by_load: bool) -> str:
    if by_load:
        return _("You had %(number)d more open.") % {"number": margin}
    return _("%(number).2f of a lead behind.") % {"number": margin / U}
