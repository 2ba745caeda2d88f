"""Publishing the draft, and the versions published so far."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.decorators import display
from unfold.views import ChangeList as UnfoldChangeList

from agents import admin_access as access
from agents import plans
from agents.admin.scoped import WorkspaceAdmin
from agents.scoping import Action
from routing import publishing
from routing.admin.looking import lint_of
from routing.covered_promises import never_due
from routing.drafting import lock_draft
from routing.lint import Weight
from routing.models import PolicyVersion
from routing.policy_changes import policy_changes, rule_parts, scoring_in_words, target_names
from routing.rulebook import PolicyErrors, check_plan, normalise_policy

_LONGEST_NOTE = 500


class VersionList(UnfoldChangeList):
    """Knows which version is published, and whether the user may publish another."""

    def get_results(self, request: Any) -> None:
        super().get_results(request)
        self.published = request.workspace.policy_version
        self.may_publish = access.may(request, Action.PUBLISH)


@admin.register(PolicyVersion)
class PolicyVersionAdmin(WorkspaceAdmin):
    """Versions never change: they are read here, and published again."""

    needs = Action.CHANGE_POLICY
    list_display = ("version",)
    search_fields = ("note",)
    ordering = ("-number",)
    sortable_by = ()
    list_select_related = ("published_by",)
    change_list_template = "admin/routing/versions.html"

    class Media:
        css = {"all": ["switchyard/rules.css"]}
        js = ["switchyard/rules.js"]

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
            path("discard/", view(require_POST(self.discard)), name="routing_policyversion_discard"),
            path("<int:version_id>/publish-again/", view(self.publish_again), name="routing_policyversion_again"),
            *super().get_urls(),
        ]

    def get_changelist(self, request: Any, **kwargs: Any) -> type[ChangeList]:
        return VersionList

    def get_queryset(self, request: Any) -> Any:
        rows = super().get_queryset(request)
        for_list = request.resolver_match and request.resolver_match.url_name.endswith("_changelist")
        return rows.defer("document", "team_slugs", "agent_slugs") if for_list else rows

    # the draft becomes a version

    def publish(self, request: Any) -> HttpResponse:
        """What would change, and the button."""
        self._must_publish(request)
        if request.method != "POST":
            return self._publish_page(request)
        workspace, note = request.workspace, request.POST.get("note", "").strip()
        if len(note) > _LONGEST_NOTE:
            return self._publish_page(
                request,
                note=note,
                errors=[_now("The note is longer than %(most)d characters.") % {"most": _LONGEST_NOTE}],
            )
        before = workspace.policy_version
        try:
            version = publishing.publish(
                workspace=workspace, by=request.user, note=note, at=timezone.now(), seen=request.POST.get("seen")
            )
        except publishing.ChangedMeanwhile:
            return self._publish_page(request, note=note, meanwhile=True)
        except PolicyErrors as refused:
            return self._publish_page(
                request, note=note, errors=_sentences(refused, publishing.draft_document(workspace))
            )
        if version.number == before:
            messages.info(request, _now("Nothing differs from what is published."))
        else:
            sentence = _now("Version %(number)d is published. Leads go by it from now on.")
            messages.success(request, sentence % {"number": version.number})
        return redirect("admin:routing_policyversion_changelist")

    def discard(self, request: Any) -> HttpResponse:
        """Make the draft what is published."""
        self._must_publish(request)
        workspace = request.workspace
        with transaction.atomic():
            lock_draft(workspace)
            draft = publishing.draft_document(workspace)
            if request.POST.get("seen") != publishing.state_of(workspace, draft):
                return self._publish_page(request, meanwhile=True)
            publishing.replace_draft(workspace, publishing.version_document(workspace.pk, workspace.policy_version))
        messages.success(request, _now("The draft is again what is published."))
        return redirect("admin:routing_rule_changelist")

    def _publish_page(
        self, request: Any, *, note: str = "", errors: list[str] | None = None, meanwhile: bool = False
    ) -> HttpResponse:
        workspace = request.workspace
        workspace.refresh_from_db(fields=["policy_version"])
        draft = publishing.draft_document(workspace)
        context = {
            **self.admin_site.each_context(request),
            "title": _now("Publish"),
            "opts": self.model._meta,
            "media": self.media,
            "workspace": workspace,
            "changes": policy_changes(
                publishing.version_document(workspace.pk, workspace.policy_version),
                draft,
                names=target_names(workspace),
            ),
            "remarks": [
                (draft["rules"][remark.rule]["name"], remark)
                for remark in lint_of(draft, workspace)
                if remark.weight is Weight.WRONG
            ],
            "errors": errors or _faults(draft, workspace),
            "meanwhile": meanwhile,
            "seen": publishing.state_of(workspace, draft),
            "gone": publishing.named_but_gone(draft, workspace),
            "never_due": never_due(workspace=workspace, document=draft, at=timezone.now()),
            "note": note,
            "longest_note": _LONGEST_NOTE,
            "plan": plans.Plan(workspace.plan).label,
        }
        status = 409 if meanwhile else 400 if errors else 200
        return TemplateResponse(request, "admin/routing/publish.html", context, status=status)

    # a version becomes what is published again

    def change_view(self, request: Any, object_id: str, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """The version as people read it, and what publishing it again would change."""
        version = self.get_object(request, object_id)
        if version is None or not self.has_view_permission(request):
            return super().change_view(request, object_id, form_url, extra_context)
        return self._version_page(request, version)

    def publish_again(self, request: Any, version_id: int) -> HttpResponse:
        """Roll back to this version: the same policy under a new number."""
        version = get_object_or_404(self.get_queryset(request), pk=version_id)
        self._must_publish(request)
        if request.method != "POST":
            return redirect("admin:routing_policyversion_change", version.pk)
        published = request.POST.get("published", "")
        try:
            made = publishing.roll_back(
                workspace=request.workspace,
                number=version.number,
                by=request.user,
                note=request.POST.get("note", "").strip()[:_LONGEST_NOTE],
                at=timezone.now(),
                instead_of=int(published) if published.isdecimal() else None,
                draft_too="draft_too" in request.POST,
            )
        except publishing.ChangedMeanwhile:
            return self._version_page(request, version, meanwhile=True)
        except PolicyErrors as refused:
            return self._version_page(request, version, errors=_sentences(refused, version.document))
        if made.restored_from == version.number:
            sentence = _now("Version %(old)d is published again, as version %(number)d. Leads go by it from now on.")
            messages.success(request, sentence % {"old": version.number, "number": made.number})
        else:
            messages.info(request, _now("Nothing differs from what is published."))
        return redirect("admin:routing_policyversion_changelist")

    def _version_page(
        self, request: Any, version: PolicyVersion, *, errors: list[str] | None = None, meanwhile: bool = False
    ) -> HttpResponse:
        workspace = request.workspace
        workspace.refresh_from_db(fields=["policy_version"])
        names = target_names(workspace)
        current = publishing.version_document(workspace.pk, workspace.policy_version)
        context = {
            **self.admin_site.each_context(request),
            "title": str(version),
            "opts": self.model._meta,
            "media": self.media,
            "version": version,
            "original": version,
            "workspace": workspace,
            "is_current": version.number == workspace.policy_version,
            "rules": [
                (rule["name"], rule_parts(rule, names), rule.get("active") is False)
                for rule in version.document["rules"]
            ],
            "scoring": [scoring_in_words(rule) for rule in version.document["scoring"]],
            "changes": policy_changes(current, version.document, names=names),
            "gone": publishing.named_but_gone(version.document, workspace),
            "errors": errors or [],
            "meanwhile": meanwhile,
            "may_publish": access.may(request, Action.PUBLISH),
            "longest_note": _LONGEST_NOTE,
        }
        status = 409 if meanwhile else 400 if errors else 200
        return TemplateResponse(request, "admin/routing/version.html", context, status=status)

    def _must_publish(self, request: Any) -> None:
        if not access.may(request, Action.PUBLISH):
            raise PermissionDenied

    @display(description=_("Version"))
    def version(self, version: PolicyVersion) -> str:
        return str(version)


def _faults(draft: dict[str, Any], workspace: Any) -> list[str]:
    """What would be refused if this were published now."""
    try:
        normalised = normalise_policy(draft, roster_names=publishing.roster_names(workspace, archived=True))
        if faults := check_plan(normalised, workspace.plan):
            raise PolicyErrors(faults)
    except PolicyErrors as refused:
        return _sentences(refused, draft)
    return []


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
