"""People and teams."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count, Prefetch, Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.urls import path
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import display

from agents import languages, rostering
from agents.admin import agent_page
from agents.admin.people_import import PeopleImport
from agents.admin.scoped import RosterAdmin, WorkspaceInline, WorkspaceRelatedFilter
from agents.admin.several import SeveralPeople
from agents.forms.roster import (
    PEOPLE_LIST,
    AgentForm,
    HandleForm,
    TeamForm,
    TeamMemberForm,
    TimeOffForm,
    link_of,
    names_of_people,
)
from agents.formsets import TeamMemberFormSet
from agents.models import Agent, Handle, Team, TeamMember, TimeOff


class HandleInline(WorkspaceInline):
    model = Handle
    form = HandleForm
    extra = 1
    ordering = ("channel",)
    verbose_name_plural = _("handles")


class TimeOffInline(WorkspaceInline):
    model = TimeOff
    form = TimeOffForm
    extra = 1
    ordering = ("starts_local",)
    verbose_name_plural = _("time off")


class TeamMemberInline(WorkspaceInline):
    model = TeamMember
    form = TeamMemberForm
    formset = TeamMemberFormSet
    fields: tuple[str, ...] = ("agent", "weight", "tier", "share")
    readonly_fields: tuple[str, ...] = ("share",)
    ordering = ("tier", "agent__name", "id")
    verbose_name = _("member")
    verbose_name_plural = _("members")
    extra = 1
    total_weight = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("agent", "team")

    def get_formset(self, request: Any, obj: Any = None, **kwargs: Any) -> Any:
        formset = super().get_formset(request, obj, **kwargs)
        people = Agent.objects.for_workspace(request.workspace).order_by("name", "id")
        formset.form.people = {agent.pk: agent for agent in people}
        formset.form.names = names_of_people(formset.form.people)
        if obj is not None:
            weights = obj.members.filter(agent__is_active=True).aggregate(total=Sum("weight"))
            self.total_weight = weights["total"] or 0
        return formset

    @display(description=_("Share"))
    def share(self, member: TeamMember) -> Any:
        """Of the turns, while everybody is there; kept true by script while weights are typed."""
        percent = ""
        if member.pk and self.total_weight and member.agent.is_active:
            percent = f"{member.weight * 100 / self.total_weight:.0f} %"
        inactive = _("inactive") if member.pk and not member.agent.is_active else ""
        return format_html('<output data-share>{}</output><span class="sy-quiet">{}</span>', percent, inactive)


@admin.register(Agent)
class AgentAdmin(SeveralPeople, PeopleImport, RosterAdmin):
    form = AgentForm
    empty_words = _("Nobody is here yet. Add the first person who answers leads, or import a sheet of them.")
    list_display: tuple[str, ...] = ("who", "spoken", "in_teams", "state")
    list_filter = ("is_active", "is_paused", ("team_members__team", WorkspaceRelatedFilter))
    search_fields = ("name", "slug", "title", "email")
    ordering = ("name", "id")
    actions = ("pause", "pause_until", "resume", "add_time_off", "copy_shifts", "deactivate", "activate")
    inlines = (HandleInline, TimeOffInline)
    change_form_template = "admin/people/agent.html"
    fieldsets = (
        (_("Person"), {"fields": ("name", "title", "email", "photo_url", "slug", "user")}),
        (_("What they take"), {"fields": ("languages", "territories", "tags")}),
        (_("Available"), {"fields": ("is_active", "is_paused", "pause_ends_at")}),
        (_("When they work"), {"fields": ("timezone", "holiday_calendar")}),
        (_("Caps"), {"fields": ("cap_open", "cap_hour", "cap_day", "cap_week")}),
    )

    def get_urls(self) -> list[Any]:
        handle = path("handle/", self.admin_site.admin_view(self.try_handle), name="agents_agent_handle")
        return [handle, *super().get_urls()]

    def try_handle(self, request: Any) -> HttpResponse:
        """What a handle that is being typed becomes, and what it opens: `{value, link}` or `{error}`."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        handle = Handle(
            workspace=request.workspace, channel=request.GET.get("channel", ""), value=request.GET.get("value", "")
        )
        try:
            handle.clean()
        except ValidationError as error:
            return JsonResponse({"error": " ".join(error.messages)})
        return JsonResponse({"value": handle.value, "link": link_of(handle.channel, handle.value)})

    def save_related(self, request: Any, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if form.week is not None:
            rostering.set_week(agent=form.instance, windows=form.week)

    def render_change_form(self, request: Any, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        form, agent = context["adminform"].form, kwargs.get("obj")
        suggested = agent_page.suggested_by(request.GET.getlist("shift"))
        context |= agent_page.context(
            workspace=request.workspace, agent=agent, form=form, at=timezone.now(), suggested=suggested
        )
        return super().render_change_form(request, context, *args, **kwargs)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        members = Prefetch("team_members", TeamMember.objects.select_related("team").order_by("team__name", "id"))
        return super().get_queryset(request).prefetch_related(members)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*super().get_readonly_fields(request, obj), *(("slug",) if obj else ()))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # rules, leads and the history name people: they are deactivated

    @display(description=_("Name"), ordering="name")
    def who(self, agent: Agent) -> Any:
        return render_to_string("admin/people/named.html", {"agent": agent})

    @display(description=_("Languages"))
    def spoken(self, agent: Agent) -> str:
        return ", ".join(map(languages.language_name, agent.languages)) or "–"

    @display(description=_("Teams"))
    def in_teams(self, agent: Agent) -> str:
        teams = [member.team.name for member in agent.team_members.all() if member.team.archived_at is None]
        return ", ".join(teams) or "–"

    @display(
        description=_("State"),
        label={"active": "success", "paused": "warning", "inactive": "default"},
    )
    def state(self, agent: Agent) -> tuple[str, Any]:
        if not agent.is_active:
            return "inactive", _("Inactive")
        return ("paused", _("Paused")) if agent.is_paused else ("active", _("Active"))

    @admin.action(description=_("Pause"), permissions=["change"])
    def pause(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        count = rostering.set_paused(agents=queryset, paused=True)
        self.message_user(request, ngettext("Paused %d agent.", "Paused %d agents.", count) % count)

    @admin.action(description=_("End the pause"), permissions=["change"])
    def resume(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        count = rostering.set_paused(agents=queryset, paused=False)
        self.message_user(request, ngettext("%d agent goes on.", "%d agents go on.", count) % count)

    @admin.action(description=_("Deactivate"), permissions=["change"])
    def deactivate(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        count = rostering.deactivate(agents=queryset)
        self.message_user(request, ngettext("Deactivated %d agent.", "Deactivated %d agents.", count) % count)

    @admin.action(description=_("Activate"), permissions=["change"])
    def activate(self, request: Any, queryset: QuerySet[Any]) -> None:
        try:
            count = rostering.activate(agents=queryset, workspace=request.workspace)
        except ValidationError as error:
            self.message_user(request, " ".join(error.messages), messages.ERROR)
        else:
            self.message_user(request, ngettext("Activated %d agent.", "Activated %d agents.", count) % count)


class ArchivedFilter(DropdownFilter):
    title = _("state")
    parameter_name = "state"
    all_option = ["", _("In use")]

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, Any]]:
        return [("archived", _("Archived")), ("all", _("All"))]

    def queryset(self, request: Any, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "all":
            return queryset
        return queryset.exclude(archived_at=None) if self.value() == "archived" else queryset.filter(archived_at=None)


@admin.register(Team)
class TeamAdmin(RosterAdmin):
    form = TeamForm
    empty_words = _("No team yet. The people of a team take turns; a rule sends leads to it.")
    fields = ("name", "slug", "catch_up")
    list_display = ("name", "slug", "member_count", "catch_up", "state")
    list_filter = (ArchivedFilter,)
    search_fields = ("name", "slug")
    ordering = ("name", "id")
    actions = ("archive", "restore")
    inlines: tuple[type[TeamMemberInline], ...] = (TeamMemberInline,)
    change_form_template = "admin/people/team.html"

    def render_change_form(self, request: Any, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        formset = context["inline_admin_formsets"][0].formset
        context |= {
            "team": kwargs.get("obj"),
            "people": names_of_people(formset.form.people).values(),
            "people_list": PEOPLE_LIST,
        }
        return super().render_change_form(request, context, *args, **kwargs)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        active = Count("members", filter=Q(members__agent__is_active=True))
        return super().get_queryset(request).annotate(active_members=active)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("slug",) if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # rules, leads and the history name teams: they are archived

    @display(description=_("Active members"), ordering="active_members")
    def member_count(self, team: Any) -> int:
        return int(team.active_members)

    @display(description=_("State"), label={"used": "success", "archived": "default"})
    def state(self, team: Team) -> tuple[str, Any]:
        return ("archived", _("Archived")) if team.archived_at else ("used", _("In use"))

    @admin.action(description=_("Archive"), permissions=["change"])
    def archive(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        count = rostering.archive_teams(teams=Team.objects.filter(pk__in=queryset.values("pk")), at=timezone.now())
        self.message_user(
            request,
            ngettext("Archived %d team.", "Archived %d teams.", count) % count
            + " "
            + _now("Rules that send leads there find nobody until it is restored."),
        )

    @admin.action(description=_("Restore from the archive"), permissions=["change"])
    def restore(self, request: Any, queryset: QuerySet[Any]) -> None:
        teams = Team.objects.filter(pk__in=queryset.values("pk"))
        try:
            count = rostering.restore_teams(teams=teams, workspace=request.workspace)
        except ValidationError as error:
            self.message_user(request, " ".join(error.messages), messages.ERROR)
        else:
            self.message_user(request, ngettext("Restored %d team.", "Restored %d teams.", count) % count)


def lines(texts: Any) -> Any:
    """One under the other, for a list's cell."""
    return format_html_join(SafeString("<br>"), "{}", ((text,) for text in texts)) or "–"
