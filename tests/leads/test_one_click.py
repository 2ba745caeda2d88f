"""Links in messages: opening one changes nothing, its button does one thing once, for one agent."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from leads import actions
from leads.models import Lead
from leads.one_click.acts import link_to
from tests.leads.world import make_world, only, person, rule

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    return make_world(person("ana"), person("bo"), teams={"sales": ["ana"], "others": ["bo"]})


@pytest.fixture
def lead(world):
    return world.lead(world.send(at=timezone.now(), name="Eva"))


def path(lead, act="answered", agent="ana", at=None):
    url = link_to(act, lead=lead, agent=agent, at=at or timezone.now())
    return "/act/" + url.split("/act/")[1]


def state():
    return list(Lead.objects.order_by("pk").values())


class TestALink:
    @pytest.mark.parametrize("method", ["get", "head", "options"])
    def test_changes_nothing_when_it_is_opened(self, client, lead, method):
        before = state()

        response = getattr(client, method)(path(lead))

        assert response.status_code == 200
        assert state() == before
        assert response.headers.get("X-Robots-Tag") or method == "options"

    def test_shows_a_button_that_does_it(self, lead):
        client = Client(enforce_csrf_checks=True)
        page = client.get(path(lead))
        token = page.content.decode().split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]

        response = client.post(path(lead), {"csrfmiddlewaretoken": token})

        assert b"has been answered" in response.content
        lead.refresh_from_db()
        assert lead.status == "answered"
        assert lead.events.get(kind="responded").actor_text == "Ana"

    def test_is_not_pressed_by_another_site(self, lead):
        assert Client(enforce_csrf_checks=True).post(path(lead)).status_code == 403
        lead.refresh_from_db()
        assert lead.status == "open"

    def test_does_it_once(self, client, lead):
        client.post(path(lead))
        before = state()

        response = client.post(path(lead))

        assert response.status_code == 200
        assert b"has been answered" in response.content
        assert state() == before
        assert b"<button" not in client.get(path(lead)).content

    def test_is_refused_when_it_is_old(self, client, lead):
        old = path(lead, at=timezone.now() - timedelta(hours=72))

        for response in (client.get(old), client.post(old)):
            assert response.status_code == 410
            assert b"72 hours" in response.content
            assert b"<button" not in response.content
        lead.refresh_from_db()
        assert lead.status == "open"

    def test_is_refused_when_it_was_changed(self, client, lead):
        whole = path(lead)

        assert client.post(whole[:-4] + "xyz/").status_code == 410
        assert client.post("/act/nothing/").status_code == 410
        lead.refresh_from_db()
        assert lead.status == "open"

    def test_says_so_where_somebody_else_has_the_lead_now(self, client, world, lead):
        mine = path(lead)
        actions.reassign(lead=lead, to=world.agent("bo"), at=timezone.now())

        for response in (client.get(mine), client.post(mine)):
            assert response.status_code == 409
            assert b"with somebody else now" in response.content
        lead.refresh_from_db()
        assert lead.status == "open"

    def test_says_so_where_the_lead_is_closed(self, client, lead):
        actions.close(lead=lead, at=timezone.now(), closed_as="lost")

        response = client.post(path(lead))

        assert response.status_code == 409
        assert b"closed" in response.content

    def test_of_somebody_who_left_does_nothing(self, client, world, lead):
        world.change("ana", is_active=False)

        assert client.post(path(lead)).status_code == 410

    def test_of_a_namesake_in_another_workspace_is_nobodys(self, client, lead):
        """The agent of the link is looked up where the lead is."""
        make_world(person("cleo"), slug="other")

        assert client.post(path(lead, agent="cleo")).status_code == 410

    def test_speaks_the_agents_language_and_runs_nothing_that_a_visitor_wrote(self, client, world, settings):
        settings.LANGUAGES = [("en", "English"), ("es", "Español")]
        world.change("ana", languages=["es"])
        lead = world.lead(world.send(at=timezone.now(), name="<script>alert(1)</script>"))

        page = client.get(path(lead)).content.decode()

        assert 'lang="es"' in page
        assert "<script" not in page


class TestTaking:
    @pytest.fixture
    def offered(self):
        world = make_world(person("a"), person("b"), rules=[rule("race", when=only("channel", "form"), by="claim")])
        return world.lead(world.send(at=timezone.now()))

    def test_is_won_by_the_first(self, client, offered):
        assert b"is yours" in client.post(path(offered, "take", "a")).content
        late = client.post(path(offered, "take", "b"))

        assert late.status_code == 409
        assert b"Somebody else was faster" in late.content
        offered.refresh_from_db()
        assert offered.agent.slug == "a"


class TestPassingOn:
    def test_gives_the_lead_to_somebody_else(self, client):
        world = make_world(person("ana"), person("bo"))
        lead = world.lead(world.send(at=timezone.now()))
        first = lead.agent.slug

        response = client.post(path(lead, "pass_on", first))

        assert b"not yours any more" in response.content
        lead.refresh_from_db()
        assert lead.agent.slug != first
