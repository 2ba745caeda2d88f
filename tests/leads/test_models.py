"""What the database refuses, whoever writes."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction

from leads.models import Assignment, ContactKey, Event, Lead
from tests.leads.world import NOON, make_world, person, rule

pytestmark = pytest.mark.django_db


@pytest.fixture
def two_worlds():
    return make_world(person("ana")), make_world(person("bo"), slug="rival")


def refused(write):
    """Whether a write is refused, at once or at commit."""
    try:
        with transaction.atomic():
            write()
            connection.check_constraints()
            with connection.cursor() as cursor:
                if connection.vendor == "postgresql":
                    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
                    cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    except IntegrityError:
        return True
    return False


@pytest.mark.parametrize("field", ["agent", "team", "site", "api_key", "person"])
def test_a_lead_names_no_row_of_another_workspace(two_worlds, field):
    ours, theirs = two_worlds
    own = ours.lead(ours.send(email="eva@example.com"))
    foreign = theirs.lead(theirs.send(email="eva@example.com"))
    row = {"agent": foreign.agent, "team": foreign.team, "site": theirs.site, "api_key": theirs.api_key}
    other = row.get(field, foreign.person)

    assert refused(lambda: Lead.objects.filter(pk=own.pk).update(**{field: other}))
    assert not refused(lambda: Lead.objects.filter(pk=foreign.pk).update(**{field: other}))


def test_nor_do_the_rows_about_a_lead(two_worlds):
    ours, theirs = two_worlds
    lead = ours.lead(ours.send(email="eva@example.com"))
    theirs.send()
    closed = {"reason": "manual", "assigned_at": NOON, "closed_at": NOON}

    assert refused(lambda: Event.objects.create(workspace=theirs.workspace, lead=lead, kind="closed", at=NOON))
    assert refused(
        lambda: Assignment.objects.create(workspace=ours.workspace, lead=lead, agent=theirs.agent("bo"), **closed)
    )
    assert refused(
        lambda: ContactKey.objects.create(
            workspace=theirs.workspace, person=lead.person, kind="email", value="x@example.com"
        )
    )


def test_a_lead_is_in_one_pair_of_hands():
    world = make_world(person("ana"), person("bo"))
    lead = world.lead(world.send())

    assert refused(
        lambda: Assignment.objects.create(
            workspace=world.workspace, lead=lead, agent=world.agent("bo"), reason="manual", assigned_at=NOON
        )
    )


@pytest.mark.parametrize("change", [{"agent": None}, {"outcome": "held"}, {"status": "closed"}, {"closed_at": NOON}])
def test_a_lead_never_says_two_things(change):
    world = make_world(person("ana"))
    lead = world.lead(world.send())

    assert refused(lambda: Lead.objects.filter(pk=lead.pk).update(**change))


def test_a_contact_is_one_persons_in_a_workspace():
    world = make_world(person("ana"))
    lead = world.lead(world.send(email="eva@example.com"))

    assert refused(
        lambda: ContactKey.objects.create(
            workspace=world.workspace, person=lead.person, kind="email", value="eva@example.com"
        )
    )


def test_an_agent_with_leads_is_not_deleted():
    world = make_world(person("ana"), rules=[rule("her", "agent:ana")])
    world.send()

    with pytest.raises(Exception, match="protected"):
        world.agent("ana").delete()
