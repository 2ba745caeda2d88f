"""Inviting somebody, and choosing a password on arrival."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.forms import SetPasswordForm
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from agents.forms.workspace_form import WorkspaceForm
from agents.models import Agent, Invitation, Membership, User
from agents.scoping import Role


class InvitationForm(WorkspaceForm):
    """`grantable` are the roles that whoever fills it in may give."""

    grantable: tuple[Role, ...] = ()

    class Meta:
        model = Invitation
        fields = ("email", "role", "agent")
        help_texts = {
            "email": _("We send a link to it. They are a member once they have followed it."),
            "role": _(
                "Owners and managers enter this admin; only owners make owners. Ops read leads and reports. Agents see"
                " their own inbox."
            ),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.fields:
            return  # shown, not asked
        self.initial.setdefault("role", Role.AGENT)  # no more power than what was asked for
        self.fields["role"].choices = [(role.value, role.label) for role in self.grantable]  # type: ignore[attr-defined]
        free = Agent.objects.for_workspace(self.workspace).filter(user=None, is_active=True)
        self.fields["agent"].queryset = free.order_by("name", "id")  # type: ignore[attr-defined]

    def clean_email(self) -> str:
        email = User.objects.normalize_email(self.cleaned_data["email"])
        # Not left to the constraint: its condition is over columns that are no fields here.
        if Invitation.objects.for_workspace(self.workspace).open().filter(email=email).exists():
            raise ValidationError(_("They are invited already. Send that invitation again, or withdraw it."))
        return email

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        role, agent = cleaned.get("role"), cleaned.get("agent")
        if role and role not in self.grantable:
            self.add_error("role", _("You may not give this role."))
        if role == Role.AGENT and agent is None and "agent" not in self.errors:
            sentence = _("Choose whose leads they answer. If that agent is not in the list yet, add the agent first.")
            self.add_error("agent", sentence)
        members = Membership.objects.for_workspace(self.workspace).filter(user__email=cleaned.get("email"))
        if agent is None and members.exists():
            self.add_error(
                "email", _("They are a member already. Change their role under Members, or choose an agent here.")
            )
        return cleaned


class ArrivalForm(SetPasswordForm):
    """The name and the first password of somebody who has no account yet."""

    first_name = forms.CharField(label=_("First name"), max_length=150, required=False)
    last_name = forms.CharField(label=_("Last name"), max_length=150, required=False)
    field_order = ("first_name", "last_name", "new_password1", "new_password2")

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(user, *args, **kwargs)
        for name, purpose in (("first_name", "given-name"), ("last_name", "family-name")):
            self.fields[name].widget.attrs["autocomplete"] = purpose

    def _post_clean(self) -> None:
        # The password is compared with the names, too.
        self.user.first_name = self.cleaned_data.get("first_name", "")
        self.user.last_name = self.cleaned_data.get("last_name", "")
        super()._post_clean()  # type: ignore[misc]

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if User.objects.filter(email=self.user.email).exists():
            raise ValidationError(_("This address has an account by now. Log in with it, then follow the link again."))
        return cleaned
