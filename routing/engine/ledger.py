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

from collections.abc import Iterable, Mapping, Sequence
from math import lcm
from types import MappingProxyType
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


class Ledger(NamedTuple):
    """A team's turns. Whoever has no entry starts at zero; entries of leavers stay, so that the sum stays zero."""

    entries: Mapping[int, Entry] = MappingProxyType({})
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


class Shares(NamedTuple):
    """What one lead gives each of some takers by weight, and what follows from the weights alone: the same for every
    lead that they can take.

    Takers are in the order of their ids. `even`: their weights are equal. Whoever stands at `least` may take a turn,
    and what they lack of `latest`, `pace` times, is their deadline (`_first_due`).
    """

    takers: tuple[tuple[int, int], ...]  # (agent, weight)
    agents: tuple[int, ...]
    shares: tuple[int, ...]
    given: tuple[tuple[int, int], ...]  # (agent, share)
    paid: int
    even: bool
    times: int
    least: int
    latest: int
    paces: tuple[int, ...]


def shares_of(takers: Iterable[tuple[int, int]]) -> Shares:
    """The shares of (agent, weight) pairs, at least one, weights above zero, in any order."""
    ranked = tuple(sorted(takers))
    weights = [weight for _, weight in ranked]
    total, multiple = sum(weights), lcm(*weights)
    agents, shares = tuple([agent for agent, _ in ranked]), tuple([weight * U // total for weight in weights])
    given = tuple(zip(agents, shares, strict=True))
    return Shares(
        takers=ranked,
        agents=agents,
        shares=shares,
        given=given,
        paid=sum(shares),
        even=min(weights) == max(weights),
        times=(times := max(1, 2 * len(ranked) - 2)),
        least=-(-U // times),  # times * standing >= U, in whole numbers
        latest=(times - 1) * U,
        paces=tuple([multiple // weight for weight in weights]),
    )


def take_turn(
    ledger: Ledger, takers: Iterable[tuple[int, int]], *, away: Sequence[tuple[int, int]] = (), catch_up: int = 0
) -> Turn:
    """Choose whose turn it is among the takers, and say what the ledger gives and takes for it.

    `takers` are (agent, weight) pairs, at least one, weights above zero, in any order: the choice is the same.
    `away` are the (agent, weight) pairs of members whom only a pause or time off keeps from taking; with a
    `catch_up` of K leads their missed share is counted, up to K, and from their return their weight counts
    double until that much extra has been due.
    """
    return next_turn(ledger, shares_of(takers), away, catch_up)[0]


def next_turn(
    ledger: Ledger, shares: Shares, away: Sequence[tuple[int, int]] = (), catch_up: int = 0
) -> tuple[Turn, int, Sequence[int]]:
    """The same, with the chosen one's place among the takers and everybody's standing: their credit with this lead's
    share, in the order of their ids."""
    owed: Sequence[tuple[int, int]] = ()
    if catch_up:
        takers, owed = _caught_up(ledger, shares.takers, away, catch_up * U)
        if takers is not shares.takers:
            shares = shares_of(takers)
    credit_of = ledger.entries.get
    standings = [
        credit_of(agent, NEWCOMER)[0] + share for agent, share in zip(shares.agents, shares.shares, strict=True)
    ]
    first = _most_due(standings) if shares.even else _first_due(standings, shares)
    place = first[0] if len(first) == 1 else min(first, key=lambda place: _before(ledger, shares.takers[place]))
    turn = Turn(shares.agents[place], shares.given, shares.paid, ledger.turns + 1, tuple(owed))
    return turn, place, standings


def _before(ledger: Ledger, taker: tuple[int, int]) -> tuple[int, int, int]:
    """Among equals the larger weight goes first, then the longest since their last turn, then the lowest id."""
    agent, weight = taker
    return -weight, ledger.of(agent).last_turn, agent


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


def _most_due(standings: Sequence[int]) -> Sequence[int]:
    """The places of those who are first among equal weights: the share is the same, so that whoever has most credit
    may take a turn if anybody may, and has the earliest deadline."""
    most = max(standings)
    if standings.count(most) == 1:
        return (standings.index(most),)
    return [place for place, standing in enumerate(standings) if standing == most]


def _first_due(standings: Sequence[int], shares: Shares) -> Sequence[int]:
    """The places of those who are first among different weights: of those who may take a turn, whose deadline is the
    earliest, which is what they lack by what they gain with each lead."""
    times, least, latest, paces = shares.times, shares.least, shares.latest, shares.paces
    earliest, first = 0, list[int]()
    for place, standing in enumerate(standings):
        if standing >= least:
            deadline = (latest - times * standing) * paces[place]
            if not first or deadline < earliest:
                earliest, first = deadline, [place]
            elif deadline == earliest:
                first.append(place)
    return first or _most_due(standings)
