"""The form of a site."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from agents.forms.fields import LinesField
from agents.forms.workspace_form import WorkspaceForm
from agents.models import Site
from widget.admin.site_fields import ChannelsField, WordsField


class SiteForm(WorkspaceForm):
    origins = LinesField(
        label=_("Origins"),
        required=False,
        help_text=_("Where the widget may run, one on each line, such as https://www.example.com."),
    )
    channels = ChannelsField(
        label=_("Channels"),
        required=False,
        help_text=_("Offered in this order, each to visitors for whom somebody has it. A form is always offered."),
    )
    texts = WordsField(
        label=_("Words"),
        required=False,
        help_text=_("What you leave out, visitors read in the product's words. Their language decides."),
    )

    class Meta:
        model = Site
        fields = (
            "name",
            "origins",
            "channels",
            "is_active",
            "accent",
            "on_accent",
            "side",
            "scheme",
            "offset",
            "texts",
            "hours_shown",
            "fallback_url",
            "asks_consent",
            "privacy_url",
        )
        widgets = {
            "accent": forms.TextInput({"type": "color", "class": "sy-colour"}),
            "on_accent": forms.TextInput({"type": "color", "class": "sy-colour"}),
            "offset": UnfoldAdminTextInputWidget({"inputmode": "numeric", "class": "sy-clock"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "texts" in self.fields:
            # Words in a language that is not offered any more are kept in sight, not dropped by the next save.
            offered = self.instance.workspace.languages if self.instance.workspace_id else []
            tags = dict.fromkeys([*offered, *(self.instance.texts or {})])
            self.fields["texts"].widget.languages = tuple(tags)
