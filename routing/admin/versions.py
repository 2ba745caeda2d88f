"""Publishing the draft, and the versions published so far."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from agents import admin_access as access
from agents import plans
from agents.admin.scoped import WorkspaceAdmin
from agents.scoping import Action
from routing import publishing
from routing.covered_promises import never_due
from routing.models import PolicyVersion
from routing.policy_changes import policy_changes, rule_in_words, scoring_in_words, target_names
from routing.rulebook import PolicyErrors, check_plan, normalise_policy

_LONGEST_NOTE = 500


@admin.register(PolicyVersion)
class PolicyVersionAdmin(WorkspaceAdmin):
    """Versions never change: they are read here, and published again."""

    needs = Action.CHANGE_POLICY
    list_display = ("version", "published_at", "who", "note", "state")
    search_fields = ("note",)
    ordering = ("-number",)
    sortable_by = ()
    list_select_related = ("published_by", "workspace")
    change_form_template = "admin/routing/version.html"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        return [
            path("publish/", view(self.publish), name="routing_policyversion_publish"),
            path("<int:version_id>/publish-again/", view(self.publish_again), name="routing_policyversion_again"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: Any) -> Any:
        rows = super().get_queryset(request)
        for_list = request.resolver_match and request.resolver_match.url_name.endswith("_changelist")
        return rows.defer("document", "team_slugs", "agent_slugs") if for_list else rows

    def publish(self, request: Any) -> HttpResponse:
        """What would change, and the button."""
        if not access.may(request, Action.PUBLISH):
            raise PermissionDenied
        workspace, note, errors = request.workspace, request.POST.get("note", "").strip(), []
        if request.method == "POST":
            if len(note) > _LONGEST_NOTE:
                errors = [_now("The note is longer than %(most)d characters.") % {"most": _LONGEST_NOTE}]
            else:
                try:
                    before = workspace.policy_version
                    version = publishing.publish(workspace=workspace, by=request.user, note=note, at=timezone.now())
                except PolicyErrors as refused:
                    errors = _sentences(refused, publishing.draft_document(workspace))
                else:
                    if version.number == before:
                        messages.info(request, _now("Nothing differs from what is published."))
                    else:
                        sentence = _now("Version %(number)d is published. Leads go by it from now on.")
                        messages.success(request, sentence % {"number": version.number})
                    return redirect("admin:routing_policyversion_changelist")
        draft = publishing.draft_document(workspace)
        try:
            normalised = normalise_policy(draft, roster_names=publishing.roster_names(workspace, archived=True))
            if faults := check_plan(normalised, workspace.plan):
                raise PolicyErrors(faults)
        except PolicyErrors as refused:
            errors = errors or _sentences(refused, draft)
        names = target_names(workspace)
        context = {
            **self.admin_site.each_context(request),
            "title": _now("Publish"),
            "workspace": workspace,
            "changes": policy_changes(
                publishing.version_document(workspace.pk, workspace.policy_version), draft, names=names
            ),
            "errors": errors,
            "gone": publishing.named_but_gone(draft, workspace),
            "never_due": never_due(workspace=workspace, document=draft, at=timezone.now()),
            "note": note,
            "longest_note": _LONGEST_NOTE,
            "plan": plans.Plan(workspace.plan).label,
        }
        return TemplateResponse(request, "admin/routing/publish.html", context, status=400 if request.POST else 200)

    def change_view(self, request: Any, object_id: str, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """The version as people read it, and what publishing it again would change."""
        version = self.get_object(request, object_id)
        if version is None or not self.has_view_permission(request):
            return super().change_view(request, object_id, form_url, extra_context)
        return self._version_page(request, version, errors=[])

    def publish_again(self, request: Any, version_id: int) -> HttpResponse:
        """Roll back to this version: the same policy under a new number."""
        version = get_object_or_404(self.get_queryset(request), pk=version_id)
        if not access.may(request, Action.PUBLISH):
            raise PermissionDenied
        if request.method != "POST":
            return redirect("admin:routing_policyversion_change", version.pk)
        try:
            made = publishing.roll_back(
                workspace=request.workspace,
                number=version.number,
                by=request.user,
                note=request.POST.get("note", "").strip()[:_LONGEST_NOTE],
                at=timezone.now(),
            )
        except PolicyErrors as refused:
            return self._version_page(request, version, errors=_sentences(refused, version.document))
        if made.restored_from == version.number:
            sentence = _now("Version %(old)d is published again, as version %(number)d. The draft stays as it is.")
            messages.success(request, sentence % {"old": version.number, "number": made.number})
        else:
            messages.info(request, _now("Nothing differs from what is published."))
        return redirect("admin:routing_policyversion_changelist")

    def _version_page(self, request: Any, version: PolicyVersion, *, errors: list[str]) -> HttpResponse:
        workspace = request.workspace
        names = target_names(workspace)
        current = publishing.version_document(workspace.pk, workspace.policy_version)
        context = {
            **self.admin_site.each_context(request),
            "title": str(version),
            "opts": self.model._meta,
            "version": version,
            "original": version,
            "is_current": version.number == workspace.policy_version,
            "rules": [(rule["name"], rule_in_words(rule, names)) for rule in version.document["rules"]],
            "scoring": [scoring_in_words(rule) for rule in version.document["scoring"]],
            "changes": policy_changes(current, version.document, names=names),
            "gone": publishing.named_but_gone(version.document, workspace),
            "errors": errors,
            "may_publish": access.may(request, Action.PUBLISH),
            "longest_note": _LONGEST_NOTE,
        }
        return TemplateResponse(request, "admin/routing/version.html", context, status=400 if errors else 200)

    @display(description=_("Version"))
    def version(self, version: PolicyVersion) -> str:
        return str(version)

    @display(description=_("By"))
    def who(self, version: PolicyVersion) -> str:
        return version.published_by.email if version.published_by else "–"

    @display(description=_("State"), label={"now": "success", "again": "info", "past": "default"})
    def state(self, version: PolicyVersion) -> tuple[str, Any]:
        if version.number == version.workspace.policy_version:
            return "now", _("Published now")
        if version.restored_from:
            return "again", _now("Version %(number)d again") % {"number": version.restored_from}
        return "past", _("Earlier")


def _sentences(refused: PolicyErrors, document: dict[str, Any]) -> list[str]:
    """Each fault with the rule it is in."""
    sentences = []
    for path_, message in refused.errors:
        if path_[:1] == ("rules",) and len(path_) > 1 and isinstance(path_[1], int):
            name = document["rules"][path_[1]].get("name", "")
            sentences.append(_now("Rule “%(rule)s”: %(message)s") % {"rule": name, "message": message})
        elif path_[:1] == ("scoring",) and len(path_) > 1 and isinstance(path_[1], int):
            sentences.append(
                _now("Scoring rule %(number)d: %(message)s") % {"number": path_[1] + 1, "message": message}
            )
        else:
            sentences.append(message)
    return list(dict.fromkeys(sentences))
