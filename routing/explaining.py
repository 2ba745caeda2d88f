"""Why a lead went where it went: a full walk of the rules, as plain data and as text.

The walk is recomputed from what a decision was reached with (or from what a lead that does not exist would bring), by
the slow and obvious way of `routing.engine.walk`, which reaches the same decision.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agents.models import Workspace
from routing.engine import ON_CALL_LEDGER, Candidate, Decision, Ledger, Pool, Roster, Target, Turn, U
from routing.engine.conditions import Failure
from routing.engine.walk import RuleTrace, Walk
from routing.publishing import version_document
from routing.rulebook.words import condition_in_words
from routing.trying import request_of, try_lead

Document = dict[str, Any]

VERDICT_WORDS: Mapping[str, Any] = {
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
THEN_WORDS: Mapping[str, Any] = {
    "next_rule": gettext_lazy("nobody there: on to the next rule"),
    "on_call": gettext_lazy("nobody there: people on call were asked"),
    "fallback": gettext_lazy("nobody there: the fallback agent"),
    "assigned": gettext_lazy("assigned"),
    "held": gettext_lazy("held until somebody is there"),
    "queued": gettext_lazy("put into the nurture queue"),
}
REASON_WORDS: Mapping[str, Any] = {
    "round_robin": gettext_lazy("their turn"),
    "least_busy": gettext_lazy("the least busy"),
    "priority": gettext_lazy("their turn in the first tier that is there"),
    "claim": gettext_lazy("offered to whoever takes it first"),
    "direct": gettext_lazy("the rule says so"),
    "returning": gettext_lazy("the agent they had before"),
    "on_call": gettext_lazy("on call"),
    "fallback": gettext_lazy("the fallback agent"),
    "joined": gettext_lazy("joined a lead that was open"),
    "shift_started": gettext_lazy("a shift started"),
    "cap_freed": gettext_lazy("a cap was freed"),
    "nobody": gettext_lazy("nobody was there"),
    "address_limit": gettext_lazy("the agent this address was shown last"),
}


def explanation(
    walked: Walk,
    roster: Roster,
    *,
    ledgers: Mapping[int, Ledger],
    at: datetime,
    policy_version: int,
    roster_version: int,
) -> Document:
    """A walk as JSON: every rule with the first condition that failed and the value seen, everybody asked with their
    reason, and the ledger before and after. Agents and teams by slug. `behind` says how far behind the chosen one
    somebody is: in leads due where turns decided, in open leads where those did."""
    decision = walked.decision
    # What margins are counted in: credits where turns decided, open leads where those did.
    unit = 1 if decision.turn is None else U
    return {
        "at": at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "policy_version": policy_version,
        "roster_version": roster_version,
        "outcome": decision.outcome.value,
        "reason": decision.reason.value,
        "agent": _agent(roster, decision.agent),
        "channel": decision.channel,
        "rule": decision.rule,
        "waits_for": _target(roster, decision.target),
        "facts": {name: walked.facts.values[name] for name in sorted(walked.facts.values)},
        "rules": [_rule(trace, roster, unit) for trace in walked.rules],
        "outside_the_rules": [_pool(pool, roster, unit) for pool in decision.pools if pool.rule is None],
        "turn": _turn(decision, roster, ledgers),
    }


def explain_facts(workspace: Workspace, values: Mapping[str, Any], *, at: datetime) -> Document:
    """What would become, at an instant, of a lead that does not exist. Reads today's ledgers and loads; writes nothing.

    `values` are what `routing.facts.build_facts` takes; without a language, the workspace's first.
    """
    document = version_document(workspace.pk, workspace.policy_version)
    trial = try_lead(workspace, document, request_of(values, workspace), at=at)
    return explanation(
        trial.walked,
        trial.roster,
        ledgers=trial.ledgers,
        at=at,
        policy_version=workspace.policy_version,
        roster_version=workspace.roster_version,
    )


def in_text(explained: Document) -> str:
    """The same for people, line by line."""
    return "\n".join(_lines(explained))


def reason_in_words(reason: str) -> str:
    return str(REASON_WORDS.get(reason, reason))


def _rule(trace: RuleTrace, roster: Roster, unit: int) -> Document:
    return {
        "name": trace.rule,
        "position": trace.position,
        "holds": trace.held,
        "failures": [_failure(failure) for failure in trace.failures],
        "asked": [_pool(pool, roster, unit) for pool in trace.pools],
    }


def _failure(failure: Failure) -> Document:
    condition = failure.condition
    value = list(condition.value) if isinstance(condition.value, tuple) else condition.value
    document = {"field": condition.field, "op": condition.op, "value": value}
    seen = _("unknown") if failure.seen is None else f"“{failure.seen}”"
    text = _("%(condition)s: it was %(seen)s") % {"condition": condition_in_words(document), "seen": seen}
    return {"group": failure.group, **document, "seen": failure.seen, "text": text}


def _pool(pool: Pool, roster: Roster, unit: int) -> Document:
    return {
        "asked": pool.asked.value,
        "then": pool.then,
        "then_text": str(THEN_WORDS.get(pool.then, pool.then)),
        "candidates": [_candidate(candidate, roster, unit) for candidate in pool.candidates],
    }


def _candidate(candidate: Candidate, roster: Roster, unit: int) -> Document:
    spec = roster.spec.agents[candidate.agent]
    verdict = candidate.verdict.value
    return {
        "agent": spec.slug,
        "name": spec.name,
        "reason": verdict,
        "text": str(VERDICT_WORDS.get(verdict, verdict)),
        "behind": None if candidate.margin is None else round(candidate.margin / unit, 4),
    }


def _agent(roster: Roster, agent: int | None) -> Document | None:
    if agent is None:
        return None
    spec = roster.spec.agents[agent]
    return {"slug": spec.slug, "name": spec.name}


def _target(roster: Roster, target: Target | None) -> Document | None:
    if target is None:
        return None
    if target.kind == Target.TEAM:
        return {"kind": target.kind, "slug": roster.spec.teams[target.id].slug}
    if target.kind == Target.AGENT:
        return {"kind": target.kind, "slug": roster.spec.agents[target.id].slug}
    return {"kind": target.kind, "slug": None}


def _turn(decision: Decision, roster: Roster, ledgers: Mapping[int, Ledger]) -> Document | None:
    turn: Turn | None = decision.turn
    if turn is None or decision.ledger is None:
        return None
    before = ledgers.get(decision.ledger, Ledger())
    after = before.after(turn)
    team = roster.spec.teams.get(decision.ledger)
    return {
        "ledger": "on_call" if decision.ledger == ON_CALL_LEDGER or team is None else f"team:{team.slug}",
        "number": turn.number,
        "chosen": roster.spec.agents[turn.chosen].slug,
        "members": [
            {
                "agent": roster.spec.agents[agent].slug,
                "before": _leads(before.of(agent).credit),
                "given": _leads(share),
                "after": _leads(after.of(agent).credit),
            }
            for agent, share in turn.given
        ],
    }


def _leads(credit: int) -> float:
    return round(credit / U, 4)


def _lines(explained: Document) -> Iterator[str]:
    who = explained["agent"]["name"] if explained["agent"] else _("nobody yet")
    yield _("%(outcome)s: %(who)s (%(why)s)") % {
        "outcome": explained["outcome"],
        "who": who,
        "why": reason_in_words(explained["reason"]),
    }
    yield _("rule: %(rule)s") % {"rule": explained["rule"] or "-"}
    yield _("at: %(at)s, policy version %(policy)s, roster version %(roster)s") % {
        "at": explained["at"],
        "policy": explained["policy_version"],
        "roster": explained["roster_version"],
    }
    if explained["facts"]:
        yield ""
        yield _("What was known:")
        for name, value in explained["facts"].items():
            text = " ".join(str(value).split())
            yield f"  {name}: {text if len(text) <= 100 else text[:99] + '…'}"
    yield ""
    yield _("Rules, in order:")
    for rule in explained["rules"]:
        yield from _rule_lines(rule, explained)
    for pool in explained["outside_the_rules"]:
        yield "  " + _("outside the rules:")
        yield from _pool_lines(pool)
    if explained["turn"]:
        yield ""
        yield from _turn_lines(explained["turn"])


def _rule_lines(rule: Document, explained: Document) -> Iterator[str]:
    number = rule["position"] + 1
    if rule["failures"]:
        yield f"  {number}. {rule['name']}: " + _("does not hold")
        for failure in rule["failures"]:
            yield f"       {failure['text']}"
    elif rule["asked"] or rule["name"] == explained["rule"]:
        yield f"  {number}. {rule['name']}: " + _("holds")
        for pool in rule["asked"]:
            yield from _pool_lines(pool)
    else:
        yield f"  {number}. {rule['name']}: " + _("holds, but was not reached")


def _pool_lines(pool: Document) -> Iterator[str]:
    if pool["asked"] == "on_call":
        yield "       " + _("asked on call:")
    for candidate in pool["candidates"]:
        behind = ""
        if candidate["behind"] is not None and candidate["reason"] != "chosen":
            behind = " " + _("(%(number)g behind)") % {"number": candidate["behind"]}
        yield f"       {candidate['name'] or candidate['agent']}: {candidate['text']}{behind}"
    yield f"       → {pool['then_text']}"


def _turn_lines(turn: Document) -> Iterator[str]:
    yield _("Turn %(number)s of the ledger %(ledger)s, in leads due:") % turn
    for member in turn["members"]:
        yield f"  {member['agent']}: {member['before']:+.4f} {member['given']:+.4f} → {member['after']:+.4f}"
