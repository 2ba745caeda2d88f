"""What turns gave and what they owed, added up."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from routing.engine.ledger import Turn, U


@dataclass(slots=True)
class Account:
    """One ledger's turns: what each member was due (in `ledger.U`), how many turns they got, and the largest
    difference between the two that anybody had after any turn (in `U`)."""

    due: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    received: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    worst: int = 0

    def add(self, turn: Turn) -> None:
        due, received = self.due, self.received
        received[turn.chosen] += 1
        worst = self.worst
        # Only takers are due anything, so nobody else's difference has changed.
        for agent, share in turn.given:
            due[agent] += share
            difference = due[agent] - received.get(agent, 0) * U
            if difference > worst:
                worst = difference
            elif -difference > worst:
                worst = -difference
        self.worst = worst


@dataclass(slots=True)
class Tally:
    """Accounts by ledger (`ON_CALL_LEDGER` for the workspace's), and how many leads each agent got in any way."""

    accounts: dict[int, Account] = field(default_factory=lambda: defaultdict(Account))
    got: dict[int, int] = field(default_factory=lambda: defaultdict(int))

    def other(self, ledger: int, agent: int) -> int:
        """The leads somebody got that were no turns of this ledger."""
        return self.got.get(agent, 0) - self.accounts[ledger].received.get(agent, 0)
