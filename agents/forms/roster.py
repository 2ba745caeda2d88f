"""Forms for people, their hours and their teams."""

from typing import Any, TypeVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from agents import holiday_dates, places, zones
from agents.channels import CHANNELS
from agents.forms.fields import ClockField, SuggestingInput, WallClockField, WordsField
from agents.forms.workspace_form import WorkspaceForm
from agents.models import Agent, Handle, Membership, Shift, Team, TeamMember, TimeOff, User

Named = TypeVar("Named", Agent, Team)


def zone_suggestions() -> list[tuple[str, str]]:
    return [(name, "") for name in sorted(zones.zone_names()) if "/" in name or name == "UTC"]


def _calendar_suggestions() -> list[tuple[str, str]]:
    return [(code, places.territory_name(code)) for code in holiday_dates.calendar_codes()]


class _NamedForm(WorkspaceForm):
    """A row that policies name by its slug; left empty, the slug is made from the name."""

    slug = forms.CharField(
        label=_("Slug"),
        max_length=50,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("The short name in rules and files; it stays. Left empty, it is made from the name."),
    )

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if cleaned is not None and "slug" in self.fields and not cleaned.get("slug") and cleaned.get("name"):
            cleaned["slug"] = self._free_slug(cleaned["name"])
        return cleaned

    def _free_slug(self, name: str) -> str:
        wanted = slugify(name)[:44] or self._meta.model._meta.model_name or ""
        taken = set(
            self._meta.model._default_manager.filter(workspace=self.workspace, slug__startswith=wanted).values_list(
                "slug", flat=True
            )
        )
        return next(s for s in (wanted, *(f"{wanted}-{n}" for n in range(2, len(taken) + 3))) if s not in taken)


class AgentForm(_NamedForm):
    languages = WordsField(
        label=_("Languages"),
        required=False,
        help_text=_("Separated by commas, such as es, pt-BR. What this person can answer in."),
    )
    territories = WordsField(
        label=_("Territories"),
        required=False,
        help_text=_("Countries and regions, such as ES, PT, US-CA. Empty: everywhere."),
    )
    tags = WordsField(
        label=_("Tags"),
        required=False,
        help_text=_("Your own words, such as senior, enterprise. Rules may ask for them."),
    )

    class Meta:
        model = Agent
        fields = "__all__"
        widgets = {
            "timezone": SuggestingInput(zone_suggestions),
            "holiday_calendar": SuggestingInput(_calendar_suggestions),
        }
        help_texts = {
            "is_active": _("Inactive people get no leads and do not count for the plan."),
            "is_paused": _("A pause: no new leads until it is taken off."),
            "photo_url": _("The https address of a picture that visitors see."),
            "title": _("What visitors read under the name, such as Sales, Madrid."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "user" in self.fields:
            members = Membership.objects.for_workspace(self.workspace).values("user_id")
            # Nobody but the members of this workspace, by the address that somebody typed to add them.
            self.fields["user"].queryset = User.objects.filter(pk__in=members)  # type: ignore[attr-defined]


class HandleForm(WorkspaceForm):
    channel = forms.ChoiceField(label=_("Channel"), widget=UnfoldAdminSelectWidget)

    class Meta:
        model = Handle
        fields = ("channel", "value")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["channel"].choices = [  # type: ignore[attr-defined]
            ("", "–"),
            *((channel.id, channel.label) for channel in CHANNELS.values() if channel.needs_handle),
        ]


class ShiftForm(WorkspaceForm):
    start_minute = ClockField(label=_("From"))
    end_minute = ClockField(label=_("To"), help_text=_("Up to 24:00; an end before the start is on the next day."))

    class Meta:
        model = Shift
        fields = ("weekday", "start_minute", "end_minute", "kind")


class TimeOffForm(WorkspaceForm):
    starts_local = WallClockField(label=_("From"), max_length=16)
    ends_local = WallClockField(label=_("To"), max_length=16)

    class Meta:
        model = TimeOff
        fields = ("starts_local", "ends_local", "note")


class TeamForm(_NamedForm):
    class Meta:
        model = Team
        fields = ("name", "slug", "catch_up")


class TeamMemberForm(WorkspaceForm):
    class Meta:
        model = TeamMember
        fields = ("agent", "weight", "tier")

    def clean_tier(self) -> int:
        if self.cleaned_data["tier"] < 1:
            raise ValidationError(_("The first tier is 1."))
        return int(self.cleaned_data["tier"])
