"""Which reports there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext_lazy

from leads.reports.filters import NARROWING


@dataclass(frozen=True, slots=True)
class Kind:
    """A report. `module` has its `build`, and is imported by whoever asks for it. `narrowing`: what it can be narrowed
    by; `options`: what else may be asked for, the default first (nothing: any text); a page that is left open asks
    anew after `refresh_s` (0: never). `begins` is said where no lead has come in yet."""

    name: str
    title: Any
    module: str
    begins: Any = ""
    for_agents: bool = True
    narrowing: tuple[str, ...] = NARROWING
    has_clock: bool = True
    has_period: bool = True
    compares: bool = True
    refresh_s: int = 0
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def chosen(self, given: Mapping[str, str]) -> dict[str, str]:
        """The options that are asked for."""
        found = {}
        for name, words in self.options.items():
            word = given.get(name, "")
            found[name] = word if word in words else words[0] if words else word[:60]
        return found


KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "speed", gettext_lazy("Speed"), "leads.reports.speed",
            gettext_lazy("How long people wait for an answer: by hour, agent, team, channel and country."),
        ),
        Kind(
            "sla", gettext_lazy("SLA"), "leads.reports.sla",
            gettext_lazy("Which promises are kept, by whom, and what is done about the others."), has_clock=False,
        ),
        Kind(
            "coverage", gettext_lazy("Coverage"), "leads.reports.coverage", for_agents=False, narrowing=(),
            has_clock=False, has_period=False, options={
                "by": ("team", "language", "channel", "country"),
                "of": (),
                "weekday": ("", *map(str, range(1, 8))),
                "hour": ("", *map(str, range(24))),
                "day": (),
            },
        ),
        Kind(
            "fairness", gettext_lazy("Fairness"), "leads.reports.fairness",
            gettext_lazy("Who was due how many leads and got how many, and why people missed some."),
            has_clock=False,
        ),
        Kind(
            "outcomes", gettext_lazy("Outcomes"), "leads.reports.outcomes",
            gettext_lazy("What became of leads: by how fast they were answered, where they came from, who had them."),
        ),
        Kind(
            "board", gettext_lazy("Live board"), "leads.reports.board", for_agents=False, narrowing=(),
            has_clock=False, has_period=False, refresh_s=15,
        ),
    )
}  # fmt: skip
