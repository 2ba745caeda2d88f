"""The rules of the draft, in order, and its scoring."""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST
from unfold.decorators import display
from unfold.views import ChangeList as UnfoldChangeList

from routing.admin.draft_parts import DraftPartAdmin
from routing.admin.looking import look_at, names_on_roster, remarks_on
from routing.drafting import OrderChanged, move_rule, order_rules, put_rule
from routing.engine import Request
from routing.forms.choices import Offers
from routing.forms.conditions import condition_row
from routing.forms.rules import RuleForm, ScoringRuleForm
from routing.forms.trying import PREFIX, TryForm
from routing.models import Rule, ScoringRule
from routing.policy_changes import ChangeKind, rule_parts, rule_states, scoring_in_words
from routing.publishing import draft_document, version_document
from routing.telling import tell
from routing.trying import request_of, try_lead

_STATES: Mapping[Any, tuple[str, Any]] = {
    ChangeKind.ADDED: ("added", _("New")),
    ChangeKind.CHANGED: ("changed", _("Changed")),
    ChangeKind.MOVED: ("moved", _("Moved")),
}


class RuleList(UnfoldChangeList):
    """Gives each rule of the page its place, its words, how it differs from what is published, and what is remarkable
    about it."""

    def get_results(self, request: Any) -> None:
        super().get_results(request)
        workspace = request.workspace
        self.draft = draft_document(workspace)
        published = version_document(workspace.pk, workspace.policy_version)
        states = rule_states(published, self.draft)
        self.is_published = published == self.draft
        self.fallback = workspace.fallback_agent
        places = {rule["name"]: place for place, rule in enumerate(self.draft["rules"])}
        names = names_on_roster(workspace)
        remarks: dict[int, list[Any]] = {}
        for remark in remarks_on(self.draft, workspace, at=timezone.now()):
            remarks.setdefault(remark.rule, []).append(remark)
        for rule in self.result_list:
            place = places.get(rule.name, 0)
            rule.place = place + 1
            rule.is_first, rule.is_last = place == 0, place == len(places) - 1
            rule.words = rule_parts(self.draft["rules"][place], names)
            rule.state = _STATES.get(states.get(rule.name))
            rule.remarks = remarks.get(place, [])
        self.may_drag = len(self.result_list) == len(places) > 1
        self.is_empty = not places


