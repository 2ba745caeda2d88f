"""Intake: a submission becomes a lead with somebody who takes it."""

from __future__ import annotations

from datetime import datetime

from leads.answer import Accepted, AgentCard, ChannelLink, Promise
from leads.submission import Door, IdempotencyKey, Submission

__all__ = [
    "Accepted",
    "AgentCard",
    "ChannelLink",
    "Door",
    "IdempotencyBusy",
    "IdempotencyConflict",
    "IdempotencyKey",
    "Promise",
    "Submission",
    "accept_lead",
]


class IdempotencyBusy(Exception):
    """The first request under this key has not been answered within five seconds."""


class IdempotencyConflict(Exception):
    """This key was used for another body within the last day."""


def accept_lead(
    *,
    door: Door,
    submission: Submission,
    at: datetime,
    idempotency: IdempotencyKey | None = None,
    bot: bool = False,
    hold_flag: str = "",
) -> Accepted:
    """Take a submission in: join it to the person's open lead, or decide who gets it, and store all of that or nothing.

    `bot`: answered in the same shape, outcome `rejected`; nobody is asked to answer it and no turn moves.
    `hold_flag` says why a manager must look before anybody gets the lead: it is stored, held and flagged.
    A failure of routing never loses the lead: it goes to the fallback agent or is held, and is flagged.
    Raises IdempotencyBusy, IdempotencyConflict, and the database's OperationalError where it does not answer.
    """
    raise NotImplementedError
