"""What each plan allows, and the sentence for what it does not."""

import pytest
from django.core.exceptions import ValidationError

from agents import plans
from agents.models import Agent, Team, Workspace
from agents.plans import FEATURES, Plan, Usage, allows, refusal, usage_of, violations


@pytest.fixture
def free(db) -> Workspace:
    return Workspace.objects.create(slug="small", name="Small", plan="free")


def agent(workspace, slug, **fields) -> Agent:
    return Agent(workspace=workspace, slug=slug, name=slug.title(), **fields)


def add(row):
    row.full_clean()
    row.save()
    return row


class TestFeatures:
    @pytest.mark.parametrize(
        ("plan", "allowed"),
        [
            ("free", set()),
            ("pro", {"conditions", "require_prefer", "geo", "caps", "priority", "least_busy"}),
            ("scale", set(FEATURES)),
        ],
    )
    def test_are_those_of_the_plan(self, plan, allowed):
        assert {feature for feature in FEATURES if allows(plan, feature)} == allowed

    def test_that_do_not_exist_are_loud(self):
        with pytest.raises(KeyError):
            allows("scale", "teleport")

    def test_are_refused_naming_the_plan_that_has_them(self):
        assert refusal("free", "caps") == "Caps: not in the Free plan. The Pro plan has this."
        assert refusal("pro", "claim") == "Claiming: not in the Pro plan. The Scale plan has this."


class TestRoster:
    def test_free_has_two_active_agents(self, free):
        add(agent(free, "ana"))
        bo = add(agent(free, "bo"))

        with pytest.raises(ValidationError, match="The Free plan has 2 active agents, not 3") as caught:
            add(agent(free, "cy"))
        assert list(caught.value.message_dict) == ["is_active"]
        cy = add(agent(free, "cy", is_active=False))
        bo.title = "Sales"
        add(bo)  # whoever is active already may be edited
        cy.is_active = True
        with pytest.raises(ValidationError, match="2 active agents"):
            cy.full_clean()
        bo.is_active = False
        add(bo)
        add(cy)

    def test_free_has_one_team_beside_archived_ones(self, free):
        first = add(Team(workspace=free, slug="one", name="One"))

        with pytest.raises(ValidationError, match="The Free plan has 1 team, not 2"):
            add(Team(workspace=free, slug="two", name="Two"))
        first.name = "First"
        add(first)
        Team.objects.filter(pk=first.pk).update(archived_at="2026-03-02T10:00Z")
        add(Team(workspace=free, slug="two", name="Two"))
        first.refresh_from_db()
        first.full_clean()
        first.archived_at = None
        with pytest.raises(ValidationError, match="1 team"):
            first.full_clean()

    def test_free_has_no_caps(self, free):
        with pytest.raises(ValidationError, match="Caps: not in the Free plan") as caught:
            add(agent(free, "ana", cap_day=5))
        assert list(caught.value.message_dict) == ["cap_day"]

    @pytest.mark.parametrize(("plan", "allowed"), [("free", False), ("pro", False), ("scale", True)])
    def test_catching_up_needs_scale(self, free, plan, allowed):
        Workspace.objects.filter(pk=free.pk).update(plan=plan)
        free.refresh_from_db()
        team = Team(workspace=free, slug="one", name="One", catch_up=3)

        if allowed:
            team.full_clean()
        else:
            with pytest.raises(ValidationError, match="The Scale plan has this"):
                team.full_clean()

    def test_pro_has_no_limit_of_people_and_teams(self, free):
        free.plan = "pro"
        free.save()
        for slug in "abcd":
            add(agent(free, slug, cap_open=3))
            add(Team(workspace=free, slug=slug, name=slug))


class TestLowering:
    def test_is_refused_with_a_sentence_for_each_thing_over_the_limit(self, acme):
        add(agent(acme.workspace, "ana", cap_open=3))
        add(Team(workspace=acme.workspace, slug="two", name="Two", catch_up=2))
        acme.workspace.plan = "free"

        with pytest.raises(ValidationError) as caught:
            acme.workspace.full_clean()

        assert caught.value.message_dict == {
            "plan": [
                "The Free plan has 2 active agents, not 3. Deactivate some, or move to Pro.",
                "The Free plan has 1 team, not 2. Archive some, or move to Pro.",
                "Caps: not in the Free plan. The Pro plan has this. Used by: Ana.",
                "Catching up after an absence: not in the Free plan. The Scale plan has this. Used by: Two.",
            ]
        }

    def test_asks_others_what_they_use(self, acme, monkeypatch):
        monkeypatch.setattr(plans, "_reporters", [])
        plans.also_uses(lambda workspace: [("claim", "rule “Night”"), ("claim", "rule “Day”"), ("claim", "rule “Day”")])
        acme.workspace.plan = "pro"

        with pytest.raises(ValidationError, match=r"Claiming: not in the Pro plan.* Used by: rule “Night”, rule “Day”"):
            acme.workspace.full_clean()

    def test_within_the_limits_is_fine(self, acme):
        acme.workspace.plan = "free"
        acme.workspace.full_clean()

    def test_is_judged_only_when_the_plan_changes(self, free):
        for slug in "abc":
            agent(free, slug).save()

        free.name = "Still small"
        free.full_clean()


class TestViolations:
    def test_name_at_most_three_places(self):
        usage = Usage(features={"sla": ("a", "b", "c", "d"), "geo": ()})

        assert violations(Plan.FREE, usage) == [
            "Conditions on country, region and city: not in the Free plan. The Pro plan has this.",
            "SLA ladders: not in the Free plan. The Scale plan has this. Used by: a, b, c ….",
        ]
        assert violations(Plan.SCALE, usage) == []

    def test_count_what_is_stored(self, acme):
        usage = usage_of(acme.workspace)

        assert (usage.active_agents, usage.teams, usage.features) == (2, 1, {})

    def test_leave_out_the_inactive_and_the_archived(self, acme):
        Agent.objects.filter(pk=acme.agent.pk).update(is_active=False, cap_open=3)
        Team.objects.filter(pk=acme.team.pk).update(archived_at="2026-03-02T10:00Z", catch_up=3)

        assert usage_of(acme.workspace) == Usage(active_agents=1, teams=0, features={})
