"""API keys: the doors into a workspace for servers."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import display

from agents.admin.scoped import WorkspaceAdmin
from agents.forms.doors import ApiKeyForm
from agents.models import ApiKey, Scope
from agents.scoping import Action


@admin.register(ApiKey)
class ApiKeyAdmin(WorkspaceAdmin):
    needs = Action.CHANGE_ACCESS
    form = ApiKeyForm
    list_display = ("name_or_prefix", "prefix", "may_do", "created_at", "state")
    search_fields = ("name", "prefix")
    ordering = ("revoked_at", "-created_at", "-id")
    actions = ("revoke",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("may_do", "prefix", "created_at", "revoked_at") if obj else ()

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("name", "may_do", "prefix", "created_at", "revoked_at") if obj else ("name", "scopes")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # leads name the key they came by: it is revoked

    def save_model(self, request: Any, obj: ApiKey, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        made, key = ApiKey.issue(workspace=request.workspace, name=obj.name, scopes=obj.scopes)
        obj.__dict__.update(made.__dict__)
        request.key_made = key

    def response_add(self, request: Any, obj: ApiKey, post_url_continue: str | None = None) -> HttpResponse:
        """The key itself, in this one answer and nowhere else: a message would keep it in a cookie."""
        context = {**self.admin_site.each_context(request), "title": _now("Your new API key"), "row": obj}
        response = TemplateResponse(request, "admin/api_key_made.html", {**context, "key": request.key_made})
        response["Cache-Control"] = "no-store"
        return response

    @display(description=_("Name"), ordering="name")
    def name_or_prefix(self, key: ApiKey) -> str:
        return key.name or str(_("(no name)"))

    @display(description=_("May"))
    def may_do(self, key: ApiKey) -> str:
        labels = dict(Scope.choices)
        return ", ".join(str(labels.get(scope, scope)) for scope in key.scopes)

    @display(description=_("State"), label={"active": "success", "revoked": "danger"})
    def state(self, key: ApiKey) -> tuple[str, Any]:
        return ("revoked", _("Revoked")) if key.revoked_at else ("active", _("Active"))

    @admin.action(description=_("Revoke"), permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        count = queryset.filter(revoked_at=None).update(revoked_at=timezone.now())
        self.message_user(request, ngettext("Revoked %d key.", "Revoked %d keys.", count) % count)
