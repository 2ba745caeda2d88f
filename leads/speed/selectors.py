"""Reading who had a lead, and for how long."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from agents.models import Agent
from leads.models import Assignment, Lead
from leads.speed.response import first_response


class Holding(NamedTuple):
    """One agent's time with a lead that nobody had answered yet. `until` None: it runs on."""

    agent: Agent
    since: datetime
    until: datetime | None
    seconds: float


def holdings(*, lead: Lead, at: datetime) -> list[Holding]:
    """Who had the lead until its first response, in order; while nobody has answered, counted up to `at`."""
    response = first_response(lead)
    found = []
    for row in Assignment.objects.filter(lead=lead).select_related("agent").order_by("assigned_at", "pk"):
        ends = [end for end in (row.closed_at, response and response.at) if end is not None]
        until = min(ends, default=None)
        seconds = ((until or at) - row.assigned_at).total_seconds()
        if response is None or row.assigned_at <= response.at:
            found.append(Holding(row.agent, row.assigned_at, until, seconds))
    return found
