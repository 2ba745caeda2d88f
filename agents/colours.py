"""Colours as `#rrggbb`, and whether one can be read on another."""

from __future__ import annotations

import re

from django.utils.translation import gettext as _

WHITE = "#ffffff"
BLACK = "#000000"
# What WCAG 2.2 asks for at AA: of words (1.4.3), and of symbols (1.4.11).
WORDS = 4.5
SYMBOLS = 3.0

_HEX = re.compile(r"#?(?:([0-9a-f]{3})|([0-9a-f]{6}))", re.ASCII | re.IGNORECASE)


def normal_colour(text: str) -> str:
    """`1F5EFF` and `#1f5eff` as `#1f5eff`, `#fff` as `#ffffff`. Raises ValueError with a sentence for anything else."""
    found = _HEX.fullmatch(text.strip())
    if found is None:
        raise ValueError(_("“%(text)s” is no colour. Write it like #1f5eff.") % {"text": text})
    short, long = found.groups()
    return "#" + (long or "".join(2 * digit for digit in short)).lower()


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, 1 to 21, as WCAG 2.2 defines it."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def ink_on(fill: str) -> str:
    """White where a white symbol can be seen on this colour, else black."""
    return WHITE if contrast(fill, WHITE) >= SYMBOLS else BLACK


def _luminance(colour: str) -> float:
    """Relative luminance, by WCAG 2.2's formula for sRGB."""
    channels = (int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
