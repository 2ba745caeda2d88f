"""The admin of the policy, and what routing knows about agents."""

from routing.admin import agents, draft, rules, teams, versions

__all__ = ["agents", "draft", "rules", "teams", "versions"]
