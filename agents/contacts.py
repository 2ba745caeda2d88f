"""How people are reached, in the one form in which they are compared and dialled."""

import unicodedata
from functools import lru_cache

import phonenumbers
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from phonenumbers import NumberParseException, PhoneNumberFormat

from agents.zones import region_of_zone

__all__ = ["display_phone", "normalise_email", "normalise_phone", "phone_country", "region_of_zone"]


def normalise_phone(raw: str, region: str | None) -> str | None:
    """E.164 (`+34600111222`), or None for what cannot be a phone number. Without `+`, it is dialled from `region`."""
    if len(raw) > 64:
        return None
    try:
        number = phonenumbers.parse(raw, region)
    except NumberParseException:
        return None
    # Possible, not assigned: numbering plans change faster than the library's data.
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


@lru_cache(maxsize=4096)
def phone_country(e164: str) -> str | None:
    """The country that the number is of: `+34600111222` as `ES`; None for numbers of none, such as satellite phones."""
    try:
        code = phonenumbers.region_code_for_number(phonenumbers.parse(e164, None))
    except NumberParseException:
        return None
    return code if code and code.isalpha() and code != "ZZ" else None


def display_phone(e164: str) -> str:
    """As people read it: `+34 600 11 12 22`."""
    try:
        return phonenumbers.format_number(phonenumbers.parse(e164, None), PhoneNumberFormat.INTERNATIONAL)
    except NumberParseException:
        return e164


@lru_cache(maxsize=1024)  # a form checks it, and whoever looks the person up asks again
def normalise_email(raw: str) -> str | None:
    """In lower case and composed characters, or None for what is not an address."""
    address = unicodedata.normalize("NFC", raw.strip()).lower()
    if len(address) > 254:
        return None
    try:
        validate_email(address)
    except ValidationError:
        return None
    return address
