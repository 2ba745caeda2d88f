"""Reports against a slow, obvious count of the same leads, one at a time: across changes of clocks, packed or not."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from leads.models import Event, Lead
from leads.reports import filters, outcomes, sla, speed
from leads.reports.page import Scope
from leads.sla.ladder import breach_of
from leads.speed import days
from tests.leads.history import live, team
from tests.leads.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.portable]

LADDER = {"remind_at": ["50%"], "reroute_after": "10m", "max_reroutes": 2, "escalate_after": "15m"}
NO_LEAD = ("spam", "duplicate", "no_conversation")


def counted(world: World) -> list[Lead]:
    """Bots, what was no lead, and clicks that nobody confirmed apart."""
    return [
        lead
        for lead in Lead.objects.for_workspace(world.workspace).exclude(outcome="rejected")
        if lead.closed_as not in NO_LEAD
        and not (lead.unconfirmed_at and not lead.confirmed_at and not lead.first_response_at)
    ]


def took(lead: Lead) -> float | None:
    return (lead.first_response_at - lead.received_at).total_seconds() if lead.first_response_at else None


def by_hour(leads: list[Lead], zone: str) -> tuple[dict[Any, float], Counter[Any]]:
    """The median answer and the number of leads, by weekday and hour of the clock on the wall."""
    answers, came = defaultdict(list), Counter()
    for lead in leads:
        local = lead.received_at.astimezone(ZoneInfo(zone))
        came[local.weekday(), local.hour] += 1
        if lead.first_response_at:
            answers[local.weekday(), local.hour].append(took(lead))
    return {hour: median(seconds) for hour, seconds in answers.items()}, came


def heat(report: Any, name: str) -> dict[Any, Any]:
    rows = panel(report, name).table.rows
    return {
        (day, hour): cell.value
        for day, row in enumerate(rows)
        for hour, cell in enumerate(row.cells)
        if cell.value is not None
    }


def panel(report: Any, name: str) -> Any:
    return next(each for each in report.panels if each.id == name)


def cells(report: Any, name: str) -> list[list[Any]]:
    return [[cell.value for cell in row.cells] for row in panel(report, name).table.rows]


def promises(leads: list[Lead], at: datetime) -> list[int]:
    """Kept, broken, running, and closed in time without an answer."""
    found = Counter()
    for lead in leads:
        if lead.respond_by is None:
            continue
        if breach_of(lead, at=at) is not None:
            found["broken"] += 1
        elif lead.first_response_at:
            found["kept"] += 1
        else:
            found["running" if lead.closed_at is None else "dropped"] += 1
    return [found[name] for name in ("kept", "broken", "running", "dropped")]


@pytest.mark.parametrize(
    ("seed", "start", "zone"),
    [
        (21, datetime(2026, 3, 28, 8, tzinfo=UTC), "Europe/Madrid"),
        (22, datetime(2026, 10, 24, 8, tzinfo=UTC), "Asia/Kolkata"),
    ],
)
def test_pages_say_what_a_slow_count_says_packed_or_not(seed, start, zone):
    world = team(LADDER)
    at = live(world, random.Random(seed), start, steps=110)
    asked = filters.read(
        {"from": "2026-03-01" if start.month == 3 else "2026-10-01", "to": f"{at + timedelta(days=1):%Y-%m-%d}"},
        zone=zone, zones=(), at=at,
    )  # fmt: skip
    scope = Scope(world.workspace, at)

    def look() -> list[Any]:
        return [module.build(scope, asked) for module in (speed, sla, outcomes)]

    before = look()
    days.catch_up(at=at)
    days.rebuild(workspace_id=world.workspace.pk, at=at)
    leads = counted(world)
    answers, came = by_hour(leads, zone)
    kept = promises(leads, at)
    reminded = Counter(Event.objects.filter(kind="reminded").values_list("lead_id", flat=True))
    assert len(answers) > 5
    assert all(kept[:2])
    assert reminded
    for of_speed, of_promises, of_ends in (before, look()):
        assert heat(of_speed, "answers") == pytest.approx(answers)
        assert heat(of_speed, "arrivals") == came

        limits = (60, 300, 900, 3_600, 86_400)
        within = [sum(took(lead) is not None and took(lead) <= limit for lead in leads) for limit in limits]
        later = sum(took(lead) is not None for lead in leads) - within[-1]
        never = sum(took(lead) is None for lead in leads)
        assert [row[:2] for row in cells(of_speed, "within")] == [
            [number, pytest.approx(number / len(leads))] for number in (*within, later, never)
        ]

        assert [row[0] for row in cells(of_promises, "standing")] == kept
        promised = [lead for lead in leads if lead.respond_by is not None]
        assert cells(of_promises, "ladder")[0] == [
            sum(lead.pk in reminded for lead in promised), sum(reminded[lead.pk] for lead in promised)
        ]  # fmt: skip
        assert cells(of_promises, "ladder")[2][0] == sum(lead.escalated_at is not None for lead in promised)

        last, edges = 0.0, (60, 300, 900, 3_600, 14_400, 86_400, float("inf"))
        for edge, (number, won, share, _between) in zip(edges, cells(of_ends, "by-speed"), strict=False):
            these = [
                lead
                for lead in leads
                if took(lead) is not None and (last < took(lead) or not last) and took(lead) <= edge
            ]
            ends = sum(lead.closed_as == "won" for lead in these)
            assert (number, won) == (len(these), ends)
            assert share == (pytest.approx(ends / len(these)) if these else None)
            last = edge


@pytest.mark.parametrize(("won", "n"), [(0, 1), (1, 1), (0, 10), (5, 10), (3, 17), (748, 2_703), (1_000, 1_000)])
def test_between_which_shares_one_is_95_percent_sure_is_where_the_score_test_ends(won, n):
    low, high = outcomes.wilson(won, n)

    # From the definition: the true shares that so many won leads lie within 1.96 standard errors of.
    def is_within(share: float) -> bool:
        return abs(won / n - share) <= 1.959964 * (share * (1 - share) / n) ** 0.5 + 1e-12

    steps = 20_000
    inside = [step / steps for step in range(steps + 1) if is_within(step / steps)]
    assert (low, high) == (pytest.approx(inside[0], abs=1 / steps), pytest.approx(inside[-1], abs=1 / steps))


def test_of_no_leads_nothing_is_sure():
    assert outcomes.wilson(0, 0) is None
