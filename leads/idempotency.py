"""Idempotency keys: a repeated submission gets the first answer, however close behind the first it comes."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import OperationalError, connection

from leads.answer import Accepted
from leads.contention import is_lock_timeout
from leads.models import Idempotency
from leads.people import lock_number
from leads.submission import Door, IdempotencyKey

LIFETIME = timedelta(hours=24)
PATIENCE_S = 5

# A second request under the same key waits here for the first one's transaction to end; a row whose day is over is
# taken anew. PostgreSQL has a lock beside the row, so that whoever cannot wait may ask.
_CLAIM = """
INSERT INTO leads_idempotency (workspace_id, owner, key, body_hash, created_at)
{values}
ON CONFLICT (owner, key) DO UPDATE
SET body_hash = excluded.body_hash, answer = NULL, lead_id = NULL, created_at = excluded.created_at
WHERE leads_idempotency.created_at <= %(expired)s
RETURNING id
"""
_VALUES = "%(workspace)s, %(owner)s, %(key)s, %(body_hash)s, %(at)s"
_CLAIM_SQLITE = _CLAIM.format(values=f"VALUES ({_VALUES})")
# The limit holds for the whole transaction: nobody should wait longer for anything else either.
_PATIENCE = f"WITH patience AS MATERIALIZED (SELECT set_config('lock_timeout', '{PATIENCE_S}s', true))"
_MINE = ", mine AS MATERIALIZED (SELECT pg_advisory_xact_lock(%(number)s) FROM patience)"
_CLAIM_POSTGRESQL = _PATIENCE + _MINE + _CLAIM.format(values=f"SELECT {_VALUES} FROM mine")  # noqa: S608 - constants


class IdempotencyBusy(Exception):
    """The first request under this key has not been answered within five seconds."""


class IdempotencyConflict(Exception):
    """This key was used for another body within the last day."""


def claim(key: IdempotencyKey, *, door: Door, at: datetime) -> int | Accepted:
    """Begin to answer under a key: the id of its row, or the first answer where there is one.

    Call it first in the lead's transaction. Raises IdempotencyBusy and IdempotencyConflict.
    """
    owner = owner_of(door)
    adapted = connection.ops.adapt_datetimefield_value
    with connection.cursor() as cursor:
        try:
            cursor.execute(
                _CLAIM_POSTGRESQL if connection.vendor == "postgresql" else _CLAIM_SQLITE,
                {
                    "workspace": door.workspace_id,
                    "owner": owner,
                    "key": key.key,
                    "body_hash": key.body_hash,
                    "number": lock_number(door.workspace_id, (owner, key.key)),
                    "at": adapted(at),
                    "expired": adapted(at - LIFETIME),
                },
            )
        except OperationalError as problem:
            if is_lock_timeout(problem):
                raise IdempotencyBusy from problem
            raise
        claimed = cursor.fetchone()
    if claimed is not None:
        return claimed[0]
    first = Idempotency.objects.filter(owner=owner, key=key.key).values_list("body_hash", "answer").first()
    if first is None:
        raise IdempotencyBusy
    body_hash, answer = first
    if body_hash != key.body_hash:
        raise IdempotencyConflict
    if answer is None:
        raise IdempotencyBusy
    return Accepted.from_json(answer)


def keep_answer(row_id: int, answer: Accepted) -> None:
    """Store the answer for repeats, in the same transaction."""
    Idempotency.objects.filter(pk=row_id).update(answer=answer.to_json(), lead_id=answer.lead_id)


def forget_expired(*, at: datetime) -> int:
    return Idempotency.objects.filter(created_at__lte=at - LIFETIME).delete()[0]


def owner_of(door: Door) -> str:
    """Whose keys they are: another site's or API key's are others."""
    return f"site:{door.site_id}" if door.site_id is not None else f"key:{door.api_key_id}"
