"""Leads: the list, one lead with all that happened to it and why, and what a manager does about it."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.paginator import InfinitePaginator
from unfold.views import ChangeList

from agents.admin.scoped import WorkspaceAdmin
from agents.admin_access import may
from agents.scoping import Action
from leads import actions, selectors
from leads.actor import Actor
from leads.admin.decisions import pools_of
from leads.admin.lead_list import FILTERS, LeadList, state_of, suggested_agents
from leads.admin.lead_words import contact_of, facts_of, told_events
from leads.explaining import explain_decision, trial_of
from leads.forms import AskForm, ReassignForm
from leads.models import ClosedAs, Lead
from leads.sla.selectors import is_overdue
from routing.telling import tell, why_not


@admin.register(Lead)
class LeadAdmin(WorkspaceAdmin):
    """Facts are read, never edited; what is done to a lead goes through `leads.actions`."""

    needs = Action.SEE_LEADS
    change_list_template = "admin/leads/leads.html"
    list_display = ("reference",)
    list_filter = FILTERS
    search_fields = ("reference", "name", "email", "phone")
    search_help_text = _("Name, e-mail address, phone number or reference")
    ordering = ("-received_at", "-id")
    sortable_by = ()
    list_select_related = ("agent",)
    paginator = InfinitePaginator  # a count of all leads costs more with every lead
    show_full_result_count = False
    list_disable_select_all = True

    class Media:
        css = {"all": ["switchyard/rules.css", "switchyard/pick.css", "switchyard/leads.css"]}
        js = ("switchyard/suggest.js",)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_changelist(self, request: Any, **kwargs: Any) -> type[ChangeList]:
        return LeadList

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
            path("agents/", view(self.agents), name="leads_lead_agents"),
            path("<uuid:lead_id>/why/", view(self.why), name="leads_lead_why"),
            *super().get_urls(),
        ]

    def agents(self, request: Any) -> HttpResponse:
        """Names for the list's field, as they are typed."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return JsonResponse({"names": suggested_agents(request.workspace, request.GET.get("q", ""))})

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
        trial = trial_of(decision) if decision else None
        context = {**self._context(request, lead), "title": _now("Why"), "decision": decision, "media": self.media}
        if trial is not None and explained is not None:
            context |= {"told": tell(trial), "turn": explained["turn"]}
        return TemplateResponse(request, "admin/leads/why.html", context)

    def _page(self, request: Any, lead: Lead, form: ReassignForm | None = None) -> HttpResponse:
        decisions = list(lead.decisions.order_by("-at", "-pk").select_related("agent"))
        trial = trial_of(decisions[0]) if decisions else None
        asked = AskForm(request.GET if AskForm.asks(request.GET) else None, workspace=request.workspace)
        may_change = may(request, Action.CHANGE_LEADS)
        if may_change and form is None:
            form = ReassignForm(workspace=request.workspace)
        now = timezone.now()
        context = {
            **self._context(request, lead),
            "title": lead.name or lead.reference,
            "state": state_of(lead, at=now),
            "contact": contact_of(lead),
            "facts": facts_of(lead),
            "events": told_events(lead),
            "latest": decisions[0] if decisions else None,
            "told": tell(trial) if trial else None,
            "earlier": [(decision, pools_of(decision)) for decision in decisions[1:]],
            "ask_form": asked if trial else None,
            "answers": why_not(trial, asked.cleaned_data["why_not"].pk) if trial and asked.is_valid() else None,
            "is_late": is_overdue(lead, at=now),
            "may_change": may_change,
            "form": form,
            "ends": ClosedAs.choices,
            "media": self.media,
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
        form = ReassignForm(request.POST, workspace=request.workspace)
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
