"""The due-share ledger: whose turn it is.

For each lead decided by turn, every taker is given its share of one lead by weight, and the chosen one pays
what was given out; so credits sum to zero, always. Only takers are given anything: nobody is flooded on return,
nobody's turn is lost, a newcomer starts at zero. For an unchanged set of takers the choice is Tijdeman's
chairman assignment (R. Tijdeman, "The chairman assignment problem", Discrete Mathematics 32 (1980) 323-330): at
every prefix everybody is less than one lead from the exact share. For changing sets no rule has a constant bound:
it is the carpool problem (R. Fagin, J. H. Williams, "A fair carpool scheduling algorithm", IBM J. Res. Dev. 27
(1983) 133-139; M. Ajtai et al., "Fairness in scheduling", SODA 1995).

Credits are integers; `U` is one lead. Nothing here is a float.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

U = 1 << 40


class Entry(NamedTuple):
    """One member's standing: credit, the number of the ledger's turn they last took (0: none), and what
    `catch_up` still owes them. Credit and owed in units of `U` = one lead."""

    credit: int = 0
    last_turn: int = 0
    owed: int = 0


NEWCOMER = Entry()


class Turn(NamedTuple):  # a tuple: each lead makes one
    """One lead's whole entry in the ledger: what it gave each taker, and what the chosen one paid.

    `owed` holds the changes of the catch-up count: what absent members missed (positive) and what returned
    members were given above their share (negative). `number` counts the ledger's turns from 1.
    """

    chosen: int
    given: tuple[tuple[int, int], ...]
    paid: int
    number: int
    owed: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Ledger:
    """A team's turns. Whoever has no entry starts at zero; entries of leavers stay, so that the sum stays zero."""

    entries: Mapping[int, Entry] = field(default_factory=dict)
    turns: int = 0

    def of(self, agent: int) -> Entry:
        """The agent's standing."""
        return self.entries.get(agent, NEWCOMER)

    def after(self, turn: Turn) -> Ledger:
        """The ledger once this turn is taken."""
        entries = dict(self.entries)
        for agent, share in turn.given:
            credit, last_turn, owed = entries.get(agent, NEWCOMER)
            entries[agent] = Entry(credit + share, last_turn, owed)
        credit, _, owed = entries.get(turn.chosen, NEWCOMER)
        entries[turn.chosen] = Entry(credit - turn.paid, turn.number, owed)
        for agent, change in turn.owed:
            credit, last_turn, owed = entries.get(agent, NEWCOMER)
            entries[agent] = Entry(credit, last_turn, owed + change)
        return Ledger(entries, turn.number)

    def giving_back(self, turn: Turn) -> Ledger | None:
        """The ledger with that turn's whole entry undone.

        None where the chosen agent's credit would then exceed one lead: a night of leads given back
        would otherwise flood one agent in the morning.
        """
        given = dict(turn.given)
        if self.of(turn.chosen).credit + turn.paid - given.get(turn.chosen, 0) > U:
            return None
        entries = dict(self.entries)
        for agent, share in turn.given:
            credit, last_turn, owed = entries.get(agent, NEWCOMER)
            entries[agent] = Entry(credit - share, last_turn, owed)
        credit, last_turn, owed = entries.get(turn.chosen, NEWCOMER)
        entries[turn.chosen] = Entry(credit + turn.paid, last_turn, owed)
        for agent, change in turn.owed:
            credit, last_turn, owed = entries.get(agent, NEWCOMER)
            entries[agent] = Entry(credit, last_turn, max(0, owed - change))
        return Ledger(entries, self.turns)


EVEN = Ledger()


def take_turn(
    ledger: Ledger, takers: Sequence[tuple[int, int]], *, away: Sequence[tuple[int, int]] = (), catch_up: int = 0
) -> Turn:
    """Choose whose turn it is among the takers, and say what the ledger gives and takes for it.

    `takers` are (agent, weight) pairs, at least one, weights above zero, in any order: the choice is the same.
    `away` are the (agent, weight) pairs of members whom only a pause or time off keeps from taking; with a
    `catch_up` of K leads their missed share is counted, up to K, and from their return their weight counts
    double until that much extra has been due.
    """
    owed: list[tuple[int, int]] = []
    if catch_up:
        takers, owed = _caught_up(ledger, takers, away, catch_up * U)
    number = ledger.turns + 1
    total = sum([weight for _, weight in takers])
    if total == len(takers):  # the weights are all 1
        share = U // total
        given = tuple([(agent, share) for agent, _ in takers])
        return Turn(_first_in_line(ledger, takers), given, share * total, number, tuple(owed))
    given = tuple([(agent, weight * U // total) for agent, weight in takers])
    paid = sum([share for _, share in given])
    return Turn(_choose(ledger, takers, given), given, paid, number, tuple(owed))


def _caught_up(
    ledger: Ledger, takers: Sequence[tuple[int, int]], away: Sequence[tuple[int, int]], most: int
) -> tuple[Sequence[tuple[int, int]], list[tuple[int, int]]]:
    total = sum(weight for _, weight in takers)
    owed = []
    for agent, weight in away:
        missed = min(weight * U // (total + weight), most - ledger.of(agent).owed)
        if missed > 0:
            owed.append((agent, missed))
    doubled = [(agent, 2 * weight if ledger.of(agent).owed > 0 else weight) for agent, weight in takers]
    raised = sum(weight for _, weight in doubled)
    if raised == total or len(takers) == 1:
        return takers, owed
    for (agent, weight), (_, counted) in zip(takers, doubled, strict=True):
        if counted > weight:
            extra = counted * U // raised - weight * U // total
            owed.append((agent, -min(extra, ledger.of(agent).owed)))
    return doubled, owed


def _first_in_line(ledger: Ledger, takers: Sequence[tuple[int, int]]) -> int:
    """Whom `_choose` chooses among equal weights: the share is the same, so that whoever has most credit may take a
    turn if anybody may, and has the earliest deadline."""
    entry_of = ledger.entries.get
    return min([(-(entry := entry_of(agent, NEWCOMER))[0], entry[1], agent) for agent, _ in takers])[2]


def _choose(ledger: Ledger, takers: Sequence[tuple[int, int]], given: Sequence[tuple[int, int]]) -> int:
    if len(takers) == 1:
        return takers[0][0]
    m = 2 * len(takers) - 2
    entries = ledger.entries
    may: list[tuple[int, int, int, int]] = []
    rest: list[tuple[int, int, int, int]] = []
    for (agent, weight), (_, share) in zip(takers, given, strict=True):
        credit, last_turn, _ = entries.get(agent, NEWCOMER)
        credit += share
        if m * credit >= U:
            may.append(((m - 1) * U - m * credit, weight, last_turn, agent))
        elif not may:
            rest.append((-credit, -weight, last_turn, agent))
    if not may:
        return min(rest)[3]
    best = may[0]
    for other in may[1:]:
        # deadlines slack/weight, compared by cross-multiplication
        mine, theirs = other[0] * best[1], best[0] * other[1]
        if mine < theirs or (mine == theirs and (-other[1], *other[2:]) < (-best[1], *best[2:])):
            best = other
    return best[3]
