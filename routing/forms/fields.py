"""Durations and percentages as people type them."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from routing.rulebook import format_duration, parse_duration


class DurationField(forms.CharField):
    """Whole seconds, typed as `5m`, `24h` or `1h30m`."""

    widget = UnfoldAdminTextInputWidget(attrs={"placeholder": "5m", "class": "sy-short"})

    def __init__(self, *, least: int = 1, **kwargs: Any) -> None:
        self.least = least
        super().__init__(**kwargs)

    def prepare_value(self, value: Any) -> Any:
        return format_duration(value) if isinstance(value, int) else value

    def to_python(self, value: Any) -> int | None:
        text = str(value or "").strip()
        if not text:
            return None
        try:
            return parse_duration(text, least=self.least)
        except ValueError:
            raise ValidationError(_("Write a length of time such as 90s, 5m, 24h or 2d."), code="duration") from None

    def has_changed(self, initial: Any, data: Any) -> bool:
        return str(self.prepare_value(initial) if initial is not None else "") != str(data or "").strip()


class RemindersField(forms.CharField):
    """Percentages and lengths of time between commas: `50%, 80%, 10m`."""

    widget = UnfoldAdminTextInputWidget(attrs={"placeholder": "50%, 80%", "class": "sy-short"})

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, list | tuple):
            return value
        return ", ".join(one if isinstance(one, str) else f"{one}%" for one in value)

    def to_python(self, value: Any) -> list[int | str]:
        shares: set[int] = set()
        lengths: set[int] = set()
        for part in str(value or "").replace(";", ",").split(","):
            text = part.strip().removesuffix("%").strip()
            if text.isascii() and text.isdigit() and 1 <= int(text) <= 100:
                shares.add(int(text))
            elif text:
                try:
                    lengths.add(parse_duration(part))
                except ValueError:
                    raise ValidationError(
                        _("Write percentages between 1 and 100, or lengths of time, such as 50%, 10m."),
                        code="reminder",
                    ) from None
        return [*sorted(shares), *map(format_duration, sorted(lengths))]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return str(self.prepare_value(initial) or "") != str(data or "").strip()
