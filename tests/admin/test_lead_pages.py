"""Leads as managers see them, and what they do about them."""

from datetime import timedelta

import pytest
from django.utils import timezone

from agents.models import Agent, Handle, Site, Team, TeamMember, Workspace
from agents.workspace_stamp import stamp
from leads.intake import Door, Submission, accept_lead
from leads.models import Event, Lead
from routing.models import Rule, ScoringRule
from routing.publishing import publish
from tests.crawler import client_of, somebody

pytestmark = pytest.mark.django_db


@pytest.fixture
def ws(acme):
    """Acme with one rule: everything goes to a team whose members are never on shift, else to the fallback agent."""
    workspace = acme.workspace
    Rule.objects.for_workspace(workspace).delete()
    ScoringRule.objects.for_workspace(workspace).delete()
    Lead.objects.for_workspace(workspace).filter(pk=acme.rows[Lead][0].pk).update(
        status="closed", closed_at=timezone.now()
    )
    Rule.objects.create(
        workspace=workspace,
        name="Spain",
        team=acme.rows[Team][0],
        when={"all": [{"field": "country", "op": "is", "value": "ES"}]},
        if_nobody="fallback",
    )
    publish(workspace=workspace, by=None, at=timezone.now(), force=True)
    return Workspace.objects.get(pk=workspace.pk)


@pytest.fixture
def ben(ws, acme):
    """A second person in the team."""
    agent = Agent.objects.create(workspace=ws, slug="ben", name="Ben Other", languages=["es"])
    Handle.objects.create(workspace=ws, agent=agent, channel="telegram", value="ben_other")
    TeamMember.objects.create(workspace=ws, team=acme.rows[Team][0], agent=agent)
    return agent


@pytest.fixture
def crowd(ws):
    """More people than a select offers."""
    Agent.objects.bulk_create(Agent(workspace=ws, slug=f"p{n}", name=f"Person {n}") for n in range(80))


@pytest.fixture
def hand_in(ws, acme):
    def accept(hold_flag="", **said):
        fresh = Workspace.objects.get(pk=ws.pk)
        site = acme.rows[Site][0]
        door = Door(fresh.pk, fresh.policy_version, fresh.roster_version, site.pk, None, ("telegram",), False, ("es",))
        given = {"channel": "telegram", "language": "es", "country": "ES", **said}
        accepted = accept_lead(door=door, submission=Submission(**given), at=timezone.now(), hold_flag=hold_flag)
        return Lead.objects.get(pk=accepted.lead_id if hasattr(accepted, "lead_id") else accepted.id)

    return accept


@pytest.fixture
def do(as_manager, ws):
    def post(lead, what, **data):
        return as_manager.post(f"/admin/leads/lead/{lead.pk}/{what}/", {"_workspace": stamp(ws), **data}, follow=True)

    return post


