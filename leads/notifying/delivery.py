"""One message on its way to one address."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from leads.models import Outbox
from leads.notifications.message import Kind
from leads.notifications.outcomes import Outcome


class Source(StrEnum):
    """Whose address it is, and so which row learns that it is gone."""

    WAY = "way"
    ENDPOINT = "endpoint"


@dataclass(frozen=True, slots=True)
class Delivery:
    """`attempt` sends, and touches no database. `way` is the way's id among the recipient's, `origin` its row where it
    has one. `lane` names whom a slow answer holds up: those who go the same way. `is_ailing`: the last try there
    failed. `has_other_ways`: somewhere else to go if this one does not work.
    """

    rows: tuple[Outbox, ...]
    transport: str
    lane: str
    attempt: Callable[[datetime], Outcome]
    way: str
    origin: tuple[Source, int] | None = None
    is_ailing: bool = False
    has_other_ways: bool = False

    @property
    def ids(self) -> list[int]:
        return [row.pk for row in self.rows]

    @property
    def claim(self) -> UUID | None:
        return self.rows[0].claim

    @property
    def tries(self) -> int:
        return max(row.tries for row in self.rows)

    @property
    def is_trial(self) -> bool:
        """Somebody looks whether it works now: it is not tried again."""
        return self.rows[0].kind == Kind.TRIAL

    @property
    def leads(self) -> list[Any]:
        return [row.payload["lead"] for row in self.rows if row.payload.get("lead")]


@dataclass(frozen=True, slots=True)
class Result:
    """How it ended. `outcome` None: nobody got round to it, so that was no try."""

    delivery: Delivery
    outcome: Outcome | None