@admin.register(Rule)
class RuleAdmin(DraftPartAdmin):
    form = RuleForm
    change_list_template = "admin/routing/rules.html"
    change_form_template = "admin/routing/rule_form.html"
    list_display = ("name",)
    search_fields = ("name",)
    ordering = ("position", "id")
    sortable_by = ()
    list_per_page = 500
    list_max_show_all = 500
    actions = None
    fields = (
        "seen", "name", "is_active", "place", "to_kind", "team", "agent", "by", "require", "prefer", "if_nobody",
        "sla_respond_within", "sla_remind_at", "sla_reroute_after", "sla_max_reroutes", "sla_escalate_after",
        "sla_clock",
    )  # fmt: skip

    def get_changelist(self, request: Any, **kwargs: Any) -> type[ChangeList]:
        return RuleList

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        return [
            path("move/", view(require_POST(self.move)), name="routing_rule_move"),
            path("order/", view(require_POST(self.order)), name="routing_rule_order"),
            path("row/", view(require_GET(self.row)), name="routing_rule_row"),
            path("try/", view(self.try_page), name="routing_rule_try"),
            *super().get_urls(),
        ]

    # the list

    def changelist_view(self, request: Any, extra_context: Any = None) -> HttpResponse:
        context = extra_context or {}
        if self.has_view_permission(request):
            context = {"try_form": self._try_form(request), **context}
        return super().changelist_view(request, context)

    def move(self, request: HttpRequest) -> HttpResponse:
        """`up` or `down` is the id of the rule to move by one place."""
        self._must_change(request)
        up = "up" in request.POST
        rule = self._rule(request, request.POST.get("up" if up else "down", ""))
        if not move_rule(rule=rule, up=up):
            messages.info(request, _now("“%(rule)s” is at the end already.") % {"rule": rule})
        return self._back_to_list(request, f"rule-{rule.pk}-{'up' if up else 'down'}")

    def order(self, request: Any) -> HttpResponse:
        """`order` are the ids of all rules as they shall stand, `seen` as they stood for whoever moved them."""
        self._must_change(request)
        order, seen = (_ids(request.POST.get(name, "")) for name in ("order", "seen"))
        try:
            order_rules(workspace=request.workspace, seen=seen, order=order)
        except OrderChanged:
            messages.error(
                request,
                _now(
                    "Somebody changed the order of the rules meanwhile, so nothing was moved. This is how they stand."
                ),
            )
        return self._back_to_list(request, f"rule-{_ids(request.POST.get('moved', '0'))[0]}")

    def _back_to_list(self, request: HttpRequest, anchor: str) -> HttpResponse:
        return redirect(f"{reverse('admin:routing_rule_changelist')}?{request.GET.urlencode()}#{anchor}")

    def _must_change(self, request: HttpRequest) -> None:
        if not self.has_change_permission(request):
            raise PermissionDenied

    def _rule(self, request: HttpRequest, chosen: str) -> Rule:
        return get_object_or_404(self.get_queryset(request), pk=chosen if chosen.isdecimal() else 0)

    # one rule

    def row(self, request: Any) -> HttpResponse:
        """One condition with the control that its field asks for."""
        self._must_change(request)
        form = condition_row(request.GET, offers=Offers.of(request.workspace))
        if form is None:
            return HttpResponseBadRequest(_now("No condition is named."))
        return TemplateResponse(request, "admin/routing/condition.html", {"form": form})

    def save_model(self, request: Any, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if form.is_moved:
            put_rule(rule=obj, above=form.above)

    def render_change_form(self, request: Any, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        form = context["adminform"].form
        try_form = self._try_form(request, offers=form.offers)
        look = look_at(form, request.workspace, at=timezone.now())
        context |= {"look": look, "try_form": try_form}
        if form.is_tried:
            context["told"] = self._told(request, try_form, look.document)
        if request.htmx and form.is_tried:
            return TemplateResponse(request, "admin/routing/look.html", context)
        return super().render_change_form(request, context, *args, **kwargs)

    # trying

    def try_page(self, request: Any) -> HttpResponse:
        """Where a lead would go by the draft as it is saved."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = self._try_form(request)
        context = {
            **self.admin_site.each_context(request),
            "title": _now("Try a lead"),
            "opts": self.model._meta,
            "try_form": form,
            "media": self.media,
        }
        if request.method == "POST":
            context["told"] = self._told(request, form, draft_document(request.workspace))
        template = "admin/routing/tried.html" if request.htmx else "admin/routing/try.html"
        return TemplateResponse(request, template, context)

    def _try_form(self, request: Any, offers: Offers | None = None) -> TryForm:
        tried = any(name.startswith(f"{PREFIX}-") for name in request.POST)
        return TryForm(
            request.POST if tried else None,
            workspace=request.workspace,
            offers=offers or Offers.of(request.workspace),
            leads=self.tries_leads,
        )

    def _told(self, request: Any, form: TryForm, document: Any) -> Any:
        """What becomes of the lead of this form; None, with the form's errors, where it is none."""
        if document is None or not form.is_valid():
            return None
        try:
            asked = self.request_of_lead(request, form.cleaned_data["lead"]) if form.cleaned_data.get("lead") else None
            asked = asked or request_of(form.facts, request.workspace, returning=form.cleaned_data["returning"])
        except ValidationError as error:
            form.add_error("lead", error)
            return None
        at = form.cleaned_data["at"] or timezone.now()
        return tell(try_lead(request.workspace, document, asked, at=at))

    tries_leads = False  # only who knows leads can try one that is there

    def request_of_lead(self, request: Any, reference: str) -> Request:
        """The lead with this reference, as the engine sees it. Raises ValidationError where there is none."""
        raise ValidationError(_now("There is no lead with this reference."))


@admin.register(ScoringRule)
class ScoringRuleAdmin(DraftPartAdmin):
    form = ScoringRuleForm
    change_form_template = "admin/routing/conditioned_form.html"
    list_display = ("in_words",)
    ordering = ("position", "id")
    sortable_by = ()
    list_before_template = "admin/routing/scoring_before.html"
    fields = ("points", "seen")

    @display(description=_("Points"))
    def in_words(self, rule: ScoringRule) -> str:
        return scoring_in_words(rule.document)


def _ids(text: str) -> list[int]:
    """Ids with commas between them; a list of one 0 for anything else."""
    parts = text.split(",")
    return [int(part) for part in parts] if all(part.isascii() and part.isdecimal() for part in parts) else [0]
