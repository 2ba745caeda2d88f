"""Who does something to a lead."""

from __future__ import annotations

from dataclasses import dataclass

from agents.models import User


@dataclass(frozen=True, slots=True)
class Actor:
    """A user, or a name for what is none, such as an API key's; by default, Switchyard itself."""

    user: User | None = None
    text: str = ""


ITSELF = Actor()
