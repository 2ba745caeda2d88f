"""Fields of a site's form: channels on, off and in order; words by language; colours."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import translation
from django.utils.translation import gettext as _

from agents.channel_icons import ICONS
from agents.channels import CHANNELS
from agents.languages import own_name
from agents.site_texts import LABELS, LONGEST, Texts, checked_text
from leads.promises import spoken

_LAST = 10_000


class ChannelsInput(forms.Widget):
    """A row for each channel with a box to tick and its place, which is a number where there is no script."""

    template_name = "widget/inputs/channels.html"

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        chosen = [channel for channel in value or [] if channel in CHANNELS]
        others = [channel.id for channel in CHANNELS.values() if channel.needs_handle and channel.id not in chosen]
        rows = [
            {"id": channel, "label": CHANNELS[channel].label, "icon": ICONS[channel], "place": place, "on": on}
            for place, (channel, on) in enumerate([*((c, True) for c in chosen), *((c, False) for c in others)], 1)
        ]
        return {**super().get_context(name, value, attrs), "rows": rows}

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        ticked = data.getlist(name) if hasattr(data, "getlist") else data.get(name, [])

        def place(channel: str) -> int:
            written = str(data.get(f"{name}-place-{channel}", ""))
            return int(written) if written.isdecimal() and len(written) < 5 else _LAST

        return sorted(dict.fromkeys(channel for channel in ticked if channel), key=place)

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return False  # nothing ticked means none

    def id_for_label(self, id_: str) -> str:
        return ""


class ChannelsField(forms.Field):
    """Ids of channels in their order. What is none is for the site to refuse."""

    widget = ChannelsInput

    def has_changed(self, initial: Any, data: Any) -> bool:
        return list(initial or []) != list(data or [])


class WordsInput(forms.Widget):
    """The site's own words, a group for each language. `languages` are set by the form."""

    template_name = "widget/inputs/words.html"
    languages: tuple[str, ...] = ()

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        texts = value or {}
        groups = [
            {
                "tag": tag,
                "name": own_name(tag),
                "is_open": not place or bool(texts.get(tag)),
                "inputs": [
                    {
                        "name": f"{name}-{tag}-{word}",
                        "label": label,
                        "value": texts.get(tag, {}).get(word, ""),
                        "longest": LONGEST[word],
                        "is_long": LONGEST[word] > 100,
                        "ours": _ours(word, tag),
                    }
                    for word, label in LABELS.items()
                ],
            }
            for place, tag in enumerate(self.languages)
        ]
        return {**super().get_context(name, value, attrs), "groups": groups}

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Texts:
        return {tag: {word: data.get(f"{name}-{tag}-{word}", "") for word in LABELS} for tag in self.languages}

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return not any(key.startswith(f"{name}-") for key in data)

    def id_for_label(self, id_: str) -> str:
        return ""


class WordsField(forms.Field):
    """`{"es": {"title": "Hola"}}`, each text with its own message if it cannot be."""

    widget = WordsInput

    def clean(self, value: Texts) -> Texts:
        found: Texts = {}
        faults = []
        for tag, words in value.items():
            for word, text in words.items():
                try:
                    if text := checked_text(word, text.replace("\r\n", " ").replace("\n", " ")):
                        found.setdefault(tag, {})[word] = text
                except ValidationError as error:
                    faults += [f"{own_name(tag)}, {LABELS[word]}: {message}" for message in error.messages]
        if faults:
            raise ValidationError(faults)
        return found

    def has_changed(self, initial: Any, data: Any) -> bool:
        return {tag: words for tag, words in (initial or {}).items() if words} != {
            tag: kept for tag, words in (data or {}).items() if (kept := {w: t for w, t in words.items() if t})
        }


def _ours(word: str, tag: str) -> str:
    """What a visitor reads where the site says nothing itself; '' where that is the widget's own affair."""
    with translation.override(spoken(tag)):
        ours = {
            "title": _("How would you like to talk?"),
            "thanks": _("Thank you. We have your message."),
            "consent": _("I agree that my details are used to answer me."),
        }
    return ours.get(word, "")
