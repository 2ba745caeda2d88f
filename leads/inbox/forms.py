"""What agents write."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from agents.models import Agent
from leads.touches import MAX_NOTE


class PassOnForm(forms.Form):
    """To whom, and why. Nobody named: whom the rules choose among the others."""

    to = forms.ModelChoiceField(
        label=_("To"), required=False, queryset=Agent.objects.none(), empty_label=_("Whoever the rules choose")
    )
    reason = forms.CharField(label=_("Why"), max_length=200)

    def __init__(self, *args: Any, agent: Agent, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["to"]
        colleagues = Agent.objects.for_workspace(agent.workspace).filter(is_active=True).exclude(pk=agent.pk)
        field.queryset = colleagues.order_by("name", "pk")
        field.label_from_instance = lambda who: _paused(who) if who.is_paused else who.name


class NoteForm(forms.Form):
    text = forms.CharField(
        label=_("Note"), max_length=MAX_NOTE, widget=forms.Textarea(attrs={"rows": 3, "dir": "auto"})
    )


def _paused(agent: Agent) -> Any:
    return _("%(name)s (paused)") % {"name": agent.name}
