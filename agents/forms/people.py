"""Forms for a workspace's settings, its members and, for operators, users."""

from typing import Any

from django import forms
from django.contrib.auth.forms import PasswordResetForm
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from agents.forms.fields import SuggestingInput, WordsField
from agents.forms.names import NamesField, language_choices, language_code
from agents.forms.roster import zone_suggestions
from agents.forms.workspace_form import WorkspaceForm
from agents.languages import language_name
from agents.models import Membership, User, Workspace
from agents.scoping import Role


class SettingsForm(WorkspaceForm):
    languages = NamesField(
        label=_("Languages"),
        required=False,
        choices=language_choices,
        name_of=language_name,
        code_of=language_code,
        help_text=_("Offered to visitors, such as Spanish, English. The first is the default."),
    )
    public_attributes = WordsField(
        label=_("Public attributes"),
        required=False,
        help_text=_(
            "Names of attributes, such as plan, that a visitor may set without a signature. All others are ignored."
        ),
    )

    class Meta:
        model = Workspace
        fields = ("name", "slug", "timezone", "languages", "fallback_agent", "public_attributes", "plan")
        widgets = {"timezone": SuggestingInput(zone_suggestions)}


class MembershipForm(WorkspaceForm):
    """`grantable` are the roles that whoever fills it in may give."""

    grantable: tuple[Role, ...] = ()

    class Meta:
        model = Membership
        fields = ("role",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "role" in self.fields:
            self.fields["role"].choices = [(role.value, role.label) for role in self.grantable]  # type: ignore[attr-defined]

    def clean_role(self) -> str:
        role = self.cleaned_data["role"]
        if role not in self.grantable:
            raise ValidationError(_("You may not give this role."))
        return str(role)


class OperatorUserForm(forms.ModelForm):
    """A user as operators make and change them; passwords have a page of their own."""

    class Meta:
        model = User
        fields = ("email", "first_name", "last_name", "is_active", "is_superuser")
        help_texts = {"is_superuser": _("An operator: sees every workspace, its members and its plan.")}


class FirstOrForgottenPasswordForm(PasswordResetForm):
    """Sends the link also to those who never had a password: whoever reads the mail has the address."""

    def get_users(self, email: str) -> Any:
        return User.objects.filter(email=User.objects.normalize_email(email), is_active=True)
