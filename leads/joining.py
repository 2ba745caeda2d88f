"""A submission that joins an open lead: no second lead, no second turn."""

from __future__ import annotations

from leads import address_limit
from leads.address_limit import Shown
from leads.arrivals import FORM, complete, request_again, seen_by
from leads.basis import Basis
from leads.models import Event, EventKind, Lead, Trigger
from leads.people import Contact, agent_they_had
from leads.placing import judge, place
from leads.submission import Submission
from routing import engine
from routing.engine import Facts, Outcome, Reason
from routing.facts import facts_to_json


def join(
    lead: Lead,
    submission: Submission,
    facts: Facts,
    basis: Basis,
    *,
    contact: Contact,
    channels: tuple[str, ...],
    shown: Shown | None,
    hold: bool,
) -> str:
    """Add a submission to the lead, which is locked. Returns the channel on which its agent is to be reached, '' for
    none.

    Where it names a channel, the lead's agent answers on that; with no agent yet, or one who is inactive or lacks the
    handle, the lead is decided now, with the new facts. `hold`: whatever it says, nobody is given the lead now.
    """
    said = {"message": submission.message, "channel": submission.channel, "page_url": submission.page_url}
    Event.objects.create(
        workspace_id=lead.workspace_id,
        lead=lead,
        kind=EventKind.JOINED,
        at=basis.at,
        data={name: value for name, value in said.items() if value},
    )
    lead.joined_count += 1
    changed = ["joined_count", *complete(lead, submission=submission, contact=contact)]
    named = submission.channel
    if named is None or _reachable(lead, named, basis.roster):
        lead.save(update_fields=changed)
        return named or lead.reached_on
    if hold or not _decided_anew(lead, named, facts, basis, channels=channels, shown=shown):
        lead.save(update_fields=changed)
        return ""
    return lead.reached_on


def _reachable(lead: Lead, channel: str, roster: engine.Roster) -> bool:
    if lead.agent_id is None or not _is_active(lead, roster):
        return False
    return channel == FORM or channel in roster.spec.agents[lead.agent_id].channels


def _decided_anew(
    lead: Lead, channel: str, facts: Facts, basis: Basis, *, channels: tuple[str, ...], shown: Shown | None
) -> bool:
    """Decide the lead now. False where it stays with its agent, as nobody else could take it."""
    before = request_again(lead, known_agent=agent_they_had(lead.person_id))
    merged = Facts({**before.facts.values, **facts.values}, facts.language or before.facts.language)
    request = before._replace(facts=merged, channels=channels)
    if shown is not None and shown.is_full:
        judgement = address_limit.judge_again(request, basis, shown)
    else:
        judgement = judge(request, basis)
    decision = judgement.decision
    if decision.agent is None and _is_active(lead, basis.roster):
        return False
    lead.channel = channel
    lead.facts = facts_to_json(seen_by(merged, ()))
    if decision.agent is not None and decision.agent == lead.agent_id:
        # Theirs already: the fallback agent, reached on another channel.
        lead.reached_on = decision.channel or ""
        lead.save()
    elif decision.outcome is Outcome.HELD and _waits_as_before(lead, decision):
        lead.save()
    else:
        had_a_turn = lead.decisions.filter(moved_ledger=True).exists()
        place(lead, judgement, trigger=Trigger.JOIN, takes_turn=not had_a_turn)
    return True


def _waits_as_before(lead: Lead, decision: engine.Decision) -> bool:
    """Whether nothing changed but the facts. An offer that stands runs on."""
    target = decision.target
    return (
        lead.outcome == Outcome.HELD
        and target is not None
        and (lead.held_for, lead.held_for_id) == (target.kind, target.id)
        and (lead.reason == Reason.CLAIM) == (decision.reason is Reason.CLAIM)
    )


def _is_active(lead: Lead, roster: engine.Roster) -> bool:
    return lead.agent_id is not None and bool(roster.bit(lead.agent_id) & roster.active)
