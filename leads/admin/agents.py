"""What leads add to the page of an agent: what they got this week, and why not the rest."""

from typing import Any

from django.contrib import admin
from django.http import HttpResponse
from django.utils import timezone

from agents.models import Agent
from leads.whose_week import week_of
from routing.admin.agents import RoutedAgentAdmin

admin.site.unregister(Agent)


@admin.register(Agent)
class LeadsAgentAdmin(RoutedAgentAdmin):
    change_form_outer_after_template = "admin/leads/whose_week.html"

    def render_change_form(self, request: Any, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        agent = kwargs.get("obj")
        if agent is not None:
            context["their_week"] = week_of(agent, at=timezone.now())
        return super().render_change_form(request, context, *args, **kwargs)
