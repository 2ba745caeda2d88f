"""Who may enter the admin, and do what there."""

import re

import pytest
from django.core import mail
from django.test import Client

from agents.models import Agent, Membership, User, Workspace
from agents.workspace_stamp import stamp
from tests.crawler import client_of, somebody

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(db):
    return User.objects.create_superuser("operator@mail.test", "secret")


class TestEntering:
    @pytest.mark.parametrize("role", ["ops", "agent"])
    def test_is_refused_to_those_who_only_work_in_a_workspace(self, acme, role):
        client = client_of(somebody("them@acme.test", (acme, role)), acme)

        for page in ("/admin/", "/admin/leads/lead/", "/admin/agents/agent/", "/admin/workspace/"):
            assert client.get(page).status_code == 302
            assert client.post(page).status_code == 302

    def test_is_refused_to_strangers_and_to_the_inactive(self, acme, manager):
        manager.is_active = False
        manager.save()

        for client in (Client(), client_of(somebody("stranger@mail.test")), client_of(manager, acme)):
            assert client.get("/admin/").status_code == 302

    def test_works_by_address_in_any_case_and_leads_to_the_start(self, acme, manager):
        response = Client().post("/admin/login/", {"username": "Manager@ACME.test", "password": "secret"})

        assert response.status_code == 302
        assert response.url == "/admin/"

    def test_into_a_workspace_one_only_works_in_offers_those_that_one_manages(self, acme, other):
        user = somebody("two@mail.test", (acme, "agent"), (other, "manager"))
        client = client_of(user, acme)

        start = client.get("/admin/")

        assert b"You do not manage this workspace" in start.content
        assert other.workspace.name in start.content.decode()
        assert client.get("/admin/agents/agent/").status_code == 403
        assert client.get(f"/admin/agents/agent/{acme.rows[Agent][0].pk}/change/").status_code == 403

    def test_without_any_workspace_says_what_to_do(self, operator):
        start = client_of(operator).get("/admin/")

        assert b"Make a workspace" in start.content


class TestSwitching:
    def test_makes_another_workspace_the_active_one(self, acme, other, both):
        client = client_of(both, acme)

        response = client.post("/admin/workspace/", {"to": other.workspace.pk}, follow=True)

        assert f"You now work in {other.workspace.name}." in response.content.decode()
        assert other.marker in client.get("/admin/agents/agent/").content.decode()

    def test_to_a_workspace_of_others_is_refused(self, acme, other, as_manager):
        assert as_manager.post("/admin/workspace/", {"to": other.workspace.pk}).status_code == 404
        assert as_manager.post("/admin/workspace/", {"to": "x"}).status_code == 404
        assert acme.marker in as_manager.get("/admin/agents/agent/").content.decode()

    def test_to_a_workspace_that_one_does_not_manage_is_refused(self, acme, other):
        client = client_of(somebody("two@mail.test", (acme, "manager"), (other, "ops")), acme)

        assert client.post("/admin/workspace/", {"to": other.workspace.pk}).status_code == 403

    def test_is_no_link(self, acme, as_manager):
        assert as_manager.get("/admin/workspace/", {"to": acme.workspace.pk}).status_code == 405

    def test_drops_what_was_still_to_be_told_about_the_other_workspace(self, acme, other, both):
        client = client_of(both, acme)
        agent = acme.rows[Agent][0].pk
        pause = {"action": "pause", "_selected_action": agent, "_workspace": stamp(acme.workspace)}
        client.post("/admin/agents/agent/", pause)

        response = client.post("/admin/workspace/", {"to": other.workspace.pk}, follow=True)

        assert "Paused" not in response.content.decode()


