"""After a run: every turn taken anew from what decisions stored, every acknowledged lead looked for.

Reads the ids of those from standard input, one a line. Ends with 1 where something is not exact.
"""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from uuid import UUID

from tests.bench import figure, say


def check(acknowledged: list[UUID]) -> list[str]:
    """What is wrong, in sentences."""
    from leads.models import Assignment, Decision, Event, Idempotency, Lead, Outbox
    from leads.records import ledger_from_json, turn_from_json
    from routing import engine
    from routing.engine.ledger import take_turn
    from routing.models import Ledger, Load

    wrong: list[str] = []

    def exactly(name: str, value: int, unit: str, wanted: int = 0) -> None:
        figure(f"exact_{name}", value, unit)
        if value != wanted:
            wrong.append(f"{name} is {value} {unit}, not {wanted}")

    stored = set(Lead.objects.values_list("pk", flat=True))
    exactly("leads", len(stored), "leads", wanted=len(acknowledged))
    exactly("lost", len(set(acknowledged) - stored), "leads")
    exactly("doubled", len(acknowledged) - len(set(acknowledged)), "leads")
    for name, rows in (
        ("one_active_assignment", Counter(Assignment.objects.open().values_list("lead_id", flat=True))),
        ("one_decision", Counter(Decision.objects.values_list("lead_id", flat=True))),
        ("one_message", Counter(map(UUID, Outbox.objects.values_list("payload__lead", flat=True)))),
        ("one_idempotency_key", Counter(Idempotency.objects.exclude(answer=None).values_list("lead_id", flat=True))),
        ("received_once", Counter(Event.objects.filter(kind="received").values_list("lead_id", flat=True))),
        ("assigned_once", Counter(Event.objects.filter(kind="assigned").values_list("lead_id", flat=True))),
    ):
        exactly(name, sum(rows[lead] == 1 for lead in stored), "leads", wanted=len(stored))
    exactly("without_deadline", Lead.objects.filter(respond_by=None).count(), "leads")
    exactly("without_person", Lead.objects.filter(person=None).count(), "leads")

    turns = defaultdict(list)
    fields = ("decision__ledger", "decision__turn", "ledger", "agent_id")
    for team, turn, read, agent in Decision.objects.filter(moved_ledger=True).values_list(*fields).iterator():
        turns[team].append((turn_from_json(turn), ledger_from_json(read), agent))
    astray = unfair = off_zero = 0
    for row in Ledger.objects.all():
        ledger = engine.EVEN
        received: Counter[int] = Counter()
        taken = sorted(turns[row.team_id], key=lambda of: of[0].number)
        for turn, read, agent in taken:
            weights = [(who, 1) for who, _share in turn.given]
            astray += turn != take_turn(ledger, weights) or agent != turn.chosen
            astray += any(entry != ledger.of(who) for who, entry in read.entries.items())
            ledger = ledger.after(turn)
            received[agent] += 1
        astray += row.standing != ledger or row.turns != len(taken)
        unfair += bool(received) and max(received.values()) - min(received.values()) > 1
        off_zero += sum(entry.credit for entry in row.standing.entries.values()) != 0
    exactly("turns_astray", astray, "turns")
    exactly("teams_uneven", unfair, "teams")
    exactly("ledgers_off_zero", off_zero, "ledgers")
    carried = Counter(Assignment.objects.open().values_list("agent_id", flat=True))
    loads = {load.agent_id: load.open for load in Load.objects.all()}
    exactly("loads_off", sum(loads.get(agent, 0) != count for agent, count in carried.items()), "agents")
    return wrong


if __name__ == "__main__":
    import django

    django.setup()
    broken = check([UUID(line.strip()) for line in sys.stdin])
    for sentence in broken:
        say(f"broken: {sentence}")
    sys.exit(1 if broken else 0)
