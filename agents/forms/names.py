"""Languages and places typed and shown by name; codes are taken too, and stored."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from babel import Locale
from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from agents import holiday_dates, languages, places
from agents.forms.fields import WordsField

# What salespeople speak, before the many that few do.
_OFTEN = tuple(
    "en es pt pt-BR fr de it nl ca eu gl pl ro cs sv da nb fi el tr ru uk ar he zh-Hans zh-Hant ja ko hi".split()  # noqa: SIM905 - words
)


def flag(code: str) -> str:
    """`ES` and `ES-MD` as the flag of Spain."""
    country = code.partition("-")[0]
    return "".join(chr(0x1F1E6 + ord(letter) - ord("A")) for letter in country) if places.is_country(country) else ""


def place_name(code: str) -> str:
    """`US-CA` as “United States (CA)”."""
    country, _hyphen, region = code.partition("-")
    name = places.country_name(country)
    return f"{name} ({region})" if region else name


def language_choices() -> list[tuple[str, str, str]]:
    """(code, name, mark) of what may be picked, by name."""
    return _languages(get_language() or "en")


def place_choices() -> list[tuple[str, str, str]]:
    return _places(get_language() or "en")


def calendar_choices() -> list[tuple[str, str, str]]:
    return _calendars(get_language() or "en")


@lru_cache(maxsize=8)
def _languages(locale: str) -> list[tuple[str, str, str]]:
    names = Locale.parse(locale.replace("-", "_"))
    others = [str(code) for code in names.languages]
    codes = [*_OFTEN, *(code for code in others if len(code) == 2 and code not in _OFTEN)]
    shown = [(code, languages.language_name(code, locale), code) for code in codes]
    return [*shown[: len(_OFTEN)], *sorted(shown[len(_OFTEN) :], key=lambda each: each[1].casefold())]


@lru_cache(maxsize=8)
def _places(locale: str) -> list[tuple[str, str, str]]:
    shown = [(code, places.country_name(code, locale), flag(code)) for code in sorted(places.COUNTRY_CODES)]
    return sorted(shown, key=lambda each: each[1].casefold())


@lru_cache(maxsize=8)
def _calendars(locale: str) -> list[tuple[str, str, str]]:
    return sorted(
        ((code, place_name(code), flag(code)) for code in holiday_dates.calendar_codes()),
        key=lambda each: each[1].casefold(),
    )


class Picker(UnfoldAdminTextInputWidget):
    """A line of names with commas between them; with script, each a piece that is added and taken off."""

    template_name = "agents/widgets/picker.html"

    def __init__(self, choices: Callable[[], Iterable[tuple[str, str, str]]], *, several: bool = True) -> None:
        attrs = {"data-picker": "several" if several else "one", "data-remove": _("remove"), "autocomplete": "off"}
        super().__init__(attrs)
        self.choices = choices

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        list_id = f"{context['widget']['attrs'].get('id', name)}_list"
        context["widget"]["attrs"]["list"] = list_id
        return {**context, "list_id": list_id, "choices": self.choices()}


class NamesField(WordsField):
    """Several codes, typed by name or code. What is neither stays as it was typed, for the model to refuse."""

    def __init__(
        self,
        *,
        choices: Callable[[], Iterable[tuple[str, str, str]]],
        name_of: Callable[[str], str] = str,
        code_of: Callable[[str], str] = str,
        **kwargs: Any,
    ) -> None:
        super().__init__(widget=Picker(choices), **kwargs)
        self.name_of, self.code_of = name_of, code_of

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, list | tuple):
            return self.separator.join(self.name_of(str(each)) for each in value)
        return value

    def to_python(self, value: Any) -> list[str]:
        return [self.code_of(word) for word in _apart(value if isinstance(value, str) else "")]


class CalendarField(forms.CharField):
    """One holiday calendar, typed by the name of its country or region."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=Picker(calendar_choices, several=False), **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return place_name(value) if isinstance(value, str) and holiday_dates.is_calendar(value) else value

    def to_python(self, value: Any) -> str:
        return place_code(super().to_python(value) or "")


# Names become codes again; a word that is no name stays as it is, for the model to take as a code or refuse.


def language_code(word: str) -> str:
    """`Portuguese (Brazil)` as `pt-BR`."""
    name, details = _in_brackets(word)
    tables = _reversed(get_language() or "en")
    codes = [tables[0].get(name.casefold()), *(tables[1].get(detail.casefold()) for detail in details)]
    return "-".join(code for code in codes if code) if all(codes) else word


def place_code(word: str) -> str:
    """`United States (CA)` as `US-CA`."""
    by_name = {name.casefold(): code for code, name, _mark in place_choices()}
    if word.casefold() in by_name:
        return by_name[word.casefold()]
    name, regions = _in_brackets(word)
    country = by_name.get(name.casefold())
    return f"{country}-{regions[0].upper()}" if country and len(regions) == 1 else word


def _in_brackets(word: str) -> tuple[str, list[str]]:
    said = re.fullmatch(r"(.+?)\s*\(([^()]+)\)", word)
    return (said[1], [each.strip() for each in said[2].split(",")]) if said else (word, [])


@lru_cache(maxsize=8)
def _reversed(locale: str) -> tuple[dict[str, str], dict[str, str]]:
    """Codes of languages, and of the scripts and countries that tell their forms apart, by name."""
    names = Locale.parse(locale.replace("-", "_"))
    forms_of = {**names.scripts, **names.territories}
    return (
        {name.casefold(): code.replace("_", "-") for code, name in names.languages.items() if "_" not in code},
        {name.casefold(): code for code, name in forms_of.items()},
    )


def _apart(text: str) -> list[str]:
    """At commas, but not those in brackets: `Chinese (Traditional, Taiwan)` is one."""
    return [word for part in re.split(r"[,;\n](?![^(]*\))", text) if (word := part.strip())]
