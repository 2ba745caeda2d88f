"""Plain values as YAML that people read and every YAML reader takes for the same texts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

WIDTH = 110

# Only what no reader of YAML 1.1 or 1.2 could take for anything but a text is written without quotes.
_SAFE = re.compile(r"[^\W\d_][\w./@-]*(?: [\w./@-]+)*|/[\w./-]*|[0-9]+[dhms%]")
_WORDS_OF_YAML = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def to_yaml(document: Mapping[str, Any]) -> str:
    """The sections one after another, in block style; what fits on a line in flow style."""
    lines: list[str] = []
    for section, value in document.items():
        if isinstance(value, Mapping) and value:
            lines.append(f"{section}:")
            lines += _block(value, indent=2)
        elif value:
            lines.append(f"{section}:")
            lines += _members(value, indent=2)
        else:
            lines.append(f"{section}: {_flow(value)}")
    return "\n".join(lines) + "\n"


def _block(mapping: Mapping[str, Any], *, indent: int) -> Iterator[str]:
    for key, value in mapping.items():
        start = f"{' ' * indent}{key}:"
        line = f"{start} {_flow(value)}"
        if not _is_structure(value) or (len(line) <= WIDTH and not _holds_many_mappings(value)):
            yield line
            continue
        yield start
        yield from (
            _block(value, indent=indent + 2) if isinstance(value, Mapping) else _members(value, indent=indent + 2)
        )


def _members(values: Sequence[Any], *, indent: int) -> Iterator[str]:
    margin = " " * indent
    for value in values:
        line = f"{margin}- {_flow(value)}"
        if not isinstance(value, Mapping) or (len(line) <= WIDTH and not _holds_many_mappings(value)):
            yield line
            continue
        first, *others = _block(value, indent=indent + 2)
        yield f"{margin}- {first.lstrip()}"
        yield from others


def _is_structure(value: Any) -> bool:
    return isinstance(value, Mapping) or (isinstance(value, list) and any(isinstance(one, Mapping) for one in value))


def _holds_many_mappings(value: Any) -> bool:
    """Two or more mappings in one list read better below each other, however short."""
    if isinstance(value, Mapping):
        return any(map(_holds_many_mappings, value.values()))
    if isinstance(value, list):
        return sum(isinstance(one, Mapping) for one in value) > 1 or any(map(_holds_many_mappings, value))
    return False


def _flow(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_flow(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else _text(value)


def _text(value: str) -> str:
    if _SAFE.fullmatch(value) and value.lower() not in _WORDS_OF_YAML:
        return value
    quoted = json.dumps(value, ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found.group()):04x}", quoted)
