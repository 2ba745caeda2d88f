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

from agents.models import Agent, Workspace
from agents.scoping import Action, may, workspaces_of
from leads.reports.page import Scope


@method_decorator(never_cache, name="dispatch")
class ReportView(View):
    """A page of reports. Nothing of it is kept by browsers or proxies. `for_agents`: agents see their own here."""

    for_agents = False
    scope: Scope

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            if request.htmx:  # type: ignore[attr-defined]
                return HttpResponseClientRefresh()  # the page, which asks to log in
            return redirect_to_login(request.get_full_path(), reverse("reports:login"))
        workspace: Any = request.workspace  # type: ignore[attr-defined]
        sees_all = bool(workspace) and may(request.user, workspace, Action.SEE_REPORTS)
        agent = None
        if workspace and not sees_all:
            agent = Agent.objects.for_workspace(workspace).filter(user=request.user.pk).first()
        if not workspace or not (sees_all or (agent is not None and self.for_agents)):
            return render(
                request, "reports/refused.html", {"is_agent": agent is not None, "desks": desks_of(request)}, status=403
            )
        # The workspace itself: what is lazy may not be pickled, compared or kept.
        self.scope = Scope(
            Workspace.objects.get(pk=workspace.pk), timezone.now(), agent, sees_all and request.user.is_staff
        )
        return super().dispatch(request, *args, **kwargs)

    def page(self, request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
        shared = {"workspace": self.scope.workspace, "own": self.scope.agent, "desks": desks_of(request)}
        return render(request, template, {**shared, **context}, status=status)


def desks_of(request: HttpRequest) -> list[Workspace]:
    """The workspaces between which the user may change, the first few for operators."""
    return list(workspaces_of(request.user)[:20])
