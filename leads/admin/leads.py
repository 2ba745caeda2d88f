"""Leads: the list, one lead with all that happened to it and why, and what a manager does about it."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.timesince import timesince
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from agents import languages, places
from agents.admin.scoped import WorkspaceAdmin, WorkspaceSearchFilter
from agents.admin_access import may
from agents.channels import CHANNELS
from agents.scoping import Action
from leads import actions, selectors
from leads.actor import Actor
from leads.admin.decisions import pools_of, steps_of
from leads.explaining import explain_decision
from leads.forms import ReassignForm
from leads.models import ClosedAs, Lead, Status, Trigger
from leads.models.reasons import REASONS
from leads.sla.selectors import IN_TROUBLE, OVERDUE

_OUTCOMES = {
    "assigned": "success",
    "fallback": "warning",
    "held": "warning",
    "queued": "info",
    "rejected": "default",
}


class AttentionFilter(DropdownFilter):
    title = _("attention")
    parameter_name = "attention"

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("trouble", _("In trouble")),
            ("overdue", _("Overdue")),
            ("flagged", _("Flagged")),
            ("held", _("Held now")),
            ("open", _("Not answered yet")),
        ]

    def queryset(self, request: Any, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "trouble":
            return queryset.filter(IN_TROUBLE).exclude(status=Status.CLOSED)
        if self.value() == "overdue":
            return queryset.filter(OVERDUE)
        if self.value() == "flagged":
            return queryset.exclude(flagged="")
        if self.value() == "held":
            return queryset.filter(outcome="held").exclude(status=Status.CLOSED)
        if self.value() == "open":
            return queryset.filter(status=Status.OPEN)
        return queryset


class ChannelFilter(DropdownFilter):
    title = _("channel")
    parameter_name = "channel"

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, Any]]:
        return [(channel.id, channel.label) for channel in CHANNELS.values()]

    def queryset(self, request: Any, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(channel=self.value()) if self.value() in CHANNELS else queryset


@admin.register(Lead)
class LeadAdmin(WorkspaceAdmin):
    """Facts are read, never edited; what is done to a lead goes through `leads.actions`."""

    needs = Action.SEE_LEADS
    list_display = ("received", "who", "on_channel", "outcome_label", "status_label", "given_to", "rule", "flag")
    list_filter = (
        AttentionFilter,
        ("status", ChoicesDropdownFilter),
        ("outcome", ChoicesDropdownFilter),
        ChannelFilter,
        ("agent", WorkspaceSearchFilter),
    )
    search_fields = ("reference", "name", "email", "phone")
    search_help_text = _("Name, e-mail address, phone number or reference")
    ordering = ("-received_at", "-id")
    sortable_by = ()
    list_select_related = ("agent",)
    paginator = InfinitePaginator  # a count of all leads costs more with every lead
    show_full_result_count = False
    list_disable_select_all = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("facts", "known", "message", "attributes", "consent")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """A whole reference is looked up; anything else is searched for in names and contacts."""
        term = search_term.strip()
        if term and queryset.filter(reference=term.upper()).exists():
            return queryset.filter(reference=term.upper()), False
        digits = "".join(c for c in term if c.isdigit())
        if len(digits) >= 6 and not any(c.isalpha() for c in term):
            # As it may have been typed: stored are both what the visitor wrote and its normal form.
            return queryset.filter(Q(phone__contains=digits) | Q(phone__contains=term)), False
        return super().get_search_results(request, queryset, search_term)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        done = {"reassign": self.reassign, "close": self.close, "reopen": self.reopen, "clear-flag": self.clear_flag}
        return [
            *(
                path(
                    f"<uuid:lead_id>/{name}/",
                    view(require_POST(do)),
                    name=f"leads_lead_{name.replace('-', '_')}",
                )
                for name, do in done.items()
            ),
            path("<uuid:lead_id>/why/", view(self.why), name="leads_lead_why"),
            *super().get_urls(),
        ]

    # The page of one lead

    def change_view(self, request: Any, object_id: str, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        lead = selectors.find_lead(workspace=request.workspace, lead_id=object_id)
        if lead is None or not self.has_view_permission(request):
            return super().change_view(request, object_id, form_url, extra_context)
        return self._page(request, lead)

    def why(self, request: Any, lead_id: Any) -> HttpResponse:
        """The latest decision, made again before the reader's eyes: every rule that was tried."""
        lead = self._lead(request, lead_id)
        decision = selectors.latest_decision(lead)
        explained = explain_decision(decision) if decision else None
        context = {**self._context(request, lead), "title": _now("Why"), "decision": decision}
        if decision is not None and explained is not None:
            context |= {
                "steps": steps_of(explained, request.workspace, decision.policy_version),
                "pools": pools_of(decision),
                "turn": explained["turn"],
            }
        return TemplateResponse(request, "admin/leads/why.html", context)

    def _page(self, request: Any, lead: Lead, form: ReassignForm | None = None) -> HttpResponse:
        decisions = list(lead.decisions.order_by("-at", "-pk").select_related("agent"))
        may_change = may(request, Action.CHANGE_LEADS)
        if may_change and form is None:
            form = ReassignForm(workspace=request.workspace, admin_site=self.admin_site)
        context = {
            **self._context(request, lead),
            "title": lead.name or lead.reference,
            "facts": _facts(lead),
            "events": [(event, _details(event.data)) for event in selectors.timeline(lead)],
            "decisions": [(decision, pools_of(decision)) for decision in decisions],
            "may_change": may_change,
            "form": form,
            "ends": ClosedAs.choices,
            "media": self.media + form.media if form else self.media,
        }
        status = 400 if form is not None and form.is_bound and form.errors else 200
        return TemplateResponse(request, "admin/leads/lead.html", context, status=status)

    def _context(self, request: HttpRequest, lead: Lead) -> dict[str, Any]:
        return {**self.admin_site.each_context(request), "opts": self.model._meta, "lead": lead, "original": lead}

    def _lead(self, request: Any, lead_id: Any) -> Lead:
        if not self.has_view_permission(request):
            raise PermissionDenied
        lead = selectors.find_lead(workspace=request.workspace, lead_id=lead_id)
        if lead is None:
            raise Http404
        return lead

    # What is done about it

    def reassign(self, request: Any, lead_id: Any) -> HttpResponse:
        lead = self._lead_to_change(request, lead_id)
        form = ReassignForm(request.POST, workspace=request.workspace, admin_site=self.admin_site)
        if form.is_valid():
            try:
                lead = actions.reassign(
                    lead=lead,
                    at=timezone.now(),
                    to=form.cleaned_data["to"],
                    reason=form.cleaned_data["reason"],
                    by=Actor(user=request.user),
                )
            except ValidationError as error:
                form.add_error(None, error.messages)
            else:
                agent = lead.agent.name if lead.agent else None
                sentence = _now("%(agent)s has it now.") if agent else _now("Nobody else is there: it waits.")
                messages.success(request, sentence % {"agent": agent})
                return redirect("admin:leads_lead_change", lead.pk)
        return self._page(request, lead, form)

    def close(self, request: Any, lead_id: Any) -> HttpResponse:
        closed_as = request.POST.get("as", "")
        labels = dict(ClosedAs.choices)
        return self._do(
            request,
            lead_id,
            lambda lead, done: actions.close(lead=lead, closed_as=closed_as, **done),
            _now("Closed as %(end)s.") % {"end": labels.get(closed_as, closed_as)},
        )

    def reopen(self, request: Any, lead_id: Any) -> HttpResponse:
        return self._do(request, lead_id, lambda lead, done: actions.reopen(lead=lead, **done), _now("Open again."))

    def clear_flag(self, request: Any, lead_id: Any) -> HttpResponse:
        return self._do(
            request, lead_id, lambda lead, done: actions.clear_flag(lead=lead, **done), _now("The flag is off.")
        )

    def _do(
        self, request: Any, lead_id: Any, act: Callable[[Lead, dict[str, Any]], Lead], sentence: str
    ) -> HttpResponse:
        lead = self._lead_to_change(request, lead_id)
        try:
            act(lead, {"at": timezone.now(), "by": Actor(user=request.user)})
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        else:
            messages.success(request, sentence)
        return redirect("admin:leads_lead_change", lead.pk)

    def _lead_to_change(self, request: Any, lead_id: Any) -> Lead:
        if not may(request, Action.CHANGE_LEADS):
            raise PermissionDenied
        return self._lead(request, lead_id)

    # The list

    @display(description=_("Received"))
    def received(self, lead: Lead) -> Any:
        age = timesince(lead.received_at, timezone.now(), depth=1)
        return format_html(
            '<span title="{}">{}</span>',
            f"{lead.received_at:%Y-%m-%d %H:%M} UTC",
            _now("%(age)s ago") % {"age": age},
        )

    @display(description=_("Who"))
    def who(self, lead: Lead) -> Any:
        contact = lead.email or lead.phone
        first, second = (lead.name, contact) if lead.name else (contact or lead.reference, "")
        return format_html('{}<br><span class="sy-quiet">{}</span>', first, second) if second else first

    @display(description=_("Channel"))
    def on_channel(self, lead: Lead) -> Any:
        place = places.country_name(lead.country) if lead.country else ""
        channel = channel_label(lead.channel)
        return format_html('{}<br><span class="sy-quiet">{}</span>', channel, place) if place else channel

    @display(description=_("Outcome"), label=_OUTCOMES)
    def outcome_label(self, lead: Lead) -> tuple[str, Any]:
        return lead.outcome, lead.get_outcome_display()

    @display(description=_("Status"), label={"open": "info", "answered": "success", "closed": "default"})
    def status_label(self, lead: Lead) -> tuple[str, Any]:
        return lead.status, lead.get_closed_as_display() if lead.closed_as else lead.get_status_display()

    @display(description=_("Agent"))
    def given_to(self, lead: Lead) -> str:
        return lead.agent.name if lead.agent else "–"

    @display(description=_("Flag"))
    def flag(self, lead: Lead) -> Any:
        return format_html('<span class="sy-flag" title="{}">⚑</span>', lead.flagged) if lead.flagged else ""


