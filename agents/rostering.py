"""What is done to several people or teams at once."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from agents import plans
from agents.models import Agent, Shift, Team, TimeOff, Workspace
from agents.roster import one_change
from agents.week import Window, windows_of


def set_paused(*, agents: "QuerySet[Agent, Any]", paused: bool, until: datetime | None = None) -> int:
    """Pause these agents (`until` None: until somebody ends it), or let them go on.

    Returns for how many that was a change.
    """
    changed = agents.filter(is_paused=True) if not paused else agents.exclude(is_paused=True, pause_ends_at=until)
    return changed.update(is_paused=paused, pause_ends_at=until if paused else None)


def end_pauses(*, at: datetime) -> int:
    """Let those go on whose pause is over. Any number of these may run at once. Returns how many go on."""
    return Agent.objects.filter(is_paused=True, pause_ends_at__lte=at).update(is_paused=False, pause_ends_at=None)


def set_week(*, agent: Agent, windows: Iterable[Window]) -> None:
    """Make these the agent's shifts; those that stay are left as they are."""
    wanted = set(windows)
    with one_change():
        stored = {each.pk: each for each in Shift.objects.filter(agent=agent)}
        gone = [pk for pk, each in stored.items() if not windows_of([each]) <= wanted]
        if gone:
            Shift.objects.filter(pk__in=gone).delete()
        new = sorted(wanted - windows_of(stored.values()))
        Shift.objects.bulk_create(
            Shift(
                workspace_id=agent.workspace_id,
                agent=agent,
                weekday=window.weekday,
                start_minute=window.start,
                end_minute=window.end,
                kind=window.kind,
            )
            for window in new
        )


def add_time_off(*, agents: "QuerySet[Agent, Any]", starts_local: str, ends_local: str, note: str = "") -> int:
    """The same absence for each of these, by their own clocks. Raises ValidationError for what is no time off."""
    TimeOff(starts_local=starts_local, ends_local=ends_local, note=note).clean()
    rows = [
        TimeOff(workspace_id=workspace, agent_id=agent, starts_local=starts_local, ends_local=ends_local, note=note)
        for agent, workspace in agents.order_by("pk").values_list("pk", "workspace_id")
    ]
    return len(TimeOff.objects.bulk_create(rows))


def copy_shifts(*, source: Agent, agents: "QuerySet[Agent, Any]") -> int:
    """Give each of these the week of `source`, in place of their own. Returns how many they are, `source` apart."""
    windows = sorted(windows_of(source.shifts.all()))
    with one_change():
        others = list(agents.exclude(pk=source.pk).order_by("pk").values_list("pk", "workspace_id"))
        Shift.objects.filter(agent__in=[agent for agent, _workspace in others]).delete()
        Shift.objects.bulk_create(
            Shift(
                workspace_id=workspace,
                agent_id=agent,
                weekday=window.weekday,
                start_minute=window.start,
                end_minute=window.end,
                kind=window.kind,
            )
            for agent, workspace in others
            for window in windows
        )
    return len(others)


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
