"""What leads add to the page of an agent: what they got lately."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from agents.models import Agent
from leads.models import Assignment
from routing.admin.agents import RoutedAgentAdmin

admin.site.unregister(Agent)
_LATELY = 10


@admin.register(Agent)
class LeadsAgentAdmin(RoutedAgentAdmin):
    change_form_outer_after_template = "admin/leads/lately.html"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        agent = self.get_object(request, object_id)
        lately = []
        if agent is not None and self.has_view_permission(request):
            assignments = Assignment.objects.for_workspace(agent.workspace).filter(agent=agent)
            lately = list(assignments.select_related("lead").order_by("-assigned_at")[:_LATELY])
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "lately": lately})
