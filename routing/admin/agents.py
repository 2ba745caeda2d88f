"""What routing adds to the list of agents: who is on shift, and what they carry."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.views import ChangeList as UnfoldChangeList

from agents.admin.roster import AgentAdmin
from agents.models import Agent
from routing.snapshots import snapshot

admin.site.unregister(Agent)


class AgentList(UnfoldChangeList):
    """Marks each agent of the page with whether they are on shift now, by one look at the compiled roster."""

    def get_results(self, request: Any) -> None:
        super().get_results(request)
        workspace = request.workspace
        roster = snapshot(
            workspace_id=workspace.pk,
            policy_version=workspace.policy_version,
            roster_version=workspace.roster_version,
        ).roster
        presence = roster.presence(timezone.now())
        away = presence.time_off | presence.holiday
        for agent in self.result_list:
            bit = roster.bit(agent.pk)
            if presence.time_off & bit:
                agent.shift_now = "time_off"
            elif presence.regular & ~away & bit:
                agent.shift_now = "regular"
            elif presence.on_call & bit:
                agent.shift_now = "on_call"
            else:
                agent.shift_now = "holiday" if presence.holiday & bit else "off"


@admin.register(Agent)
class RoutedAgentAdmin(AgentAdmin):
    list_display = ("who", "spoken", "in_teams", "now", "open_leads", "state")

    def get_changelist(self, request: Any, **kwargs: Any) -> type[ChangeList]:
        return AgentList

    def get_queryset(self, request: Any) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("load")

    @display(
        description=_("On shift now"),
        label={"regular": "success", "on_call": "info", "time_off": "warning", "holiday": "warning", "off": "default"},
    )
    def now(self, agent: Any) -> tuple[str, Any]:
        words = {
            "regular": _("On shift"),
            "on_call": _("On call"),
            "time_off": _("Time off"),
            "holiday": _("Holiday"),
            "off": _("Off"),
        }
        return agent.shift_now, words[agent.shift_now]

    @display(description=_("Open leads"), ordering="load__open")
    def open_leads(self, agent: Any) -> int:
        return int(agent.load.open)
