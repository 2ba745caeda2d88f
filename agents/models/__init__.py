"""Who takes leads, when, and under which roof."""

from agents.models.access import ApiKey, Scope
from agents.models.agent import Agent, Handle
from agents.models.history import RosterChange
from agents.models.hours import Shift, ShiftKind, TimeOff
from agents.models.invitation import Invitation
from agents.models.people import Membership, User
from agents.models.site import Scheme, Side, Site
from agents.models.team import Team, TeamMember
from agents.models.workspace import Workspace

__all__ = [
    "Agent",
    "ApiKey",
    "Handle",
    "Invitation",
    "Membership",
    "RosterChange",
    "Scheme",
    "Scope",
    "Shift",
    "ShiftKind",
    "Side",
    "Site",
    "Team",
    "TeamMember",
    "TimeOff",
    "User",
    "Workspace",
]
