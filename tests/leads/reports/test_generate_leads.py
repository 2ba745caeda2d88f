"""A made-up past: leads that fit together, in a database of their own."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import F

from agents.models import Workspace
from leads.models import Assignment, Decision, Lead, LeadDay
from routing.engine import EVEN, Ledger
from routing.engine.ledger import take_turn
from routing.snapshots import snapshot
from tests.leads.reports.cast import reader
from tests.leads.world import World, make_world, person


def generate(**more):
    call_command("generate_leads", **{"leads": 120, "agents": 10, "weeks": 2, "stdout": StringIO(), **more})


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_generated_leads_are_whole_and_reported_and_never_beside_real_ones():
    generate()

    workspace = Workspace.objects.get()
    held = Decision.objects.filter(outcome="held").count()
    assert Lead.objects.count() == Assignment.objects.count() == Decision.objects.count() - held == 120
    assert held == Lead.objects.filter(assigned_at__gt=F("received_at") + timedelta(seconds=1)).count() > 0
    assert LeadDay.objects.count() > 5
    connection.check_constraints()
    report = reader(World(workspace, None, None)).get("/reports/?period=30d").context["report"]
    assert report.tiles[0].cell.value == sum(
        lead.closed_as != "spam" and (lead.unconfirmed_at is None or lead.first_response_at is not None)
        for lead in Lead.objects.all()
    )
    with pytest.raises(CommandError, match="holds a workspace already"):
        generate()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_generated_turns_are_those_of_the_engine_among_who_was_there():
    generate(leads=600, agents=20)

    workspace = Workspace.objects.get()
    roster = snapshot(
        workspace_id=workspace.pk, policy_version=1, roster_version=workspace.roster_version
    ).roster  # fmt: skip
    ledgers: dict[int, Ledger] = {}
    for decision in Decision.objects.order_by("at", "pk").select_related("lead"):
        asked = decision.decision["pools"][0][2]
        verdicts = {agent: verdict for agent, verdict, _margin in asked}
        there = set(roster.members(roster.presence(decision.at).regular & ~roster.presence(decision.at).time_off))
        for agent, verdict in verdicts.items():
            assert verdict == "paused" or (agent in there) == (verdict not in ("off_shift", "time_off"))
        if decision.outcome == "held":
            assert not {"chosen", "not_their_turn"} & set(verdicts.values())
            continue
        team = decision.decision["ledger"]
        takers = [(agent, 1) for agent, verdict in verdicts.items() if verdict in ("chosen", "not_their_turn")]
        ledger = ledgers.get(team, EVEN)
        turn = take_turn(ledger, takers)
        stored = decision.decision["turn"]
        assert (turn.chosen, [list(each) for each in turn.given], turn.paid) == tuple(stored[:3])
        assert decision.agent_id == decision.lead.answered_by_id or decision.lead.answered_by_id is None
        assert decision.ledger["entries"].get(str(turn.chosen), [0])[0] == ledger.of(turn.chosen).credit
        ledgers[team] = ledger.after(turn)
    assert len(ledgers) == 2
    for row in workspace.ledgers.exclude(team=None):
        assert row.standing == ledgers[row.team_id]


@pytest.mark.django_db
@pytest.mark.portable
def test_it_refuses_what_makes_no_past():
    if connection.vendor != "postgresql":
        with pytest.raises(CommandError, match="on PostgreSQL only"):
            generate()
        return
    with pytest.raises(CommandError, match="in teams of 10"):
        generate(agents=7)
    make_world(person("ana"))
    with pytest.raises(CommandError, match="holds a workspace already"):
        generate()
