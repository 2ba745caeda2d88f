"""Who changed what in the roster."""

from collections.abc import Callable
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.core.exceptions import FieldDoesNotExist
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils import formats, timezone
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html, format_html_join
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter, RangeDateFilter
from unfold.decorators import display
from unfold.paginator import InfinitePaginator
from unfold.views import ChangeList

from agents.admin.scoped import WorkspaceAdmin
from agents.channels import CHANNELS
from agents.forms.names import place_name
from agents.languages import language_name
from agents.models import Agent, Membership, RosterChange, Team
from agents.models.hours import Weekday, clock
from agents.roster import RosterModel

KINDS: dict[str, type[RosterModel]] = {
    model.history_kind(): model for model in apps.get_models() if issubclass(model, RosterModel)
}


class KindFilter(DropdownFilter):
    title = _("kind")
    parameter_name = "kind"

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, Any]]:
        return [(kind, model._meta.verbose_name) for kind, model in KINDS.items()]

    def queryset(self, request: Any, queryset: Any) -> Any:
        return queryset.filter(kind=self.value()) if self.value() in KINDS else queryset


class ByFilter(DropdownFilter):
    """Who made the change, among those who are members now."""

    title = _("by")
    parameter_name = "by"

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, Any]]:
        members = Membership.objects.for_workspace(request.workspace).order_by("user__email")
        return [(str(user_id), email) for user_id, email in members.values_list("user_id", "user__email")]

    def queryset(self, request: Any, queryset: Any) -> Any:
        offered = {key for key, _email in self.lookup_choices}
        return queryset.filter(actor_id=int(self.value())) if self.value() in offered else queryset


class ChangeHistory(ChangeList):
    """Gives each change of the page the names of whom its values point to, by one look at agents and one at teams."""

    def get_results(self, request: Any) -> None:
        super().get_results(request)
        values = [said for change in self.result_list for said in (change.values, change.before) if said]
        agents = {said[key] for said in values for key in ("agent_id", "fallback_agent_id") if said.get(key)}
        teams = {said["team_id"] for said in values if said.get("team_id")}
        users = {said["user_id"] for said in values if said.get("user_id")}
        members = Membership.objects.for_workspace(request.workspace).filter(user__in=users)
        names = {
            "user_id": dict(members.values_list("user_id", "user__email")) if users else {},
            "agent_id": dict(_named(Agent, request.workspace, agents)),
            "team_id": dict(_named(Team, request.workspace, teams)),
        }
        names["fallback_agent_id"] = names["agent_id"]
        for change in self.result_list:
            change.names = names


@admin.register(RosterChange)
class RosterChangeAdmin(WorkspaceAdmin):
    """The roster's history, the newest first. Nothing here can be changed."""

    list_display = ("changed_at", "who", "what", "became")
    list_display_links = None
    list_filter = (KindFilter, ByFilter, ("changed_at", RangeDateFilter))
    ordering = ("-version", "kind", "row_id")
    sortable_by = ()
    list_select_related = ("actor",)
    paginator = InfinitePaginator
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ChangeHistory

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        earlier = RosterChange.objects.filter(
            workspace=OuterRef("workspace"),
            kind=OuterRef("kind"),
            row_id=OuterRef("row_id"),
            version__lt=OuterRef("version"),
        )
        return (
            super().get_queryset(request).annotate(before=Subquery(earlier.order_by("-version").values("values")[:1]))
        )

    @display(description=_("By"))
    def who(self, change: RosterChange) -> str:
        return change.actor.email if change.actor else "–"

    @display(description=_("What"))
    def what(self, change: Any) -> Any:
        model = KINDS.get(change.kind)
        kind = capfirst(str(model._meta.verbose_name)) if model else change.kind
        said = change.values or change.before or {}
        whose = said.get("name") or ", ".join(
            str(change.names[key].get(said[key], "?")) for key in ("team_id", "agent_id") if said.get(key)
        )
        return format_html('{}<br><span class="sy-quiet">{}</span>', kind, whose)

    @display(description=_("Became"))
    def became(self, change: Any) -> Any:
        if change.values is None:
            return _("deleted")
        before = change.before or {}
        told = ("name", "slug", "agent_id", "team_id") if change.kind in KINDS else ()  # by what it is about
        changed = [
            name
            for name, value in change.values.items()
            if value != before.get(name) and (name in before or name not in told)
        ]
        lines = (
            (_label(change.kind, name), _plain(change, name, before), _plain(change, name, change.values))
            if name in before
            else (_label(change.kind, name), "", _plain(change, name, change.values))
            for name in changed
            if name in before or change.values[name] not in (None, "", [])
        )
        return format_html(
            '<dl class="sy-became">{}</dl>',
            format_html_join("", "<div><dt>{}</dt><dd><del>{}</del> <ins>{}</ins></dd></div>", lines),
        )


def _named(model: type[Agent | Team], workspace: Any, ids: set[int]) -> Any:
    return model.objects.for_workspace(workspace).filter(pk__in=ids).values_list("pk", "name") if ids else ()


def _label(kind: str, name: str) -> Any:
    model = KINDS.get(kind)
    try:
        field = model._meta.get_field(name.removesuffix("_id")) if model else None
    except FieldDoesNotExist:
        field = None
    return getattr(field, "verbose_name", name)


_NAMED: dict[str, Callable[[str], str]] = {
    "languages": language_name,
    "territories": place_name,
    "holiday_calendar": place_name,
    "channel": lambda name: str(CHANNELS[name].label) if name in CHANNELS else name,
}


def _plain(change: Any, name: str, values: dict[str, Any]) -> Any:
    value = values.get(name)
    if name in change.names:
        return change.names[name].get(value, "–")
    if name in ("start_minute", "end_minute") and isinstance(value, int):
        return clock(value)
    if name == "weekday" and isinstance(value, int):
        return Weekday(value).label
    if name in _NAMED and value:
        return ", ".join(map(_NAMED[name], value if isinstance(value, list) else [value]))
    if name.endswith("_at") and isinstance(value, str) and (moment := parse_datetime(value)):
        return formats.localize(timezone.localtime(moment))
    if name.endswith("_local") and isinstance(value, str):
        return value.replace("T", " ")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "–"
    return "–" if value in (None, "") else value
