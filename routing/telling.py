"""A walk of the rules in plain sentences: who gets the lead and why, and for everybody else why not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import formats
from django.utils.translation import gettext as _

from agents import languages, places
from agents.channels import CHANNELS
from routing.engine import Candidate, Pool, U
from routing.engine.asking import FORM
from routing.engine.covered import next_on_shift
from routing.engine.decision import Asked, Outcome, Reason, Verdict
from routing.engine.hours import Kind, local
from routing.engine.loads import IDLE
from routing.engine.walk import RuleTrace
from routing.explaining import THEN_WORDS
from routing.policy_changes import rule_in_words, rule_parts
from routing.rulebook.words import condition_in_words, value_in_words
from routing.trying import Trial

FAILED, PASSED_ON, ACTED, BELOW = "failed", "passed_on", "acted", "below"


@dataclass(frozen=True, slots=True)
class PersonTold:
    """Somebody who was asked, and the sentence about them."""

    id: int
    name: str
    said: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class PoolTold:
    """Whom a rule asked, the chosen ones first, and what followed."""

    on_call: bool
    people: tuple[PersonTold, ...]
    then: str


@dataclass(frozen=True, slots=True)
class StepTold:
    """A rule: what it says, how it went (`state`), the conditions that failed, and whom it asked."""

    number: int
    name: str
    words: str
    state: str
    failures: tuple[str, ...]
    pools: tuple[PoolTold, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """`tone` is good where somebody has it, wait where nobody yet. `outside` asked beside the rules."""

    tone: str
    headline: str
    because: str
    steps: tuple[StepTold, ...]
    outside: tuple[PoolTold, ...]

    @property
    def acted(self) -> StepTold | None:
        return next((step for step in self.steps if step.state == ACTED), None)

    @property
    def asked(self) -> tuple[PoolTold, ...]:
        """Whom the decision was made among: the last who were asked."""
        acted = self.acted
        return self.outside[-1:] or (acted.pools[-1:] if acted else ())

    @property
    def before(self) -> tuple[StepTold, ...]:
        """The rules above the one that acted."""
        return tuple(step for step in self.steps if step.state in (FAILED, PASSED_ON) and not self._is_below(step))

    def _is_below(self, step: StepTold) -> bool:
        acted = self.acted
        return acted is not None and step.number > acted.number


def tell(trial: Trial) -> Told:
    """Everything about a trial in words of the active language, times by the workspace's wall clock."""
    teller = _Teller(trial)
    decision = trial.walked.decision
    return Told(
        tone="good" if decision.agent is not None else "wait",
        headline=teller.headline(),
        because=teller.because(),
        steps=tuple(map(teller.step, trial.walked.rules)),
        outside=tuple(teller.pool(pool) for pool in decision.pools if pool.rule is None),
    )


def why_not(trial: Trial, agent: int) -> list[str]:
    """Why this person did not get the lead (or why they did), a sentence for each place where they could have."""
    teller = _Teller(trial)
    return list(teller.why_not(agent))


