"""What the user of a request may do in the admin: by their role in the active workspace, never by permission rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agents.scoping import ADMIN_ROLES, ALLOWED, Action, Role, grantable, workspaces_of

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser
    from django.http import HttpRequest

    from agents.models import User, Workspace


def may_enter(request: HttpRequest) -> bool:
    """Operators, and whoever is owner or manager of some workspace."""
    user = request.user
    return bool(user.is_active and (user.is_superuser or administered(request)))


def administered(request: HttpRequest) -> list[Workspace]:
    """The workspaces that the user may choose in the admin, by name. For operators: see `workspaces_of`."""
    kept: Any = request
    if not hasattr(kept, "_administered"):
        kept._administered = _administered_by(request.user)
    return list(kept._administered)


_SHOWN = 20  # of an operator's workspaces: there may be thousands, and every page lists them


def _administered_by(user: User | AnonymousUser) -> list[Workspace]:
    if not user.is_authenticated:
        return []
    if user.is_superuser:
        return list(workspaces_of(user)[:_SHOWN])
    roles = user.memberships.filter(role__in=ADMIN_ROLES).values("workspace_id")
    return list(workspaces_of(user).filter(pk__in=roles))


def role(request: HttpRequest) -> Role | None:
    """The user's role in the active workspace."""
    kept: Any = request
    workspace = kept.workspace
    if not workspace or not request.user.is_authenticated:
        return None
    roles: dict[int, Role | None] = kept.__dict__.setdefault("_roles", {})
    if workspace.pk not in roles:
        stored = request.user.memberships.filter(workspace_id=workspace.pk).values_list("role", flat=True).first()
        roles[workspace.pk] = None if stored is None else Role(stored)
    return roles[workspace.pk]


def may(request: HttpRequest, action: Action) -> bool:
    """Whether the user may do this in the active workspace, as `agents.scoping.may`, asking once a request."""
    if not request.user.is_active or not request.workspace:  # type: ignore[attr-defined]
        return False
    if request.user.is_superuser:
        return True
    own = role(request)
    return own in ADMIN_ROLES and action in ALLOWED[own]


def grantable_roles(request: HttpRequest) -> tuple[Role, ...]:
    """The roles that the user may give and take in the active workspace: none above their own."""
    return grantable(Role.OWNER if request.user.is_superuser and request.workspace else role(request))  # type: ignore[attr-defined]
