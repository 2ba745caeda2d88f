"""A policy changes only by publishing: versions are numbered, immutable, and can be published again."""

from datetime import UTC, datetime

import pytest
from django.db import transaction

from agents import plans
from agents.models import Agent, Team, User, Workspace
from routing import publishing
from routing.engine import EVEN, IDLE
from routing.engine.ledger import take_turn
from routing.models import Draft, Ledger, Load, PolicyVersion, Rule
from routing.models.version import Immutable
from routing.publishing import Gone, publish, replace_draft, roll_back
from routing.rulebook import DEFAULTS, PolicyErrors, RosterNames, normalise_policy

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LATER = datetime(2026, 3, 3, 12, tzinfo=UTC)
NAMES = RosterNames(teams={"iberia"}, agents={"marta"})


def policy(*rules, **settings):
    return normalise_policy({"rules": list(rules), **settings}, roster_names=NAMES)


ES_TO_TEAM = {
    "name": "Spain",
    "when": {"all": [{"field": "country", "op": "is", "value": "ES"}]},
    "route": {"to": {"team": "iberia"}, "prefer": ["language"]},
}
TO_MARTA = {"name": "Marta", "active": False, "route": {"to": {"agent": "marta"}}}
TO_QUEUE = {"name": "Rest", "route": {"to": "queue"}, "sla": {"respond_within": "5m"}}
WHOLE = {
    "returning": "rotate",
    "join_window": "1h",
    "intent": {"hot": 50, "warm": 10},
    "scoring": [{"points": -10}, {"when": ES_TO_TEAM["when"], "points": 40}],
}


@pytest.fixture
def acme(db):
    workspace = Workspace.objects.create(slug="acme", name="Acme", plan="scale")
    Team.objects.create(workspace=workspace, slug="iberia", name="Iberia")
    Agent.objects.create(workspace=workspace, slug="marta", name="Marta")
    workspace.refresh_from_db()
    return workspace


@pytest.fixture
def manager(db):
    return User.objects.create_user("manager@acme.test", "a secret of theirs")


def publish_policy(workspace, *rules, at=NOON, **settings):
    replace_draft(workspace, policy(*rules, **settings))
    return publish(workspace=workspace, by=None, at=at)


class TestDraft:
    def test_keeps_a_document_as_it_is(self, acme):
        document = policy(ES_TO_TEAM, TO_MARTA, TO_QUEUE, **WHOLE)

        replace_draft(acme, document)

        assert publishing.draft_document(acme) == document

    def test_is_replaced_as_a_whole(self, acme):
        replace_draft(acme, policy(ES_TO_TEAM, TO_MARTA, TO_QUEUE, **WHOLE))
        replace_draft(acme, policy(TO_QUEUE, ES_TO_TEAM))

        assert publishing.draft_document(acme) == policy(TO_QUEUE, ES_TO_TEAM)

    def test_is_left_alone_where_it_says_the_same(self, acme):
        replace_draft(acme, policy(ES_TO_TEAM))
        before = Rule.objects.get().pk

        replace_draft(acme, policy(ES_TO_TEAM))

        assert Rule.objects.get().pk == before

    def test_of_another_workspace_stays(self, acme):
        rival = Workspace.objects.create(slug="rival", name="Rival", plan="scale")
        replace_draft(rival, policy(TO_QUEUE))

        replace_draft(acme, policy(ES_TO_TEAM))

        assert publishing.draft_document(rival) == policy(TO_QUEUE)

    def test_takes_few_statements_however_many_rules(self, acme, django_assert_max_num_queries):
        many = policy(*({"name": str(n), "route": {"to": {"team": "iberia"}}} for n in range(300)))
        with django_assert_max_num_queries(25):
            replace_draft(acme, many)
        with django_assert_max_num_queries(3):
            publishing.draft_document(acme)


class TestPublish:
    def test_makes_the_next_numbered_version_and_points_the_workspace_to_it(self, acme, manager):
        replace_draft(acme, policy(ES_TO_TEAM))
        first = publish(workspace=acme, by=manager, note="Spain first", at=NOON)
        replace_draft(acme, policy(TO_QUEUE))
        second = publish(workspace=acme, by=None, at=LATER)

        assert (first.number, first.published_by, first.note, first.published_at) == (1, manager, "Spain first", NOON)
        assert (second.number, second.document) == (2, policy(TO_QUEUE))
        assert (acme.policy_version, Workspace.objects.get().policy_version) == (2, 2)
        assert publishing.version_document(acme.pk, 1) == policy(ES_TO_TEAM)

    def test_is_no_change_of_the_roster(self, acme):
        before = acme.roster_version

        publish_policy(acme, ES_TO_TEAM)

        acme.refresh_from_db()
        assert acme.roster_version == before
        assert acme.roster_changes.filter(version__gt=before).count() == 0

    def test_of_what_is_published_already_makes_no_version_unless_forced(self, acme):
        first = publish_policy(acme, ES_TO_TEAM)

        assert publish(workspace=acme, by=None, at=LATER) == first
        assert publish(workspace=acme, by=None, at=LATER, force=True).number == 2

    def test_an_empty_first_policy_is_a_version_too(self, acme):
        assert publish(workspace=acme, by=None, at=NOON).number == 1

    def test_numbers_belong_to_the_workspace(self, acme):
        publish_policy(acme, ES_TO_TEAM)
        rival = Workspace.objects.create(slug="rival", name="Rival", plan="scale")

        assert publish(workspace=rival, by=None, at=NOON).number == 1
        with pytest.raises(PolicyVersion.DoesNotExist):
            roll_back(workspace=rival, number=2, by=None, at=NOON)

    def test_refuses_what_slipped_into_the_draft_past_its_forms(self, acme):
        replace_draft(acme, policy(ES_TO_TEAM))
        Rule.objects.update(when={"all": [{"field": "contry", "op": "is", "value": "ES"}]})

        with pytest.raises(PolicyErrors, match=r"rules\[0\].when: unknown field 'contry'"):
            publish(workspace=acme, by=None, at=NOON)
        assert not PolicyVersion.objects.exists()

    def test_refuses_what_the_plan_does_not_have_now(self, acme):
        replace_draft(acme, policy(ES_TO_TEAM))
        Workspace.objects.filter(pk=acme.pk).update(plan="free")

        with pytest.raises(PolicyErrors, match="Pro plan"):
            publish(workspace=acme, by=None, at=NOON)

    def test_rolled_back_leaves_nothing(self, acme):
        with transaction.atomic():
            publish_policy(acme, ES_TO_TEAM)
            transaction.set_rollback(True)

        assert Workspace.objects.get().policy_version == 0
        assert not PolicyVersion.objects.exists()


