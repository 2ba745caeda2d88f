"""Who changed what in the roster."""

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from agents.admin.scoped import WorkspaceAdmin
from agents.models import RosterChange
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


@admin.register(RosterChange)
class RosterChangeAdmin(WorkspaceAdmin):
    """The roster's history, the newest first. Nothing here can be changed."""

    list_display = ("changed_at", "who", "what", "values_now")
    list_display_links = None
    list_filter = (KindFilter,)
    ordering = ("-version", "kind", "row_id")
    list_select_related = ("actor",)
    paginator = InfinitePaginator
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @display(description=_("By"))
    def who(self, change: RosterChange) -> str:
        return change.actor.email if change.actor else "–"

    @display(description=_("What"))
    def what(self, change: RosterChange) -> Any:
        model = KINDS.get(change.kind)
        kind = model._meta.verbose_name if model else change.kind
        name = (change.values or {}).get("name", "")
        return format_html("{} {}", kind, name) if name else kind

    @display(description=_("Became"))
    def values_now(self, change: RosterChange) -> Any:
        if change.values is None:
            return _("deleted")
        shown = ((name, value) for name, value in change.values.items() if value not in (None, "", [], False))
        return format_html(
            '<details class="sy-values"><summary>{}</summary><dl>{}</dl></details>',
            _("Values"),
            format_html_join("", "<dt>{}</dt><dd>{}</dd>", ((name, _plain(value)) for name, value in shown)),
        )


def _plain(value: Any) -> Any:
    return ", ".join(map(str, value)) if isinstance(value, list) else value
