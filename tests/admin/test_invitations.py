"""People become members by accepting: who may invite whom, what the link does, and what it never does."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from agents import inviting
from agents.models import Agent, Invitation, Membership, User
from agents.scoping import Role
from agents.workspace_stamp import stamp
from tests.crawler import client_of, somebody

PASSWORD = {"new_password1": "a long enough one", "new_password2": "a long enough one"}


@pytest.fixture
def newcomer(acme):
    """An agent of the workspace whom nobody logs in as."""
    return Agent.objects.create(workspace=acme.workspace, slug="nia", name="Nia Okafor", email="nia@acme.test")


def invite(client, tenant, email, role, agent=None):
    data = {"email": email, "role": role, "agent": agent.pk if agent else "", "_workspace": stamp(tenant.workspace)}
    return client.post("/admin/agents/invitation/add/", data)


def link():
    """The path of the link in the mail that was sent last."""
    return re.search(r"http\S+?(/invitations/\S+)", mail.outbox[-1].body)[1]


def role_of(tenant, email):
    found = Membership.objects.filter(workspace=tenant.workspace, user__email=email)
    return found.values_list("role", flat=True).first()


class TestInviting:
    def test_makes_nobody_a_member_before_they_accept(self, acme, as_manager):
        assert invite(as_manager, acme, "New@acme.test", "manager").status_code == 302

        assert mail.outbox[0].to == ["new@acme.test"]
        assert acme.workspace.name in mail.outbox[0].body
        assert Client().get(link()).status_code == 200
        assert role_of(acme, "new@acme.test") is None
        assert not User.objects.filter(email="new@acme.test").exists()

    def test_gives_no_more_than_one_has(self, acme, as_manager, as_owner):
        refused = invite(as_manager, acme, "boss@acme.test", "owner")

        assert b"Select a valid choice" in refused.content
        assert mail.outbox == []
        assert invite(as_owner, acme, "boss@acme.test", "owner").status_code == 302

    @pytest.mark.parametrize(
        ("email", "role", "said"),
        [
            ("new@acme.test", "agent", "Choose whose leads they answer"),
            ("manager@acme.test", "ops", "They are a member already"),
            ("no address", "ops", "Enter a valid email address"),
            ("twice@acme.test", "ops", "They are invited already"),
        ],
    )
    def test_is_refused_with_a_sentence_and_what_was_typed_is_kept(self, acme, as_manager, email, role, said):
        invite(as_manager, acme, "twice@acme.test", "ops")

        refused = invite(as_manager, acme, email, role)

        assert refused.status_code == 200
        assert said in refused.content.decode()
        assert f'value="{email}"' in refused.content.decode()
        assert Invitation.objects.filter(workspace=acme.workspace).exclude(email__startswith="twice").count() == 1

    def test_to_take_leads_as_an_agent_who_has_a_user_is_not_offered(self, acme, as_manager, newcomer):
        page = as_manager.get(f"/admin/agents/invitation/add/?agent={newcomer.pk}").content.decode()

        assert "Nia Okafor" in page
        assert 'value="nia@acme.test"' in page
        assert f'<option value="{acme.rows[Agent][0].pk}"' not in page

    def test_shows_the_link_once_where_no_mail_goes_out(self, acme, as_manager, settings):
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9  # nobody listens there

        page = invite(as_manager, acme, "new@acme.test", "ops")

        shown = re.search(r"http\S+?(/invitations/[\w-]+/)", page.content.decode())[1]
        assert "no-store" in page["Cache-Control"]
        assert Client().get(shown).status_code == 200
        assert shown not in as_manager.get("/admin/agents/invitation/").content.decode()

    def test_again_makes_the_link_before_worthless(self, acme, as_manager):
        invite(as_manager, acme, "new@acme.test", "ops")
        before, invitation = link(), Invitation.objects.get(email="new@acme.test")
        data = {"action": "send_again", "_selected_action": invitation.pk, "_workspace": stamp(acme.workspace)}

        as_manager.post("/admin/agents/invitation/", data)

        assert link() != before
        assert Client().get(before).status_code == 410
        assert Client().get(link()).status_code == 200

    def test_taken_back_makes_it_worthless_too(self, acme, as_manager):
        invite(as_manager, acme, "new@acme.test", "ops")
        invitation = Invitation.objects.get(email="new@acme.test")
        data = {"action": "withdraw", "_selected_action": invitation.pk, "_workspace": stamp(acme.workspace)}

        as_manager.post("/admin/agents/invitation/", data)

        assert Client().post(link(), PASSWORD).status_code == 409
        assert not User.objects.filter(email="new@acme.test").exists()

    def test_of_an_owner_is_not_a_managers_to_send_again(self, acme, as_owner, as_manager):
        invite(as_owner, acme, "boss@acme.test", "owner")
        invitation = Invitation.objects.get(email="boss@acme.test")
        stored = Invitation.objects.values().get(pk=invitation.pk)

        for action in ("send_again", "withdraw"):
            data = {"action": action, "_selected_action": invitation.pk, "_workspace": stamp(acme.workspace)}
            as_manager.post("/admin/agents/invitation/", data)

        assert Invitation.objects.values().get(pk=invitation.pk) == stored


class TestAccepting:
    def test_a_newcomer_chooses_a_password_and_answers_leads(self, acme, as_manager, newcomer):
        invite(as_manager, acme, "nia@acme.test", "agent", newcomer)
        client = Client()

        arrived = client.post(link(), {"first_name": "Nia", **PASSWORD}, follow=True)

        newcomer.refresh_from_db()
        assert newcomer.user == User.objects.get(email="nia@acme.test")
        assert newcomer.user.first_name == "Nia"
        assert arrived.redirect_chain[-1][0] == "/inbox/"
        assert arrived.status_code == 200
        assert client.get(link()).status_code == 410

    def test_a_weak_password_makes_nobody(self, acme, as_manager):
        invite(as_manager, acme, "new@acme.test", "ops")

        refused = Client().post(link(), {"new_password1": "short", "new_password2": "short"})

        assert refused.status_code == 400
        assert b"too short" in refused.content
        assert not User.objects.filter(email="new@acme.test").exists()
        assert Client().get(link()).status_code == 200

    def test_the_link_alone_opens_no_account_that_exists(self, acme, other, as_manager):
        """Whoever invites may know the link; with it they must not get at somebody's other workspaces."""
        passwordless = somebody("known@mail.test", (other, "owner"))
        passwordless.set_unusable_password()
        passwordless.save()
        invite(as_manager, acme, "known@mail.test", "ops")
        client = Client()

        answered = client.post(link(), PASSWORD)

        assert b"has an account already" in answered.content
        assert "sessionid" not in client.cookies
        passwordless.refresh_from_db()
        assert not passwordless.has_usable_password()
        assert role_of(acme, "known@mail.test") is None

    def test_who_is_logged_in_accepts_as_themselves(self, acme, other, as_manager, newcomer):
        user = somebody("both@mail.test", (other, "manager"))
        invite(as_manager, acme, "another@mail.test", "agent", newcomer)
        client = client_of(user, other)

        page = client.get(link()).content.decode()
        client.post(link())

        newcomer.refresh_from_db()
        assert "You are logged in as both@mail.test" in page
        assert newcomer.user == user
        assert role_of(acme, "both@mail.test") == "agent"

    def test_an_equal_address_alone_links_nobody(self, acme, newcomer):
        somebody("nia@acme.test", (acme, "agent"))

        newcomer.refresh_from_db()
        assert newcomer.user is None

    def test_takes_no_role_away(self, acme, as_manager, owner, newcomer):
        invite(as_manager, acme, owner.email, "agent", newcomer)

        client_of(owner, acme).post(link())

        assert role_of(acme, owner.email) == "owner"
        newcomer.refresh_from_db()
        assert newcomer.user == owner

    def test_a_place_that_somebody_took_meanwhile_is_refused(self, acme, as_manager, newcomer):
        invite(as_manager, acme, "nia@acme.test", "agent", newcomer)
        newcomer.user = somebody("fast@acme.test", (acme, "agent"))
        newcomer.save()

        refused = Client().post(link(), PASSWORD)

        assert refused.status_code == 409
        assert b"Somebody else takes leads as Nia Okafor" in refused.content
        assert not User.objects.filter(email="nia@acme.test").exists()
        assert Invitation.objects.get(email="nia@acme.test").accepted_at is None

    def test_after_a_week_is_too_late(self, acme, as_manager):
        invite(as_manager, acme, "new@acme.test", "ops")
        Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

        page = Client().get(link())

        assert page.status_code == 410
        assert b"too old" in page.content

    def test_what_the_giver_may_not_give_any_more_is_refused(self, acme, owner, as_owner):
        invite(as_owner, acme, "boss@acme.test", "owner")
        Membership.objects.filter(user=owner, workspace=acme.workspace).update(role="manager")

        assert Client().post(link(), PASSWORD).status_code == 409
        assert role_of(acme, "boss@acme.test") is None

    def test_only_one_of_two_gets_the_place(self, acme, owner):
        at = timezone.now()
        invitation = inviting.invite(
            workspace=acme.workspace, email="x@acme.test", role=Role.OPS, agent=None, by=owner, at=at
        )
        token = inviting.renew(invitation=invitation, by=owner, at=at).rstrip("/").rsplit("/", 1)[1]
        inviting.accept(token=token, user=somebody("first@mail.test"), at=at)

        with pytest.raises(inviting.InvitationRefused, match="accepted already"):
            inviting.accept(token=token, user=somebody("second@mail.test"), at=at)
        assert role_of(acme, "second@mail.test") is None
