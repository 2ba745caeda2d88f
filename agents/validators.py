"""What single values must look like."""

import unicodedata
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

# Bidirectional overrides reorder what stands around them; the joiners that some scripts need stay allowed.
_INVISIBLE = frozenset("\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff")


def validate_one_line(text: str) -> None:
    """A line that people read: no line breaks, no control and no invisible characters."""
    if any(c in _INVISIBLE or unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in text):
        raise ValidationError(
            _("Write this on one line, without control or invisible characters."), code="control_characters"
        )


validate_slug = RegexValidator(
    r"\A[A-Za-z0-9][A-Za-z0-9_-]*\Z",
    _("A slug is letters, digits, hyphens and underscores, and begins with a letter or digit."),
    code="slug",
)
validate_attribute_name = RegexValidator(
    r"\A[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}\Z",
    _("An attribute's name is 1 to 64 letters, digits, underscores, hyphens and dots."),
    code="attribute_name",
)


def canonical_tags(texts: list[str]) -> list[str]:
    """Agents' tags in lower case, each once, in order: rules compare text without regard to case.

    Raises ValidationError.
    """
    tags = [" ".join(text.split()).lower() for text in texts]
    for tag in tags:
        validate_one_line(tag)
        if not 1 <= len(tag) <= 50 or set(tag) & set(",:"):
            raise ValidationError(
                _("“%(tag)s” cannot be a tag. A tag has 1 to 50 characters, no commas and no colons."),
                code="tag",
                params={"tag": tag},
            )
    return list(dict.fromkeys(tags))


def check_texts(value: object) -> list[str]:
    """Raise a ValidationError for what is not a list of texts; JSON could hold anything."""
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValidationError(_("Write a list of texts."), code="list")
    return value


def validate_web_address(text: str) -> None:
    """An https address without credentials, that opens where it says."""
    _validate_address(text, schemes=("https",), example="https://www.example.com/contact")


def validate_link(text: str) -> None:
    """What a visitor may be led to: an https page, a mailbox or a phone number."""
    _validate_address(text, schemes=("https", "mailto", "tel", "sms"), example="https://www.example.com/contact")


def _validate_address(text: str, *, schemes: tuple[str, ...], example: str) -> None:
    if not _leads_somewhere(text, schemes):
        raise ValidationError(
            _("This is no address to send a visitor to. Write one such as %(example)s.") % {"example": example},
            code="address",
        )


def _leads_somewhere(text: str, schemes: tuple[str, ...]) -> bool:
    if any(not c.isascii() or c <= " " or c in "\\\"'<>`{}|^\x7f" for c in text):
        return False
    try:
        parts = urlsplit(text)
        host = parts.hostname
    except ValueError:
        return False
    if parts.scheme not in schemes:
        return False
    return bool(host) and "@" not in parts.netloc if parts.scheme == "https" else bool(parts.path and not parts.netloc)
