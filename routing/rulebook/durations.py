"""Lengths of time as people write them: `90s`, `5m`, `24h`, `2d`, `1h30m`. Kept as whole seconds."""

from __future__ import annotations

import re

from django.utils.translation import gettext as _

_SECONDS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_PART = re.compile(r"([0-9]{1,9})([dhms])")
_WHOLE = re.compile(r"(?:[0-9]{1,9}[dhms])+")
LONGEST = 366 * 86_400


def parse_duration(value: object, *, least: int = 1) -> int:
    """Whole seconds, from text with units or from a number of seconds. Raises ValueError with a sentence."""
    if isinstance(value, int) and not isinstance(value, bool):
        seconds = value
    else:
        text = "".join(str(value).split()).lower()
        if text == "0":
            text = "0s"
        if not isinstance(value, str) or not _WHOLE.fullmatch(text):
            raise ValueError(_("%(value)r is no duration: write it like 90s, 5m, 24h or 2d") % {"value": value})
        seconds = sum(int(number) * _SECONDS[unit] for number, unit in _PART.findall(text))
    if seconds < least:
        raise ValueError(_("the duration must be at least %(least)s") % {"least": format_duration(least)})
    if seconds > LONGEST:
        raise ValueError(_("the duration must be at most %(longest)s") % {"longest": format_duration(LONGEST)})
    return seconds


def format_duration(seconds: int) -> str:
    """`90m`, `24h`, `2d`: in the largest unit that is exact (a single day is 24h)."""
    for unit, size in _SECONDS.items():
        if seconds % size == 0 and seconds >= size and (unit, seconds) != ("d", 86_400):
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
