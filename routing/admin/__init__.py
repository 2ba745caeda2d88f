"""The admin of the policy, and what routing knows about agents."""

from routing.admin import agents, draft, rules, versions

__all__ = ["agents", "draft", "rules", "versions"]
