"""What a manager decides, and asks, about one lead."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from agents.models import Agent


def _people(workspace: Any) -> Any:
    return Agent.objects.for_workspace(workspace).order_by("name", "id")


class ReassignForm(forms.Form):
    """To whom, and why. Nobody named: whom the rules choose among the others."""

    to = forms.ModelChoiceField(
        label=_("Give it to"),
        required=False,
        queryset=Agent.objects.none(),
        empty_label=_("Whoever the rules choose, without those who had it"),
        widget=forms.Select(attrs={"class": "sy-control"}),
    )
    reason = forms.CharField(
        label=_("Why"), required=False, max_length=200, widget=forms.TextInput(attrs={"class": "sy-control"})
    )

    def __init__(self, *args: Any, workspace: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["to"]
        field.queryset = _people(workspace).filter(is_active=True)


class AskForm(forms.Form):
    """Why did this person not get the lead?"""

    why_not = forms.ModelChoiceField(
        label=_("Why not …"),
        queryset=Agent.objects.none(),
        empty_label=_("Choose somebody …"),
        widget=forms.Select(attrs={"class": "sy-control"}),
    )

    def __init__(self, *args: Any, workspace: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["why_not"]
        field.queryset = _people(workspace)

    @staticmethod
    def asks(data: Mapping[str, Any]) -> bool:
        return "why_not" in data
