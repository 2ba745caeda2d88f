"""The admin's site: who may enter, which workspace is active, and what the first page says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.admin import autodiscover
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from unfold.sites import UnfoldAdminSite

from agents import admin_access as access
from agents.scoping import ADMIN_ROLES, Action, activate, role_in, workspaces_of
from agents.workspace_stamp import in_any_workspace, only_as_stamped
from config import admin_passwords, admin_sections, start_page
from leads.attention import attention


class SwitchyardAdminSite(UnfoldAdminSite):
    """Works in one workspace at a time, and asks every form which one it was shown for."""

    index_template = "admin/start.html"
    index_title = _("Start")
    enable_nav_sidebar = True

    def has_permission(self, request: HttpRequest) -> bool:
        return access.may_enter(request)

    def admin_view(self, view: Callable[..., HttpResponse], cacheable: bool = False) -> Callable[..., HttpResponse]:
        return super().admin_view(only_as_stamped(view), cacheable)

    def check(self, app_configs: Any) -> list[Any]:
        autodiscover()
        return super().check(app_configs)

    def get_urls(self) -> list[Any]:
        # Django's redirect to any object's own page would tell of every row whether it exists; nothing here has one.
        urls = [url for url in super().get_urls() if getattr(url, "name", "") != "view_on_site"]
        switch = path("workspace/", self.admin_view(self.switch), name="switch_workspace")
        return [switch, *admin_passwords.urls(), *urls]

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        context = super().each_context(request)
        context["switchable"] = access.administered(request) if self.has_permission(request) else []
        return context

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> Any:
        """Found when used: no page but an app's own shows it, and every model is asked what the user may do there."""
        found = super().get_app_list
        return SimpleLazyObject(lambda: found(request, app_label))

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        context = {
            "groups": admin_sections.sections_for(request, counted=True),
            "notices": admin_sections.notices_for(request),
            "role": access.role(request),
            **(self._today(request) if access.may(request, Action.SEE_LEADS) else {}),
            **(extra_context or {}),
        }
        return super().index(request, context)

    def _today(self, request: Any) -> dict[str, Any]:
        at, workspace = timezone.now(), request.workspace
        found = start_page.gaps_in_the_setup(workspace, at=at)
        return {
            "today": start_page.today(workspace, at=at),
            "worries": attention(workspace=workspace, at=at),
            "gaps": [admin_sections.Notice(*gap) for gap in found],
            "steps": (steps := start_page.steps(workspace)),
            "all_done": all(step.is_done for step in steps),
            "snippet": start_page.snippet(site) if steps and (site := start_page.first_site(workspace)) else "",
        }

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if REDIRECT_FIELD_NAME not in request.GET and REDIRECT_FIELD_NAME not in request.POST:
            # The theme's form does not say where to go, and the installation's own first page is not the admin's.
            asked = request.GET.copy()
            asked[REDIRECT_FIELD_NAME] = reverse("admin:index")
            request.GET = asked  # type: ignore[assignment]
        return super().login(request, extra_context)

    @in_any_workspace
    @method_decorator(require_POST)
    def switch(self, request: HttpRequest) -> HttpResponse:
        """Make another workspace the active one. Only where the user may use the admin."""
        chosen = request.POST.get("to", "")
        workspace = get_object_or_404(workspaces_of(request.user), pk=chosen if chosen.isdecimal() else 0)
        if not request.user.is_superuser and role_in(request.user, workspace) not in ADMIN_ROLES:
            raise PermissionDenied
        activate(request, workspace)
        list(messages.get_messages(request))  # what is still to be told is about the other workspace
        messages.success(request, _("You now work in %(workspace)s.") % {"workspace": workspace})
        return redirect("admin:index")

    @in_any_workspace
    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().password_change(request, extra_context)

    @in_any_workspace
    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().logout(request, extra_context)
