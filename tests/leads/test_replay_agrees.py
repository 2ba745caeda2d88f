"""What a replay tells is what happens: the same leads, closings and hours come to the same agents."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

import pytest

from leads import actions
from leads.holds import release_held
from leads.models import Lead
from routing.engine import Facts
from routing.engine.hours import instant
from routing.engine.simulation import Simulation
from routing.facts import build_facts
from routing.snapshots import snapshot
from tests.leads.world import NOON, make_world, only, person, rule

pytestmark = pytest.mark.django_db

STEP = timedelta(minutes=5)  # the sweeper's, and everything else's
_STEPS = 48 * 12
SPLIT = dict.fromkeys(range(7), (9 * 60, 13 * 60))
LATE = dict.fromkeys(range(7), (12 * 60, 20 * 60))
NIGHT_WATCH = dict.fromkeys(range(7), (20 * 60, 2 * 60))


class Shelf:
    """Facts of leads that wait, in memory."""

    def __init__(self) -> None:
        self.kept: list[Facts] = []

    def keep(self, facts: Facts) -> int:
        self.kept.append(facts)
        return len(self.kept) - 1

    def facts(self, ticket: int) -> Facts:
        return self.kept[ticket]


@pytest.mark.parametrize("seed", range(3))
def test_on_random_days(seed, django_capture_on_commit_callbacks):
    choose = Random(seed)
    world = make_world(
        person("ana", shifts=SPLIT, cap_open=4, languages=["es"]),
        person("bo", shifts=LATE, cap_hour=2, handles={"telegram": "bo_acme"}),
        person("cy", shifts=LATE, cap_day=5, timezone="America/New_York"),
        person("di", shifts=NIGHT_WATCH, kind="on_call"),
        person("ed", shifts=SPLIT, cap_open=2),
        teams={"spanish": ["ana", ("ed", 2)], "sales": ["bo", "cy", ("ed", 1, 2)], "few": ["ed"]},
        rules=[
            rule("spanish", "spanish", when=only("language", "es"), prefer=["language"], if_nobody="hold"),
            rule("at night", "few", when={"all": [
                {"field": "in_hours", "op": "is", "value": False}, {"field": "country", "op": "is", "value": "FR"},
            ]}, if_nobody="hold"),
            rule("race", "sales", when={"all": [
                {"field": "channel", "op": "is", "value": "form"}, {"field": "country", "op": "is", "value": "DE"},
            ]}, by="claim", if_nobody="hold"),
            rule("chats", "sales", when=only("channel", "telegram"), require=["channel"], if_nobody="on_call"),
            rule("busy", "sales", when=only("country", "FR"), by="least_busy", if_nobody="hold"),
            rule("everything", "sales", by="priority"),
        ],
        policy={"join_window": 3 * 3_600, "returning": choose.choice(["same_agent", "rotate"])},
    )  # fmt: skip
    door = world.door()
    with django_capture_on_commit_callbacks(execute=True):  # kept in this process from now on
        taken = snapshot(
            workspace_id=door.workspace_id, policy_version=door.policy_version, roster_version=door.roster_version
        )
    simulation = Simulation(taken, Shelf())
    start = NOON.replace(hour=7)
    arrivals = Counter(choose.randrange(_STEPS * 3 // 4) for _ in range(70))
    closings: dict[datetime, list[Lead]] = {}
    submissions: list[UUID] = []

    for step in range(_STEPS):
        at = start + step * STEP
        for lead in closings.pop(at, ()):
            actions.close(lead=lead, closed_as="won", at=at)
        release_held(at=at)
        for _ in range(arrivals[step]):
            said = {
                "channel": choose.choice(["form", "telegram", "whatsapp"]),
                "language": choose.choice(["es", "en"]),
                "country": choose.choice(["FR", "DE", "ES"]),
                "email": f"e{choose.randrange(25)}@example.com",
            }
            closed_at = choose.choice([None, at + choose.randrange(1, 60) * STEP])
            facts = build_facts(source="api", **said)
            simulation.arrive(at=at, facts=facts, keys=[("email", said["email"])], closed_at=closed_at)
            accepted = world.send(door=door, at=at, **said)
            submissions.append(accepted.lead_id)
            if closed_at is not None and not accepted.joined:
                closings.setdefault(closed_at, []).append(world.lead(accepted))

    simulation.finish()
    end = start + _STEPS * STEP
    # A lead that was decided anew for somebody who wrote again is told of in that submission's row.
    for lead_id, number in {lead_id: number for number, lead_id in enumerate(submissions)}.items():
        told, lead = simulation.record.told(number), Lead.objects.get(pk=lead_id)
        if told.assigned is None or instant(told.assigned) < end:
            assert told.agent == lead.agent_id, f"submission {number}, received {lead.received_at}"
        else:
            assert lead.agent_id is None
    assert Lead.objects.filter(reason="shift_started").exists()
    assert Lead.objects.filter(reason="cap_freed").exists()
