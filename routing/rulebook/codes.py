"""The closed lists that some fields choose from, and reading a value of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from agents import languages, places
from agents.channels import CHANNELS
from routing.rulebook.errors import unknown

SOURCES = ("widget", "form", "phone", "whatsapp", "telegram", "email", "api")
INTENTS = ("hot", "warm", "cold")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def one_of(choices: Iterable[str], what: Callable[[], str]) -> Callable[[Any], str]:
    """A reader of one of these words, however capitalised."""
    names = tuple(choices)

    def read(value: Any) -> str:
        word = str(value).strip().lower()
        if word not in names:
            raise ValueError(unknown(what(), value, names))
        return word

    return read


def country(value: Any) -> str:
    return places.canonical_country(str(value))


def region(value: Any) -> str:
    text = str(value).strip()
    if "-" not in text:
        raise ValueError(_("%(value)r is no region: write one like US-CA (ISO 3166-2)") % {"value": text})
    return places.canonical_territory(text)


def language(value: Any) -> str:
    return languages.canonical_tag(str(value))


READERS: Mapping[str, Callable[[Any], str]] = {
    "channel": one_of(CHANNELS, lambda: _("channel")),
    "source": one_of(SOURCES, lambda: _("source")),
    "country": country,
    "phone_country": country,
    "region": region,
    "intent": one_of(INTENTS, lambda: _("intent")),
    "weekday": one_of(WEEKDAYS, lambda: _("weekday")),
}
