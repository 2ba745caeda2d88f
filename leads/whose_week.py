"""What somebody got this week, and why not the rest: read from the stored decisions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from agents.models import Agent
from leads.models import Assignment, Decision
from routing.explaining import VERDICT_WORDS

LOOKED_AT = 500  # decisions, the newest
_SHOWN = 10  # assignments


@dataclass(frozen=True, slots=True)
class Week:
    """`got` leads of `looked_at` for which they were asked; `why_not` are reasons and how often each, the most first.

    `is_whole` false: the week had more decisions than were read.
    """

    since: datetime
    got: int
    looked_at: int
    why_not: list[tuple[Any, int]]
    latest: list[Assignment]
    is_whole: bool


def week_of(agent: Agent, *, at: datetime) -> Week:
    """From Monday, 00:00 by the agent's clock. A fixed number of statements."""
    local = at.astimezone(ZoneInfo(agent.zone_name()))
    since = (local - timedelta(days=local.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)
    decisions = Decision.objects.for_workspace(agent.workspace).filter(at__gte=since)
    rows = list(decisions.order_by("-at", "-pk").values_list("lead_id", "agent_id", "decision")[: LOOKED_AT + 1])
    verdicts: dict[Any, str] = {}
    for lead, chosen, decision in rows[:LOOKED_AT]:
        said = "chosen" if chosen == agent.pk else next(_verdicts(decision, agent.pk), None)
        if said is not None and verdicts.get(lead) != "chosen":
            verdicts[lead] = said
    counted = Counter(verdicts.values())
    got = counted.pop("chosen", 0)
    assignments = Assignment.objects.for_workspace(agent.workspace).filter(agent=agent)
    return Week(
        since=since,
        got=got,
        looked_at=len(verdicts),
        why_not=[(VERDICT_WORDS.get(verdict, verdict), count) for verdict, count in counted.most_common()],
        latest=list(assignments.select_related("lead").order_by("-assigned_at")[:_SHOWN]),
        is_whole=len(rows) <= LOOKED_AT,
    )


def _verdicts(decision: dict[str, Any] | None, agent: int) -> Iterator[str]:
    """What the last rule that looked at them said, then the ones before."""
    for _rule, _asked, candidates, _then in reversed(decision["pools"] if decision else []):
        yield from (verdict for candidate, verdict, _margin in candidates if candidate == agent)
