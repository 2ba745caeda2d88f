"""What a condition's value is chosen from: countries and languages by name, channels with icons, weekdays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from babel import Locale
from django.utils import dates
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from agents import languages, places
from agents.channels import CHANNELS
from agents.models import Agent, Site, Workspace
from routing.engine.conditions import Kind, field_type
from routing.rulebook import codes
from routing.rulebook.words import INTENT_LABELS, SOURCE_LABELS, WEEKDAY_LABELS

FORM = "form"
_ICONS: Mapping[str, str] = {
    "phone": "call",
    "sms": "sms",
    "email": "mail",
    "form": "edit_note",
    "calendly": "calendar_month",
    "calcom": "calendar_month",
    "telegram": "send",
    "telegram_bot": "smart_toy",
    "viber_bot": "smart_toy",
}


class Option(NamedTuple):
    """One value. `flag` is a country whose flag stands beside it, `icon` the name of a symbol."""

    value: str
    label: str
    flag: str = ""
    icon: str = ""


class OptionGroup(NamedTuple):
    label: str
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class Offers:
    """What a workspace works with, and so is offered first: its people's languages, its sites' channels, the
    attributes that visitors may set, the tags of its people."""

    languages: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()

    @classmethod
    def of(cls, workspace: Workspace) -> Offers:
        people = list(Agent.objects.for_workspace(workspace).values_list("languages", "tags"))
        sites = Site.objects.for_workspace(workspace).filter(is_active=True).values_list("channels", flat=True)
        spoken = [tag for tags, _own in people for tag in tags]
        return cls(
            languages=tuple(dict.fromkeys([*workspace.languages, *sorted(spoken)])),
            channels=(*dict.fromkeys(channel for listed in sites for channel in listed), FORM),
            attributes=tuple(sorted(workspace.public_attributes)),
            tags=tuple(sorted({tag for _spoken, tags in people for tag in tags})),
        )


NOTHING = Offers()


def is_picked(field: str) -> bool:
    """Whether values of this field are chosen from a list, one or several."""
    return (field in codes.READERS and field != "region") or field == "language"


def option_groups(field: str, *, offers: Offers = NOTHING, chosen: Iterable[str] = ()) -> list[OptionGroup]:
    """The list for a picked field; what is chosen but in no list stands at its end, as it is."""
    groups = [group for group in _groups(field, offers) if group.options]
    known = {option.value for group in groups for option in group.options}
    strangers = tuple(option_of(field, value) for value in dict.fromkeys(chosen) if value not in known)
    return [*groups, OptionGroup(_("Other"), strangers)] if strangers else groups


def option_of(field: str, value: str) -> Option:
    if field in ("country", "phone_country"):
        return Option(value, places.country_name(value), flag=value.lower() if places.is_country(value) else "")
    if field == "language":
        return Option(value, languages.language_name(value))
    if field == "channel":
        channel = CHANNELS.get(value)
        return Option(value, str(channel.label) if channel else value, icon=channel_icon(value))
    if field == "weekday" and value in codes.WEEKDAYS:
        return Option(value, str(dates.WEEKDAYS_ABBR[codes.WEEKDAYS.index(value)]))
    labels = _LABELS.get(field, {})
    return Option(value, str(labels.get(value, value)))


def channel_icon(channel: str) -> str:
    return _ICONS.get(channel, "chat")


def code_of(field: str, text: str) -> str:
    """What somebody typed as a code where it is the name of one (`Spain` as `ES`); else as it was typed."""
    kind = field_type(field)
    if kind is None or kind.kind not in (Kind.CHOICE, Kind.LANGUAGE):
        return text
    return _codes_by_name(field, get_language() or "en").get(text.strip().casefold(), text)


_LABELS: Mapping[str, Mapping[str, Any]] = {
    "source": SOURCE_LABELS,
    "intent": INTENT_LABELS,
    "weekday": WEEKDAY_LABELS,
}


def _groups(field: str, offers: Offers) -> Iterator[OptionGroup]:
    if field == "language":
        own = [option_of(field, tag) for tag in offers.languages]
        yield OptionGroup(_("Spoken here"), tuple(own))
        yield OptionGroup(_("All languages"), _without(_all_languages(get_language() or "en"), own))
    elif field == "channel":
        own = [option_of(field, channel) for channel in offers.channels]
        rest = [option_of(field, channel) for channel in CHANNELS]
        yield OptionGroup(_("On your sites"), tuple(own))
        yield OptionGroup(_("All channels"), _without(rest, own))
    elif field in ("country", "phone_country"):
        yield OptionGroup("", _all_countries(get_language() or "en"))
    elif field in _LABELS:
        yield OptionGroup("", tuple(option_of(field, value) for value in _LABELS[field]))


def _without(options: Iterable[Option], taken: Iterable[Option]) -> tuple[Option, ...]:
    values = {option.value for option in taken}
    return tuple(option for option in options if option.value not in values)


@lru_cache(maxsize=16)
def _all_countries(locale: str) -> tuple[Option, ...]:
    return tuple(sorted((option_of("country", code) for code in places.COUNTRY_CODES), key=_by_label))


@lru_cache(maxsize=16)
def _all_languages(locale: str) -> tuple[Option, ...]:
    """Those with a code of two letters: what browsers send. Others are typed as tags where they are needed."""
    names = Locale("en").languages
    tags = sorted(tag for tag in map(str, names) if len(tag) == 2)
    return tuple(sorted((option_of("language", tag) for tag in tags), key=_by_label))


@lru_cache(maxsize=64)
def _codes_by_name(field: str, locale: str) -> Mapping[str, str]:
    offers = Offers()
    short = {option.label.casefold(): option.value for group in _groups(field, offers) for option in group.options}
    return {**short, **{str(label).casefold(): value for value, label in _LABELS.get(field, {}).items()}}


def _by_label(option: Option) -> str:
    return option.label.casefold()
