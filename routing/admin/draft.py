"""What the draft says beside its rules."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _

from routing.admin.draft_parts import DraftPartAdmin
from routing.forms.rules import DraftForm
from routing.models import Draft


@admin.register(Draft)
class DraftAdmin(DraftPartAdmin):
    """One a workspace, made with it: its list leads straight to it."""

    form = DraftForm
    fieldsets = (
        (_("People who come back"), {"fields": ("seen", "returning", "join_window_s")}),
        (_("Intent"), {"fields": ("hot", "warm")}),
        (
            _("Promise where a rule has none"),
            {
                "fields": (
                    ("sla_respond_within", "sla_remind_at"),
                    ("sla_reroute_after", "sla_max_reroutes"),
                    ("sla_escalate_after", "sla_clock"),
                ),
            },
        ),
        (_("On call"), {"fields": ("acknowledge_within_s",)}),
    )

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changelist_view(self, request: Any, extra_context: Any = None) -> HttpResponse:
        draft = self.get_queryset(request).first() if self.has_view_permission(request) else None
        if draft is None:
            return super().changelist_view(request, extra_context)
        return redirect("admin:routing_draft_change", draft.pk)
