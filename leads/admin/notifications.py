"""How people are told, which servers are, and what is to be sent to whom."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import display
from unfold.paginator import InfinitePaginator
from unfold.views import ChangeList

from agents.admin.scoped import WorkspaceAdmin, WorkspaceRelatedFilter
from agents.admin_access import may
from agents.models import Agent, Membership
from agents.scoping import Action
from leads import outbox, wake
from leads.models import Lead, NotificationWay, Outbox, QuietHours, WebhookEndpoint
from leads.notifications.transports import TRANSPORTS
from leads.notifying import webhooks
from leads.notifying.forms import MESSAGE_LABELS, NotificationWayForm, QuietHoursForm, WebhookEndpointForm
from leads.notifying.messages import kind_of


class _ShowsSecretOnce:
    """Shows a new secret in this one answer and nowhere else: a message would keep it in a cookie."""

    admin_site: Any

    def _secret_page(self, request: HttpRequest, *, secret: str, back: str) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "title": _now("The secret"), "secret": secret, "back": back}
        response = TemplateResponse(request, "admin/leads/secret.html", context)
        response["Cache-Control"] = "no-store"
        return response


@admin.register(NotificationWay)
class NotificationWayAdmin(_ShowsSecretOnce, WorkspaceAdmin):
    """Whoever has no way here is told by mail, at their own address."""

    form = NotificationWayForm
    list_display = ("whose", "way", "to", "position", "state")
    list_filter = (("agent", WorkspaceRelatedFilter), ("transport", ChoicesDropdownFilter), "is_active")
    list_select_related = ("agent", "user")
    search_fields = ("agent__name", "user__email")
    ordering = ("agent__name", "user__email", "position", "id")
    autocomplete_fields = ("agent",)
    fields = ("agent", "member", "transport", "to", "sent", "position", "is_active")

    def response_add(self, request: Any, obj: NotificationWay, post_url_continue: str | None = None) -> HttpResponse:
        if secret := obj.address.get("secret"):
            back = reverse("admin:leads_notificationway_changelist")
            return self._secret_page(request, secret=secret, back=back)
        return super().response_add(request, obj, post_url_continue)

    def response_change(self, request: Any, obj: NotificationWay) -> HttpResponse:
        if obj.transport == "webhook" and request.POST.get("to"):
            return self.response_add(request, obj)
        return super().response_change(request, obj)

    @display(description=_("Who"), ordering="agent__name")
    def whose(self, way: NotificationWay) -> str:
        return way.agent.name if way.agent else way.user.email if way.user else "–"

    @display(description=_("Way"))
    def way(self, way: NotificationWay) -> Any:
        return TRANSPORTS[way.transport].label if way.transport in TRANSPORTS else way.transport

    @display(description=_("Address"))
    def to(self, way: NotificationWay) -> str:
        return way.masked if way.transport in TRANSPORTS else "–"

    @display(description=_("State"), label={"works": "success", "fails": "danger", "off": "default"})
    def state(self, way: NotificationWay) -> tuple[str, Any]:
        return _state(way)


@admin.register(QuietHours)
class QuietHoursAdmin(WorkspaceAdmin):
    form = QuietHoursForm
    list_display = ("agent", "hours")
    list_select_related = ("agent",)
    search_fields = ("agent__name",)
    ordering = ("agent__name", "id")
    autocomplete_fields = ("agent",)

    @display(description=_("Silent"))
    def hours(self, hours: QuietHours) -> str:
        return str(hours)


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(_ShowsSecretOnce, WorkspaceAdmin):
    needs = Action.CHANGE_ACCESS
    form = WebhookEndpointForm
    list_display = ("to", "hears_of", "created_at", "state")
    ordering = ("-created_at", "-id")
    fields = ("to", "events", "is_active")
    change_form_outer_after_template = "admin/leads/webhook_secret.html"

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        done = {"new-secret": self.new_secret, "end-rotation": self.end_rotation}
        return [
            *(
                path(
                    f"<int:endpoint_id>/{name}/",
                    view(require_POST(do)),
                    name=f"leads_webhookendpoint_{name.replace('-', '_')}",
                )
                for name, do in done.items()
            ),
            *super().get_urls(),
        ]

    def save_model(self, request: Any, obj: WebhookEndpoint, form: Any, change: bool) -> None:
        if not change:
            obj.created_at = timezone.now()
            webhooks.start(obj)
        super().save_model(request, obj, form, change)

    def response_add(self, request: Any, obj: WebhookEndpoint, post_url_continue: str | None = None) -> HttpResponse:
        return self._secret_page(request, secret=obj.secret, back=reverse("admin:leads_webhookendpoint_changelist"))

    def new_secret(self, request: Any, endpoint_id: int) -> HttpResponse:
        endpoint = self._endpoint(request, endpoint_id)
        secret = webhooks.rotate_secret(endpoint)
        return self._secret_page(
            request, secret=secret, back=reverse("admin:leads_webhookendpoint_change", args=[endpoint.pk])
        )

    def end_rotation(self, request: Any, endpoint_id: int) -> HttpResponse:
        endpoint = self._endpoint(request, endpoint_id)
        webhooks.end_rotation(endpoint)
        messages.success(request, _now("Only the new secret signs from now on."))
        return redirect("admin:leads_webhookendpoint_change", endpoint.pk)

    def _endpoint(self, request: Any, endpoint_id: int) -> WebhookEndpoint:
        if not self.has_change_permission(request):
            raise PermissionDenied
        endpoint = self.get_queryset(request).filter(pk=endpoint_id).first()
        if endpoint is None:
            raise Http404
        return endpoint

    @display(description=_("Address"))
    def to(self, endpoint: WebhookEndpoint) -> str:
        return str(endpoint)

    @display(description=_("Events"))
    def hears_of(self, endpoint: WebhookEndpoint) -> str:
        return ", ".join(map(str, endpoint.events)) or str(_("all"))

    @display(description=_("State"), label={"works": "success", "fails": "danger", "off": "default"})
    def state(self, endpoint: WebhookEndpoint) -> tuple[str, Any]:
        return _state(endpoint)


def _state(row: NotificationWay | WebhookEndpoint) -> tuple[str, Any]:
    if not row.is_active:
        return "off", _("Off: %(why)s") % {"why": row.last_error} if row.last_error else _("Off")
    return ("fails", row.last_error) if row.last_error else ("works", _("Active"))


class StateFilter(DropdownFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("given_up", _("Given up")),
            ("waiting", _("Waiting")),
            ("sent", _("Sent")),
            ("not_needed", _("Not needed")),
        ]

    def queryset(self, request: Any, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "given_up":
            return queryset.filter(done_at=None, next_try_at=None)
        if self.value() == "waiting":
            return queryset.filter(done_at=None, next_try_at__isnull=False)
        if self.value() == "sent":
            return queryset.filter(done_at__isnull=False).exclude(sent_by="")
        if self.value() == "not_needed":
            return queryset.filter(done_at__isnull=False, sent_by="")
        return queryset


class OutboxList(ChangeList):
    """Gives each row of the page the names of whom it is for and what it is about."""

    def get_results(self, request: Any) -> None:
        super().get_results(request)
        _name(self.result_list, request.workspace)


@admin.register(Outbox)
class OutboxAdmin(WorkspaceAdmin):
    """Nothing is edited here; what was given up can be sent again."""

    needs = Action.SEE_LEADS
    list_display = ("written", "what", "to", "about", "state", "tries", "last_error")
    list_filter = (StateFilter,)
    ordering = ("-id",)
    sortable_by = ()
    paginator = InfinitePaginator
    show_full_result_count = False
    actions = ("send_again",)
    list_disable_select_all = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_resend_permission(self, request: HttpRequest) -> bool:
        return may(request, Action.CHANGE_LEADS)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return OutboxList

    def get_urls(self) -> list[Any]:
        resend = self.admin_site.admin_view(require_POST(self.resend))
        return [path("<int:row_id>/resend/", resend, name="leads_outbox_resend"), *super().get_urls()]

    def change_view(self, request: Any, object_id: str, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        row = self.get_object(request, object_id)
        if row is None or not self.has_view_permission(request):
            return super().change_view(request, object_id, form_url, extra_context)
        _name([row], request.workspace)
        facts = [
            (_("What"), self.what(row)),
            (_("To"), row.to_whom),
            (_("Written"), row.created_at),
            (_("Tries"), row.tries),
            (_("Next try"), row.next_try_at),
            (_("Done"), row.done_at),
            (_("Sent by"), TRANSPORTS[row.sent_by].label if row.sent_by in TRANSPORTS else row.sent_by),
            (_("Last error"), row.last_error),
            (_("Message id"), row.message_id),
        ]
        context = {
            **self.admin_site.each_context(request),
            "title": _now("Message to send"),
            "opts": self.model._meta,
            "original": row,
            "row": row,
            "state": self.state(row),
            "facts": [(label, value) for label, value in facts if value not in (None, "")],
            "may_resend": row.next_try_at is None and self.has_resend_permission(request),
        }
        return TemplateResponse(request, "admin/leads/message.html", context)

    def resend(self, request: Any, row_id: int) -> HttpResponse:
        if not self.has_resend_permission(request):
            raise PermissionDenied
        rows = self.get_queryset(request).filter(pk=row_id)
        if not rows.exists():
            raise Http404
        self._resend(request, rows)
        return redirect("admin:leads_outbox_change", row_id)

    @admin.action(description=_("Send again"), permissions=["resend"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._resend(request, queryset)

    def _resend(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        # By their numbers: a list that is ordered or cut cannot be written to.
        chosen = Outbox.objects.filter(pk__in=list(rows.values_list("pk", flat=True)))
        count = outbox.resend(chosen, at=timezone.now())
        wake.after_commit()
        self.message_user(request, ngettext("%d message is sent again.", "%d messages are sent again.", count) % count)

    @display(description=_("Written"))
    def written(self, row: Outbox) -> Any:
        return row.created_at

    @display(description=_("What"))
    def what(self, row: Outbox) -> Any:
        if row.kind == webhooks.KIND:
            return row.payload.get("type", row.kind)
        return MESSAGE_LABELS.get(kind_of([row]) or "", row.kind)

    @display(description=_("To"))
    def to(self, row: Any) -> str:
        return row.to_whom

    @display(description=_("About"))
    def about(self, row: Any) -> Any:
        if row.lead is None:
            return "–"
        return format_html(
            '<a href="{}">{}</a>', reverse("admin:leads_lead_change", args=[row.lead.pk]), row.lead.reference
        )

    @display(
        description=_("State"),
        label={"given_up": "danger", "waiting": "info", "sent": "success", "not_needed": "default"},
    )
    def state(self, row: Outbox) -> tuple[str, Any]:
        if row.done_at is not None:
            return ("sent", _("Sent")) if row.sent_by else ("not_needed", _("Not needed"))
        return ("given_up", _("Given up")) if row.next_try_at is None else ("waiting", _("Waiting"))


def _name(rows: list[Any], workspace: Any) -> None:
    """Set `to_whom` and `lead` of each row: of this workspace, whatever the row says."""
    agents = dict(_of(Agent, rows, "agent", workspace).values_list("pk", "name"))
    users = {row.payload.get("user") for row in rows} - {None}
    members = Membership.objects.for_workspace(workspace).filter(user__in=_numbers(users))
    emails = dict(members.values_list("user_id", "user__email"))
    endpoints = {endpoint.pk: str(endpoint) for endpoint in _of(WebhookEndpoint, rows, "endpoint", workspace)}
    ids = {row.payload.get("lead") or _lead_id(row.payload) for row in rows} - {None}
    leads = {str(lead.pk): lead for lead in Lead.objects.for_workspace(workspace).filter(pk__in=ids)}
    for row in rows:
        told = row.payload
        row.to_whom = (
            agents.get(told.get("agent")) or emails.get(told.get("user")) or endpoints.get(told.get("endpoint")) or "–"
        )
        row.lead = leads.get(str(told.get("lead") or _lead_id(told)))


def _of(model: Any, rows: list[Any], name: str, workspace: Any) -> QuerySet[Any]:
    wanted = _numbers({row.payload.get(name) for row in rows})
    return model.objects.for_workspace(workspace).filter(pk__in=wanted)


def _numbers(values: set[Any]) -> list[int]:
    return [value for value in values if isinstance(value, int)]


def _lead_id(payload: dict[str, Any]) -> Any:
    data = payload.get("data")
    return data.get("lead", {}).get("id") if isinstance(data, dict) else None
