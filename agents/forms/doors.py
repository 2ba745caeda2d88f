"""The form of an API key."""

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from agents.forms.workspace_form import WorkspaceForm
from agents.models import ApiKey, Scope


class ApiKeyForm(WorkspaceForm):
    scopes = forms.MultipleChoiceField(
        label=_("May"),
        choices=Scope.choices,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        error_messages={"required": _("Choose at least one thing that the key may do.")},
    )

    class Meta:
        model = ApiKey
        fields = ("name", "scopes")
        help_texts = {"name": _("Which server uses it, such as CRM or contact form.")}
