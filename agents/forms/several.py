"""What is done to several people at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from agents.forms.fields import MomentInput, WallClockField
from agents.forms.roster import PEOPLE_LIST, AgentNameField, names_of_people
from agents.models import Agent, TimeOff
from agents.validators import validate_one_line


class PauseForm(forms.Form):
    until = forms.DateTimeField(
        label=_("Until"),
        widget=MomentInput(),
        help_text=_("By the workspace's clock. Then they go on by themselves."),
        error_messages={"required": _("Say until when; to pause without an end, choose “Pause”.")},
    )

    def clean_until(self) -> Any:
        until = self.cleaned_data["until"]
        if until <= timezone.now():
            raise ValidationError(_("This is over already. Write a moment to come."))
        return until


class TimeOffForAllForm(forms.Form):
    starts_local = WallClockField(label=_("From"), max_length=16, help_text=_("By each one's own clock."))
    ends_local = WallClockField(label=_("To"), max_length=16)
    note = forms.CharField(
        label=_("Note"),
        required=False,
        max_length=200,
        widget=UnfoldAdminTextInputWidget(),
        validators=[validate_one_line],
        help_text=_("Such as company outing. Visitors never see it."),
    )

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if cleaned is not None and {"starts_local", "ends_local"} <= cleaned.keys():
            TimeOff(starts_local=cleaned["starts_local"], ends_local=cleaned["ends_local"]).clean()
        return cleaned


class CopyShiftsForm(forms.Form):
    """`people` are those of the workspace, of whom one is copied from."""

    source = AgentNameField(
        label=_("Copy the week of"),
        help_text=_("Their shifts and on-call hours take the place of what these people have now."),
        error_messages={"required": _("Say whose week is copied.")},
    )

    def __init__(self, *args: Any, people: Mapping[int, Agent], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["source"]
        field.people, field.names = people, names_of_people(people)
        field.widget.attrs |= {"list": PEOPLE_LIST, "autocomplete": "off"}

    @property
    def names(self) -> Any:
        field: Any = self.fields["source"]
        return field.names.values()
