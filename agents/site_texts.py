"""A site's own words, by language. What a site leaves out, the product says in words of its own."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agents.languages import canonical_tag
from agents.validators import validate_one_line

Texts = dict[str, dict[str, str]]

# The words that a site may choose, and how long each may be.
LONGEST = {"launcher": 40, "title": 80, "intro": 300, "away": 300, "thanks": 300, "consent": 500}
LABELS = {
    "launcher": gettext_lazy("Button"),
    "title": gettext_lazy("Greeting"),
    "intro": gettext_lazy("Below the greeting"),
    "away": gettext_lazy("The same, while nobody is there"),
    "thanks": gettext_lazy("After a message"),
    "consent": gettext_lazy("Consent"),
}
_MOST_LANGUAGES = 60


def checked(texts: Any) -> Texts:
    """`{"es": {"title": "Hola"}}` with canonical tags and without empty texts. Raises ValidationError."""
    if not isinstance(texts, dict) or not all(isinstance(of_tag, dict) for of_tag in texts.values()):
        raise ValidationError(_("Write the texts by language, such as es: {title: Hola}."), code="texts")
    if len(texts) > _MOST_LANGUAGES:
        raise ValidationError(_("These are more than %(most)d languages.") % {"most": _MOST_LANGUAGES}, code="texts")
    found: Texts = {}
    for written, of_tag in texts.items():
        try:
            tag = canonical_tag(written)
        except ValueError as error:
            raise ValidationError(str(error), code="texts") from None
        words = {name: checked_text(name, text) for name, text in of_tag.items()}
        if words := {name: text for name, text in words.items() if text}:
            found[tag] = found.get(tag, {}) | words
    return found


def checked_text(name: str, text: Any) -> str:
    """One text, trimmed. Raises ValidationError."""
    if name not in LONGEST:
        raise ValidationError(
            _("There is no text “%(name)s”. Choose from: %(names)s.") % {"name": name, "names": ", ".join(LONGEST)},
            code="texts",
        )
    if not isinstance(text, str):
        raise ValidationError(_("“%(name)s” must be a text.") % {"name": name}, code="texts")
    text = text.strip()
    validate_one_line(text)
    if len(text) > LONGEST[name]:
        raise ValidationError(
            _("“%(name)s” may have %(most)d characters; this has %(length)d.")
            % {"name": LABELS[name], "most": LONGEST[name], "length": len(text)},
            code="texts",
        )
    return text


def in_language(texts: Texts, tag: str) -> dict[str, str]:
    """The words for this tag: its own, and those of its bare language where it has none."""
    return {**texts.get(tag.split("-")[0], {}), **texts.get(tag, {})}
