"""Inviting members. The link goes by mail; where no mail goes out it is shown, once."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import display

from agents import admin_access as access
from agents import inviting
from agents.admin.scoped import WorkspaceAdmin
from agents.forms.invitation import InvitationForm
from agents.models import Agent, Invitation
from agents.scoping import Action, Role


@admin.register(Invitation)
class InvitationAdmin(WorkspaceAdmin):
    """Who was invited into the active workspace. Nobody invites to a role above their own, or takes such a one back."""

    needs = Action.CHANGE_SETTINGS
    form = InvitationForm
    fields = ("email", "role", "agent")
    list_display = ("email", "role_label", "agent", "state", "invited_at", "invited_by")
    list_display_links = None
    list_select_related = ("agent", "invited_by")
    search_fields = ("email",)
    ordering = ("-invited_at", "-id")
    actions = ("send_again", "withdraw")

    def get_form(self, request: Any, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        form.grantable = access.grantable_roles(request)
        return form

    def get_changeform_initial_data(self, request: Any) -> dict[str, Any]:
        """A link from an agent's page, `?agent=ID`, comes with the agent's own address."""
        initial: dict[str, Any] = super().get_changeform_initial_data(request)
        asked = str(initial.get("agent", ""))
        agents = Agent.objects.for_workspace(request.workspace)
        agent = agents.filter(pk=asked).first() if asked.isdecimal() else None
        return initial if agent is None else {"email": agent.email, "role": Role.AGENT, **initial}

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(access.grantable_roles(request))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None and self.has_module_permission(request)  # sent again or withdrawn, never rewritten

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # it says how somebody became a member

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        response = super().add_view(request, form_url, {"title": _now("Invite somebody"), **(extra_context or {})})
        invitation: Invitation | None = getattr(request, "invitation_made", None)
        # Only now, after the transaction: mail is slow, and what was rolled back must not be sent.
        by_hand = None if invitation is None else self._send(request, [invitation])
        return by_hand or response

    def save_model(self, request: Any, obj: Invitation, form: Any, change: bool) -> None:
        made = inviting.invite(
            workspace=request.workspace,
            email=obj.email,
            role=Role(obj.role),
            agent=obj.agent,
            by=request.user,
            at=timezone.now(),
        )
        obj.__dict__.update(made.__dict__)
        request.invitation_made = made

    def response_add(self, request: Any, obj: Invitation, post_url_continue: str | None = None) -> HttpResponse:
        return redirect("admin:agents_invitation_changelist")

    @admin.action(description=_("Send again"), permissions=["change"])
    def send_again(self, request: Any, queryset: QuerySet[Any]) -> HttpResponse | None:
        return self._send(request, list(self._own(request, queryset).select_related("workspace", "agent")))

    def _send(self, request: Any, invitations: list[Invitation]) -> HttpResponse | None:
        """Mail each a new link. Where one does not go out: the page that shows it, and the rest is left as it was."""
        for sent, invitation in enumerate(invitations):
            link = inviting.renew(invitation=invitation, by=request.user, at=timezone.now())
            if not inviting.send(invitation, link):
                self._say_sent(request, sent)
                context = {**self.admin_site.each_context(request), "title": _now("Hand the link over"), "link": link}
                page = TemplateResponse(request, "admin/invitation_made.html", {**context, "invitation": invitation})
                page["Cache-Control"] = "no-store"
                return page
        self._say_sent(request, len(invitations))
        return None

    def _say_sent(self, request: HttpRequest, count: int) -> None:
        if count:
            text = ngettext("%d invitation is on its way.", "%d invitations are on their way.", count)
            self.message_user(request, text % count)

    @admin.action(description=_("Withdraw"), permissions=["change"])
    def withdraw(self, request: Any, queryset: QuerySet[Any]) -> None:
        at = timezone.now()
        count = sum(inviting.withdraw(invitation=each, at=at) for each in self._own(request, queryset))
        self.message_user(request, ngettext("Withdrew %d invitation.", "Withdrew %d invitations.", count) % count)

    def _own(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those that the user could have made."""
        return queryset.filter(accepted_at=None, withdrawn_at=None, role__in=access.grantable_roles(request))

    @display(description=_("Role"), ordering="role")
    def role_label(self, invitation: Invitation) -> Any:
        return Role(invitation.role).label

    @display(
        description=_("State"),
        label={"open": "info", "accepted": "success", "withdrawn": "default", "too_old": "warning"},
    )
    def state(self, invitation: Invitation) -> tuple[str, Any]:
        if invitation.accepted_at is not None:
            return "accepted", _("Accepted")
        if invitation.withdrawn_at is not None:
            return "withdrawn", _("Withdrawn")
        if timezone.now() >= invitation.expires_at:
            return "too_old", _("Too old")
        return "open", _("Open")
