"""The steps that lie before an unanswered lead, each with its instant: laid when it is decided, kept on the lead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from leads.basis import Basis
from leads.models import Lead, Status
from leads.models.lead import NOT_A_LEAD
from leads.sla.clock import COVERED, instants_after, target_of
from leads.speed.response import first_response
from routing.engine import Outcome
from routing.rulebook import parse_duration

# After an opening that the visitor was told of, for leads about which nothing else is promised.
OPENING_LIMIT = timedelta(hours=1)

# What changes on a lead when its ladder does.
FIELDS = (
    "sla", "clock_from", "respond_by", "ladder", "ladder_at", "breached_at", "acknowledged_at",
)  # fmt: skip


class Act(StrEnum):
    """What a step does. At one instant they are done in this order."""

    REMIND = "remind"
    BREACH = "breach"
    OPENING = "opening"  # the opening that was promised is past by its limit
    PAGE = "page"  # the acknowledgement of whoever is on call is due
    REROUTE = "reroute"
    ESCALATE = "escalate"


_ORDER = {act: place for place, act in enumerate(Act)}
# Counted from when the agent gets the lead, so laid anew when somebody else does.
_OF_THE_AGENT = frozenset({Act.REROUTE, Act.PAGE})


class Step(NamedTuple):
    at: datetime
    act: Act


def steps_of(lead: Lead) -> list[Step]:
    """The steps still to come, in order."""
    return [Step(datetime.fromisoformat(at), Act(act)) for at, act in lead.ladder]


def keep_steps(lead: Lead, steps: Iterable[Step]) -> None:
    """Set in memory what is still to come."""
    ordered = sorted(steps, key=lambda step: (step.at, _ORDER[step.act]))
    lead.ladder = [[step.at.isoformat(), step.act.value] for step in ordered]
    lead.ladder_at = ordered[0].at if ordered else None


def lay(lead: Lead, basis: Basis, *, pages: bool = False) -> None:
    """Lay the ladder of a lead that was decided just now, or given to somebody. Sets columns in memory.

    A promise whose clock runs already is kept; what counts from when an agent gets the lead starts anew. `pages`: the
    agent is on call, so they are to say that they have it.
    """
    if first_response(lead) is not None or lead.status == Status.CLOSED:
        stop(lead)
        return
    at = basis.at
    is_running = lead.sla is not None and lead.clock_from is not None and lead.clock_from <= at
    opening = [step for step in steps_of(lead) if step.act is Act.OPENING]
    if is_running:
        steps = [step for step in steps_of(lead) if step.act not in _OF_THE_AGENT and step.act is not Act.OPENING]
    else:
        _promise(lead, basis)
        steps = _of_the_clock(lead, basis)
    if lead.opens_at is not None and not opening:
        late_at = lead.respond_by if lead.clock_from == lead.opens_at else None
        opening = [Step(late_at or lead.opens_at + OPENING_LIMIT, Act.OPENING)]
    lead.acknowledged_at = None
    steps = [step for step in steps if step.at > at or step.act is not Act.REMIND]
    keep_steps(lead, [*steps, *opening, *_of_the_agent(lead, basis, pages=pages)])


def stop(lead: Lead) -> None:
    """Nothing is due any more: somebody answered, or the lead is closed. Sets columns in memory."""
    lead.ladder_at = None
    lead.breached_at = breach_of(lead)


def resume(lead: Lead, basis: Basis) -> None:
    """Go on where a lead is opened again that nobody has answered. Steps that passed meanwhile are not made up for."""
    lead.ladder = [step for step in lead.ladder if datetime.fromisoformat(step[0]) > basis.at]
    lay(lead, basis)
    lead.breached_at = breach_of(lead, at=basis.at)


def breach_of(lead: Lead, *, at: datetime | None = None) -> datetime | None:
    """The deadline, where it passed without an answer: the one definition of a breach.

    Judged by when the lead was answered or closed; `at` an instant, where it is neither. What was no lead broke no
    promise.
    """
    if lead.respond_by is None or lead.closed_as in NOT_A_LEAD:
        return None
    response = first_response(lead)
    ended_at = lead.closed_at if response is None else response.at
    if ended_at is None:
        return lead.respond_by if at is not None and at >= lead.respond_by else None
    return lead.respond_by if ended_at > lead.respond_by else None


def acknowledge_by(lead: Lead) -> datetime | None:
    """Until when whoever is on call must say that they have the lead; None where nobody must."""
    return next((datetime.fromisoformat(at) for at, act in lead.ladder if act == Act.PAGE), None)


def _promise(lead: Lead, basis: Basis) -> None:
    """Copy what is promised about the lead by the policy now published."""
    lead.sla = lead.clock_from = lead.respond_by = None
    if lead.outcome in (Outcome.QUEUED, Outcome.REJECTED):
        return
    policy = basis.snapshot.policy
    rule = policy.named.get(lead.rule)
    promised = (rule.sla if rule is not None else None) or policy.sla
    if promised is None:
        return
    lead.sla = dict(promised)
    if promised["clock"] == COVERED:
        target = target_of(policy, basis.roster, lead.rule)
        lead.sla["of"] = [target.kind, target.id]
    waits = lead.agent_id is None and lead.opens_at is not None
    lead.clock_from = lead.opens_at if waits else basis.at


def _of_the_clock(lead: Lead, basis: Basis) -> list[Step]:
    sla = lead.sla
    if sla is None or lead.clock_from is None:
        return []
    within = sla.get("respond_within")
    wanted: list[tuple[float, Act]] = [(_reminder(one, within), Act.REMIND) for one in sla.get("remind_at", ())]
    if within is not None:
        wanted.append((within, Act.BREACH))
    if "escalate_after" in sla:
        wanted.append((sla["escalate_after"], Act.ESCALATE))
    instants = instants_after(sla, basis.roster, start=lead.clock_from, seconds=[length for length, _ in wanted])
    if within is not None:
        lead.respond_by = instants[within]
    return [Step(at, act) for length, act in wanted if (at := instants[length]) is not None]


def _of_the_agent(lead: Lead, basis: Basis, *, pages: bool) -> list[Step]:
    if lead.agent_id is None:
        return []
    steps = []
    sla: Mapping[str, Any] = lead.sla or {}
    if "reroute_after" in sla and lead.reroutes < sla["max_reroutes"]:
        after = sla["reroute_after"]
        moved_at = instants_after(sla, basis.roster, start=basis.at, seconds=[after])[after]
        if moved_at is not None:
            steps.append(Step(moved_at, Act.REROUTE))
    if pages:
        steps.append(Step(basis.at + basis.snapshot.policy.acknowledge_within, Act.PAGE))
    return steps


def _reminder(one: int | str, within: float | None) -> float:
    """Seconds from the start: a whole percentage of the promise, or a length such as 2m."""
    if isinstance(one, str):
        return parse_duration(one)
    assert within is not None  # the rulebook asks for it
    return within * one / 100
