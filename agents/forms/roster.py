"""Forms for people, their hours and their teams."""

from collections import Counter
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, TypeVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from agents import languages, zones
from agents.channels import CHANNELS, channel_named
from agents.forms.fields import HandleInput, HoursField, MomentInput, SuggestingInput, WallClockField
from agents.forms.names import (
    CalendarField,
    NamesField,
    Picker,
    language_choices,
    language_code,
    place_choices,
    place_code,
    place_name,
)
from agents.forms.workspace_form import RowForm, WorkspaceForm
from agents.models import Agent, Handle, ShiftKind, Team, TeamMember, TimeOff, User
from agents.models.hours import Weekday
from agents.week import Window

Named = TypeVar("Named", Agent, Team)


def zone_suggestions() -> list[tuple[str, str]]:
    return [(name, "") for name in sorted(zones.zone_names()) if "/" in name or name == "UTC"]


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
    """A person, with their week: one line for each day's shifts and one for when they are on call."""

    languages = NamesField(
        label=_("Languages"),
        required=False,
        choices=language_choices,
        name_of=languages.language_name,
        code_of=language_code,
        help_text=_("What this person can answer in, such as Spanish, English."),
    )
    territories = NamesField(
        label=_("Territories"),
        required=False,
        choices=place_choices,
        name_of=place_name,
        code_of=place_code,
        help_text=_("Countries, or regions such as United States (CA). Empty: everywhere."),
    )
    tags = NamesField(
        label=_("Tags"),
        required=False,
        choices=list,
        help_text=_("Your own words, such as senior, enterprise. Rules may ask for them."),
    )
    holiday_calendar = CalendarField(
        label=_("Holidays"),
        required=False,
        help_text=_("Whose public holidays are free, such as Spain or Spain (MD). Empty: none."),
    )
    pause_ends_at = forms.DateTimeField(
        label=_("Paused until"),
        required=False,
        widget=MomentInput(),
        help_text=_("By the workspace's clock. Empty: until somebody ends the pause."),
    )

    class Meta:
        model = Agent
        fields = "__all__"
        widgets = {
            "timezone": SuggestingInput(zone_suggestions),
        }
        help_texts = {
            "is_active": _("Inactive people get no leads and do not count for the plan."),
            "is_paused": _("No new leads for now; what they have stays theirs."),
            "photo_url": _("The https address of a picture that visitors see."),
            "user": _("Who logs in as this person. Taken off, they see no leads here until they are invited again."),
            "title": _("What visitors read under the name, such as Sales, Madrid."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.user_id is None:
            self.fields.pop("user", None)  # an accepted invitation makes the link, and nothing else
        elif "user" in self.fields:
            self.fields["user"].queryset = User.objects.filter(pk=self.instance.user_id)  # type: ignore[attr-defined]
        if "tags" in self.fields:
            self.fields["tags"].widget = Picker(self._tags_in_use)
        self._add_week()

    def _tags_in_use(self) -> list[tuple[str, str, str]]:
        used = Agent.objects.for_workspace(self.workspace).exclude(tags=[]).values_list("tags", flat=True)
        return [(tag, tag, "") for tag in sorted({tag for tags in used for tag in tags})]

    def _add_week(self) -> None:
        shifts = list(self.instance.shifts.all()) if self.instance.pk else []
        for name, day, kind in week_fields():
            label = _("%(day)s, on shift") if kind == ShiftKind.REGULAR else _("%(day)s, on call")
            self.fields[name] = HoursField(label=label % {"day": Weekday(day).label}, required=False)
            self.initial.setdefault(
                name,
                [(each.start_minute, each.end_minute) for each in shifts if (each.weekday, each.kind) == (day, kind)],
            )

    @property
    def week(self) -> set[Window] | None:
        """The shifts that were typed; None where the week was not part of what was sent."""
        if not any(self.add_prefix(name) in self.data for name, _day, _kind in week_fields()):
            return None
        return {
            Window(day, start, end, kind)
            for name, day, kind in week_fields()
            for start, end in self.cleaned_data.get(name) or ()
        }

    def clean_pause_ends_at(self) -> Any:
        ends_at = self.cleaned_data["pause_ends_at"]
        if ends_at is not None and "pause_ends_at" in self.changed_data and ends_at <= timezone.now():
            raise ValidationError(_("This is over already. Write a moment to come, or leave it empty."))
        if ends_at is not None and not self.cleaned_data.get("is_paused", self.instance.is_paused):
            raise ValidationError(_("Nobody is paused here. Switch the pause on, or leave this empty."))
        return ends_at


def week_fields() -> Iterator[tuple[str, int, str]]:
    """The form's fields for each day: name, day, kind of shift."""
    for day in Weekday.values:
        yield f"hours_{day}", day, ShiftKind.REGULAR
        yield f"on_call_{day}", day, ShiftKind.ON_CALL


class HandleForm(RowForm):
    channel = forms.ChoiceField(label=_("Channel"), widget=UnfoldAdminSelectWidget)

    class Meta:
        model = Handle
        fields = ("channel", "value")
        widgets = {"value": HandleInput()}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["channel"].choices = [  # type: ignore[attr-defined]
            ("", "–"),
            *((channel.id, channel.label) for channel in CHANNELS.values() if channel.needs_handle),
        ]
        if not self.is_bound and self.instance.pk:
            self.fields["value"].widget.link = link_of(self.instance.channel, self.instance.value)


def link_of(channel: str, value: str) -> str:
    """What a visitor's tap opens, without a text; '' where nothing can be opened."""
    try:
        return channel_named(channel).link(value) or ""
    except ValueError:
        return ""


class TimeOffForm(RowForm):
    starts_local = WallClockField(label=_("From"), max_length=16)
    ends_local = WallClockField(label=_("To"), max_length=16)

    class Meta:
        model = TimeOff
        fields = ("starts_local", "ends_local", "note")


class TeamForm(_NamedForm):
    class Meta:
        model = Team
        fields = ("name", "slug", "catch_up")


class AgentNameField(forms.CharField):
    """One of the workspace's people, typed or chosen by name; who shares a name, by name and slug."""

    widget = UnfoldAdminTextInputWidget

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.names: Mapping[int, str] = {}
        self.people: Mapping[int, Agent] = {}

    def clean(self, value: Any) -> Any:
        found = super().clean(value)
        return self.people[found] if isinstance(found, int) else None

    def prepare_value(self, value: Any) -> Any:
        return self.names.get(value, value) if isinstance(value, int) else value

    def to_python(self, value: Any) -> int | None:
        text = str(value or "").strip()
        if not text:
            return None
        known = {name.casefold(): agent for agent, name in self.names.items()}
        found = known.get(text.casefold()) or (int(text) if text.isdecimal() and int(text) in self.names else None)
        if found is None:
            near = get_close_matches(text.casefold(), known, n=1)
            hint = " " + str(_("Did you mean %(name)s?") % {"name": self.names[known[near[0]]]}) if near else ""
            raise ValidationError(_("There is nobody called “%(text)s” here.") % {"text": text} + hint, code="nobody")
        return found

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return initial != self.to_python(data)
        except ValidationError:
            return True


class TeamMemberForm(RowForm):
    """`people` are those of the workspace and `names` what they are called, read once for all rows of a page."""

    people: Mapping[int, Agent] = {}
    names: Mapping[int, str] = {}

    agent = AgentNameField(label=_("Agent"))

    class Meta:
        model = TeamMember
        fields = ("weight", "tier")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["agent"]
        field.people, field.names = self.people, self.names
        field.widget.attrs |= {"list": PEOPLE_LIST, "autocomplete": "off"}
        self.initial.setdefault("agent", self.instance.agent_id)

    def clean_tier(self) -> int:
        if self.cleaned_data["tier"] < 1:
            raise ValidationError(_("The first tier is 1."))
        return int(self.cleaned_data["tier"])


PEOPLE_LIST = "people-list"  # one list of names for all rows


def names_of_people(people: Mapping[int, Agent]) -> dict[int, str]:
    """By name; where two share one, with the slug in brackets."""
    often = Counter(agent.name.casefold() for agent in people.values())
    return {
        pk: f"{agent.name} ({agent.slug})" if often[agent.name.casefold()] > 1 else agent.name
        for pk, agent in people.items()
    }
