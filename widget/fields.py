"""What a body may hold, field by field. JSON has types: a number is no text, and "true" is no boolean.

Null and blank text mean that the field is absent.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from agents import contacts, languages, places

LONGEST_ATTRIBUTE_NAME = 64
MOST_ATTRIBUTES = 50
# A lead may have waited at the sender's for so long.
OLDEST_RECEIVED = timedelta(days=30)
# The clocks of two machines are never quite the same.
_CLOCK_SKEW = timedelta(seconds=5)


class Text(serializers.CharField):
    """Text of at most so many characters; None where it is absent or blank."""

    default_error_messages = {"invalid": _("This must be text, in quotes.")}

    def __init__(self, *, max_length: int, **kwargs: Any) -> None:
        if not kwargs.get("required"):
            kwargs = {"required": False, "allow_null": True, "allow_blank": True, **kwargs}
        super().__init__(max_length=max_length, **kwargs)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if isinstance(data, str) and self._is_plain(data):
            return self.to_internal_value(data) or None
        return super().run_validation(data) or None

    def _is_plain(self, text: str) -> bool:
        """Whether no validator can find fault with a text, which is so for most, and seen at once."""
        is_blank = not text or text.isspace()
        return not is_blank and text.isascii() and "\0" not in text and len(text) <= (self.max_length or 0)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Word(serializers.ChoiceField):
    """One of a few words."""

    default_error_messages = {"invalid_choice": _("“{input}” is none of these: {choices}.")}

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or data not in self.choices:
            self.fail("invalid_choice", input=str(data)[:60], choices=", ".join(self.choices))
        return data


@extend_schema_field({"type": "number"})
class Number(serializers.Field):
    """A number; whole or not."""

    default_error_messages = {"invalid": _("This must be a number, without quotes.")}

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool) or not isinstance(data, int | float):
            self.fail("invalid")
        return data

    def to_representation(self, value: Any) -> Any:
        return value


class Language(Text):
    """A BCP 47 tag, kept as it was sent."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=35, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        _corrected(languages.canonical_tag, text)
        return text


class Country(Text):
    """ISO 3166-1 alpha-2."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=2, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        return _corrected(places.canonical_country, super().to_internal_value(data))


class Region(Text):
    """ISO 3166-2."""

    default_error_messages = {"country": _("Write country and region, such as US-CA (ISO 3166-2).")}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=6, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        region = _corrected(places.canonical_territory, super().to_internal_value(data))
        if "-" not in region:
            self.fail("country")
        return region


class Email(Text):
    """One address."""

    default_error_messages = {"address": _("This is not an e-mail address. Write one like ana@example.com.")}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=254, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if contacts.normalise_email(text) is None:
            self.fail("address")
        return text


class Phone(Text):
    """Something that can be a phone number: digits, and what people put between them."""

    default_error_messages = {
        "number": _("This is not a phone number. Write it with its country code, such as +34 600 111 222.")
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=64, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        digits = sum(character.isdigit() for character in text)
        if not 5 <= digits <= 20 or any(character.isalpha() and character not in "extEXT" for character in text):
            self.fail("number")
        return text


class PastInstant(serializers.DateTimeField):
    """ISO 8601 with an offset, from 30 days ago until now; in UTC."""

    default_error_messages = {
        "text": _("This must be a time as text, such as 2026-03-02T10:00:00Z."),
        "no_offset": _("Add the offset, such as 2026-03-02T10:00:00Z or 2026-03-02T11:00:00+01:00."),
        "future": _("This lies in the future. Send the time at which it happened, or leave it out for now."),
        "too_old": _("This lies more than 30 days back. Send a later time, or leave it out for now."),
    }

    def to_internal_value(self, value: Any) -> datetime:
        if not isinstance(value, str):
            self.fail("text")
        at, now = super().to_internal_value(value), timezone.now()
        if at > now + _CLOCK_SKEW:
            self.fail("future")
        if at < now - OLDEST_RECEIVED:
            self.fail("too_old")
        return min(at.astimezone(UTC), now)

    def enforce_timezone(self, value: datetime) -> datetime:
        if timezone.is_naive(value):
            self.fail("no_offset")
        return value


@extend_schema_field(
    {
        "type": "object",
        "additionalProperties": True,
        "maxProperties": MOST_ATTRIBUTES,
        "example": {"plan": "team", "seats": 12},
    }
)
class Attributes(serializers.Field):
    """What else the sender knows, by name."""

    default_error_messages = {
        "invalid": _('This must be an object, such as {{"plan": "team"}}.'),
        "too_many": _("These are more than {most} attributes. Send fewer."),
        "name": _("The name of an attribute has 1 to {longest} characters."),
    }

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            self.fail("invalid")
        if len(data) > MOST_ATTRIBUTES:
            self.fail("too_many", most=MOST_ATTRIBUTES)
        if any(not name.strip() or len(name) > LONGEST_ATTRIBUTE_NAME for name in data):
            self.fail("name", longest=LONGEST_ATTRIBUTE_NAME)
        return data

    def to_representation(self, value: Any) -> Any:
        return value


def _corrected(canonical: Callable[[str], str], text: str) -> str:
    try:
        return canonical(text)
    except ValueError as problem:
        raise serializers.ValidationError(str(problem)) from None