class TestMembers:
    def test_nobody_raises_themselves(self, acme, as_manager, manager):
        membership = Membership.objects.get(workspace=acme.workspace, user=manager)
        data = {"role": "owner", "is_superuser": "on", "_workspace": stamp(acme.workspace)}

        assert as_manager.post(f"/admin/agents/membership/{membership.pk}/change/", data).status_code == 403
        assert as_manager.post(f"/admin/agents/user/{manager.pk}/change/", data).status_code == 403
        assert as_manager.post(f"/admin/agents/user/{manager.pk}/password/", data).status_code == 403
        manager.refresh_from_db()
        membership.refresh_from_db()
        assert (membership.role, manager.is_superuser) == ("manager", False)

    def test_a_manager_cannot_touch_an_owner(self, acme, as_manager):
        membership = Membership.objects.get(workspace=acme.workspace, role="owner", user=acme.user)
        data = {"role": "agent", "post": "yes", "_workspace": stamp(acme.workspace)}

        assert as_manager.post(f"/admin/agents/membership/{membership.pk}/change/", data).status_code == 403
        assert as_manager.post(f"/admin/agents/membership/{membership.pk}/delete/", data).status_code == 403
        membership.refresh_from_db()
        assert membership.role == "owner"

    def test_nobody_becomes_one_without_having_agreed(self, acme, as_owner):
        data = {"email": "new@acme.test", "role": "ops", "_workspace": stamp(acme.workspace)}

        asked = as_owner.post("/admin/agents/membership/add/", data)

        assert asked["Location"] == "/admin/agents/invitation/add/"
        assert not User.objects.filter(email="new@acme.test").exists()

    def test_without_a_password_get_one_by_mail_and_enter(self, acme):
        somebody("new@acme.test", (acme, "manager"))
        client = Client()

        client.post("/admin/password/", {"email": "new@acme.test"})
        link = re.search(r"http\S+(/admin/password/\S+)", mail.outbox[0].body)[1]
        form = client.get(link, follow=True)
        chosen = {"new_password1": "a long enough one", "new_password2": "a long enough one"}
        assert client.post(form.redirect_chain[-1][0], chosen).status_code == 302
        client.post("/admin/login/", {"username": "new@acme.test", "password": "a long enough one"})

        assert client.get("/admin/").status_code == 200

    def test_asking_for_a_password_does_not_tell_who_has_an_account(self, acme):
        known = Client().post("/admin/password/", {"email": acme.user.email}, follow=True)
        unknown = Client().post("/admin/password/", {"email": "nobody@mail.test"}, follow=True)

        assert known.redirect_chain == unknown.redirect_chain
        assert len(mail.outbox) == 1


class TestPlans:
    def test_are_changed_by_operators_only(self, acme, as_owner, operator):
        page = f"/admin/agents/workspace/{acme.workspace.pk}/change/"
        data = {
            "name": "Acme",
            "slug": acme.workspace.slug,
            "timezone": "Europe/Madrid",
            "languages": "es, en",
            "public_attributes": "plan",
            "plan": "pro",
            "_workspace": stamp(acme.workspace),
        }

        assert as_owner.post(page, {**data, "slug": "stolen"}).status_code == 302
        workspace = Workspace.objects.get(pk=acme.workspace.pk)
        assert (workspace.name, workspace.plan, workspace.slug) == ("Acme", "scale", acme.workspace.slug)
        assert workspace.languages == ["es", "en"]

        refused = client_of(operator, acme).post(page, data)
        assert b"not in the Pro plan" in refused.content  # what the workspace uses is over it

    def test_operators_make_workspaces_and_users(self, acme, operator):
        client = client_of(operator, acme)
        stamped = {"_workspace": stamp(acme.workspace)}
        made = {"name": "New", "slug": "new", "timezone": "UTC", "languages": "en", "plan": "free", **stamped}

        assert client.post("/admin/agents/workspace/add/", made).status_code == 302
        workspace = Workspace.objects.get(slug="new")
        user = {
            "email": "Owner@new.test",
            "memberships-TOTAL_FORMS": "1",
            "memberships-INITIAL_FORMS": "0",
            "memberships-0-workspace": workspace.pk,
            "memberships-0-role": "owner",
            **stamped,
        }
        assert client.post("/admin/agents/user/add/", user).status_code == 302
        owner = User.objects.get(email="owner@new.test")
        assert owner.memberships.get().workspace == workspace
        assert not owner.has_usable_password()
