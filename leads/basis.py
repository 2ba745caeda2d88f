"""What a decision stands on: a workspace, two versions, an instant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from agents.models import Workspace
from routing import engine
from routing.snapshots import snapshot


@dataclass(frozen=True, slots=True)
class Basis:
    """The policy and the roster by which leads are decided now."""

    workspace_id: int
    policy_version: int
    roster_version: int
    snapshot: engine.Snapshot
    at: datetime

    @classmethod
    def of(cls, *, workspace_id: int, policy_version: int, roster_version: int, at: datetime) -> Basis:
        compiled = snapshot(workspace_id=workspace_id, policy_version=policy_version, roster_version=roster_version)
        return cls(workspace_id, policy_version, roster_version, compiled, at)

    @classmethod
    def current(cls, *, workspace_id: int, at: datetime) -> Basis:
        """By what is published, and who is there, now."""
        versions = Workspace.objects.values_list("policy_version", "roster_version").get(pk=workspace_id)
        return cls.of(workspace_id=workspace_id, policy_version=versions[0], roster_version=versions[1], at=at)

    @property
    def roster(self) -> engine.Roster:
        return self.snapshot.roster

    def agent(self, agent: int) -> engine.AgentSpec:
        return self.roster.spec.agents[agent]

    def periods(self, agent: int) -> engine.PeriodKeys:
        """The cap periods of the agent's wall clock."""
        return self.roster.period_keys(agent, self.at)
