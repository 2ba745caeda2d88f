"""What is wrong with a policy, and where in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import NamedTuple

from django.utils.translation import gettext as _

Path = tuple[str | int, ...]


def format_path(path: Path) -> str:
    """`rules[3].when`, counting from 0: as people find it in a workspace file. Conditions are not counted out."""
    shown = ""
    for step in path:
        shown += f"[{step}]" if isinstance(step, int) else f".{step}" if shown else step
        if step == "when":
            break
    return shown


class PolicyError(NamedTuple):
    """One fault. The path is exact (`("rules", 3, "when", "all", 0, "field")`) and mirrors the workspace file."""

    path: Path
    message: str

    def __str__(self) -> str:
        return f"{format_path(self.path)}: {self.message}" if self.path else self.message


class PolicyErrors(ValueError):
    """A policy is refused; `errors` are in the order of the document."""

    def __init__(self, errors: Iterable[PolicyError]) -> None:
        self.errors = list(errors)
        super().__init__("\n".join(map(str, self.errors)))


class Findings:
    """Collects faults, so that one run names all of them."""

    def __init__(self) -> None:
        self.errors: list[PolicyError] = []

    def add(self, path: Path, message: str) -> None:
        self.errors.append(PolicyError(path, message))

    def raise_any(self) -> None:
        if self.errors:
            raise PolicyErrors(self.errors)

    def refuse_unknown_keys(self, mapping: Iterable[object], known: Iterable[str], path: Path) -> None:
        names = tuple(known)
        for key in mapping:
            if key not in names:
                text = _("unknown key %(key)r") % {"key": key}
                self.add((*path, str(key)), text + did_you_mean(str(key), names))


def did_you_mean(word: str, known: Iterable[str], *, synonyms: Mapping[str, str] | None = None) -> str:
    """` (did you mean 'country'?)`, or nothing where nothing is near. `synonyms` are known names by other ones."""
    by_folded = {name.casefold(): name for name in known}
    close = get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.6)
    name = (synonyms or {}).get(word.casefold()) or (by_folded[close[0]] if close else None)
    return " " + _("(did you mean %(name)r?)") % {"name": name} if name else ""


def unknown(what: str, word: object, known: Iterable[str], *, synonyms: Mapping[str, str] | None = None) -> str:
    """`unknown field 'contry' (did you mean 'country'?)`, or with all names where none is near and they are few."""
    names = tuple(known)
    text = _("unknown %(what)s %(word)r") % {"what": what, "word": word}
    near = did_you_mean(str(word), names, synonyms=synonyms)
    if not near and 0 < len(names) <= 30:
        near = _(": use one of %(names)s") % {"names": ", ".join(names)}
    return text + near
