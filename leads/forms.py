"""What a manager decides about one lead."""

from typing import Any

from django import forms
from django.contrib.admin.widgets import AutocompleteSelect
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from agents.models import Agent
from leads.models import Lead


class ReassignForm(forms.Form):
    """To whom, and why. Nobody named: whom the rules choose among the others."""

    to = forms.ModelChoiceField(
        label=_("To"),
        required=False,
        queryset=Agent.objects.none(),
        help_text=_("Empty: whoever the rules choose, without those who had it."),
    )
    reason = forms.CharField(label=_("Why"), required=False, max_length=200, widget=UnfoldAdminTextInputWidget)

    def __init__(self, *args: Any, workspace: Any, admin_site: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The widget first: the queryset gives it its choices. It asks the agents' own page, which is scoped.
        field: Any = self.fields["to"]
        field.widget = AutocompleteSelect(
            Lead._meta.get_field("agent"), admin_site, attrs={"class": "unfold-admin-autocomplete admin-autocomplete"}
        )
        field.queryset = Agent.objects.for_workspace(workspace).filter(is_active=True).order_by("name", "id")
