"""The admin of one workspace at a time: rows, choices, filters and history are the active workspace's and no others."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.admin import ModelAdmin as DjangoModelAdmin
from django.contrib.admin import ShowFacets
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils.text import capfirst
from unfold.admin import ModelAdmin, TabularInline
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RelatedDropdownFilter
from unfold.contrib.filters.forms import AutocompleteDropdownForm

from agents import admin_access as access
from agents.forms.workspace_form import WorkspaceForm
from agents.roster import one_change
from agents.scoping import Action, is_tenant_model


class InOneWorkspace:
    """What a page of rows and rows inside a page have in common. `needs` is what its user must be allowed to do."""

    needs: ClassVar[Action] = Action.CHANGE_ROSTER
    form = WorkspaceForm

    def get_queryset(self, request: Any) -> models.QuerySet[Any]:
        return super().get_queryset(request).for_workspace(request.workspace)  # type: ignore[misc]

    def get_field_queryset(self, db: str | None, db_field: Any, request: Any) -> models.QuerySet[Any]:
        related = db_field.remote_field.model
        if not is_tenant_model(related):  # a user, a content type: no tenant's rows, so not offered here
            return related._default_manager.none()
        choices = super().get_field_queryset(db, db_field, request)  # type: ignore[misc]
        if choices is None:  # not `or`: that would run the query over every tenant
            choices = related._default_manager.using(db)
        return choices.for_workspace(request.workspace)

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]
        if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
            widget = field.widget
            widget.can_add_related = widget.can_change_related = False
            widget.can_delete_related = widget.can_view_related = False
        return field

    def has_module_permission(self, request: HttpRequest) -> bool:
        return access.may(request, self.needs)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return access.may(request, self.needs)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return access.may(request, self.needs)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return access.may(request, self.needs)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return access.may(request, self.needs)


class WorkspaceAdmin(InOneWorkspace, ModelAdmin):
    """Shows rows, choices, filters and history of the active workspace only; saves into it.

    `list_title`, `add_words` and `empty_words` are what the list, its button and an empty list say, where the model's
    own names do not say it well.
    """

    list_title: Any = ""
    add_words: Any = ""
    empty_words: Any = ""
    list_per_page = 50
    list_filter_sheet = False
    empty_value_display = "–"
    show_facets = ShowFacets.NEVER

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        title = {"title": self.list_title or capfirst(str(self.model._meta.verbose_name_plural))}
        return super().changelist_view(request, {**title, **(extra_context or {})})

    def get_form(self, request: Any, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        form.workspace = request.workspace
        return form

    def lookup_allowed(self, lookup: str, value: str, request: Any = None) -> bool:
        """Only what the list offers as a filter: a guessed `?hash__startswith=` would answer letter by letter."""
        for offered in self.get_list_filter(request):
            name = offered[0] if isinstance(offered, tuple) else offered
            if lookup == getattr(name, "parameter_name", None):
                return True
            if isinstance(name, str) and (lookup == name or lookup.startswith(f"{name}__")):
                return bool(super().lookup_allowed(lookup, value, request))
        return False


class RosterAdmin(WorkspaceAdmin):
    """Rows of the roster: a form and the rows inside it are saved as one change, under one version."""

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if request.method != "POST":
            return super().changeform_view(request, object_id, form_url, extra_context)
        with one_change():
            return super().changeform_view(request, object_id, form_url, extra_context)


class WorkspaceInline(InOneWorkspace, TabularInline):
    """Rows of the active workspace inside the page of another row of it."""

    extra = 0
    hide_title = True

    def get_formset(self, request: Any, obj: Any = None, **kwargs: Any) -> Any:
        formset = super().get_formset(request, obj, **kwargs)
        formset.form.workspace = request.workspace
        return formset


class _OwnChoices(AutocompleteDropdownForm):
    def __init__(self, request: Any, name: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, name, *args, **kwargs)
        field: Any = self.fields[name]
        field.queryset = field.queryset.for_workspace(request.workspace)


class WorkspaceSearchFilter(AutocompleteSelectFilter):
    """As WorkspaceRelatedFilter, for rows so many that they are searched for rather than listed."""

    form_class = _OwnChoices


class WorkspaceRelatedFilter(RelatedDropdownFilter):
    """Offers the active workspace's rows; Django's own filter offers everybody's, however the list is scoped."""

    def field_choices(self, field: Any, request: Any, model_admin: DjangoModelAdmin[Any]) -> list[tuple[Any, str]]:
        rows = field.remote_field.model._default_manager.for_workspace(request.workspace)
        return sorted(((row.pk, str(row)) for row in rows), key=lambda choice: choice[1].casefold())