class TestTheList:
    def test_finds_by_name_contact_and_reference(self, as_manager, hand_in):
        ana = hand_in(name="Ana Gómez", email="ana@mail.test")
        bob = hand_in(name="Bob", phone="+34600111222", visitor_id="v2")

        for query, found, not_found in (
            ("gómez", ana, bob),
            ("ana@mail", ana, bob),
            (ana.reference.lower(), ana, bob),
            ("600 111 222", bob, ana),
            ("+34600111222", bob, ana),
        ):
            page = as_manager.get("/admin/leads/lead/", {"q": query}).content.decode()
            assert f"/{found.pk}/change/" in page, query
            assert f"/{not_found.pk}/change/" not in page, query

    def test_filters_what_needs_attention(self, as_manager, hand_in):
        flagged = hand_in(name="Flo", hold_flag="Look at this")
        plain = hand_in(name="Pia", visitor_id="v2")

        page = as_manager.get("/admin/leads/lead/?attention=flagged").content.decode()
        assert f"/{flagged.pk}/change/" in page
        assert f"/{plain.pk}/change/" not in page
        assert "Look at this" in as_manager.get(f"/admin/leads/lead/{flagged.pk}/change/").content.decode()
        start = as_manager.get("/admin/").content.decode()
        assert "1 flagged lead waits for you." in start
        assert "Look at this" in start
        assert "1 lead is held until somebody is there." in start

    def test_offers_a_few_agents_in_a_select(self, as_manager, ws, ben, hand_in):
        lead = hand_in(name="Lea")
        others = hand_in(name="Otto", visitor_id="v2")
        Lead.objects.filter(pk=lead.pk).update(agent=ben)

        page = as_manager.get(f"/admin/leads/lead/?agent={ben.pk}").content.decode()

        assert f'<option value="{ben.pk}" selected>Ben Other</option>' in page
        assert f"/{lead.pk}/change/" in page
        assert f"/{others.pk}/change/" not in page
        assert "data-suggest" not in page

    @pytest.mark.parametrize(
        ("typed", "shown"),
        [("Ben Other", "Ben Other"), ("ben other", "ben other"), (" en oth ", "en oth")],
    )
    def test_takes_an_agents_name_where_there_are_many(self, as_manager, crowd, ben, hand_in, typed, shown):
        lead = hand_in(name="Lea")
        others = hand_in(name="Otto", visitor_id="v2")
        Lead.objects.filter(pk=lead.pk).update(agent=ben)

        response = as_manager.get("/admin/leads/lead/", {"agent": typed})

        page = response.content.decode()
        assert f"/{lead.pk}/change/" in page
        assert f"/{others.pk}/change/" not in page
        assert f'value="{shown}"' in page
        assert "Person 17" not in page

    def test_prefers_who_is_called_exactly_that(self, as_manager, crowd, ws, hand_in):
        seven, seventeen = hand_in(name="Lea"), hand_in(name="Otto", visitor_id="v2")
        for lead, name in ((seven, "Person 7"), (seventeen, "Person 77")):
            Lead.objects.filter(pk=lead.pk).update(agent=Agent.objects.for_workspace(ws).get(name=name))

        page = as_manager.get("/admin/leads/lead/?agent=person 7").content.decode()

        assert f"/{seven.pk}/change/" in page
        assert f"/{seventeen.pk}/change/" not in page

    def test_takes_the_number_of_an_agent_unless_somebody_is_called_so(self, as_manager, crowd, ws, hand_in):
        numbered, named = hand_in(name="Lea"), hand_in(name="Otto", visitor_id="v2")
        Lead.objects.filter(pk=numbered.pk).update(
            agent=Agent.objects.create(workspace=ws, pk=9_000_017, slug="nu", name="Nu")
        )

        def shown():
            page = as_manager.get("/admin/leads/lead/?agent=9000017").content.decode()
            return [lead for lead in (numbered, named) if f"/{lead.pk}/change/" in page]

        assert shown() == [numbered]
        Lead.objects.filter(pk=named.pk).update(
            agent=Agent.objects.create(workspace=ws, slug="nine", name="Agent 9000017")
        )
        assert shown() == [named]

    @pytest.mark.parametrize("typed", ["Zacharias", "9" * 40, "٣" * 30, "Zz\0zz"])
    def test_says_that_nobody_is_called_that(self, as_manager, crowd, hand_in, typed):
        lead = hand_in(name="Lea")

        page = as_manager.get("/admin/leads/lead/", {"agent": typed}).content.decode()

        assert "Nobody is called that." in page
        assert f"/{lead.pk}/change/" not in page

    def test_suggests_names_of_its_own_workspace_to_whoever_sees_leads(self, as_manager, crowd, acme, other):
        names = as_manager.get("/admin/leads/lead/agents/", {"q": "person 7"}).json()["names"]

        assert names == ["Person 7", *(f"Person 7{n}" for n in range(10))]
        assert len(as_manager.get("/admin/leads/lead/agents/").json()["names"]) == 12
        stranger = client_of(somebody("agent@acme.test", (acme, "agent")), acme)
        assert stranger.get("/admin/leads/lead/agents/").status_code in (302, 403)
        theirs = other.rows[Agent][0].name
        assert as_manager.get("/admin/leads/lead/agents/", {"q": theirs}).json()["names"] == []

    def test_is_no_longer_with_a_thousand_agents_more(self, as_manager, crowd, ws):
        before = len(as_manager.get("/admin/leads/lead/").content)
        Agent.objects.bulk_create(Agent(workspace=ws, slug=f"m{n}", name=f"More {n}") for n in range(1_000))

        assert len(as_manager.get("/admin/leads/lead/").content) == pytest.approx(before, abs=200)

    def test_counts_nothing_and_takes_few_statements_with_300_leads(
        self, as_manager, ws, hand_in, django_assert_max_num_queries
    ):
        lead = hand_in(name="Ana")
        now = timezone.now()
        Lead.objects.bulk_create(
            Lead(
                workspace=ws,
                source="api",
                channel="form",
                received_at=now - timedelta(minutes=n),
                created_at=now,
                outcome="assigned",
                reason="round_robin",
                agent=lead.agent,
                reference=f"R{n:06}",
                status_token=f"t{n}",
                name=f"Lead {n}",
            )
            for n in range(300)
        )

        with django_assert_max_num_queries(18) as taken:
            page = as_manager.get("/admin/leads/lead/")

        assert page.status_code == 200
        assert not [q["sql"] for q in taken.captured_queries if "COUNT(" in q["sql"] and "leads_lead" in q["sql"]]
        seen, url = [], "/admin/leads/lead/"
        while url:
            shown = as_manager.get(url).context["cl"]
            seen += [one.pk for one in shown.result_list]
            url = f"/admin/leads/lead/{shown.older_link}" if shown.older else ""
        assert seen == list(Lead.objects.for_workspace(ws).order_by("-received_at", "-id").values_list("pk", flat=True))
        back = as_manager.get(f"/admin/leads/lead/{shown.newer_link}").context["cl"].result_list
        assert [one.pk for one in back] == seen[-len(shown.result_list) - 50 : -len(shown.result_list)]
        assert as_manager.get("/admin/leads/lead/?older=nonsense").status_code == 200

    @pytest.mark.parametrize(
        ("asked", "finds_ana", "finds_bob"),
        [
            ({"status": "open"}, True, False),
            ({"status": "closed-spam"}, False, True),
            ({"outcome": "fallback"}, True, True),
            ({"channel": "telegram", "country": "ES"}, True, False),
            ({"country": "PT"}, False, True),
            ({"rule": "Spain"}, True, False),
            ({"rule": "No such rule"}, False, False),
            ({"from": "2026-01-01", "until": "2026-01-31"}, False, False),
            ({"from": "2026-01-01"}, True, True),
            ({"agent": "99999999"}, True, True),
            ({"team": "own"}, False, False),
        ],
    )
    def test_is_narrowed(self, as_manager, acme, hand_in, do, asked, finds_ana, finds_bob):
        ana = hand_in(name="Ana")
        bob = hand_in(name="Bob", country="PT", visitor_id="v2")
        do(bob, "close", **{"as": "spam"})
        asked = {key: acme.rows[Team][0].pk if value == "own" else value for key, value in asked.items()}

        page = as_manager.get("/admin/leads/lead/", asked)

        shown = {one.pk for one in page.context["cl"].result_list}
        assert (ana.pk in shown, bob.pk in shown) == (finds_ana, finds_bob)

    def test_says_at_the_field_what_is_no_day(self, as_manager, hand_in):
        hand_in()

        page = as_manager.get("/admin/leads/lead/?from=yesterday").content.decode()

        assert "Write a day such as 2026-03-02." in page
        assert 'value="yesterday"' in page


