"""Forms for sites and API keys."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from agents.channels import CHANNELS
from agents.forms.fields import LinesField, RankedField
from agents.forms.workspace_form import WorkspaceForm
from agents.models import ApiKey, Scope, Site


class SiteForm(WorkspaceForm):
    origins = LinesField(
        label=_("Origins"),
        required=False,
        help_text=_("Where the widget may run, one on each line, such as https://www.example.com."),
    )
    channels = RankedField(
        label=_("Channels"),
        required=False,
        help_text=_("Offered in this order. A form is always offered. Save to get room for more."),
    )

    class Meta:
        model = Site
        fields = ("name", "origins", "channels", "is_active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "channels" in self.fields:
            self.fields["channels"].choices = [  # type: ignore[attr-defined]
                (channel.id, channel.label) for channel in CHANNELS.values() if channel.needs_handle
            ]


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