class TestUnpublishedChanges:
    def test_are_seen_until_they_are_published(self, acme):
        assert not publishing.has_unpublished_changes(acme)
        replace_draft(acme, policy(ES_TO_TEAM))
        assert publishing.has_unpublished_changes(acme)
        publish(workspace=acme, by=None, at=NOON)
        assert not publishing.has_unpublished_changes(acme)
        Draft.objects.update(hot=99)
        assert publishing.has_unpublished_changes(acme)


class TestRollBack:
    def test_publishes_the_old_policy_under_a_new_number_and_leaves_the_draft(self, acme, manager):
        publish_policy(acme, ES_TO_TEAM)
        publish_policy(acme, TO_QUEUE)

        third = roll_back(workspace=acme, number=1, by=manager, at=LATER)

        assert (third.number, third.restored_from, third.published_by) == (3, 1, manager)
        assert third.document == policy(ES_TO_TEAM)
        assert acme.policy_version == 3
        assert publishing.draft_document(acme) == policy(TO_QUEUE)

    def test_checks_the_plan_as_it_is_now(self, acme):
        publish_policy(acme, ES_TO_TEAM)
        publish_policy(acme)
        Workspace.objects.filter(pk=acme.pk).update(plan="free")

        with pytest.raises(PolicyErrors, match=r"rules\[0\]"):
            roll_back(workspace=acme, number=1, by=None, at=LATER)
        assert Workspace.objects.get().policy_version == 2

    def test_to_a_team_that_is_gone_is_allowed_and_says_so(self, acme):
        first = publish_policy(acme, ES_TO_TEAM, TO_MARTA)
        publish_policy(acme)
        Team.objects.update(archived_at=NOON)
        Agent.objects.update(is_active=False)

        assert publishing.named_but_gone(first.document, acme) == [
            Gone("team", "iberia", ("Spain",)),
            Gone("agent", "marta", ("Marta",)),
        ]
        assert roll_back(workspace=acme, number=1, by=None, at=LATER).number == 3


class TestVersions:
    def test_are_never_changed_or_deleted(self, acme):
        version = publish_policy(acme, ES_TO_TEAM)
        version.note = "other"

        for change in (
            version.save,
            version.delete,
            PolicyVersion.objects.all().delete,
            lambda: PolicyVersion.objects.update(note="other"),
            lambda: PolicyVersion.objects.bulk_update([version], ["note"]),
        ):
            with pytest.raises(Immutable):
                change()
        assert PolicyVersion.objects.get().note == ""

    def test_before_the_first_there_is_a_policy_without_rules(self, acme):
        assert publishing.version_document(acme.pk, 0) == DEFAULTS
        publishing.version_document(acme.pk, 0)["rules"].append("no")
        assert publishing.version_document(acme.pk, 0) == DEFAULTS

    def test_keep_the_names_they_use_in_use(self, acme):
        publish_policy(acme, ES_TO_TEAM)
        publish_policy(acme, TO_MARTA)
        replace_draft(acme, policy(TO_QUEUE))

        assert publishing.names_in_use(acme) == RosterNames(teams={"iberia"}, agents={"marta"})


class TestPlans:
    def test_a_plan_is_not_lowered_below_what_draft_and_published_rules_use(self, acme):
        publish_policy(acme, ES_TO_TEAM)
        replace_draft(acme, policy(TO_QUEUE, scoring=[{"points": 1}]))

        features = plans.usage_of(acme).features

        assert features["conditions"] == ("Spain",)
        assert features["sla"] == ("Rest",)
        assert features["scoring"] == ("scoring rule 1",)


class TestCounters:
    def test_exist_as_soon_as_their_team_agent_or_workspace_does(self, acme):
        Team.objects.bulk_create([Team(workspace=acme, slug=slug, name=slug) for slug in ("a", "b")])

        assert Ledger.objects.filter(workspace=acme, team=None).count() == 1
        assert Ledger.objects.filter(workspace=acme).exclude(team=None).count() == 3
        assert [load.carried for load in Load.objects.filter(workspace=acme)] == [IDLE]

    def test_a_ledger_keeps_its_standing_exactly(self, acme):
        standing = EVEN
        for _ in range(3):
            standing = standing.after(take_turn(standing, [(1, 3), (2, 1)]))
        ledger = Ledger.objects.exclude(team=None).get()

        ledger.standing = standing
        ledger.save()

        assert Ledger.objects.get(pk=ledger.pk).standing == standing

    def test_go_with_a_team_or_agent_that_nothing_names(self, acme):
        acme.teams.get().delete()
        acme.agents.get().delete()

        assert not Load.objects.exists()
        assert Ledger.objects.get().team is None
