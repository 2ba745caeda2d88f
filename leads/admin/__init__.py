"""The admin of leads, and what leads add to the page of an agent."""

from leads.admin import agents, leads, notifications

__all__ = ["agents", "leads", "notifications"]
