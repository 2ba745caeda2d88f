"""Choosing: who of those who can take a lead gets it, by the strategy of the rule that asked them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from routing.engine.asking import ANY, NO_MARGINS, Answer, Wanted
from routing.engine.decision import Decision, Outcome, Pool, Reason, Target, Verdict
from routing.engine.ledger import Ledger, Turn, next_turn
from routing.engine.loads import IDLE, Load
from routing.engine.roster import Crew

if TYPE_CHECKING:
    from routing.engine.decide import Match


@dataclass(slots=True)
class Shortlist:
    """Who can take the lead: the takers of the first rule that has any. `decided` where nothing is left to choose.

    `ledger` is the team whose ledger the choice needs, `ON_CALL_LEDGER`, or None where no turn is taken.
    """

    match: Match
    loads: Mapping[int, Load]
    pools: Sequence[Pool]
    rule: str | None
    answer: Answer | None = None
    crew: Crew | None = None
    wanted: Wanted = ANY
    by: Reason = Reason.DIRECT
    ledger: int | None = None
    decided: Decision | None = None
    by_rule: bool = True  # not at the end of the list

    @property
    def found(self) -> tuple[Any, ...]:
        """What was found, as the arguments after `pools`."""
        return self.rule, self.answer, self.crew, self.wanted, self.by, self.ledger, self.decided, self.by_rule

    @property
    def team(self) -> int | None:
        """The team whose people can take the lead, None where it is no team's."""
        return None if self.crew is None else self.crew.ledger or None

    @property
    def takers(self) -> Sequence[int]:
        """The agents to choose among, by id."""
        return () if self.answer is None or self.crew is None else self.crew.crowd.members(self.answer.takers)

    def decide(self, ledger: Ledger) -> Decision:
        """Choose among the takers. `ledger` is read only where `self.ledger` names one."""
        if self.answer is None or self.crew is None:
            assert self.decided is not None
            return self.decided
        if self.ledger is not None:
            return self._by_turn(self.answer, self.crew, ledger, self.ledger)
        if self.by is Reason.CLAIM:
            return self._offered(self.answer, self.crew)
        if self.by is Reason.LEAST_BUSY:
            return self._least_busy(self.answer, sorted(self.takers))
        return self._given(self.answer, min(self.takers), 0)

    def _by_turn(self, answer: Answer, crew: Crew, ledger: Ledger, of: int) -> Decision:
        shares = crew.shares(answer.takers)
        if crew.catch_up:
            turn, place, standings = next_turn(ledger, shares, self._kept_away(answer, crew), crew.catch_up)
        else:
            turn, place, standings = next_turn(ledger, shares)
        best = standings[place]
        margins = [best - standing for standing in standings] if self.match.reasons else NO_MARGINS
        return self._given(answer, turn.chosen, place, margins, turn, of)

    def _kept_away(self, answer: Answer, crew: Crew) -> Sequence[tuple[int, int]]:
        """Members whom nothing but a pause or time off keeps from being takers, with their weights."""
        absent = answer.failing_by(Verdict.PAUSED) | answer.failing_by(Verdict.TIME_OFF)
        if not absent:
            return ()
        if_back = self.match.ask(crew, self.wanted, answer.asked, self.loads, pardoning_absence=True)
        kept_away = if_back.takers & absent
        return crew.shares(kept_away).takers if kept_away else ()

    def _least_busy(self, answer: Answer, takers: Sequence[int]) -> Decision:
        agents = self.match.snapshot.roster.spec.agents
        loads = {agent: self.loads.get(agent, IDLE) for agent in takers}
        caps = {agent: agents[agent].caps.open for agent in takers}
        chosen = least_busy(loads, caps)
        margins = [loads[agent].open - loads[chosen].open for agent in takers]
        return self._given(answer, chosen, takers.index(chosen), margins)

    def _offered(self, answer: Answer, crew: Crew) -> Decision:
        assert crew.ledger is not None
        pools = [*self.pools]
        if self.match.reasons:
            pools.append(Pool(self.rule, answer.asked, answer.candidates(Verdict.OFFERED), Outcome.HELD.value))
        target = Target(Target.TEAM, crew.ledger)
        return self.match.decision(Outcome.HELD, None, self.rule, Reason.CLAIM, pools, target)

    def _given(
        self,
        answer: Answer,
        agent: int,
        place: int,
        margins: Iterable[int | None] = NO_MARGINS,
        turn: Turn | None = None,
        ledger: int | None = None,
    ) -> Decision:
        """The decision for an agent, who has this place among the takers; `margins` in the order of these."""
        pools = self.pools
        if self.match.reasons:
            candidates = answer.candidates(Verdict.NOT_THEIR_TURN, place, margins)
            pools = [*pools, Pool(self.rule if self.by_rule else None, answer.asked, candidates, _ASSIGNED)]
        return self.match.decision(Outcome.ASSIGNED, agent, self.rule, self.by, pools, None, turn, ledger)


def least_busy(loads: Mapping[int, Load], caps: Mapping[int, int | None]) -> int:
    """The agent with the fewest open leads relative to their open cap (plain counts if anybody has none); then the
    longest since the last assignment of any kind; then the lowest id."""
    relative = all(caps[agent] for agent in loads)

    def busy(agent: int) -> tuple[Fraction, bool, float, int]:
        load, cap = loads[agent], caps[agent]
        last = load.last_assigned_at
        share = Fraction(load.open, cap) if relative and cap else Fraction(load.open)
        return share, last is not None, last.timestamp() if last else 0.0, agent

    return min(loads, key=busy)


_ASSIGNED = Outcome.ASSIGNED.value
