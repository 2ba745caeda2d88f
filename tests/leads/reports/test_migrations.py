"""Packed days through the migrations that change how they are packed, there and back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from leads.models import DirtyDay, LeadDay, TurnDay
from leads.reports import turns
from leads.reports.frame import load
from leads.speed import days
from tests.leads.world import NOON, make_world, person

DAY = timedelta(days=1)


BEFORE = "0011"  # the one before the first of them, so that each goes there and back


def migrate(name: str) -> None:
    call_command("migrate", "leads", name, verbosity=0)


@pytest.mark.django_db(transaction=True)
def test_days_are_packed_anew_there_and_back():
    world = make_world(person("ana"))
    world.send(at=NOON, country="ES")
    days.rebuild(workspace_id=world.workspace.pk, at=NOON + 2 * DAY)
    assert (LeadDay.objects.count(), TurnDay.objects.count()) == (1, 1)

    newest = MigrationExecutor(connection).loader.graph.leaf_nodes("leads")[0][1]
    try:
        migrate(BEFORE)
        assert TurnDay.objects.values("pk").count() == 0
    finally:
        migrate(newest)

    assert TurnDay.objects.count() == 0
    assert DirtyDay.objects.count() == 1
    assert days.pack_due(at=NOON + 3 * 365 * DAY) == 1
    assert len(turns.load(workspace_id=world.workspace.pk, start=NOON - DAY, end=NOON + DAY, at=NOON + DAY)) == 1
    packed = load(workspace_id=world.workspace.pk, start=NOON - DAY, end=NOON + DAY, names=("language",))
    assert (LeadDay.objects.count(), TurnDay.objects.count()) == (1, 1)
    assert len(packed["language"]) == len(packed) == 1
