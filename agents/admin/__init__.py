"""The admin: what managers and operators see of agents, teams, sites, keys and members."""

from agents.admin import changes, doors, invitations, people, roster

__all__ = ["changes", "doors", "invitations", "people", "roster"]
