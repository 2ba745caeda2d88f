"""The inbox: what agents see, and what their buttons do."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone

from agents.models import Membership, RosterChange, User
from leads import actions
from leads.inbox.acts import ACTS
from leads.models import Lead
from routing.engine import U
from tests.leads.inbox_cast import act, client_of, said, user_of
from tests.leads.world import NOON, make_world, only, person, rule

pytestmark = pytest.mark.django_db

CLAIM = {"rules": [rule("offers", when=only("channel", "form"), by="claim")]}


def offered(*people: str, **fields):
    """A world with a lead that is on offer to everybody."""
    world = make_world(*map(person, people), **CLAIM)
    lead = world.lead(world.send(at=timezone.now(), channel="form", **fields))
    assert lead.reason == "claim"
    return world, lead


def queued():
    world = make_world(person("ana"), person("bo"), rules=[rule("cold", "queue")])
    return world, world.lead(world.send(name="Nora"))


class TestWhoMayEnter:
    def test_a_stranger_is_asked_to_log_in_and_comes_back_to_where_they_were(self, client):
        world = make_world(person("ana"))
        lead = world.lead(world.send())
        user_of(world, "ana")

        asked = client.get(f"/inbox/leads/{lead.pk}/")
        entered = client.post(asked.url, {
            "username": "Ana@acme.test", "password": "a long password", "next": f"/inbox/leads/{lead.pk}/"
        })  # fmt: skip

        assert asked.url == f"/inbox/login/?next=/inbox/leads/{lead.pk}/"
        assert entered.url == f"/inbox/leads/{lead.pk}/"

    def test_a_page_whose_session_ended_is_loaded_anew_instead_of_showing_a_login_in_its_list(self, client):
        response = client.get("/inbox/news/", headers={"hx-request": "true"})

        assert response["HX-Refresh"] == "true"

    def test_a_member_who_is_no_agent_reads_why_there_is_nothing(self, client):
        world = make_world(person("ana"))
        user = User.objects.create_user("mo@acme.test", "secret")
        Membership.objects.create(workspace=world.workspace, user=user, role="manager")
        client.force_login(user)

        response = client.get("/inbox/")

        assert response.status_code == 403
        assert b"no agent of Acme" in response.content

    def test_an_agents_user_who_is_no_member_any_more_sees_nothing(self):
        world = make_world(person("ana"))
        world.send(name="Nora")
        client = client_of(world, "ana")
        Membership.objects.all().delete()

        assert client.get("/inbox/").status_code == 403

    def test_an_agent_of_two_workspaces_sees_one_at_a_time_and_changes_over(self):
        acme, other = make_world(person("ana")), make_world(person("ana"), slug="other")
        acme.send(name="Nora of Acme")
        other.send(name="Olga of Other")
        client = client_of(acme, "ana")
        Membership.objects.create(workspace=other.workspace, user=User.objects.get(), role="agent")
        other.change("ana", user=User.objects.get())

        first = client.get("/inbox/").content.decode()
        client.post("/inbox/workspace/", {"to": other.workspace.pk})
        second = client.get("/inbox/").content.decode()

        assert "Nora of Acme" in first
        assert "Olga of Other" not in first
        assert "Olga of Other" in second
        assert "Nora of Acme" not in second

    def test_nobody_changes_over_to_a_workspace_that_is_not_theirs(self):
        acme, other = make_world(person("ana")), make_world(person("bo"), slug="other")

        assert client_of(acme, "ana").post("/inbox/workspace/", {"to": other.workspace.pk}).status_code == 404


class TestMyLeads:
    def test_are_open_first_and_oldest_first(self):
        world = make_world(person("ana"))
        for name, minutes in (("Second", 10), ("First", 0), ("Done", 5)):
            world.send(name=name, at=NOON + timedelta(minutes=minutes))
        actions.respond(lead=Lead.objects.get(name="Done"), at=NOON + timedelta(hours=1))

        page = client_of(world, "ana").get("/inbox/").content.decode()

        assert page.index("First") < page.index("Second") < page.index("Done")

    def test_lead_back_to_the_visitor_on_the_channel_they_chose_first(self):
        world = make_world(person("ana"))
        lead = world.lead(world.send(channel="whatsapp", name="Nora", phone="+34 600 111 222", email="n@mail.test"))

        page = client_of(world, "ana").get(f"/inbox/leads/{lead.pk}/").content.decode()

        assert page.index("https://wa.me/34600111222?text=Hello%20Nora") < page.index('href="tel:+34600111222"')
        assert "mailto:n@mail.test" in page

    def test_run_nothing_that_a_visitor_wrote(self):
        world = make_world(person("ana"))
        evil = "<script>alert(1)</script><img src=x onerror=alert(1)>"
        lead = world.lead(world.send(name=evil, message=evil, page_url=f"https://x.test/{evil}"))
        client = client_of(world, "ana")

        for address in ("/inbox/", f"/inbox/leads/{lead.pk}/", "/inbox/why/"):
            response = client.get(address)
            assert b"<script>alert" not in response.content
            assert b"<img src=x" not in response.content
            assert "unsafe" not in response["Content-Security-Policy"]

    def test_are_seen_once_by_the_agent_who_opens_them(self):
        world = make_world(person("ana"))
        lead = world.lead(world.send())
        client = client_of(world, "ana")

        client.get(f"/inbox/leads/{lead.pk}/")
        client.get(f"/inbox/leads/{lead.pk}/")

        assert [event.data for event in lead.events.filter(kind="seen")] == [{"agent": "ana"}]

    def test_are_no_longer_seen_by_polling(self):
        world = make_world(person("ana"))
        lead = world.lead(world.send())

        client_of(world, "ana").get(f"/inbox/leads/{lead.pk}/news/")

        assert not lead.events.filter(kind="seen").exists()

    def test_show_how_long_there_is_to_answer(self):
        world = make_world(person("ana"))
        lead = world.lead(world.send(at=timezone.now()))
        Lead.objects.update(respond_by=timezone.now() - timedelta(minutes=7, seconds=5))

        page = client_of(world, "ana").get("/inbox/").content.decode()

        assert "7\xa0minutes over" in page
        assert lead.reference in page


class TestAButton:
    @pytest.mark.parametrize(
        ("name", "status", "closed_as"),
        [
            ("answered", "answered", ""),
            ("attempted", "open", ""),
            ("won", "closed", "won"),
            ("lost", "closed", "lost"),
            ("spam", "closed", "spam"),
            ("duplicate", "closed", "duplicate"),
            ("no-conversation", "closed", "no_conversation"),
        ],
    )
    def test_does_what_it_says_in_the_agents_name(self, name, status, closed_as):
        world = make_world(person("ana"))
        lead = world.lead(world.send())

        act(client_of(world, "ana"), lead.pk, name)

        lead.refresh_from_db()
        assert (lead.status, lead.closed_as) == (status, closed_as)
        assert lead.events.filter(actor__email="ana@acme.test", actor_text="Ana").exists()

    def test_reopens(self):
        world = make_world(person("ana"))
        lead = world.lead(world.send())
        client = client_of(world, "ana")
        act(client, lead.pk, "lost")

        act(client, lead.pk, "reopen")

        assert Lead.objects.get().status == "open"

    def test_keeps_a_note_which_the_page_shows(self):
        world = make_world(person("ana"))
        lead = world.lead(world.send())

        page = act(client_of(world, "ana"), lead.pk, "note", text="  wants a <b>demo</b>  ").content.decode()

        assert "wants a &lt;b&gt;demo&lt;/b&gt;" in page

    def test_refuses_an_empty_note_with_a_sentence(self):
        world = make_world(person("ana"))
        lead = world.lead(world.send())

        response = act(client_of(world, "ana"), lead.pk, "note", text=" \n ")

        assert said(response) == "This field is required."
        assert not lead.events.filter(kind="note").exists()

    def test_passes_on_to_whom_the_rules_choose_and_keeps_why(self):
        world = make_world(person("ana"), person("bo"))
        lead = world.lead(world.send())
        assert lead.agent.slug == "ana"

        response = act(client_of(world, "ana"), lead.pk, "pass-on", reason="Speaks Dutch")

        assert Lead.objects.get().agent.slug == "bo"
        assert lead.events.filter(kind="assigned").last().data["why"] == "Speaks Dutch"
        assert response.redirect_chain[-1][0] == "/inbox/"

    def test_passes_on_to_a_named_colleague(self):
        world = make_world(person("ana"), person("bo"), person("cy"))
        lead = world.lead(world.send())

        act(client_of(world, "ana"), lead.pk, "pass-on", reason="Hers", to=str(world.agent("cy").pk))

        assert Lead.objects.get().agent.slug == "cy"

    def test_passes_nothing_on_without_saying_why(self):
        world = make_world(person("ana"), person("bo"))
        lead = world.lead(world.send())

        act(client_of(world, "ana"), lead.pk, "pass-on", reason="")

        assert Lead.objects.get().agent.slug == "ana"

    def test_passes_nothing_on_to_another_workspace(self):
        world, other = make_world(person("ana"), person("bo")), make_world(person("eve"), slug="other")
        lead = world.lead(world.send())

        act(client_of(world, "ana"), lead.pk, "pass-on", reason="x", to=str(other.agent("eve").pk))

        assert Lead.objects.get().agent.slug == "ana"

    @pytest.mark.parametrize("name", ACTS)
    def test_is_for_the_leads_agent_alone(self, name):
        world, other = make_world(person("ana"), person("bo")), make_world(person("eve"), slug="other")
        lead = world.lead(world.send())
        before = lead.events.count()
        assert lead.agent.slug == "ana"

        answers = [
            client.post(f"/inbox/leads/{lead.pk}/{name}/", {"reason": "mine", "text": "mine"}).status_code
            for client in (client_of(world, "bo"), client_of(other, "eve"))
        ]

        assert answers == [404, 404]
        assert lead.events.count() == before

    @pytest.mark.parametrize("name", ACTS)
    def test_is_pressed_not_opened(self, name):
        world = make_world(person("ana"))
        lead = world.lead(world.send())
        before = lead.events.count()

        assert client_of(world, "ana").get(f"/inbox/leads/{lead.pk}/{name}/").status_code == 405
        assert lead.events.count() == before

    @pytest.mark.parametrize("name", ACTS)
    def test_pressed_from_another_site_does_nothing(self, name):
        world = make_world(person("ana"))
        lead = world.lead(world.send())
        client = client_of(world, "ana", checks_csrf=True)

        assert client.post(f"/inbox/leads/{lead.pk}/{name}/", {"text": "x", "reason": "x"}).status_code == 403

    @pytest.mark.parametrize("address", ["", "news/"])
    def test_page_of_somebody_elses_lead_shows_nothing_of_it(self, address):
        world, other = make_world(person("ana"), person("bo")), make_world(person("eve"), slug="other")
        lead = world.lead(world.send(name="Nora Secret", message="Nora Secret"))

        for client in (client_of(world, "bo"), client_of(other, "eve")):
            response = client.get(f"/inbox/leads/{lead.pk}/{address}")
            assert response.status_code == (200 if address else 404)
            assert b"Secret" not in response.content


class TestAPause:
    def test_acts_at_once_and_says_who_made_it(self):
        world = make_world(person("ana"), person("bo"))
        client = client_of(world, "ana")

        client.post("/inbox/pause/", {"paused": "1"})

        assert world.sent(3) == ["bo", "bo", "bo"]
        assert RosterChange.objects.filter(kind="agent").latest("version").actor.email == "ana@acme.test"

    def test_ends_as_it_began(self):
        world = make_world(person("ana", is_paused=True))

        client_of(world, "ana").post("/inbox/pause/", {"paused": "0"})

        assert world.agent("ana").is_paused is False


class TestAnOffer:
    def test_is_taken_by_the_first_and_the_other_is_told(self):
        world, lead = offered("ana", "bo")
        ana, bo = client_of(world, "ana"), client_of(world, "bo")
        assert b"On offer" in bo.get("/inbox/").content

        won, lost = act(ana, lead.pk, "take"), act(bo, lead.pk, "take")

        assert Lead.objects.get().agent.slug == "ana"
        assert said(won) == "This lead is yours."
        assert said(lost) == "Somebody else was faster: this lead is taken."

    def test_vanishes_for_everybody_else_at_the_next_beat(self):
        world, lead = offered("ana", "bo", name="Nora")
        bo = client_of(world, "bo")
        assert b"Nora" in bo.get("/inbox/news/").content

        act(client_of(world, "ana"), lead.pk, "take")

        assert b"Nora" not in bo.get("/inbox/news/").content
        assert b"Somebody else has this lead now" in bo.get(f"/inbox/leads/{lead.pk}/news/").content

    def test_does_not_tell_how_to_reach_the_visitor_before_it_is_taken(self):
        world, lead = offered("ana", "bo", phone="+34600999888", email="nora@mail.test")
        client = client_of(world, "ana")

        pages = client.get("/inbox/").content + client.get(f"/inbox/leads/{lead.pk}/").content

        assert b"600999888" not in pages
        assert b"nora@mail" not in pages

    def test_is_not_there_for_whom_it_was_not_made_to(self):
        world = make_world(person("ana"), person("bo"), teams={"sales": ["ana"]}, **CLAIM)
        lead = world.lead(world.send(at=timezone.now(), channel="form"))
        bo = client_of(world, "bo")

        assert lead.reference.encode() not in bo.get("/inbox/").content
        assert bo.post(f"/inbox/leads/{lead.pk}/take/").status_code == 404
        assert Lead.objects.get().agent is None

    @pytest.mark.postgres
    @pytest.mark.django_db(transaction=True)
    def test_pressed_by_many_at_the_same_moment_has_one_winner(self):
        people = [f"a{number}" for number in range(6)]
        world, lead = offered(*people)
        clients = [client_of(world, slug) for slug in people]
        start, told = threading.Barrier(len(people)), []

        def press(client: Client) -> None:
            try:
                start.wait()
                told.append(said(act(client, lead.pk, "take")))
            finally:
                connections.close_all()

        threads = [threading.Thread(target=press, args=[client]) for client in clients]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert sorted(told) == ["Somebody else was faster: this lead is taken."] * 5 + ["This lead is yours."]
        assert lead.assignments.count() == 1


class TestTheQueue:
    def test_is_everybodys_to_take_from(self):
        world, lead = queued()
        client = client_of(world, "bo")
        assert b"Nora" in client.get("/inbox/queue/").content
        assert b"Nora" not in client.get("/inbox/").content

        act(client, lead.pk, "take")

        assert Lead.objects.get().agent.slug == "bo"
        assert b"Nora" not in client.get("/inbox/queue/").content

    def test_of_another_workspace_is_not_there(self):
        _world, lead = queued()
        eve = client_of(make_world(person("eve"), slug="other"), "eve")

        assert b"Nora" not in eve.get("/inbox/queue/").content
        assert eve.post(f"/inbox/leads/{lead.pk}/take/").status_code == 404


class TestAskingForNews:
    @pytest.fixture(autouse=True)
    def _the_minute_stands_still(self, monkeypatch):
        monkeypatch.setattr(timezone, "now", lambda: NOON + timedelta(hours=1, seconds=30))

    @pytest.mark.parametrize("address", ["news/", "queue/news/", "leads/{}/news/"])
    def test_without_any_takes_a_304_and_one_statement_or_two_beside_the_login(
        self, address, django_assert_num_queries
    ):
        world = make_world(person("ana"))
        lead = world.lead(world.send())
        for _number in range(30):
            world.send()
        client = client_of(world, "ana")
        address = "/inbox/" + address.format(lead.pk)
        first = client.get(address)

        # Session, user, and the agent with their workspace come first.
        with django_assert_num_queries(5 if str(lead.pk) in address else 4):
            again = client.get(address, headers={"if-none-match": first["ETag"]})

        assert first.status_code == 200
        assert (again.status_code, again.content) == (304, b"")

    @pytest.mark.parametrize(
        "news",
        [
            lambda world, lead: world.send(),
            lambda world, lead: actions.respond(lead=lead, at=NOON + timedelta(minutes=1)),
            lambda world, lead: actions.close(lead=lead, at=NOON, closed_as="lost"),
            lambda world, lead: world.change("ana", is_paused=True),
            lambda world, lead: Lead.objects.update(respond_by=NOON),
        ],
    )
    def test_is_told_of_them(self, news):
        world = make_world(person("ana"))
        lead = world.lead(world.send())
        client = client_of(world, "ana")
        stamp = client.get("/inbox/news/")["ETag"]

        news(world, lead)

        assert client.get("/inbox/news/", headers={"if-none-match": stamp}).status_code == 200

    def test_the_list_takes_as_many_statements_for_one_lead_as_for_thirty(self, django_assert_num_queries):
        world = make_world(person("ana"))
        client = client_of(world, "ana")
        for count in (1, 29):
            world.sent(count, message="Hello")
            with django_assert_num_queries(5):
                client.get("/inbox/")

    def test_nothing_is_kept_by_anybody_on_the_way(self):
        client = client_of(make_world(person("ana")), "ana")

        assert {"no-store", "private"} <= set(client.get("/inbox/news/")["Cache-Control"].split(", "))


class TestWhyNotMe:
    def test_says_the_agents_own_reason_and_ledger_for_each_decision(self):
        world = make_world(person("ana"), person("bo"), person("cy", is_paused=True))
        world.sent(1)
        cy, bo = client_of(world, "cy"), client_of(world, "bo")

        assert "You were paused." in cy.get("/inbox/why/").content.decode()
        page = bo.get("/inbox/why/").content.decode()
        assert "It was not your turn." in page
        assert "→ <bdi>Ana: Their turn" in page
        assert world.ledger().standing.entries[world.agent("bo").pk].credit == U // 2
        assert "You are due 0.50 of a lead." in page

    def test_shows_nothing_of_decisions_that_did_not_look_at_the_agent(self):
        world = make_world(person("ana"), person("bo"), teams={"sales": ["ana"]})
        lead = world.lead(world.send())

        assert lead.reference not in client_of(world, "bo").get("/inbox/why/").content.decode()

    def test_takes_a_fixed_number_of_statements(self, django_assert_num_queries):
        world = make_world(person("ana"), person("bo"))
        client = client_of(world, "ana")
        for count in (2, 20):
            world.sent(count)
            with django_assert_num_queries(8):
                client.get("/inbox/why/")


class TestInstalling:
    def test_needs_a_manifest_whose_icons_are_there(self, client):
        manifest = client.get("/inbox/manifest.webmanifest")

        assert manifest["Content-Type"] == "application/manifest+json"
        assert manifest.json()["start_url"] == manifest.json()["scope"] == "/inbox/"
        for icon in manifest.json()["icons"]:
            picture = client.get(icon["src"])
            assert b"".join(picture.streaming_content).startswith(b"\x89PNG")
            picture.close()

    def test_needs_a_worker_that_keeps_nothing(self, client):
        worker = client.get("/inbox/sw.js")

        assert worker["Content-Type"].startswith("text/javascript")
        assert b"caches" not in worker.content
