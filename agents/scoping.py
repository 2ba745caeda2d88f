"""Who may see which row, and do what with it.

Every row of a customer carries its workspace; whoever reads such rows for somebody narrows them with `for_workspace`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self

from django.core.exceptions import FieldDoesNotExist, PermissionDenied
from django.db import models
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser
    from django.http import HttpRequest

    from agents.models import User, Workspace

_SESSION_KEY = "workspace"


class TenantQuerySet(models.QuerySet[Any]):
    """Rows that belong to workspaces."""

    def for_workspace(self, workspace: Workspace | None) -> Self:
        """The rows of this workspace; none where there is no workspace."""
        if not workspace:
            return self.none()
        return self.filter(**{workspace_path(self.model): workspace.pk})


def workspace_path(model: type[models.Model]) -> str:
    """The column of a tenant model that says whose row it is: `workspace_id`, or `id` on a workspace itself."""
    return "id" if model._meta.label == "agents.Workspace" else "workspace_id"


def is_tenant_model(model: type[models.Model]) -> bool:
    """Whether the rows of this model belong to workspaces."""
    if model._meta.label == "agents.Workspace":
        return True
    try:
        related = model._meta.get_field("workspace").related_model
    except FieldDoesNotExist:
        return False
    return isinstance(related, type) and related._meta.label == "agents.Workspace"


class Role(models.TextChoices):
    """What somebody is in a workspace, the most powerful first."""

    OWNER = "owner", _("Owner")
    MANAGER = "manager", _("Manager")
    OPS = "ops", _("Ops")
    AGENT = "agent", _("Agent")


class Action(StrEnum):
    """What somebody may do in a workspace. Their own leads and their own pause are every agent's, and no action."""

    SEE_LEADS = "see_leads"  # everybody's, not only one's own
    SEE_REPORTS = "see_reports"
    CHANGE_LEADS = "change_leads"  # assign, close and answer for others
    CHANGE_ROSTER = "change_roster"
    CHANGE_POLICY = "change_policy"  # the draft
    PUBLISH = "publish"
    CHANGE_SETTINGS = "change_settings"  # the workspace's name, zone, languages; not its plan
    CHANGE_ACCESS = "change_access"  # sites and API keys
    CHANGE_MEMBERS = "change_members"
    CHANGE_PLAN = "change_plan"  # operators only


_OPS = frozenset({Action.SEE_LEADS, Action.SEE_REPORTS})
_MANAGER = _OPS | {
    Action.CHANGE_LEADS,
    Action.CHANGE_ROSTER,
    Action.CHANGE_POLICY,
    Action.PUBLISH,
    Action.CHANGE_SETTINGS,
    Action.CHANGE_ACCESS,
}
ALLOWED: dict[str, frozenset[Action]] = {
    Role.AGENT: frozenset(),
    Role.OPS: _OPS,
    Role.MANAGER: _MANAGER,
    Role.OWNER: _MANAGER | {Action.CHANGE_MEMBERS},
}
# Whoever has one of these somewhere may enter /admin/.
ADMIN_ROLES = (Role.OWNER, Role.MANAGER)


def grantable(own: Role | None) -> tuple[Role, ...]:
    """The roles that somebody with this role may give and take: none above their own."""
    if own not in ADMIN_ROLES:
        return ()
    return tuple(given for given in Role if given is not Role.OWNER or own is Role.OWNER)


def role_in(user: User | AnonymousUser, workspace: Workspace | None) -> Role | None:
    """The user's role in the workspace, None for outsiders. An operator has a role only where they are a member."""
    if not workspace or not user.is_authenticated:
        return None
    role = user.memberships.filter(workspace_id=workspace.pk).values_list("role", flat=True).first()
    return None if role is None else Role(role)


def may(user: User | AnonymousUser, workspace: Workspace | None, action: Action | str) -> bool:
    """Whether the user may do this in the workspace. Operators (superusers) may do everything; the inactive nothing."""
    action = Action(action)
    if not workspace or not user.is_active:
        return False
    if user.is_superuser:
        return True
    role = role_in(user, workspace)
    return role is not None and action in ALLOWED[role]


def workspaces_of(user: User | AnonymousUser) -> models.QuerySet[Workspace]:
    """The workspaces that the user may work in, by name: those with a membership, or all for operators."""
    from agents.models import Workspace  # the models need this module first

    workspaces = Workspace.objects.order_by("name", "id")
    if not user.is_active:
        return workspaces.none()
    if user.is_superuser:
        return workspaces
    return workspaces.filter(memberships__user=user)


def active_workspace(request: HttpRequest) -> Workspace | None:
    """The one workspace that this session works in: the chosen one while it is still the user's, else their first."""
    return by_choice(request).first()


def by_choice(request: HttpRequest) -> models.QuerySet[Workspace]:
    """The user's workspaces, the one that this session works in first."""
    chosen: Any = request.session.get(_SESSION_KEY) if request.user.is_authenticated else None
    workspaces = workspaces_of(request.user)
    if not chosen:
        return workspaces
    return workspaces.order_by(models.Case(models.When(pk=chosen, then=0), default=1), "name", "id")


def activate(request: HttpRequest, workspace: Workspace) -> None:
    """Work in this workspace from now on. Raises PermissionDenied where it is not the user's."""
    if not workspaces_of(request.user).filter(pk=workspace.pk).exists():
        raise PermissionDenied(_("You are not a member of this workspace."))
    request.session[_SESSION_KEY] = workspace.pk
    request.workspace = workspace  # type: ignore[attr-defined]
