"""Why a stored lead is where it is: its latest decision, reached again from what was stored with it."""

from __future__ import annotations

from typing import Any

from agents.models import Workspace
from leads import selectors
from leads.models import Decision, Lead
from leads.records import inputs_of
from routing.engine.walk import walk
from routing.explaining import explanation, reason_in_words
from routing.publishing import version_document
from routing.snapshots import snapshot, snapshot_at
from routing.trying import Trial


def explain_lead(lead: Lead) -> dict[str, Any]:
    """The explanation of the lead's latest decision, as `routing.explaining.explanation` has it, with the lead's own
    `outcome` and `reason`. Where a person decided, or routing had failed, there are no rules to walk: `rules` is null.
    """
    decision = selectors.latest_decision(lead)
    explained = None if decision is None else explain_decision(decision)
    if explained is None:
        agent = lead.agent
        explained = {
            "at": None if decision is None else decision.at.isoformat().replace("+00:00", "Z"),
            "policy_version": None if decision is None else decision.policy_version,
            "roster_version": None if decision is None else decision.roster_version,
            "agent": None if agent is None else {"slug": agent.slug, "name": agent.name},
            "channel": lead.reached_on or None,
            "rule": lead.rule or None,
            "waits_for": None,
            "facts": {},
            "rules": None,
            "outside_the_rules": [],
            "turn": None,
        }
    reason = decision.reason if decision is not None else lead.reason
    return {
        "lead": str(lead.pk),
        **explained,
        "outcome": decision.outcome if decision is not None else lead.outcome,
        # A release says why it came now; the rule's own strategy stands in the walk.
        "reason": reason,
        "reason_text": reason_in_words(reason),
        "trigger": None if decision is None else decision.trigger,
        "given_back": (decision.given_back or None) if decision is not None else None,
    }


def trial_of(decision: Decision) -> Trial | None:
    """One stored decision, reached again from what was stored with it; None where no engine decided."""
    inputs = inputs_of(decision)
    if inputs is None:
        return None
    versions = {"policy_version": decision.policy_version, "roster_version": decision.roster_version}
    now = Workspace.objects.values("policy_version", "roster_version").get(pk=decision.workspace_id)
    # What is as it was then is kept compiled; what changed since is compiled from its history.
    look_up = snapshot if now == versions else snapshot_at
    taken = look_up(workspace_id=decision.workspace_id, **versions)
    return Trial(
        walked=walk(inputs.request, taken, inputs.loads, inputs.ledgers, decision.at),
        document=version_document(decision.workspace_id, decision.policy_version),
        roster=taken.roster,
        loads=inputs.loads,
        ledgers=inputs.ledgers,
        at=decision.at,
    )


def explain_decision(decision: Decision) -> dict[str, Any] | None:
    """The full walk of one stored decision; None where no engine decided."""
    trial = trial_of(decision)
    if trial is None:
        return None
    return explanation(
        trial.walked,
        trial.roster,
        ledgers=trial.ledgers,
        at=decision.at,
        policy_version=decision.policy_version,
        roster_version=decision.roster_version,
    )