class TestThePage:
    def test_tells_facts_timeline_and_reasons_and_runs_no_markup(self, as_manager, hand_in, ben):
        lead = hand_in(name="<b>Bob</b>", message="<script>alert(1)</script>", attributes={"x": "<img src=x>"})
        page = as_manager.get(f"/admin/leads/lead/{lead.pk}/change/").content.decode()

        assert "&lt;b&gt;Bob&lt;/b&gt;" in page
        assert "<script>alert" not in page
        assert "<img src=x>" not in page
        assert "Ben Other" in page
        assert "has no shifts" in page
        assert "Nobody of team zqalpha-name is there for it, so it goes to the fallback agent." in page

    def test_tells_why_each_rule_did_not_hold(self, as_manager, hand_in):
        lead = hand_in(country="PT")

        page = as_manager.get(f"/admin/leads/lead/{lead.pk}/why/").content.decode()

        assert "does not hold" in page
        assert "Country is Spain, but it is Portugal" in page

    def test_answers_why_not_for_anybody(self, as_manager, hand_in, ben, ws, other):
        lead = hand_in(country="PT")
        stranger = Agent.objects.create(workspace=ws, slug="cat", name="Cat")

        def ask(agent):
            return as_manager.get(f"/admin/leads/lead/{lead.pk}/change/", {"why_not": agent}).content.decode()

        assert "Rule 1 “Spain” would ask them, but does not hold: country is Spain, but it is Portugal." in ask(ben.pk)
        assert "No rule sends leads to them" in ask(stranger.pk)
        assert "They got it." in ask(lead.agent_id)
        assert "Select a valid choice" in ask(other.rows[Agent][0].pk)

    def test_is_tried_by_the_draft(self, as_manager, hand_in, ws, other):
        lead = hand_in(country="PT")
        Rule.objects.for_workspace(ws).update(when={"all": [{"field": "country", "op": "is", "value": "PT"}]})

        def tried(reference):
            said = {"_workspace": stamp(ws), "try-lead": reference}
            return as_manager.post("/admin/routing/rule/try/", said).content.decode()

        assert "It fits rule 1 “Spain”" in tried(lead.reference.lower())
        assert "There is no lead with this reference." in tried(other.rows[Lead][0].reference)

    def test_of_another_workspace_does_not_exist(self, as_manager, other):
        lead = other.rows[Lead][0]

        for page in ("change", "why", "history"):
            assert as_manager.get(f"/admin/leads/lead/{lead.pk}/{page}/").status_code in (302, 404)

    def test_is_read_by_none_below_manager(self, acme, hand_in):
        lead = hand_in()

        for role in ("ops", "agent"):
            client = client_of(somebody(f"{role}@acme.test", (acme, role)), acme)
            assert client.get(f"/admin/leads/lead/{lead.pk}/change/").status_code == 302


