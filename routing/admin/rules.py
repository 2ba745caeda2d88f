"""The rules of the draft, in order, and its scoring."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.decorators import display
from unfold.views import ChangeList as UnfoldChangeList

from agents.admin.scoped import WorkspaceAdmin, WorkspaceRelatedFilter
from agents.scoping import Action
from routing.covered_promises import never_due
from routing.drafting import move_rule
from routing.forms.rules import RuleForm, ScoringRuleForm
from routing.models import Rule, ScoringRule
from routing.policy_changes import ChangeKind, rule_in_words, rule_states, scoring_in_words
from routing.publishing import draft_document, version_document

_STATES = {
    None: ("same", _("Published")),
    ChangeKind.ADDED: ("added", _("New")),
    ChangeKind.CHANGED: ("changed", _("Changed")),
    ChangeKind.MOVED: ("moved", _("Moved")),
}
# Submits the list's own form, which carries the workspace; `formaction` sends it elsewhere without a script.
_BUTTON = (
    '<button type="submit" formaction="move/?{4}" name="{0}" value="{1}" class="sy-button sy-icon" title="{2}"'
    ' aria-label="{2}"><span class="material-symbols-outlined" aria-hidden="true">{3}</span></button>'
)
_NO_BUTTON = _BUTTON.replace("<button ", "<button disabled ")


class RuleList(UnfoldChangeList):
    """Marks each rule of the page with how it differs from what is published, and with its place."""

    def get_results(self, request: Any) -> None:
        super().get_results(request)
        workspace = request.workspace
        draft = draft_document(workspace)
        states = rule_states(version_document(workspace.pk, workspace.policy_version), draft)
        without_hours = never_due(workspace=workspace, document=draft, at=timezone.now())
        places = {rule["name"]: place for place, rule in enumerate(draft["rules"], start=1)}
        for rule in self.result_list:
            rule.state_now = states.get(rule.name)
            rule.is_never_due = rule.name in without_hours
            rule.place = places.get(rule.name, 0)
            rule.is_first, rule.is_last = rule.place == 1, rule.place == len(places)
            rule.back = request.GET.urlencode()


@admin.register(Rule)
class RuleAdmin(WorkspaceAdmin):
    """Nothing here routes a lead until it is published."""

    needs = Action.CHANGE_POLICY
    form = RuleForm
    change_form_template = "admin/routing/conditioned_form.html"
    list_display = ("place_and_name", "in_words", "state", "order")
    list_filter = ("is_active", ("team", WorkspaceRelatedFilter))
    search_fields = ("name",)
    ordering = ("position", "id")
    sortable_by = ()
    list_per_page = 200
    list_select_related = ("team", "agent")
    list_before_template = "admin/routing/rules_before.html"
    autocomplete_fields = ("agent",)
    fieldsets = (
        (None, {"fields": ("name", "is_active")}),
        (_("Then send it to"), {"fields": ("to_kind", "team", "agent", "by", "require", "prefer", "if_nobody")}),
        (
            _("Promise"),
            {
                "fields": (
                    ("sla_respond_within", "sla_remind_at"),
                    ("sla_reroute_after", "sla_max_reroutes"),
                    ("sla_escalate_after", "sla_clock"),
                ),
                "description": _("What happens until somebody answers. All of it may stay empty."),
            },
        ),
    )

    def get_changelist(self, request: Any, **kwargs: Any) -> type[ChangeList]:
        return RuleList

    def get_urls(self) -> list[Any]:
        return [
            path("move/", self.admin_site.admin_view(require_POST(self.move)), name="routing_rule_move"),
            *super().get_urls(),
        ]

    def move(self, request: HttpRequest) -> HttpResponse:
        """`up` or `down` is the id of the rule to move by one place."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        up = "up" in request.POST
        chosen = request.POST.get("up" if up else "down", "")
        rule = get_object_or_404(self.get_queryset(request), pk=chosen if chosen.isdecimal() else 0)
        if not move_rule(rule=rule, up=up):
            messages.info(request, _now("“%(rule)s” is at the end already.") % {"rule": rule})
        return redirect(f"{reverse('admin:routing_rule_changelist')}?{request.GET.urlencode()}#rule-{rule.pk}")

    @display(description=_("Rule"))
    def place_and_name(self, rule: Any) -> Any:
        return format_html('<span id="rule-{}">{}. {}</span>', rule.pk, rule.place, rule.name)

    @display(description=_("What it does"))
    def in_words(self, rule: Any) -> Any:
        names = {f"team:{rule.team.slug}": rule.team.name} if rule.team else {}
        if rule.agent:
            names[f"agent:{rule.agent.slug}"] = rule.agent.name
        words = format_html('<span class="sy-words">{}</span>', rule_in_words(rule.document, names))
        if not rule.is_never_due:
            return words
        warning = _now(
            "Its promise never falls due: it counts covered hours, and nobody of them has a regular shift within 366"
            " days."
        )
        return format_html('{}<span class="sy-failure">{}</span>', words, warning)

    @display(
        description=_("Differs"),
        label={"same": "default", "added": "success", "changed": "warning", "moved": "info"},
    )
    def state(self, rule: Any) -> tuple[str, Any]:
        return _STATES[rule.state_now]

    @display(description=_("Order"))
    def order(self, rule: Any) -> Any:
        up = _now("Move “%(rule)s” up") % {"rule": rule.name}
        down = _now("Move “%(rule)s” down") % {"rule": rule.name}
        return format_html(
            '<span class="sy-row">{}{}</span>',
            format_html(_NO_BUTTON if rule.is_first else _BUTTON, "up", rule.pk, up, "arrow_upward", rule.back),
            format_html(_NO_BUTTON if rule.is_last else _BUTTON, "down", rule.pk, down, "arrow_downward", rule.back),
        )


@admin.register(ScoringRule)
class ScoringRuleAdmin(WorkspaceAdmin):
    needs = Action.CHANGE_POLICY
    form = ScoringRuleForm
    change_form_template = "admin/routing/conditioned_form.html"
    list_display = ("in_words",)
    ordering = ("position", "id")
    sortable_by = ()
    list_before_template = "admin/routing/scoring_before.html"
    fields = ("points",)

    @display(description=_("Points"))
    def in_words(self, rule: ScoringRule) -> str:
        return scoring_in_words(rule.document)
