"""How managers say who is told in which way, and see what could not be sent."""

from __future__ import annotations

import re

import pytest

from agents.models import Agent, Membership
from agents.workspace_stamp import stamp
from leads.models import NotificationWay, Outbox, QuietHours, WebhookEndpoint
from leads.notifications.message import Kind
from tests.crawler import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture
def save(as_manager, acme):
    def post(path, **data):
        return as_manager.post(f"/admin/leads/{path}/", {"_workspace": stamp(acme.workspace), **data})

    return post


@pytest.fixture
def agent(acme):
    return acme.rows[Agent][0]


def given_up(tenant, **fields):
    return Outbox.objects.create(
        workspace=tenant.workspace,
        kind="assigned",
        payload={"agent": tenant.rows[Agent][0].pk},
        created_at=NOON,
        tries=10,
        last_error="No mail server",
        **fields,
    )


class TestWays:
    def test_are_typed_as_people_know_them(self, save, agent):
        response = save(
            "notificationway/add",
            agent=agent.pk,
            transport="whatsapp",
            to="+34 600 111 222",
            sent=[Kind.ASSIGNED, Kind.PAGE],
            position="1",
            is_active="on",
        )

        assert response.status_code == 302
        way = NotificationWay.objects.get(transport="whatsapp")
        assert way.address == {"phone": "+34 600 111 222"}
        assert Kind.ASSIGNED not in way.muted
        assert Kind.OFFER in way.muted

    def test_are_of_an_agent_or_a_member(self, save, acme, agent):
        member = Membership.objects.for_workspace(acme.workspace).first()
        typed = {"transport": "email", "to": "boss@acme.test", "position": "1", "is_active": "on"}
        before = NotificationWay.objects.count()

        assert save("notificationway/add", member=member.pk, agent=agent.pk, **typed).status_code == 200
        assert save("notificationway/add", **typed).status_code == 200
        assert NotificationWay.objects.count() == before
        assert save("notificationway/add", member=member.pk, **typed).status_code == 302
        assert NotificationWay.objects.filter(user=member.user).exists()

    @pytest.mark.parametrize(
        ("transport", "to"), [("email", "nobody"), ("slack", "http://10.0.0.1/x"), ("telegram", "ana")]
    )
    def test_with_an_address_that_is_none_are_refused_at_the_field(self, save, agent, transport, to):
        response = save("notificationway/add", agent=agent.pk, transport=transport, to=to, position="1")

        assert response.status_code == 200
        assert response.context["adminform"].form.errors["to"]

    def test_do_not_show_what_is_stored_and_keep_it_where_nothing_is_typed(self, save, as_manager, acme, agent):
        way = NotificationWay.objects.create(
            workspace=acme.workspace,
            agent=agent,
            transport="slack",
            address={"url": "https://hooks.slack.com/services/T0/B0/topsecret"},
        )

        page = as_manager.get(f"/admin/leads/notificationway/{way.pk}/change/").content.decode()
        listed = as_manager.get("/admin/leads/notificationway/").content.decode()
        response = save(f"notificationway/{way.pk}/change", agent=agent.pk, transport="slack", to="", position="3")

        assert "topsecret" not in page + listed
        assert "hooks.slack.com" in page
        assert response.status_code == 302
        way.refresh_from_db()
        assert (way.address["url"], way.position) == ("https://hooks.slack.com/services/T0/B0/topsecret", 3)


class TestQuietHours:
    def test_are_typed_as_a_clock_shows_them(self, save, acme):
        QuietHours.objects.all().delete()

        save("quiethours/add", agent=acme.rows[Agent][0].pk, start_minute="22:00", end_minute="7:30")

        assert str(QuietHours.objects.get()) == "22:00–07:30"


class TestWebhooks:
    def test_show_their_secret_once(self, save, as_manager):
        response = save("webhookendpoint/add", to="https://hooks.example.com/leads", is_active="on")

        endpoint = WebhookEndpoint.objects.get(url="https://hooks.example.com/leads")
        assert endpoint.secret in response.content.decode()
        assert "no-store" in response["Cache-Control"]
        page = as_manager.get(f"/admin/leads/webhookendpoint/{endpoint.pk}/change/").content.decode()
        assert endpoint.secret not in page

    def test_sign_with_both_secrets_until_the_change_is_ended(self, save):
        save("webhookendpoint/add", to="https://hooks.example.com/leads", is_active="on")
        endpoint = WebhookEndpoint.objects.get(url="https://hooks.example.com/leads")
        first = endpoint.secret

        page = save(f"webhookendpoint/{endpoint.pk}/new-secret").content.decode()
        endpoint.refresh_from_db()
        assert endpoint.old_secret == first
        assert re.search(r"whsec_[^<]+", page)[0] == endpoint.secret

        save(f"webhookendpoint/{endpoint.pk}/end-rotation")
        endpoint.refresh_from_db()
        assert endpoint.old_secret == ""

    def test_of_another_workspace_do_not_exist(self, save, other):
        theirs = other.rows[WebhookEndpoint][0]
        before = theirs.secret

        assert save(f"webhookendpoint/{theirs.pk}/new-secret").status_code == 404
        theirs.refresh_from_db()
        assert theirs.secret == before

    def test_that_lead_inside_are_refused(self, save):
        before = WebhookEndpoint.objects.count()

        assert save("webhookendpoint/add", to="https://127.0.0.1/x", is_active="on").status_code == 200
        assert WebhookEndpoint.objects.count() == before


class TestMessages:
    def test_that_were_given_up_are_found_and_sent_again(self, save, as_manager, acme):
        row = given_up(acme)

        listed = as_manager.get("/admin/leads/outbox/?state=given_up").content.decode()
        page = as_manager.get(f"/admin/leads/outbox/{row.pk}/change/").content.decode()
        assert "No mail server" in listed
        assert "Send again" in page
        row.refresh_from_db()
        assert row.next_try_at is None  # looking changes nothing

        assert save(f"outbox/{row.pk}/resend").status_code == 302
        row.refresh_from_db()
        assert row.next_try_at is not None
        assert row.tries == 0

    def test_are_sent_again_many_at_a_time(self, save, acme, other):
        mine, theirs = given_up(acme), given_up(other)

        save("outbox", action="send_again", _selected_action=[mine.pk, theirs.pk])

        mine.refresh_from_db()
        theirs.refresh_from_db()
        assert mine.next_try_at is not None
        assert theirs.next_try_at is None

    def test_of_another_workspace_do_not_exist(self, save, other):
        assert save(f"outbox/{given_up(other).pk}/resend").status_code == 404

    def test_are_not_sent_again_by_opening_an_address(self, as_manager, acme):
        assert as_manager.get(f"/admin/leads/outbox/{given_up(acme).pk}/resend/").status_code == 405
