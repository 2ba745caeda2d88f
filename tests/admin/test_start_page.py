"""The first page of the admin: who is there, what waits, and how a new workspace begins."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from agents.models import Membership, User, Workspace
from tests.crawler import client_of, somebody
from tests.leads.world import NEVER, make_world, only, person, rule

pytestmark = pytest.mark.django_db


def manager_of(world):
    user = somebody("manager@mail.test")
    Membership.objects.create(workspace=world.workspace, user=user, role="manager")
    return client_of(user)


def start(world):
    response = manager_of(world).get("/admin/")
    assert response.status_code == 200
    return response


def sentences(response):
    return " ".join(notice.text for notice in [*response.context["notices"], *response.context["gaps"]])


def test_says_who_is_there_and_that_nothing_waits():
    world = make_world(person("ana"), person("bo", shifts=NEVER), fallback="ana")
    world.send(at=timezone.now(), name="Nora")

    response = start(world)

    assert [each.agent.slug for each in response.context["today"]["here"]] == ["ana"]
    assert b"Nothing waits for you." in response.content
    assert ("to an agent", 1) in [(word, count) for word, count, _page in response.context["today"]["went"]]


def test_says_until_when_somebody_is_there_and_who_comes_next():
    now = timezone.now()
    minute, today = now.hour * 60 + now.minute, now.weekday()
    tomorrow = (today + 1) % 7
    world = make_world(
        person("ana", shifts={today: ((minute + 1380) % 1440, (minute + 120) % 1440 or 1440)}),
        person("bo", shifts={tomorrow: (minute, minute - 60 or 1)}),
        fallback="ana",
    )
    today_page = start(world).context["today"]

    assert [each.agent.slug for each in today_page["next"]][-1] == "bo"
    for each in today_page["here"]:
        assert each.at > now


def test_names_what_leaves_leads_without_an_answer():
    world = make_world(
        person("ana", shifts=NEVER), person("gone", is_active=False), fallback="gone", rules=[
            rule("Madrid", when=only("region", "ES-MD")), rule("everything", to="queue"),
        ],
    )  # fmt: skip
    world.send(at=timezone.now())

    said = sentences(start(world))

    assert "The fallback agent, Gone, is inactive" in said
    assert "Nobody is on shift or on call in the next 24 hours." in said
    assert "Madrid: region and city are unknown" in said
    assert "1 lead waits in the nurture queue" in said


def test_shows_held_leads_with_their_age_and_when_they_are_tried_again():
    now = timezone.now()
    day = (now + timedelta(days=2)).weekday()
    world = make_world(person("ana", shifts={day: (540, 600)}), rules=[rule("all", if_nobody="hold")])
    world.send(at=now, name="Nora")

    waiting = start(world).context["today"]["waiting"]

    assert [each.lead.name for each in waiting] == ["Nora"]
    assert (waiting[0].opens_at.weekday(), waiting[0].opens_at.hour) == (day, 9)


def test_shows_a_new_workspace_the_four_steps_to_its_first_lead():
    workspace = Workspace.objects.create(slug="new", name="New", plan="scale")
    user = User.objects.create_user("owner@new.test", "secret")
    Membership.objects.create(workspace=workspace, user=user, role="owner")
    client = client_of(user)

    steps = client.get("/admin/").context["steps"]

    assert [step.is_done for step in steps] == [False] * 4
    for step in steps:
        assert client.get(step.link).status_code == 200
    world = make_world(person("ana"))
    page = manager_of(world).get("/admin/").content.decode()
    assert "Ready for your first lead" in page
    assert f"data-site=&quot;{world.site.key}&quot;" in page
