"""Who may enter the inbox: users who are an agent of the workspace they work in."""

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
from agents.scoping import by_choice, workspaces_of
from agents.zones import zone
from leads.actor import Actor


def agent_of(request: HttpRequest) -> Agent | None:
    """The agent that the user is in the active workspace, both read at once: pages ask every few seconds."""
    active = by_choice(request).values("pk")[:1]
    agent = Agent.objects.select_related("workspace").filter(workspace=active, user=request.user.pk).first()
    if agent is not None:
        request.workspace = agent.workspace  # type: ignore[attr-defined]
    return agent


def desks_of(request: HttpRequest) -> list[Workspace]:
    """The workspaces in which the user is an agent, by name."""
    own = Agent.objects.filter(user=request.user.pk).values("workspace_id")
    return list(workspaces_of(request.user).filter(pk__in=own))


@method_decorator(never_cache, name="dispatch")
class AgentView(View):
    """A page for agents, in their own time zone. Nothing of it is kept by browsers or proxies."""

    agent: Agent

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            if request.htmx:  # type: ignore[attr-defined]
                return HttpResponseClientRefresh()  # the page, which asks to log in
            return redirect_to_login(request.get_full_path(), reverse("inbox:login"))
        agent = agent_of(request)
        if agent is None:
            return render(request, "inbox/no_agent.html", {"desks": desks_of(request)}, status=403)
        self.agent = agent
        with timezone.override(zone(agent.zone_name())):
            return super().dispatch(request, *args, **kwargs)

    def by(self) -> Actor:
        return Actor(user=self.agent.user, text=self.agent.name)

    def page(self, request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
        return render(request, template, {"agent": self.agent, **context}, status=status)
