"""The due-share ledger, in fractions."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction

from tests.routing.reference.people import Agent

ONE = 2**40  # one lead


class Ledger:
    def __init__(self, catch_up: int = 0) -> None:
        self.catch_up = catch_up
        self.credit: dict = defaultdict(int)
        self.due: dict = defaultdict(int)
        self.received: dict = defaultdict(int)
        self.owed: dict = defaultdict(int)  # what members missed while they were away
        self.last_turn: dict = {}
        self.worst = 0

    def copy(self) -> Ledger:
        copied = Ledger(self.catch_up)
        for name, value in vars(self).items():
            setattr(copied, name, value.copy() if isinstance(value, dict) else value)
        return copied

    def take_turn(self, takers: dict[Agent, int], away: dict[Agent, int]) -> Agent:
        plain = sum(takers.values())
        for agent, weight in away.items():
            self.owed[agent] = min(self.catch_up * ONE, self.owed[agent] + weight * ONE // (plain + weight))
        weights = {agent: weight * (2 if self.owed[agent] else 1) for agent, weight in takers.items()}
        total = sum(weights.values())
        given = {agent: weight * ONE // total for agent, weight in weights.items()}
        for agent, share in given.items():
            self.credit[agent] += share
            self.due[agent] += share
            if weights[agent] != takers[agent]:
                self.owed[agent] = max(0, self.owed[agent] - share + takers[agent] * ONE // plain)
        chosen = self._chosen(weights)
        self.credit[chosen] -= sum(given.values())
        self.received[chosen] += 1
        self.last_turn[chosen] = sum(self.received.values())
        self.worst = max(self.worst, *(abs(self.received[agent] * ONE - self.due[agent]) for agent in list(self.due)))
        return chosen

    def _chosen(self, weights: dict[Agent, int]) -> Agent:
        def tie(agent: Agent) -> tuple[int, int, int]:
            return (-weights[agent], self.last_turn.get(agent, 0), agent.number)

        times = 2 * len(weights) - 2
        due = [agent for agent in weights if times * self.credit[agent] >= ONE]
        if times and due:
            urgency = {a: Fraction((times - 1) * ONE - times * self.credit[a], weights[a]) for a in due}
            return min(due, key=lambda agent: (urgency[agent], *tie(agent)))
        return min(weights, key=lambda agent: (-self.credit[agent], *tie(agent)))
