"""What loading a file did, told in lines."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.utils.translation import gettext as _


@dataclass(slots=True)
class Changes:
    """One line for each thing, in the order it was done. Empty where the file said what was there already."""

    lines: list[str] = field(default_factory=list)

    def created(self, kind: str, name: str) -> None:
        self.lines.append(_("created %(kind)s %(name)s") % {"kind": kind, "name": name})

    def changed(self, kind: str, name: str, what: Iterable[str]) -> None:
        named = f"{kind} {name}".strip()
        self.lines.append(_("changed %(named)s: %(what)s") % {"named": named, "what": ", ".join(what)})

    def removed(self, kind: str, name: str) -> None:
        self.lines.append(_("removed %(kind)s %(name)s") % {"kind": kind, "name": name})

    def archived(self, kind: str, name: str) -> None:
        self.lines.append(_("archived %(kind)s %(name)s") % {"kind": kind, "name": name})

    def deactivated(self, kind: str, name: str) -> None:
        self.lines.append(_("deactivated %(kind)s %(name)s") % {"kind": kind, "name": name})

    def told(self, line: str) -> None:
        self.lines.append(line)
