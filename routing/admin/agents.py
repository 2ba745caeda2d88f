"""What routing adds to the list of agents: who is on shift, and what they carry."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils import formats, timezone
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.views import ChangeList as UnfoldChangeList

from agents.admin.roster import AgentAdmin
from agents.models import Agent
from routing import engine
from routing.engine import Roster
from routing.engine.covered import next_on_shift, off_shift_at
from routing.engine.hours import Kind, on_shift, period_keys
from routing.models import Load
from routing.snapshots import snapshot

admin.site.unregister(Agent)


class AgentList(UnfoldChangeList):
    """Marks each agent of the page with whether they are on shift now, by one look at the compiled roster."""

    def get_results(self, request: Any) -> None:
        super().get_results(request)
        workspace = request.workspace
        roster = roster_of(workspace)
        at = timezone.now()
        presence = roster.presence(at)
        away = presence.time_off | presence.holiday
        for agent in self.result_list:
            bit = roster.bit(agent.pk)
            here = presence_of(roster, agent, at=at)
            agent.here_words = here.words if here else ""
            if presence.time_off & bit:
                agent.shift_now = "time_off"
            elif presence.regular & ~away & bit:
                agent.shift_now = "regular"
            elif presence.on_call & bit:
                agent.shift_now = "on_call"
            else:
                agent.shift_now = "holiday" if presence.holiday & bit else "off"


@dataclass(frozen=True, slots=True)
class Here:
    """Whether somebody could take a lead now, as far as their hours say, in words with the time of the next change."""

    is_there: bool
    words: str


def roster_of(workspace: Any) -> Roster:
    """The workspace's roster as it stands, compiled."""
    return snapshot(
        workspace_id=workspace.pk, policy_version=workspace.policy_version, roster_version=workspace.roster_version
    ).roster


def presence_of(roster: Roster, agent: Agent, *, at: datetime) -> Here | None:
    """By the active clock. None for whom the compiled roster does not know yet."""
    if not roster.bit(agent.pk):
        return None
    schedule = roster.schedule(agent.pk)
    for kind, words in ((Kind.REGULAR, _now("On shift until %(at)s")), (Kind.ON_CALL, _now("On call until %(at)s"))):
        if on_shift(schedule, at=at, kind=kind):
            until = off_shift_at(schedule, at=at, kind=kind)
            always = _now("On shift round the clock")
            return Here(True, words % {"at": _moment(until, at)} if until else always)
    opens = next_on_shift(schedule, at=at, kind=Kind.REGULAR)
    return Here(False, _now("Off until %(at)s") % {"at": _moment(opens, at)} if opens else _now("Never on shift"))


def carried(agent: Agent, load: engine.Load, at: datetime) -> dict[str, str]:
    """What stands beside each cap: the count of now, of this hour, today and this week by the agent's own clock."""
    hour, day, week = period_keys(at, agent.zone_name())
    return {
        "open": _now("%(number)d open now") % {"number": load.open},
        "hour": _now("%(number)d this hour") % {"number": load.hour if load.hour_key == hour else 0},
        "day": _now("%(number)d today") % {"number": load.day if load.day_key == day else 0},
        "week": _now("%(number)d this week") % {"number": load.week if load.week_key == week else 0},
    }


def _moment(then: datetime, at: datetime) -> str:
    """`18:00`, with the day of the week where it is another day, and the date where it is another week."""
    here, now = timezone.localtime(then), timezone.localtime(at)
    if here.date() == now.date():
        return formats.date_format(here, "H:i")
    return formats.date_format(here, "D H:i" if then - at < timedelta(days=6) else "j M H:i")


@admin.register(Agent)
class RoutedAgentAdmin(AgentAdmin):
    list_display = ("who", "spoken", "in_teams", "now", "open_leads", "state")

    def get_changelist(self, request: Any, **kwargs: Any) -> type[ChangeList]:
        return AgentList

    def get_queryset(self, request: Any) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("load")

    def render_change_form(self, request: Any, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        agent, at = kwargs.get("obj"), timezone.now()
        if agent is not None:
            load = Load.objects.get(agent=agent).carried
            context |= {
                "presence": presence_of(roster_of(request.workspace), agent, at=at),
                "carried": carried(agent, load, at),
            }
        return super().render_change_form(request, context, *args, **kwargs)

    @display(
        description=_("On shift now"),
        label={"regular": "success", "on_call": "info", "time_off": "warning", "holiday": "warning", "off": "default"},
    )
    def now(self, agent: Any) -> tuple[str, Any]:
        away = {"time_off": _("Time off"), "holiday": _("Holiday")}
        return agent.shift_now, away.get(agent.shift_now) or agent.here_words

    @display(description=_("Open leads"), ordering="load__open")
    def open_leads(self, agent: Any) -> int:
        return int(agent.load.open)
