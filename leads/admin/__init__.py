"""The admin of leads, and what leads add to the page of an agent."""

from leads.admin import agents, leads, notifications, rules

__all__ = ["agents", "leads", "notifications", "rules"]