class _Teller:
    def __init__(self, trial: Trial) -> None:
        self.trial = trial
        self.decision = trial.walked.decision
        self.specs = trial.roster.spec.agents
        self.documents = {rule["name"]: rule for rule in trial.document["rules"]}
        teams = {f"team:{team.slug}": team.name or team.slug for team in trial.roster.spec.teams.values()}
        people = {f"agent:{agent.slug}": agent.name or agent.slug for agent in self.specs.values()}
        self.names = {**teams, **people}

    def headline(self) -> str:
        decision = self.decision
        if decision.agent is not None:
            who = {"name": self._name(decision.agent)}
            if decision.outcome is Outcome.FALLBACK:
                return _("%(name)s gets it, as the fallback agent") % who
            if decision.channel and decision.channel != FORM:
                return _("%(name)s gets it on %(channel)s") % {**who, "channel": _channel(decision.channel)}
            return _("%(name)s gets it") % who
        if decision.outcome is Outcome.QUEUED:
            return _("It goes to the nurture queue")
        if decision.reason is Reason.CLAIM:
            return _("It is offered, and whoever takes it first has it")
        opens = self._opening(decision.pools[-1]) if decision.pools else None
        if opens is None:
            return _("It is held: nobody is there")
        return _("It is held until %(when)s") % {"when": self._moment(opens)}

    def because(self) -> str:
        decision = self.decision
        if decision.reason is Reason.RETURNING:
            return _("They had this contact before, and are there.")
        if decision.rule is None:
            return _("No rule fits this lead. %(end)s") % {"end": self._end()}
        number = self._number(decision.rule)
        rule = {"number": number, "rule": decision.rule}
        if decision.pools and decision.pools[-1].rule is None:
            return _("Rule %(number)d “%(rule)s” was the last that fits, and found nobody. %(end)s") % {
                **rule,
                "end": self._end(),
            }
        return _("It fits rule %(number)d “%(rule)s”. %(choice)s") % {**rule, "choice": self._choice()}

    def _choice(self) -> str:
        """How the rule that acted came to whom it came to."""
        decision = self.decision
        team = self._target_name(decision.rule)
        pool = decision.pools[-1] if decision.pools else None
        takers = [c for c in pool.candidates if c.verdict in (Verdict.CHOSEN, Verdict.NOT_THEIR_TURN)] if pool else []
        values = {"team": team, "others": len(takers) - 1}
        if decision.outcome is Outcome.FALLBACK:
            if self._names_one(decision.rule):
                return _("%(team)s cannot take it, so it goes to the fallback agent.") % values
            return _("Nobody of %(team)s is there for it, so it goes to the fallback agent.") % values
        if decision.agent is not None and decision.reason is Reason.DIRECT:
            return _("The rule names them, and they are there.")
        if decision.agent is not None and len(takers) == 1:
            return _("Nobody else of %(team)s could take it.") % values
        match decision.reason:
            case Reason.ROUND_ROBIN | Reason.PRIORITY | Reason.ON_CALL:
                return _("It is their turn in %(team)s.") % values
            case Reason.LEAST_BUSY:
                return _("They have the fewest open leads of %(team)s.") % values
            case Reason.CLAIM:
                return _("The rule offers it to everybody of %(team)s who is there.") % values
            case Reason.DIRECT:
                return _("The rule says so.")
        if self._names_one(decision.rule):
            return _("%(team)s cannot take it now.") % values
        return _("Nobody of %(team)s is there for it.") % values

    def _names_one(self, rule: str | None) -> bool:
        """Whether the rule sends leads to one agent."""
        to = self.documents[rule]["route"]["to"] if rule in self.documents else "queue"
        return to != "queue" and "agent" in to

    def _end(self) -> str:
        decision = self.decision
        if decision.agent is None:
            return _("Nobody is on call, and there is no fallback agent: it waits for whoever comes first.")
        if decision.outcome is Outcome.FALLBACK:
            return _("Nobody who is on call can take it, so it goes to the fallback agent.")
        return _("At the end of the list, people on call are asked: it is their turn.")

    def step(self, trace: RuleTrace) -> StepTold:
        decision = self.decision
        if not trace.held:
            state = FAILED
        elif trace.rule == decision.rule and not (decision.pools and decision.pools[-1].rule is None):
            state = ACTED
        elif trace.pools:
            state = PASSED_ON
        else:
            state = BELOW
        document = self.documents.get(trace.rule)
        return StepTold(
            number=trace.position + 1,
            name=trace.rule,
            words=rule_in_words(document, self.names) if document else "",
            state=state,
            failures=tuple(self._failure(failure) for failure in trace.failures),
            pools=tuple(self.pool(pool) for pool in trace.pools),
        )

    def pool(self, pool: Pool) -> PoolTold:
        people = [self._person(candidate, pool) for candidate in pool.candidates]
        # Those who came nearest stand first.
        order = {candidate.agent: _nearness(candidate) for candidate in pool.candidates}
        people.sort(key=lambda person: (order[person.id], person.name))
        return PoolTold(pool.asked is Asked.ON_CALL, tuple(people), str(THEN_WORDS.get(pool.then, pool.then)))

    def why_not(self, agent: int) -> Iterator[str]:
        if agent == self.decision.agent:
            yield _("They got it. %(why)s") % {"why": self.because()}
            return
        asked_outside = [pool for pool in self.decision.pools if pool.rule is None]
        for trace in self.trial.walked.rules:
            number = trace.position + 1
            if not self._may_reach(trace.rule, agent):
                continue
            rule = {"number": number, "rule": trace.rule}
            verdicts = [c for pool in trace.pools for c in pool.candidates if c.agent == agent]
            if trace.failures:
                failure = self._failure(trace.failures[0])
                yield _("Rule %(number)d “%(rule)s” would ask them, but does not hold: %(failure)s.") % {
                    **rule,
                    "failure": failure,
                }
            elif verdicts:
                pool = trace.pools[-1]
                yield _("Rule %(number)d “%(rule)s” asked them: %(said)s.") % {
                    **rule,
                    "said": self._said(verdicts[-1], pool),
                }
            else:
                yield _("Rule %(number)d “%(rule)s” would ask them too, but a rule above it acted.") % rule
        for pool in asked_outside:
            for candidate in pool.candidates:
                if candidate.agent == agent:
                    yield _("Beside the rules they were asked, too: %(said)s.") % {"said": self._said(candidate, pool)}

    def _may_reach(self, rule: str, agent: int) -> bool:
        to = self.documents[rule]["route"]["to"]
        if to == "queue":
            return False
        if "agent" in to:
            return self.trial.roster.slugs.get(to["agent"]) == agent
        team = self.trial.roster.team_slugs.get(to["team"])
        spec = self.trial.roster.spec.teams.get(team or 0)
        return spec is not None and any(member.agent == agent for member in spec.members)

    def _person(self, candidate: Candidate, pool: Pool) -> PersonTold:
        is_chosen = candidate.verdict in (Verdict.CHOSEN, Verdict.OFFERED)
        return PersonTold(candidate.agent, self._name(candidate.agent), self._said(candidate, pool), is_chosen)

    def _said(self, candidate: Candidate, pool: Pool) -> str:
        facts = self.trial.walked.facts.values
        match candidate.verdict:
            case Verdict.CHOSEN:
                return _("gets it")
            case Verdict.OFFERED:
                return _("it is offered to them")
            case Verdict.INACTIVE:
                return _("is not active")
            case Verdict.PAUSED:
                return _("has paused")
            case Verdict.TIME_OFF:
                return self._away(candidate, _("time off"), pool)
            case Verdict.HOLIDAY:
                return self._away(candidate, _("holiday"), pool)
            case Verdict.OFF_SHIFT:
                return self._away(candidate, _("not on call") if pool.asked is Asked.ON_CALL else _("off shift"), pool)
            case Verdict.AT_CAP:
                return self._at_cap(candidate.agent)
            case Verdict.LANGUAGE:
                return (
                    _("does not speak %(language)s") % {"language": languages.language_name(str(facts["language"]))}
                    if ("language" in facts)
                    else _("the lead's language is unknown")
                )
            case Verdict.CHANNEL:
                channel = str(facts.get("channel") or "")
                return _("has no %(channel)s") % {"channel": _channel(channel)} if channel else _("has not the channel")
            case Verdict.TERRITORY:
                place = facts.get("region") or facts.get("country")
                return (
                    _("is not for %(place)s") % {"place": places.territory_name(str(place))}
                    if place
                    else _("is only for some countries, and the lead's is unknown")
                )
            case Verdict.TAGS:
                return _("has not the tag that the rule asks for")
            case Verdict.ALREADY_TRIED:
                return _("had it already")
            case Verdict.NOT_PREFERRED:
                return _("somebody else fits better")
            case Verdict.LOWER_TIER:
                return _("is in a later tier")
            case Verdict.WEIGHT_ZERO:
                return _("takes no turns (weight 0)")
            case Verdict.NOT_THEIR_TURN:
                return self._margin(candidate.margin)
        return str(candidate.verdict)

    def _margin(self, margin: int | None) -> str:
        if self.decision.turn is None:
            return _("%(number)d more open leads") % {"number": margin or 0} if margin else _("got one more lately")
        leads = (margin or 0) / U
        if leads < 0.005:
            return _("level in turns, after them")
        return _("%(number)s leads behind in turns") % {"number": formats.number_format(round(leads, 2), decimal_pos=2)}

    def _away(self, candidate: Candidate, what: str, pool: Pool) -> str:
        kind = Kind.ON_CALL if pool.asked is Asked.ON_CALL else Kind.REGULAR
        spec = self.specs[candidate.agent]
        if not any(shift.kind is kind for shift in spec.shifts):
            return _("is never on call") if kind is Kind.ON_CALL else _("has no shifts")
        opens = next_on_shift(self.trial.roster.schedule(candidate.agent), at=self.trial.at, kind=kind)
        if opens is None:
            return what
        return _("%(what)s until %(when)s") % {"what": what, "when": self._moment(opens)}

    def _at_cap(self, agent: int) -> str:
        spec, load = self.specs[agent], self.trial.loads.get(agent, IDLE)
        keys = self.trial.roster.period_keys(agent, self.trial.at)
        counts = (
            (spec.caps.open, load.open, _("has %(count)d of %(most)d open leads")),
            (spec.caps.hour, load.hour if load.hour_key == keys.hour else 0, _("had %(count)d of %(most)d this hour")),
            (spec.caps.day, load.day if load.day_key == keys.day else 0, _("had %(count)d of %(most)d today")),
            (spec.caps.week, load.week if load.week_key == keys.week else 0, _("had %(count)d of %(most)d this week")),
        )
        for most, count, sentence in counts:
            if most is not None and count >= most:
                return sentence % {"count": count, "most": most}
        return _("is at a cap")

    def _failure(self, failure: Any) -> str:
        condition = failure.condition
        value = list(condition.value) if isinstance(condition.value, tuple) else condition.value
        words = condition_in_words({"field": condition.field, "op": condition.op, "value": value})
        if failure.seen is None:
            return _("%(condition)s, but that is unknown") % {"condition": words}
        if isinstance(failure.seen, bool):
            return _("%(condition)s: it is not so") % {"condition": words}
        return _("%(condition)s, but it is %(seen)s") % {
            "condition": words,
            "seen": value_in_words(condition.field, failure.seen),
        }

    def _opening(self, pool: Pool) -> datetime | None:
        """When the first of those who could then take it is there."""
        moments = [
            opens
            for candidate in pool.candidates
            if candidate.verdict in (Verdict.OFF_SHIFT, Verdict.TIME_OFF, Verdict.HOLIDAY)
            and (
                opens := next_on_shift(self.trial.roster.schedule(candidate.agent), at=self.trial.at, kind=Kind.REGULAR)
            )
        ]
        return min(moments, default=None)

    def _moment(self, at: datetime) -> str:
        """`09:00` today, else with the weekday within a week, else with the date."""
        zone = self.trial.roster.spec.zone
        wall, now = local(at, zone), local(self.trial.at, zone)
        time = formats.date_format(wall, "H:i")
        days = (wall.date() - now.date()).days
        if days == 0:
            return time
        return f"{formats.date_format(wall, 'l' if days < 7 else 'j F')} {time}"

    def _number(self, rule: str) -> int:
        return next((trace.position + 1 for trace in self.trial.walked.rules if trace.rule == rule), 0)

    def _target_name(self, rule: str | None) -> str:
        """The team (or agent) of a rule, as its sentence names them."""
        document = self.documents.get(rule or "")
        return rule_parts(document, self.names).target if document else ""

    def _name(self, agent: int) -> str:
        spec = self.specs[agent]
        return spec.name or spec.slug


def _nearness(candidate: Candidate) -> tuple[int, int]:
    """The chosen one, then by how far behind they were, then those who fell out last."""
    order = list(Verdict)[::-1]
    if candidate.verdict in (Verdict.CHOSEN, Verdict.OFFERED):
        return -1, 0
    return order.index(candidate.verdict), candidate.margin or 0


def _channel(channel: str) -> str:
    return str(CHANNELS[channel].label) if channel in CHANNELS else channel
