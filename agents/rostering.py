"""What is done to several people or teams at once."""

from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from agents import plans
from agents.models import Agent, Team, Workspace
from agents.roster import one_change


def set_paused(*, agents: "QuerySet[Agent, Any]", paused: bool) -> int:
    """Pause these agents, or let them go on. Returns for how many that was a change."""
    return agents.filter(is_paused=not paused).update(is_paused=paused)


def deactivate(*, agents: "QuerySet[Agent, Any]") -> int:
    """These agents get no more leads; what they have stays theirs. Returns for how many that was a change."""
    return agents.filter(is_active=True).update(is_active=False)


def activate(*, agents: "QuerySet[Agent, Any]", workspace: Workspace) -> int:
    """These agents get leads again. Raises ValidationError where that is over the plan's limits."""
    with one_change() as change:
        change.lock({workspace.pk})
        inactive = agents.filter(is_active=False)
        plans.check_active_agents(workspace, extra=inactive.count())
        if not plans.allows(workspace.plan, "caps") and any(has_caps(agent) for agent in inactive):
            plans.check_feature(workspace.plan, "caps")
        return inactive.update(is_active=True)


def has_caps(agent: Agent) -> bool:
    return any(cap is not None for cap in (agent.cap_open, agent.cap_hour, agent.cap_day, agent.cap_week))


def archive_teams(*, teams: "QuerySet[Team, Any]", at: datetime) -> int:
    """Rules that name these teams find nobody there from now on. Returns for how many that was a change."""
    return teams.filter(archived_at=None).update(archived_at=at)


def restore_teams(*, teams: "QuerySet[Team, Any]", workspace: Workspace) -> int:
    """Bring archived teams back. Raises ValidationError where that is over the plan's limits."""
    with one_change() as change:
        change.lock({workspace.pk})
        archived = teams.exclude(archived_at=None)
        plans.check_teams(workspace, extra=archived.count())
        catching_up = archived.filter(catch_up__gt=0)
        if catching_up.exists() and not plans.allows(workspace.plan, "catch_up"):
            raise ValidationError(
                _("%(team)s: %(refusal)s")
                % {"team": catching_up[0], "refusal": plans.refusal(workspace.plan, "catch_up")}
            )
        return archived.update(archived_at=None)
