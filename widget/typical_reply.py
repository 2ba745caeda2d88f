"""How long people here usually take to answer, as the widget tells it."""

from __future__ import annotations

from datetime import datetime, timedelta
from statistics import median

from leads.models import Lead

LOOKS_BACK = timedelta(days=30)
_MOST_LEADS = 200
_FEWEST_LEADS = 5  # fewer say nothing, and might be read as one person's
_KEPT_FOR = timedelta(minutes=5)

_kept: dict[int, tuple[datetime, int | None]] = {}


def typical_reply_s(*, workspace_id: int, at: datetime) -> int | None:
    """The median time to the first human answer, in seconds, of the last answered leads; None where they are few.

    A process asks the database again after five minutes.
    """
    looked_at, seconds = _kept.get(workspace_id, (None, None))
    if looked_at is None or not looked_at <= at < looked_at + _KEPT_FOR:
        seconds = _measured(workspace_id, at)
        _kept[workspace_id] = at, seconds
    return seconds


def forget() -> None:
    """Drop what this process keeps."""
    _kept.clear()


def _measured(workspace_id: int, at: datetime) -> int | None:
    answered = (
        Lead.objects.filter(
            workspace_id=workspace_id, received_at__gte=at - LOOKS_BACK, first_response_at__isnull=False
        )
        .order_by("-received_at")
        .values_list("received_at", "first_response_at")[:_MOST_LEADS]
    )
    took = [(responded_at - received_at).total_seconds() for received_at, responded_at in answered]
    return round(median(took)) if len(took) >= _FEWEST_LEADS else None
