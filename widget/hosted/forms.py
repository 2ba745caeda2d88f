"""What visitors fill in on a hosted page."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from agents.contacts import normalise_email
from widget.fields import Phone
from widget.submissions import FORM


class ChoiceForm(forms.Form):
    """The button of a channel: there is nothing to fill in."""

    channel = forms.CharField(max_length=20)
    hp = forms.CharField(required=False)

    def __init__(self, *args: Any, offered: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offered = offered

    def clean_channel(self) -> str:
        channel = str(self.cleaned_data["channel"])
        if channel not in self.offered:
            raise forms.ValidationError(_("Choose one of the ways on this page."))
        return channel


class MessageForm(ChoiceForm):
    """A message with somewhere to answer it."""

    name = forms.CharField(
        label=_("Your name"), max_length=200, required=False, widget=forms.TextInput({"autocomplete": "name"})
    )
    contact = forms.CharField(
        label=_("E-mail or phone"),
        max_length=254,
        widget=forms.TextInput({"autocomplete": "email"}),
        error_messages={"required": _("Write an e-mail address or a phone number, so that we can answer you.")},
    )
    message = forms.CharField(
        label=_("Your message"),
        max_length=10_000,
        widget=forms.Textarea({"rows": 4}),
        error_messages={"required": _("Write a message.")},
    )
    consent = forms.BooleanField(error_messages={"required": _("Tick the box: without it we may not answer you.")})

    def __init__(self, *args: Any, consent: dict[str, Any] | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if consent is None:
            del self.fields["consent"]
        else:
            self.fields["consent"].label = consent["text"]
        wrong = [name for name in self.fields if self.is_bound and name in self.errors]
        for name in wrong:
            attrs = {"aria-invalid": "true", "aria-describedby": f"id_{name}_error", "autofocus": name == wrong[0]}
            self.fields[name].widget.attrs |= attrs

    def clean_contact(self) -> dict[str, str]:
        """As `email` or as `phone`."""
        contact = str(self.cleaned_data["contact"]).strip()
        if normalise_email(contact) is not None:
            return {"email": contact}
        try:
            return {"phone": Phone().run_validation(contact) or ""}
        except serializers.ValidationError:
            raise forms.ValidationError(_("This is neither an e-mail address nor a phone number.")) from None


def form_of(data: Any, *, offered: list[str], consent: dict[str, Any] | None) -> ChoiceForm:
    if data.get("channel") == FORM:
        return MessageForm(data, offered=[*offered, FORM], consent=consent)
    return ChoiceForm(data, offered=offered)
