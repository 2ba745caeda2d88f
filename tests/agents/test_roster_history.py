"""What the roster remembers: who changed what, and how it stood at any version."""

import random
import threading
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core import checks
from django.db import IntegrityError, connection, models, transaction
from django.db.models import F, ProtectedError
from django.test.utils import isolate_apps

from agents import roster
from agents.models import (
    Agent,
    Membership,
    RosterChange,
    Site,
    User,
    Workspace,
)
from agents.roster import (
    RosterModel,
    accompany,
    acting_as,
    changes_between,
    history,
    one_change,
    roster_rows,
)
from tests.agents.conftest import make_house
from tests.agents.roster_ways import CHANGING, CREATING, SAMPLES, roster_models, stored, version_of


class TestWorkspaceRow:
    def test_publishing_is_no_change_of_the_roster(self, acme):
        before = version_of(acme.workspace)

        Workspace.objects.filter(pk=acme.workspace.pk).update(policy_version=F("policy_version") + 1)

        assert version_of(acme.workspace) == before

    def test_saving_a_stale_workspace_sets_no_version_back(self, acme):
        stale = Workspace.objects.get(pk=acme.workspace.pk)
        Agent.objects.filter(pk=acme.agent.pk).update(is_paused=True)
        Workspace.objects.filter(pk=acme.workspace.pk).update(policy_version=3)
        before = version_of(acme.workspace)

        stale.name = "Acme Ltd"
        stale.save()

        fresh = Workspace.objects.get(pk=acme.workspace.pk)
        assert (fresh.name, fresh.roster_version, fresh.policy_version) == ("Acme Ltd", before + 1, 3)
        assert (stale.roster_version, stale.policy_version) == (before + 1, 3)

    def test_policy_version_is_saved_where_it_is_asked_for(self, acme):
        acme.workspace.policy_version = 5
        acme.workspace.save(update_fields=["policy_version"])

        assert Workspace.objects.get(pk=acme.workspace.pk).policy_version == 5

    def test_a_new_workspace_knows_its_version(self, db):
        assert Workspace.objects.create(slug="new", name="New").roster_version == 1


class TestOneChange:
    def test_everything_inside_is_one_version(self, acme, rival):
        before, others = version_of(acme.workspace), version_of(rival.workspace)

        with one_change():
            ana = Agent.objects.create(workspace=acme.workspace, slug="ana", name="Ana")
            ana.title = "Sales"
            ana.save()
            acme.member.delete()
            Agent.objects.filter(pk=rival.agent.pk).update(is_paused=True)

        assert version_of(acme.workspace) == before + 1
        assert version_of(rival.workspace) == others + 1
        assert roster_rows(workspace_id=acme.workspace.pk, version=before + 1) == stored(acme.workspace)

    def test_what_is_made_and_deleted_inside_never_was(self, acme):
        before = version_of(acme.workspace)

        with one_change():
            Agent.objects.create(workspace=acme.workspace, slug="ana", name="Ana").delete()

        assert version_of(acme.workspace) == before

    def test_an_error_inside_undoes_all(self, acme):
        before = version_of(acme.workspace)

        def pause_and_then_double_marta():
            with one_change():
                Agent.objects.filter(pk=acme.agent.pk).update(is_paused=True)
                Agent.objects.create(workspace=acme.workspace, slug="marta", name="Another Marta")

        with pytest.raises(IntegrityError):
            pause_and_then_double_marta()

        assert version_of(acme.workspace) == before
        assert not Agent.objects.get(pk=acme.agent.pk).is_paused
        # And the next write is its own change again.
        Agent.objects.filter(pk=acme.agent.pk).update(is_paused=True)
        assert version_of(acme.workspace) == before + 1