def channel_label(channel: str) -> str:
    return str(CHANNELS[channel].label) if channel in CHANNELS else channel


def _facts(lead: Lead) -> list[tuple[Any, Any]]:
    """What is known of the lead, what is unknown left out."""
    place = ", ".join(part for part in (lead.city, lead.region) if part)
    said = [
        (_("Reference"), lead.reference),
        (_("Name"), lead.name),
        (_("E-mail"), lead.email),
        (_("Phone"), lead.phone),
        (_("Channel"), channel_label(lead.channel)),
        (_("Reached on"), channel_label(lead.reached_on) if lead.reached_on != lead.channel else ""),
        (_("Source"), lead.source),
        (_("Language"), languages.language_name(lead.language) if lead.language else ""),
        (_("Country"), places.country_name(lead.country) if lead.country else ""),
        (_("Place"), place),
        (_("Page"), lead.page_url),
        (_("Referrer"), lead.referrer),
        (_("Site"), lead.site.name if lead.site else ""),
        (_("Intent"), f"{lead.intent} ({lead.score})" if lead.intent else ""),
        *((name, value) for name, value in sorted((lead.attributes or {}).items())),
        (_("Message"), lead.message),
    ]
    return [(label, value) for label, value in said if value not in ("", None)]


# What an event says beside its kind, in the order in which people want to know it; other keys follow as they are.
_SAID_FIRST = ("agent", "rule", "reason", "as", "why", "note")
_WORDS: dict[str, dict[str, Any]] = {
    "reason": dict(REASONS),
    "trigger": dict(Trigger.choices),
    "as": dict(ClosedAs.choices),
    "channel": {channel.id: channel.label for channel in CHANNELS.values()},
}


def _details(data: dict[str, Any]) -> str:
    keys = [*(key for key in _SAID_FIRST if key in data), *(key for key in data if key not in _SAID_FIRST)]
    said = []
    for key in keys:
        values = data[key] if isinstance(data[key], list) else [data[key]]
        said += [str(_WORDS.get(key, {}).get(str(value), value)) for value in values if value not in ("", None, {}, [])]
    return ", ".join(said)
