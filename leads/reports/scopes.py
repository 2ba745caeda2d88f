"""Whose leads somebody may read about, and what they ask for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from agents.models import Agent, Team, Workspace
from agents.scoping import Action, may
from leads.reports.filters import BadFilter, Filters, read
from leads.reports.page import Scope


def scope_of(user: Any, workspace: Workspace, *, at: datetime) -> Scope | None:
    """All of the workspace's for ops, managers and owners; for agents their own; None for everybody else."""
    if may(user, workspace, Action.SEE_REPORTS):
        return Scope(workspace, at, manages=user.is_staff)
    agent = Agent.objects.for_workspace(workspace).filter(user=user.pk).first()
    return None if agent is None else Scope(workspace, at, agent)


def filters_for(scope: Scope, given: Mapping[str, str]) -> Filters:
    """What is asked for, within the scope: agents get their own leads, whatever they ask for. Raises BadFilter."""
    filters = read(given, zone=scope.workspace.timezone, zones=zones_of(scope.workspace), at=scope.at)
    chosen = dict(filters.narrowed)
    for name, model in (("agent", Agent), ("team", Team)):
        if chosen.get(name) and not model.objects.for_workspace(scope.workspace).filter(pk=chosen[name]).exists():
            raise BadFilter(_("There is no such %s here. Choose one of the list.") % name)
    return filters if scope.agent is None else filters.only(agent=scope.agent.pk)


def zones_of(workspace: Workspace) -> set[str]:
    """The zones that a report can be read in: UTC, and those that people here live by."""
    zones = workspace.agents.exclude(timezone="").order_by().values_list("timezone", flat=True).distinct()
    return {"UTC", *zones}
