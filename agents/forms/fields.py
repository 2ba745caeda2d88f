"""Fields that people type into: lists, wall clocks, choices in an order."""

import re
from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.widgets import INPUT_CLASSES, SELECT_CLASSES, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from agents.models.hours import MINUTES_A_DAY, clock
from agents.week import in_words, read_windows

_CLOCK = re.compile(r"(?P<hour>[01]?[0-9]|2[0-4])[:.](?P<minute>[0-5][0-9])")
_WALL_CLOCK = re.compile(r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ](?P<time>[0-9]{2}:[0-9]{2})(?::[0-9]{2})?)?")


class WordsField(forms.CharField):
    """A list of words, typed with commas between them: `es, en`."""

    widget = UnfoldAdminTextInputWidget
    separator = ", "

    def prepare_value(self, value: Any) -> Any:
        return self.separator.join(map(str, value)) if isinstance(value, list | tuple) else value

    def to_python(self, value: Any) -> list[str]:
        text = value if isinstance(value, str) else ""
        return [word for part in re.split(r"[,;\n]", text) if (word := part.strip())]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return list(initial or []) != self.to_python(data)


class LinesField(WordsField):
    """A list of texts, one on each line."""

    widget = UnfoldAdminTextareaWidget(attrs={"rows": 3, "class": "sy-lines"})
    separator = "\n"

    def to_python(self, value: Any) -> list[str]:
        text = value if isinstance(value, str) else ""
        return [line.strip() for line in text.splitlines() if line.strip()]


class ClockField(forms.CharField):
    """Minutes of a day, typed as a clock shows them: `09:00`, and `24:00` for the end of the day."""

    widget = UnfoldAdminTextInputWidget(
        attrs={"placeholder": "09:00", "inputmode": "numeric", "class": "sy-clock", "autocomplete": "off"}
    )

    def prepare_value(self, value: Any) -> Any:
        return clock(value) if isinstance(value, int) else value

    def to_python(self, value: Any) -> int | None:
        text = str(value or "").strip()
        if not text:
            return None
        read = _CLOCK.fullmatch(text)
        minute = int(read["hour"]) * 60 + int(read["minute"]) if read else MINUTES_A_DAY + 1
        if minute > MINUTES_A_DAY:
            raise ValidationError(_("Write a time such as 09:00 or 17:30."), code="clock")
        return minute

    def has_changed(self, initial: Any, data: Any) -> bool:
        return str(self.prepare_value(initial) if initial is not None else "") != str(data or "").strip()


class HoursField(forms.CharField):
    """The windows of one day, typed as `09:00–13:00, 15:00–18:00`: pairs of minutes."""

    widget = UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "class": "sy-hours"})

    def prepare_value(self, value: Any) -> Any:
        return in_words(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[tuple[int, int]]:
        return read_windows(str(value or ""))

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return sorted(initial or []) != self.to_python(data)
        except ValidationError:
            return True


class MomentInput(forms.DateTimeInput):
    """A date and a time of the active zone, with the browser's own picker."""

    def __init__(self) -> None:
        super().__init__({"type": "datetime-local", "class": " ".join(INPUT_CLASSES)}, format="%Y-%m-%dT%H:%M")


class HandleInput(UnfoldAdminTextInputWidget):
    """A handle with the link that it opens, to try it."""

    template_name = "agents/widgets/handle.html"
    link = ""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        return {**super().get_context(name, value, attrs), "link": self.link}


class WallClockField(forms.CharField):
    """A date and time of somebody's wall clock, as the text `2026-08-01T00:00`. A bare date means its midnight."""

    widget = forms.DateTimeInput(
        attrs={"type": "datetime-local", "class": " ".join(INPUT_CLASSES)}, format="%Y-%m-%dT%H:%M"
    )

    def to_python(self, value: Any) -> str:
        text = super().to_python(value) or ""
        read = _WALL_CLOCK.fullmatch(text) if text else None
        return f"{read['date']}T{read['time'] or '00:00'}" if read else text


class SuggestingInput(UnfoldAdminTextInputWidget):
    """A text that may be chosen from a list while it is typed."""

    template_name = "agents/widgets/suggesting.html"

    def __init__(self, suggestions: Callable[[], Iterable[tuple[str, str]]], attrs: dict[str, Any] | None = None):
        super().__init__(attrs)
        self.suggestions = suggestions

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        list_id = f"{context['widget']['attrs'].get('id', name)}_list"
        context["widget"]["attrs"]["list"] = list_id
        return {**context, "list_id": list_id, "suggestions": self.suggestions()}


class RankedSelects(forms.Widget):
    """As many selects as it takes to put choices into an order, and two more."""

    template_name = "agents/widgets/ranked.html"
    choices: Iterable[tuple[str, Any]] = ()
    spare = 2

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        return data.getlist(name) if hasattr(data, "getlist") else data.get(name, [])

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return name not in data

    def id_for_label(self, id_: str) -> str:
        return f"{id_}_1" if id_ else id_

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        chosen = [str(one) for one in value or []]
        options = [(str(key), label) for key, label in self.choices]
        known = {key for key, _label in options}
        options += [(key, key) for key in chosen if key and key not in known]
        places = min(len(chosen) + self.spare, len(options))
        context["selects"] = [
            {"place": place + 1, "chosen": chosen[place] if place < len(chosen) else ""} for place in range(places)
        ]
        context["options"] = options
        context["classes"] = " ".join(SELECT_CLASSES)
        return context


class RankedField(forms.Field):
    """Choices in an order, the first before the others; each counts once."""

    widget = RankedSelects

    def __init__(self, *, choices: Iterable[tuple[str, Any]] = (), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.choices = list(choices)

    @property
    def choices(self) -> list[tuple[str, Any]]:
        return self._choices

    @choices.setter
    def choices(self, choices: Iterable[tuple[str, Any]]) -> None:
        self._choices = list(choices)
        self.widget.choices = self._choices

    def to_python(self, value: Any) -> list[str]:
        return list(dict.fromkeys(one for one in value or [] if one))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return list(initial or []) != self.to_python(data)
