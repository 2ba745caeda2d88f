"""Who may read reports: ops, managers and owners all of their workspace's; agents what is about their own leads."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django_htmx.http import HttpResponseClientRefresh

from agents.models import User, Workspace
from agents.scoping import workspaces_of
from leads.reports.page import Scope
from leads.reports.scopes import scope_of


@method_decorator(never_cache, name="dispatch")
class ReportView(View):
    """A page of reports. Nothing of it is kept by browsers or proxies. `for_agents`: agents see their own here."""

    for_agents = False
    scope: Scope
    user: User

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            if request.htmx:  # type: ignore[attr-defined]
                return HttpResponseClientRefresh()  # the page, which asks to log in
            return redirect_to_login(request.get_full_path(), reverse("reports:login"))
        workspace: Any = request.workspace  # type: ignore[attr-defined]
        # The workspace itself: what is lazy cannot be told from another lazy one.
        at = timezone.now()
        scope = scope_of(request.user, Workspace.objects.get(pk=workspace.pk), at=at) if workspace else None
        if scope is None or not (scope.agent is None or self.for_agents):
            context = {"is_agent": scope is not None, "desks": desks_of(request)}
            return render(request, "reports/refused.html", context, status=403)
        self.scope, self.user = scope, request.user
        return super().dispatch(request, *args, **kwargs)

    def page(self, request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
        shared = {
            "workspace": self.scope.workspace, "own": self.scope.agent, "desks": desks_of(request),
            "opens_in_admin": self.scope.manages,
        }  # fmt: skip
        return render(request, template, {**shared, **context}, status=status)


def desks_of(request: HttpRequest) -> list[Workspace]:
    """The workspaces between which the user may change, the first few for operators."""
    return list(workspaces_of(request.user)[:20])
