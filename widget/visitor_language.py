"""Which language a visitor is spoken to in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from agents.languages import canonical_tag

_MOST_RANGES = 20
_RANGE = re.compile(r"([A-Za-z0-9-]{1,35})\s*(?:;\s*q\s*=\s*(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?", re.ASCII)


def visitor_language(accept_language: str, offered: Sequence[str]) -> str:
    """The first range of Accept-Language, best quality first, whose language is offered, as it was sent.

    `offered` are the workspace's tags; where the visitor reads none of them, it is the first. A region makes no
    difference here: whoever asks for `es-MX` is spoken to in `es`.
    """
    languages = {tag.split("-")[0] for tag in offered}
    return next((tag for tag, language in _ranges(accept_language) if language in languages), offered[0])


def offered_variant(tag: str, offered: Sequence[str]) -> str:
    """The offered tag that a visitor's tag comes under: itself, else the first of its language, else the first."""
    canonical = canonical_tag(tag)
    if canonical in offered:
        return canonical
    language = canonical.split("-")[0]
    return next((other for other in offered if other.split("-")[0] == language), offered[0])


def _ranges(header: str) -> Iterator[tuple[str, str]]:
    """(range as sent, its language), by quality and then by order. What is no language is passed over."""
    found = []
    for part in header.split(",")[:_MOST_RANGES]:
        match = _RANGE.fullmatch(part.strip())
        quality = float(match[2] or 1) if match else 0.0
        if match and quality > 0:
            found.append((quality, match[1]))
    for _quality, tag in sorted(found, key=lambda item: -item[0]):
        try:
            yield tag, canonical_tag(tag).split("-")[0]
        except ValueError:
            continue
