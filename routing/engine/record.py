"""What became of each submission of a simulation, in a few dozen bytes each."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from typing import NamedTuple

from routing.engine.decision import Outcome, Reason

NOBODY = 0
NEVER = -1

_OUTCOMES = tuple(Outcome)
_REASONS = tuple(Reason)
_OUTCOME_CODES = {outcome: code for code, outcome in enumerate(_OUTCOMES)}
_REASON_CODES = {reason: code for code, reason in enumerate(_REASONS)}


class Told(NamedTuple):
    """What is said of one submission. `agent` and `assigned` (microseconds since 1970) are None where nobody got it."""

    outcome: Outcome
    agent: int | None
    rule: str | None
    reason: Reason
    assigned: int | None


class Record:
    """Submissions by number, from 0, each told once and told anew when something became of it later."""

    def __init__(self) -> None:
        self._outcomes = bytearray()
        self._reasons = bytearray()
        self._agents = array("q")
        self._rules = array("l")
        self._assigned = array("q")
        self._same_as = array("q")
        self._rule_names: list[str | None] = [None]
        self._rule_codes: dict[str | None, int] = {None: 0}

    def __len__(self) -> int:
        return len(self._outcomes)

    def add(self) -> int:
        """A new submission's number. Nothing is told of it yet."""
        self._outcomes.append(0)
        self._reasons.append(0)
        self._agents.append(NOBODY)
        self._rules.append(0)
        self._assigned.append(NEVER)
        self._same_as.append(NEVER)
        return len(self._outcomes) - 1

    def tell(
        self,
        number: int,
        outcome: Outcome,
        agent: int | None,
        rule: str | None,
        reason: Reason,
        assigned: int = NEVER,
    ) -> None:
        code = self._rule_codes.get(rule)
        if code is None:
            code = self._rule_codes[rule] = len(self._rule_names)
            self._rule_names.append(rule)
        self._outcomes[number] = _OUTCOME_CODES[outcome]
        self._reasons[number] = _REASON_CODES[reason]
        self._agents[number] = agent or NOBODY
        self._rules[number] = code
        self._assigned[number] = assigned

    def join(self, number: int, first: int) -> None:
        """A submission that joined: whatever is told of the other, now or later, is told of it."""
        self._same_as[number] = first

    def agent(self, number: int) -> int:
        """Who has it, `NOBODY` where nobody."""
        return self._agents[number]

    def told(self, number: int) -> Told:
        first = self._same_as[number]
        source = number if first == NEVER else first
        agent, assigned = self._agents[source], self._assigned[source]
        return Told(
            outcome=_OUTCOMES[self._outcomes[source]],
            agent=None if agent == NOBODY else agent,
            rule=self._rule_names[self._rules[source]] if first == NEVER else None,
            reason=_REASONS[self._reasons[source]] if first == NEVER else Reason.JOINED,
            assigned=None if assigned == NEVER else assigned,
        )

    def outcomes(self) -> Mapping[Outcome, int]:
        """How many submissions had each outcome; outcomes that nobody had are left out."""
        counts: dict[Outcome, int] = {}
        for number, first in enumerate(self._same_as):
            outcome = _OUTCOMES[self._outcomes[number if first == NEVER else first]]
            counts[outcome] = counts.get(outcome, 0) + 1
        return {outcome: counts[outcome] for outcome in _OUTCOMES if outcome in counts}
