"""What a decision says: who gets the lead, and everything it takes to say why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from routing.engine.ledger import Turn


class Outcome(StrEnum):
    """Where an accepted lead ends. Every lead has exactly one."""

    ASSIGNED = "assigned"
    FALLBACK = "fallback"
    HELD = "held"
    QUEUED = "queued"
    REJECTED = "rejected"


class Reason(StrEnum):
    """How the outcome came about."""

    ROUND_ROBIN = "round_robin"
    LEAST_BUSY = "least_busy"
    PRIORITY = "priority"
    CLAIM = "claim"
    DIRECT = "direct"
    RETURNING = "returning"
    ON_CALL = "on_call"
    FALLBACK = "fallback"
    JOINED = "joined"
    SHIFT_STARTED = "shift_started"
    CAP_FREED = "cap_freed"
    NOBODY = "nobody"
    ADDRESS_LIMIT = "address_limit"


class Verdict(StrEnum):
    """The first reason, in this order, why a candidate did not get the lead; or that it did."""

    INACTIVE = "inactive"
    PAUSED = "paused"
    TIME_OFF = "time_off"
    HOLIDAY = "holiday"
    OFF_SHIFT = "off_shift"
    AT_CAP = "at_cap"
    LANGUAGE = "language"
    CHANNEL = "channel"
    TERRITORY = "territory"
    TAGS = "tags"
    ALREADY_TRIED = "already_tried"
    NOT_PREFERRED = "not_preferred"
    LOWER_TIER = "lower_tier"
    WEIGHT_ZERO = "weight_zero"
    NOT_THEIR_TURN = "not_their_turn"
    OFFERED = "offered"
    CHOSEN = "chosen"


class Asked(StrEnum):
    """Which people of a rule's target were asked."""

    REGULAR = "regular"
    ON_CALL = "on_call"


class Candidate(NamedTuple):  # a tuple: a decision makes one for everybody it asked
    """One person who was looked at.

    `margin` is how far behind the chosen one the candidate is: in ledger credits (`ledger.U` = one lead)
    where turns decided, in open leads for `least_busy`; None where there was nothing to compare.
    """

    agent: int
    verdict: Verdict
    margin: int | None = None


class Pool(NamedTuple):
    """The people one matching rule asked, and what followed. `rule` None: the end of the list.

    `then` is the outcome where this pool ended the walk, else what was tried next (`next_rule`, `on_call`, `fallback`).
    """

    rule: str | None
    asked: Asked
    candidates: tuple[Candidate, ...]
    then: str


@dataclass(frozen=True, slots=True)
class Target:
    """What a held lead waits for: somebody of a team, one agent, or (at the end of the list) anybody."""

    kind: str
    id: int

    TEAM = "team"
    AGENT = "agent"
    WORKSPACE = "workspace"


ANYBODY = Target(Target.WORKSPACE, 0)


class Decision(NamedTuple):
    """Who gets the lead, and what it takes to say why.

    `rule` is the name of the rule that matched last. `ledger` is the team whose ledger `turn` moves (0: the
    workspace's on-call ledger). `target` says what a held lead waits for. `channel` is the channel on which the
    agent is reached, None where they have no handle for any that the visitor could use.
    """

    outcome: Outcome
    agent: int | None
    rule: str | None
    reason: Reason
    channel: str | None = None
    pools: tuple[Pool, ...] = ()
    turn: Turn | None = None
    ledger: int | None = None
    target: Target | None = None
    score: int | None = None
    intent: str | None = None

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """The candidates of every rule that matched, in the order they were asked."""
        return tuple(candidate for pool in self.pools for candidate in pool.candidates)
