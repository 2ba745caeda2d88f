"""Rules edited one by one are checked by the same rulebook, with the fault at the form's field."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from agents.models import Agent, Team, Workspace
from routing.models import Draft, Rule, ScoringRule
from routing.publishing import draft_document
from routing.rulebook import DEFAULTS


@pytest.fixture
def acme(db):
    workspace = Workspace.objects.create(slug="acme", name="Acme", plan="scale")
    Team.objects.create(workspace=workspace, slug="iberia", name="Iberia")
    Agent.objects.create(workspace=workspace, slug="marta", name="Marta")
    return workspace


def rule(workspace, **values):
    values = {"name": "r", "team": workspace.teams.first(), **values}
    return Rule(workspace=workspace, **values)


def faults(row):
    with pytest.raises(ValidationError) as refused:
        row.full_clean()
    return refused.value.message_dict


WHEN = {"all": [{"field": "country", "op": "in", "value": ["es", "pt"]}]}


class TestRule:
    def test_is_brought_into_normal_form(self, acme):
        row = rule(acme, name=" Iberians ", when=WHEN, require=["tags:VIP"], sla={"respond_within": "5m"})

        row.full_clean()

        assert row.document == {
            "name": "Iberians",
            "when": {"all": [{"field": "country", "op": "in", "value": ["ES", "PT"]}]},
            "route": {
                "to": {"team": "iberia"},
                "by": "round_robin",
                "require": ["tags:vip"],
                "prefer": [],
                "if_nobody": "next_rule",
            },
            "sla": {"respond_within": 300, "clock": "wall"},
        }

    @pytest.mark.parametrize(
        ("values", "field", "sentence"),
        [
            (
                {"when": {"all": [WHEN["all"][0], {"field": "contry", "op": "is", "value": "ES"}]}},
                "when",
                "Condition 2: unknown field 'contry' (did you mean 'country'?)",
            ),
            ({"prefer": ["langage"]}, "prefer", "(did you mean 'language'?)"),
            ({"by": "claim"}, "by", "limit channel to form"),
            ({"sla": {"respond_within": "soon"}}, "sla", "no duration"),
            ({"team": None}, "team", "Choose where the rule sends leads."),
            ({"to_kind": "agent"}, "agent", "Choose where the rule sends leads."),
            ({"name": ""}, "name", "This field cannot be blank."),
        ],
    )
    def test_a_fault_is_said_at_its_field(self, acme, values, field, sentence):
        found = faults(rule(acme, **values))

        assert sentence in " ".join(found[field])

    def test_what_the_target_gives_no_meaning_is_forgotten(self, acme):
        row = rule(acme, to_kind="queue", by="priority", require=["channel"], if_nobody="hold")

        row.full_clean()
        row.save()

        assert row.document["route"] == {"to": "queue"}
        assert (row.team, row.by, row.require, row.if_nobody) == (None, "round_robin", [], "next_rule")

    def test_for_one_agent_names_the_agent_and_no_team(self, acme):
        row = rule(acme, to_kind="agent", agent=acme.agents.get(), by="priority")

        row.full_clean()
        row.save()

        assert row.document["route"]["to"] == {"agent": "marta"}
        assert "by" not in row.document["route"]

    def test_what_the_plan_does_not_have_is_refused_at_its_field(self, acme):
        acme.plan = "free"
        found = faults(rule(acme, when=WHEN, by="priority", sla={"respond_within": "5m"}))

        assert set(found) == {"when", "by", "sla"}
        assert "Pro" in found["by"][0]

    def test_a_name_is_taken_once_a_workspace(self, acme):
        rule(acme).save()

        assert "already" in faults(rule(acme))["__all__"][0]
        other = Workspace.objects.create(slug="rival", name="Rival", plan="scale")
        Rule(workspace=other, name="r", to_kind="queue").full_clean()

    def test_never_holds_another_workspaces_team(self, acme):
        rival = Workspace.objects.create(slug="rival", name="Rival")

        assert "team" in faults(rule(rival, team=acme.teams.get()))

    @pytest.mark.django_db(transaction=True)
    def test_the_database_refuses_another_workspaces_team(self):
        acme = Workspace.objects.create(slug="acme", name="Acme")
        rival = Workspace.objects.create(slug="rival", name="Rival")
        team = Team.objects.create(workspace=acme, slug="iberia", name="Iberia")

        with pytest.raises(IntegrityError), transaction.atomic():
            rule(rival, team=team).save()

    def test_the_database_refuses_a_target_that_is_not_there(self, acme):
        with pytest.raises(IntegrityError), transaction.atomic():
            rule(acme, team=None).save()


class TestScoringRule:
    def test_is_brought_into_normal_form(self, acme):
        row = ScoringRule(workspace=acme, points=5, when=WHEN)

        row.full_clean()

        assert row.document["when"]["all"][0]["value"] == ["ES", "PT"]

    def test_cannot_look_at_the_score(self, acme):
        row = ScoringRule(workspace=acme, points=5, when={"all": [{"field": "score", "op": "is_set"}]})

        assert "scoring makes" in faults(row)["when"][0]

    def test_is_refused_where_the_plan_has_none(self, acme):
        acme.plan = "pro"

        assert "Scale" in str(faults(ScoringRule(workspace=acme, points=5)))


class TestDraft:
    def test_is_made_with_the_workspace(self, acme):
        assert Draft.objects.filter(workspace=acme).count() == 1
        assert draft_document(acme) == DEFAULTS

    def test_keeps_hot_above_warm(self, acme):
        draft = acme.draft
        draft.hot, draft.warm = 10, 20

        assert "Hot must not be below warm" in str(faults(draft))
