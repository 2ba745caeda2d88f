"""Durations and percentages as people type them."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from routing.rulebook import format_duration, parse_duration


class DurationField(forms.CharField):
    """Whole seconds, typed as `5m`, `24h` or `1h30m`."""

    widget = UnfoldAdminTextInputWidget(attrs={"placeholder": "5m", "class": "sy-short"})  # type: ignore[assignment]

    def __init__(self, *, least: int = 1, **kwargs: Any) -> None:
        self.least = least
        super().__init__(**kwargs)

    def prepare_value(self, value: Any) -> Any:
        return format_duration(value) if isinstance(value, int) else value

    def to_python(self, value: Any) -> int | None:  # type: ignore[override]
        text = str(value or "").strip()
        if not text:
            return None
        try:
            return parse_duration(text, least=self.least)
        except ValueError:
            raise ValidationError(_("Write a length of time such as 90s, 5m, 24h or 2d."), code="duration") from None

    def has_changed(self, initial: Any, data: Any) -> bool:
        return str(self.prepare_value(initial) if initial is not None else "") != str(data or "").strip()


class PercentagesField(forms.CharField):
    """Percentages between commas: `50%, 80%`."""

    widget = UnfoldAdminTextInputWidget(attrs={"placeholder": "50%, 80%", "class": "sy-short"})  # type: ignore[assignment]

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(f"{one}%" for one in value) if isinstance(value, list | tuple) else value

    def to_python(self, value: Any) -> list[int]:  # type: ignore[override]
        read = []
        for part in str(value or "").replace(";", ",").split(","):
            text = part.strip().removesuffix("%").strip()
            if text and not (text.isascii() and text.isdigit() and 1 <= int(text) <= 100):
                raise ValidationError(_("Write percentages between 1 and 100, such as 50%, 80%."), code="percentage")
            if text:
                read.append(int(text))
        return sorted(set(read))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return str(self.prepare_value(initial) or "") != str(data or "").strip()
