"""A form is for the workspace it was shown for, and for no other."""

import pytest

from agents.models import Agent, Team
from agents.workspace_stamp import stamp
from tests.crawler import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(both, other):
    """Somebody with two workspaces, who by now works in the other one."""
    return client_of(both, other)


def team_form(tenant, **changes):
    team = tenant.rows[Team][0]
    members = {"members-TOTAL_FORMS": "0", "members-INITIAL_FORMS": "0"}
    return {"name": team.name, "catch_up": "0", **members, "_workspace": stamp(tenant.workspace), **changes}


class TestAPostUnderAnotherWorkspace:
    def test_is_refused_with_a_sentence_and_keeps_what_was_typed(self, client, acme, other):
        response = client.post("/admin/agents/team/add/", team_form(acme, name="Typed <b>with care"))

        page = response.content.decode()
        assert response.status_code == 409
        assert f"This form is for {acme.workspace.name}, but you now work in {other.workspace.name}." in page
        assert 'name="name" value="Typed &lt;b&gt;with care"' in page
        assert not Team.objects.filter(name__startswith="Typed").exists()

    def test_is_saved_after_going_back(self, client, acme, other):
        response = client.post("/admin/agents/team/add/", team_form(acme, name="Kept", _switch="1"))

        assert response.status_code == 302
        assert Team.objects.get(name="Kept").workspace == acme.workspace
        assert acme.marker in client.get("/admin/agents/agent/").content.decode()

    def test_is_refused_for_lists_actions_publishing_and_moving_too(self, client, acme, other):
        agent = acme.rows[Agent][0]
        stamped = {"_workspace": stamp(acme.workspace)}

        for url, data in (
            ("/admin/agents/agent/", {"action": "pause", "_selected_action": agent.pk}),
            ("/admin/routing/rule/move/", {"up": "1"}),
            ("/admin/routing/policyversion/publish/", {"note": "x"}),
            ("/admin/leads/lead/00000000-0000-0000-0000-000000000000/close/", {"as": "spam"}),
        ):
            assert client.post(url, {**data, **stamped}).status_code == 409, url

    @pytest.mark.parametrize("forged", ["", "1", "eyJ9:made:up"])
    def test_without_a_true_stamp_is_refused(self, client, other, forged):
        response = client.post("/admin/agents/team/add/", team_form(other, name="Typed", _workspace=forged))

        assert response.status_code == 409
        assert b"does not say which workspace" in response.content
        assert b"<dd>Typed</dd>" in response.content
        assert not Team.objects.filter(name="Typed").exists()

    def test_for_a_workspace_that_is_not_theirs_any_more_cannot_be_sent_again(self, client, acme, both):
        both.memberships.filter(workspace=acme.workspace).delete()

        response = client.post("/admin/agents/team/add/", team_form(acme, name="Typed", _switch="1"))

        assert response.status_code == 409
        assert acme.workspace.name not in response.content.decode()
        assert not Team.objects.filter(name="Typed").exists()