@pytest.mark.portable
class TestHistory:
    def test_names_who_did_it(self, acme):
        with acting_as(acme.owner):
            Agent.objects.filter(pk=acme.agent.pk).update(is_paused=True)
        with acting_as(AnonymousUser()):
            Agent.objects.filter(pk=acme.agent.pk).update(is_paused=False)

        by_nobody, by_owner = history(workspace=acme.workspace)[:2]
        assert (by_owner.actor, by_nobody.actor) == (acme.owner, None)

    def test_covers_a_period_without_its_end(self, acme):
        instants = [datetime(2026, 3, day, tzinfo=UTC) for day in (1, 2, 3)]
        for instant, change in zip(instants, history(workspace=acme.workspace), strict=False):
            RosterChange.objects.filter(pk=change.pk).update(changed_at=instant)

        found = history(workspace=acme.workspace, since=instants[0], until=instants[2])

        assert sorted(change.changed_at for change in found) == instants[:2]

    def test_rebuilds_every_version_exactly(self, acme):
        """Sixty writes of all kinds; every state, and the way between any two, comes out of the history."""
        pick = random.Random(7)
        states = {version_of(acme.workspace): stored(acme.workspace)}
        for _step in range(60):
            model = pick.choice(list(SAMPLES))
            rows = list(model.objects.for_workspace(acme.workspace))
            sample = SAMPLES[model]
            if pick.random() < 0.4 and sample.unique == ("id",):
                model.objects.bulk_create([model(**sample.new(acme)) for _ in range(pick.randrange(4))])
            elif pick.random() < 0.3 and sample.unique == ("id",) and rows:
                model.objects.filter(pk__in=[row.pk for row in pick.sample(rows, len(rows) // 2)]).delete()
            elif rows:
                row = pick.choice(rows)
                before = sample.new(acme).get(sample.field, model._meta.get_field(sample.field).get_default())
                value = before if getattr(row, sample.field) == sample.value else sample.value
                pick.choice(list(CHANGING.values()))(model, row, sample.field, value)
            states[version_of(acme.workspace)] = stored(acme.workspace)

        assert len(states) > 25
        for version, state in states.items():
            assert roster_rows(workspace_id=acme.workspace.pk, version=version) == state
        first, last = min(states), max(states)
        for until in states:
            rebuilt = states[first]
            for kind, rows in changes_between(workspace_id=acme.workspace.pk, after=first, until=until).items():
                kept = {**rebuilt.get(kind, {}), **rows}
                rebuilt = {**rebuilt, kind: {i: v for i, v in sorted(kept.items()) if v is not None}}
            assert {kind: rows for kind, rows in rebuilt.items() if rows} == states[until]
        assert changes_between(workspace_id=acme.workspace.pk, after=last, until=last) == {}


class TestCompanions:
    """Sites stand in for rows that another app wants beside each of ours."""

    @pytest.fixture(autouse=True)
    def _site_for_each_workspace(self, monkeypatch):
        monkeypatch.setattr(roster, "_companions", roster.defaultdict(list))
        accompany(Workspace, Site, field="workspace")

    @pytest.mark.parametrize("way", [pytest.param(w, id=n) for n, w in CREATING.items() if n != "a related manager"])
    def test_every_new_row_gets_one(self, acme, way):
        sample = SAMPLES[Workspace]

        row_id = way(Workspace, sample.new(acme), sample.unique)

        assert Site.objects.filter(workspace=row_id).count() == 1

    def test_changed_rows_get_none(self, acme):
        Site.objects.all().delete()

        acme.workspace.name = "Acme Ltd"
        acme.workspace.save()

        assert not Site.objects.exists()

    def test_asking_twice_makes_one(self, db):
        accompany(Workspace, Site, field="workspace")

        Workspace.objects.create(slug="new", name="New")

        assert Site.objects.count() == 1


class TestSystemCheck:
    @isolate_apps("agents")
    def test_refuses_what_django_writes_past_the_roster(self):
        class Probe(RosterModel):
            workspace = models.ForeignKey(Workspace, models.PROTECT)
            agent = models.ForeignKey(Agent, models.CASCADE)
            friends = models.ManyToManyField("self")

            class Meta:
                app_label = "agents"

        assert {message.id for message in Probe.check()} >= {"agents.E002", "agents.E003"}

    def test_finds_nothing_in_the_roster(self):
        assert [m for model in roster_models() for m in model.check() if m.level >= checks.ERROR] == []


def test_deleting_a_user_waits_for_their_agent(acme):
    user = User.objects.create_user("marta@acme.test")
    Agent.objects.filter(pk=acme.agent.pk).update(user=user)

    with pytest.raises(ProtectedError):
        user.delete()
    assert Membership.objects.count() == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_writes_at_once_take_turns_and_lose_no_version():
    house = make_house("acme")
    before, errors = version_of(house.workspace), []

    def toggle(agent_id, field):
        try:
            for step in range(10):
                Agent.objects.filter(pk=agent_id).update(**{field: f"{field} {step}"})
                Agent.objects.update_or_create({field: f"{field} {step}!"}, pk=agent_id)
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [
        threading.Thread(target=toggle, args=args)
        for args in [(house.agent.pk, "name"), (house.agent.pk, "title"), (house.colleague.pk, "name")]
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert errors == []
    assert version_of(house.workspace) == before + 60
    assert roster_rows(workspace_id=house.workspace.pk, version=before + 60) == stored(house.workspace)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_write_that_undoes_another_at_once_is_a_change_too():
    """It waits, and compares with what the other has written, not with what was there when it began."""
    house = make_house("acme")
    stale = Agent.objects.get(pk=house.agent.pk)

    def save_stale():
        stale.save()
        connection.close()

    thread = threading.Thread(target=save_stale)
    with transaction.atomic():
        Agent.objects.filter(pk=house.agent.pk).update(is_paused=True)
        thread.start()
        await_somebody_waiting_for_a_lock(thread)
    thread.join(timeout=60)

    assert not Agent.objects.get(pk=house.agent.pk).is_paused
    assert roster_rows(workspace_id=house.workspace.pk, version=10**6) == stored(house.workspace)


def await_somebody_waiting_for_a_lock(thread):
    pause = threading.Event()
    with connection.cursor() as cursor:
        while thread.is_alive():
            cursor.execute("SELECT pg_stat_clear_snapshot()")  # else a transaction sees what it saw first
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if cursor.fetchone()[0]:
                return
            pause.wait(0.01)
    raise AssertionError("nobody waited")
