"""What managers see first: leads in trouble, promises that cannot fall due, coming hours without anybody."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from agents.models import TimeOff
from leads import actions
from leads.models import Finding, FindingKind, Lead
from tests.leads.test_sla import covered, manager_of, promising
from tests.leads.world import ALWAYS, OFFICE, make_world, person, rule

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def logged_in(world):
    client = Client()
    client.force_login(manager_of(world))
    return client


def worries(page):
    """The text of the parts that name what is wrong, '' where nothing is."""
    return " ".join(re.findall(r'aria-labelledby="(?:troubles|gaps|never-due)">(.*?)</section>', page.text, re.DOTALL))


def test_nothing_is_said_where_nothing_is_wrong():
    world = make_world(person("ana", shifts=ALWAYS), rules=[promising(covered(respond_within=60))])
    world.send(at=timezone.now())

    assert worries(logged_in(world).get("/admin/")) == ""


def test_leads_in_trouble_are_listed_with_why_those_that_nobody_has_first():
    world = make_world(person("ana"))
    now = timezone.now()
    late, nobodys, answered = (world.lead(world.send(at=now - hours * HOUR, name=name))
                               for hours, name in ((3, "Late"), (2, "Nobodys"), (1, "Zoe")))  # fmt: skip
    Lead.objects.filter(pk__in=[late.pk, answered.pk]).update(respond_by=now - HOUR, escalated_at=now - HOUR)
    Lead.objects.filter(pk=nobodys.pk).update(agent=None, outcome="held", flagged="Nobody speaks it")
    actions.respond(lead=answered, at=now)

    client = logged_in(world)

    seen = worries(client.get("/admin/"))

    assert seen.index("Nobodys") < seen.index("Nobody speaks it") < seen.index("Late")
    assert "Overdue for 1\xa0hour." in seen
    assert "Handed up to managers 1\xa0hour ago." in seen
    assert "Zoe" not in seen
    listed = client.get("/admin/leads/lead/?attention=trouble").text
    assert "Nobodys" in listed
    assert "Late" in listed
    assert "Zoe" not in listed


def test_what_the_watchdog_found_about_the_whole_workspace_is_said():
    world = make_world(person("ana"))
    Finding.objects.create(
        workspace=world.workspace, kind=FindingKind.FALLBACK, detail="60 % went to it", found_at=timezone.now()
    )

    assert "60 % went to it" in worries(logged_in(world).get("/admin/"))


def test_coming_hours_without_anybody_are_shown_by_the_workspaces_clock_with_the_leads_that_usually_come():
    world = make_world(person("ana", shifts=ALWAYS), timezone="Asia/Tokyo")
    tomorrow = timezone.now().replace(hour=3, minute=0, second=0, microsecond=0) + timedelta(days=1)
    for weeks in (1, 2):
        world.send(at=tomorrow - timedelta(weeks=weeks))
    TimeOff.objects.create(
        workspace=world.workspace,
        agent=world.agent("ana"),
        starts_local=f"{tomorrow:%Y-%m-%d}T11:00",
        ends_local=f"{tomorrow:%Y-%m-%d}T15:00",
    )

    seen = worries(logged_in(world).get("/admin/"))

    assert "11:00 –" in seen
    # Two leads in nearly two weeks: how nearly depends on the hour at which this runs.
    assert re.search(r"leads that usually come then: 1(\.1)? · time off", " ".join(seen.split()))


def test_a_promise_that_never_falls_due_is_shown_at_its_rule_when_publishing_and_first():
    world = make_world(
        person("ana", shifts=OFFICE),
        person("owl", shifts=OFFICE, kind="on_call"),
        teams={"sales": ["ana"], "night": ["owl"]},
        rules=[{**rule("Night owls", "night"), "sla": covered(respond_within=60)},
               {**promising(covered(respond_within=60)), "name": "By day"}],
    )  # fmt: skip
    client = logged_in(world)

    first = worries(client.get("/admin/"))
    rules = client.get("/admin/routing/rule/").text
    publishing = client.get("/admin/routing/policyversion/publish/").text

    assert "Promises that never fall due" in first
    assert "<bdi>Night owls</bdi>" in first
    assert "By day" not in first
    assert rules.count("Its promise never falls due") == 1
    assert "<bdi>Night owls</bdi>" in publishing


def test_it_takes_a_fixed_number_of_statements(django_assert_max_num_queries, django_assert_num_queries):
    world = make_world(person("ana"))
    world.send(at=timezone.now())
    client = logged_in(world)
    client.get("/admin/")
    with django_assert_max_num_queries(50) as few:
        client.get("/admin/")
    for _ in range(12):
        world.send(at=timezone.now())
    Lead.objects.update(flagged="Look", breached_at=timezone.now())

    with django_assert_num_queries(len(few)):
        page = client.get("/admin/")

    assert "See all of them" in page.text


def test_who_may_not_see_leads_sees_none_here():
    world = make_world(person("ana"))
    other = make_world(person("bo"), slug="other")
    world.send(at=timezone.now(), name="Secret")
    Lead.objects.update(flagged="Look")

    assert worries(logged_in(other).get("/admin/")) == ""
