"""What routing adds to teams: who is there now, whose turn it is, and how the coming week is covered."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.http import HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.views import ChangeList as UnfoldChangeList

from agents import languages
from agents.admin.roster import TeamAdmin, TeamMemberInline
from agents.models import Agent, Team
from routing import engine, team_now
from routing.admin.agents import roster_of
from routing.engine.ledger import EVEN
from routing.models import Ledger, Load

admin.site.unregister(Team)


class TeamList(UnfoldChangeList):
    """Counts for each team of the page who is there now, by one look at the compiled roster."""

    def get_results(self, request: Any) -> None:
        super().get_results(request)
        roster = roster_of(request.workspace)
        presence = roster.presence(timezone.now())
        there = roster.active & ~roster.paused & ~presence.time_off
        for team in self.result_list:
            mask = roster.teams[team.pk].mask if team.pk in roster.teams else 0
            regular = mask & there & presence.regular & ~presence.holiday
            team.here_now = regular.bit_count(), (mask & there & presence.on_call & ~regular).bit_count()


class LedgeredMemberInline(TeamMemberInline):
    """Says beside each member what the team's ledger owes them."""

    fields = ("agent", "weight", "tier", "share", "owed")
    readonly_fields = ("share", "owed")

    def get_formset(self, request: Any, obj: Any = None, **kwargs: Any) -> Any:
        self.ledger = ledger_of(obj) if obj is not None else EVEN
        return super().get_formset(request, obj, **kwargs)

    @display(description=_("By the ledger"))
    def owed(self, member: Any) -> str:
        return team_now.standing_in_words(self.ledger, member.agent_id) if member.pk else ""


def ledger_of(team: Team) -> engine.Ledger:
    """The team's turns as they stand."""
    stored = Ledger.objects.for_workspace(team.workspace).filter(team=team).first()
    return stored.standing if stored else EVEN


@admin.register(Team)
class RoutedTeamAdmin(TeamAdmin):
    inlines = (LedgeredMemberInline,)
    list_display = ("name", "member_count", "here", "catch_up", "state")

    def get_changelist(self, request: Any, **kwargs: Any) -> type[ChangeList]:
        return TeamList

    def render_change_form(self, request: Any, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        team = kwargs.get("obj")
        if team is not None:
            context |= self._standing(request.workspace, team)
        return super().render_change_form(request, context, *args, **kwargs)

    def _standing(self, workspace: Any, team: Team) -> dict[str, Any]:
        at, roster = timezone.now(), roster_of(workspace)
        loads = Load.objects.filter(agent_id__in=team_now.capped_members(roster, team.pk))
        found = team_now.now(roster, team.pk, ledger_of(team), {load.agent_id: load.carried for load in loads}, at)
        people = Agent.objects.for_workspace(workspace).in_bulk([*found.on_shift, *found.on_call])
        days = team_now.coverage(roster, team.pk, at=at, zone=ZoneInfo(workspace.timezone))
        return {
            "next_turn": found.next_turn,
            "here_now": [_shown(people[agent]) for agent in found.on_shift if agent in people],
            "on_call_now": [_shown(people[agent]) for agent in found.on_call if agent in people],
            "spoken_now": _spoken(people[agent] for agent in found.on_shift if agent in people),
            "covered": days,
            "gaps_in_words": team_now.gaps_in_words(days),
        }

    @display(description=_("There now"))
    def here(self, team: Any) -> Any:
        regular, on_call = team.here_now
        if not on_call:
            return regular
        return format_html('{} <span class="sy-quiet">{}</span>', regular, _("and %(n)d on call") % {"n": on_call})


def _spoken(people: Iterable[Agent]) -> str:
    """Each language once, in the order of who could answer in it."""
    return ", ".join(map(languages.language_name, dict.fromkeys(tag for agent in people for tag in agent.languages)))


def _shown(agent: Agent) -> dict[str, Any]:
    return {"agent": agent, "languages": ", ".join(map(languages.language_name, agent.languages))}
