"""A made-up past: leads that fit together, in a database of their own."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from agents.models import Workspace
from leads.models import Assignment, Decision, Lead, LeadDay
from tests.leads.reports.cast import reader
from tests.leads.world import World, make_world, person


def generate(**more):
    call_command("generate_leads", **{"leads": 120, "agents": 10, "weeks": 2, "stdout": StringIO(), **more})


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_generated_leads_are_whole_and_reported_and_never_beside_real_ones():
    generate()

    workspace = Workspace.objects.get()
    assert Lead.objects.count() == Assignment.objects.count() == Decision.objects.count() == 120
    assert LeadDay.objects.count() > 5
    connection.check_constraints()
    report = reader(World(workspace, None, None)).get("/reports/?period=30d").context["report"]
    assert report.tiles[0].cell.value == sum(
        lead.closed_as != "spam" and (lead.unconfirmed_at is None or lead.first_response_at is not None)
        for lead in Lead.objects.all()
    )
    with pytest.raises(CommandError, match="holds a workspace already"):
        generate()


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