class TestDoing:
    def test_gives_the_lead_to_somebody_else(self, do, hand_in, ben, manager):
        lead = hand_in()
        page = do(lead, "reassign", to=ben.pk, reason="Knows them").content.decode()

        lead.refresh_from_db()
        assert lead.agent == ben
        assert "Ben Other has it now." in page
        assert "Knows them" in page
        assert Event.objects.filter(lead=lead, actor=manager, kind="assigned").exists()

    def test_refuses_an_agent_of_another_workspace(self, do, hand_in, other):
        lead = hand_in()
        before = lead.agent
        response = do(lead, "reassign", to=other.rows[Agent][0].pk)

        lead.refresh_from_db()
        assert response.status_code == 400
        assert lead.agent == before

    def test_without_a_name_leaves_it_to_the_rules(self, do, hand_in):
        lead = hand_in()

        assert do(lead, "reassign").status_code == 200
        assert lead.decisions.filter(trigger="reroute").exists()

    def test_closes_reopens_and_closes_anew(self, do, hand_in):
        lead = hand_in()

        assert "Closed as Spam." in do(lead, "close", **{"as": "spam"}).content.decode()
        assert "Open again." in do(lead, "reopen").content.decode()
        do(lead, "close", **{"as": "won"})
        assert "A lead ends as one of" in do(lead, "close", **{"as": "nonsense"}).content.decode()
        lead.refresh_from_db()
        assert (lead.status, lead.closed_as) == ("closed", "won")

    def test_takes_the_flag_off(self, do, hand_in):
        lead = hand_in(hold_flag="Look at this")

        assert "The flag is off." in do(lead, "clear-flag").content.decode()
        lead.refresh_from_db()
        assert lead.flagged == ""

    def test_needs_a_button(self, as_manager, hand_in):
        lead = hand_in()

        for what in ("reassign", "close", "reopen", "clear-flag"):
            assert as_manager.get(f"/admin/leads/lead/{lead.pk}/{what}/").status_code == 405


class TestAnAgentsPage:
    def test_shows_what_they_got_lately(self, as_manager, hand_in):
        lead = hand_in(name="Ana Gómez")

        assert "Ana Gómez" in as_manager.get(f"/admin/agents/agent/{lead.agent_id}/change/").content.decode()
