"""What agents write."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from agents.forms.fields import ClockField
from agents.models import Agent
from leads.notifications.transports import Transport, webhook
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


class WayForm(forms.Form):
    """The address of one way, as its transport reads it. What is stored is hinted at, and stays where it is left
    empty."""

    to = forms.CharField(max_length=2_048)

    def __init__(self, *args: Any, transport: Transport, stored: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.transport = transport
        label, kind, text = _TYPED_AS.get(transport.id, (transport.label, "text", ""))
        field = self.fields["to"]
        field.label, field.help_text, field.required = label, text, not stored
        field.widget = forms.TextInput(
            attrs={"type": kind, "autocomplete": "off", "autocapitalize": "none", "placeholder": stored}
        )

    def clean_to(self) -> str:
        to: str = self.cleaned_data["to"]
        if to:
            try:
                self.transport.read(self.address_of(to))
            except ValueError as refusal:
                raise ValidationError(str(refusal)) from None
        return to

    def address_of(self, to: str) -> dict[str, str]:
        address = {self.transport.fields[0]: to}
        return address | ({"secret": webhook.new_secret()} if self.transport.id == "webhook" else {})


class QuietForm(forms.Form):
    """From when until when, on the agent's own wall clock."""

    start = ClockField(label=_("From"), widget=forms.TimeInput(attrs={"type": "time"}))
    end = ClockField(label=_("To"), widget=forms.TimeInput(attrs={"type": "time"}))

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or {}
        start, end = cleaned.get("start"), cleaned.get("end")
        if start is not None and end is not None and start % 1440 == end % 1440:
            raise ValidationError(_("Quiet hours end at another time than they start."))
        return cleaned


# How the address of a transport is asked for: label, type of the field, a hint.
_TYPED_AS: dict[str, tuple[Any, str, Any]] = {
    "email": (_("E-mail address"), "email", ""),
    "whatsapp": (_("Phone number"), "tel", _("With its country's prefix, such as +34600111222.")),
    "telegram": (
        _("Number of your chat"),
        "text",
        _("Start the bot of this installation in Telegram; it writes nothing to who has not started it."),
    ),
    "slack": (_("Address of the incoming webhook"), "url", _("As Slack shows it: https://hooks.slack.com/…")),
    "teams": (_("Address of the workflow"), "url", _("As Teams shows it where a workflow posts to a channel.")),
    "webhook": (_("Address"), "url", _("The https address that we post to.")),
}
