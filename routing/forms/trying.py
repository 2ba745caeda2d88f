"""A lead that is not there: a few facts, to try rules with."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from agents.contacts import normalise_phone, region_of_zone
from routing.engine.conditions import ATTRIBUTE_PREFIX
from routing.forms.choices import FORM, Offers, option_groups

PREFIX = "try"


class TryForm(forms.Form):
    """Facts as people know them. `lead` is the reference of one that is there, whose facts count instead."""

    channel = forms.ChoiceField(label=_("Writes on"), required=False)
    language = forms.ChoiceField(label=_("Language"), required=False)
    country = forms.ChoiceField(label=_("Country"), required=False)
    at = forms.DateTimeField(
        label=_("When"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=_("Empty: now."),
    )
    page_url = forms.CharField(label=_("Page"), required=False, max_length=500)
    message = forms.CharField(label=_("Message"), required=False, max_length=2_000)
    email = forms.CharField(label=_("E-mail"), required=False, max_length=254)
    phone = forms.CharField(label=_("Phone"), required=False, max_length=64)
    source = forms.ChoiceField(label=_("Comes from"), required=False)
    region = forms.CharField(label=_("Region"), required=False, max_length=6, help_text=_("Such as US-CA."))
    city = forms.CharField(label=_("City"), required=False, max_length=200)
    returning = forms.BooleanField(label=_("We know this contact"), required=False)

    def __init__(self, *args: Any, workspace: Any, offers: Offers, leads: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "prefix": PREFIX})
        self.workspace = workspace
        fields: Any = self.fields
        first = {"channel": _now("Not known"), "source": _now("Not known"), "country": _now("Not known")}
        own = workspace.languages[0] if workspace.languages else ""
        for name in ("channel", "language", "country", "source"):
            groups = option_groups(name, offers=offers)
            fields[name].choices = [
                *([("", first[name])] if name in first else []),
                *((group.label, [option[:2] for option in group.options]) for group in groups if group.label),
                *(option[:2] for group in groups if not group.label for option in group.options),
            ]
        self.initial = {
            "channel": next(iter(offers.channels), FORM),
            "language": own,
            "source": "widget",
            **self.initial,
        }
        self.attributes = offers.attributes
        for name in self.attributes:
            fields[f"{ATTRIBUTE_PREFIX}{name}"] = forms.CharField(label=name, required=False, max_length=500)
        if leads:
            fields["lead"] = forms.CharField(
                label=_("Or a lead that is there"),
                required=False,
                max_length=20,
                help_text=_("Its reference. What it brought counts instead of the facts here."),
            )
        for field in fields.values():
            if not isinstance(field.widget, forms.CheckboxInput):
                field.widget.attrs["class"] = "sy-control"

    @property
    def main(self) -> list[Any]:
        return [self[name] for name in ("channel", "language", "country", "at")]

    @property
    def more(self) -> list[Any]:
        return [field for field in self if field.name not in ("channel", "language", "country", "at", "lead")]

    def clean_at(self) -> datetime | None:
        """An instant: what was typed is the workspace's wall clock."""
        typed: datetime | None = self.cleaned_data["at"]
        if typed is None:
            return None
        try:
            return typed.replace(tzinfo=ZoneInfo(self.workspace.timezone)).astimezone(UTC)
        except OverflowError:
            raise ValidationError(_("Choose a time within the next years."), code="time") from None

    def clean_phone(self) -> str:
        typed = str(self.cleaned_data["phone"])
        return normalise_phone(typed, region_of_zone(self.workspace.timezone)) or typed if typed else ""

    @property
    def facts(self) -> dict[str, Any]:
        """As `routing.facts.build_facts` takes them."""
        said = {name: value for name, value in self.cleaned_data.items() if value and name in _FACTS}
        attributes = {
            name: value for name in self.attributes if (value := self.cleaned_data.get(f"{ATTRIBUTE_PREFIX}{name}"))
        }
        return {**said, "attributes": attributes}


_FACTS = ("channel", "language", "country", "region", "city", "source", "page_url", "message", "email", "phone")
