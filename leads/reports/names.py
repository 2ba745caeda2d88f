"""How the words of leads are called on pages."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from agents import places
from agents.channels import CHANNELS
from agents.models import Agent, Team, Workspace
from leads.reports.filters import NONE

SOURCES = {"widget": "Widget", "api": "API", "form": "Form", "phone": "Phone", "email": "E-mail"}


class Names:
    """The names of a workspace's agents and teams, read once, and of everything else."""

    def __init__(self, workspace: Workspace) -> None:
        self.agents = dict(Agent.objects.for_workspace(workspace).order_by("name", "pk").values_list("pk", "name"))
        self.teams = dict(Team.objects.for_workspace(workspace).order_by("name", "pk").values_list("pk", "name"))

    def of(self, column: str, word: Any) -> str:
        if column == "agent":
            return self.agents.get(word, "?") if word else _("Nobody")
        if column == "team":
            return self.teams.get(word, "?") if word else _("No team")
        if not word:
            return {"rule": _("No rule"), "country": _("Unknown"), "channel": _("None")}.get(column, "–")
        if column == "channel":
            return str(CHANNELS[word].label) if word in CHANNELS else str(word).title()
        if column == "country":
            return places.country_name(word)
        return SOURCES.get(word, str(word)) if column == "source" else str(word)

    def choices(self, column: str, words: Any) -> list[tuple[str, str]]:
        """What can be chosen of a column, as (what stands in the address, name)."""
        found = [
            (str(word) if word else ("0" if column in ("agent", "team") else NONE), self.of(column, word))
            for word in words
        ]
        return sorted(found, key=lambda choice: (choice[0] in ("0", NONE), choice[1].casefold()))
