"""Whatever writes a roster row raises the workspace's version and keeps the row's new values under it."""

import pytest
from django.db import transaction
from django.db.models import F, ProtectedError

from agents import roster
from agents.models import (
    Agent,
    Handle,
    RosterChange,
    Shift,
    Workspace,
)
from agents.roster import (
    FixedFieldError,
    roster_rows,
)
from tests.agents.conftest import House
from tests.agents.roster_ways import (
    CHANGING,
    CREATING,
    DELETING,
    SAMPLES,
    assert_one_version,
    cases,
    roster_models,
    stored,
    upsert,
    version_of,
)


def test_every_roster_model_has_a_sample():
    assert roster_models() == sorted(SAMPLES, key=lambda model: model.__name__)


@pytest.fixture
def acme(standing) -> House:
    return standing["acme"]


@pytest.fixture
def rival(standing) -> House:
    return standing["rival"]


@pytest.fixture
def neighbour(rival) -> Workspace:
    """Nobody here writes to it."""
    return rival.workspace


@pytest.mark.portable
class TestEveryWrite:
    @pytest.mark.parametrize(("model", "way"), cases(CREATING, [m for m in SAMPLES if m is not Workspace]))
    def test_that_makes_a_row_is_one_version(self, acme, neighbour, model, way):
        before, others = version_of(acme.workspace), version_of(neighbour)
        earlier = stored(acme.workspace)

        row_id = way(model, SAMPLES[model].new(acme), SAMPLES[model].unique)

        assert_one_version(acme.workspace, before=before, kind=model._meta.model_name, row_id=row_id)
        assert roster_rows(workspace_id=acme.workspace.pk, version=before) == earlier
        assert version_of(neighbour) == others

    @pytest.mark.parametrize(
        ("model", "way"), cases({n: w for n, w in CREATING.items() if n != "a related manager"}, [Workspace])
    )
    def test_that_makes_a_workspace_is_its_first_version(self, acme, model, way):
        row_id = way(model, SAMPLES[model].new(acme), SAMPLES[model].unique)

        assert_one_version(Workspace.objects.get(pk=row_id), before=0, kind="workspace", row_id=row_id)

    @pytest.mark.parametrize(("model", "way"), cases(CHANGING, SAMPLES))
    def test_that_changes_a_row_is_one_version(self, acme, neighbour, model, way):
        sample = SAMPLES[model]
        row = acme.workspace if model is Workspace else model.objects.create(**sample.new(acme))
        before, others = version_of(acme.workspace), version_of(neighbour)
        earlier = stored(acme.workspace)

        way(model, model.objects.get(pk=row.pk), sample.field, sample.value)

        assert getattr(model.objects.get(pk=row.pk), sample.field) == sample.value
        assert_one_version(acme.workspace, before=before, kind=model._meta.model_name, row_id=row.pk)
        assert roster_rows(workspace_id=acme.workspace.pk, version=before) == earlier
        assert version_of(neighbour) == others

    @pytest.mark.parametrize(("model", "way"), cases(CHANGING, SAMPLES))
    def test_that_changes_nothing_is_no_version(self, acme, model, way):
        sample = SAMPLES[model]
        row = acme.workspace if model is Workspace else model.objects.create(**sample.new(acme))
        before = version_of(acme.workspace)
        row = model.objects.get(pk=row.pk)

        way(model, row, sample.field, getattr(row, sample.field))

        assert version_of(acme.workspace) == before

    @pytest.mark.parametrize(("model", "way"), cases(DELETING, [m for m in SAMPLES if m is not Workspace]))
    def test_that_deletes_a_row_is_one_version(self, acme, model, way):
        row = model.objects.create(**SAMPLES[model].new(acme))
        row_id, before = row.pk, version_of(acme.workspace)

        way(model, row)

        assert_one_version(acme.workspace, before=before, kind=model._meta.model_name, row_id=row_id)
        assert RosterChange.objects.get(workspace=acme.workspace, version=before + 1).values is None

    @pytest.mark.parametrize(("model", "way"), cases(DELETING, [Workspace]))
    def test_that_deletes_a_workspace_takes_its_history_along(self, db, model, way):
        workspace = Workspace.objects.create(slug="brief", name="Brief")
        kept = RosterChange.objects.filter(workspace=workspace.pk)
        assert kept.exists()

        way(model, workspace)

        assert not kept.all().exists()

    def test_of_many_rows_is_one_version_for_each_workspace(self, acme, rival):
        before = version_of(acme.workspace), version_of(rival.workspace)

        assert Agent.objects.update(is_paused=True) == 4

        assert (version_of(acme.workspace), version_of(rival.workspace)) == (before[0] + 1, before[1] + 1)
        changed = RosterChange.objects.filter(workspace=acme.workspace, version=before[0] + 1)
        assert {change.row_id for change in changed} == {acme.agent.pk, acme.colleague.pk}

    def test_keeps_only_the_rows_that_changed(self, acme):
        Agent.objects.filter(pk=acme.agent.pk).update(is_paused=True)

        Agent.objects.filter(workspace=acme.workspace).update(is_paused=True)

        changed = RosterChange.objects.filter(workspace=acme.workspace, version=version_of(acme.workspace))
        assert [change.row_id for change in changed] == [acme.colleague.pk]

    def test_of_more_rows_than_one_statement_takes_is_one_version(self, acme, monkeypatch):
        monkeypatch.setattr(roster, "_ROWS_A_STATEMENT", 2)
        monkeypatch.setattr(roster._batches, "__defaults__", (2,))
        before = version_of(acme.workspace)

        Shift.objects.bulk_create(
            Shift(workspace=acme.workspace, agent=acme.agent, weekday=day, start_minute=1, end_minute=2)
            for day in range(5)
        )
        assert Shift.objects.filter(start_minute=1).update(end_minute=F("weekday") + 10) == 5
        assert Shift.objects.filter(start_minute=1).delete() == (5, {"agents.Shift": 5})

        assert version_of(acme.workspace) == before + 3
        assert roster_rows(workspace_id=acme.workspace.pk, version=before + 3) == stored(acme.workspace)

    def test_of_several_statements_is_one_version(self, acme):
        before = version_of(acme.workspace)
        acme.agent.name, acme.colleague.name = "Marta R.", "João L."

        Agent.objects.bulk_update([acme.agent, acme.colleague], ["name"], batch_size=1)

        assert version_of(acme.workspace) == before + 1

    def test_that_is_rolled_back_leaves_nothing(self, acme):
        before = version_of(acme.workspace)

        with transaction.atomic():
            Agent.objects.filter(pk=acme.agent.pk).update(is_paused=True)
            transaction.set_rollback(True)

        assert version_of(acme.workspace) == before
        assert roster_rows(workspace_id=acme.workspace.pk, version=before + 9) == stored(acme.workspace)

    def test_that_the_database_refuses_leaves_nothing(self, acme):
        before = version_of(acme.workspace)

        with pytest.raises(ProtectedError), transaction.atomic():
            acme.agent.delete()

        assert version_of(acme.workspace) == before


@pytest.mark.portable
class TestRelatedManagers:
    def test_add_is_one_version(self, acme):
        more = Handle.objects.create(workspace=acme.workspace, agent=acme.agent, channel="sms", value="+34600111222")
        before = version_of(acme.workspace)

        acme.colleague.handles.add(acme.handle, more)

        assert version_of(acme.workspace) == before + 1
        assert roster_rows(workspace_id=acme.workspace.pk, version=before + 1) == stored(acme.workspace)

    @pytest.mark.parametrize(
        "write",
        [
            lambda a: a.agent.fallback_of.add(a.workspace),
            lambda a: a.agent.fallback_of.set([a.workspace]),
            lambda a: a.agent.fallback_of.add(a.workspace, bulk=False),
        ],
        ids=["add", "set", "add one by one"],
    )
    def test_naming_the_fallback_agent_is_one_version(self, acme, write):
        before = version_of(acme.workspace)

        write(acme)

        assert_one_version(acme.workspace, before=before, kind="workspace", row_id=acme.workspace.pk)

    @pytest.mark.parametrize(
        "write",
        [
            lambda a: a.agent.fallback_of.remove(a.workspace),
            lambda a: a.agent.fallback_of.clear(),
            lambda a: a.agent.fallback_of.set([]),
            lambda a: a.agent.fallback_of.clear(bulk=False),
            lambda a: a.agent.fallback_of.update(fallback_agent=None),
        ],
        ids=["remove", "clear", "set", "clear one by one", "update"],
    )
    def test_dropping_the_fallback_agent_is_one_version(self, acme, write):
        Workspace.objects.filter(pk=acme.workspace.pk).update(fallback_agent=acme.agent)
        acme.workspace.refresh_from_db()
        before = version_of(acme.workspace)

        write(acme)

        assert_one_version(acme.workspace, before=before, kind="workspace", row_id=acme.workspace.pk)


@pytest.mark.portable
class TestWhatStays:
    @pytest.mark.parametrize(
        ("model", "way"),
        [
            case
            for case in cases(CHANGING, [model for model in SAMPLES if model is not Workspace])
            # Where the workspace tells the row from others, an upsert under another one makes a new row.
            if not (case.values[1] is upsert and "workspace" in SAMPLES[case.values[0]].unique)
        ],
    )
    def test_no_row_moves_to_another_workspace(self, acme, rival, model, way):
        row = model.objects.create(**SAMPLES[model].new(acme))

        with pytest.raises(FixedFieldError, match=r"stays in its workspace|another workspace"), transaction.atomic():
            way(model, row, "workspace", rival.workspace)

        assert model.objects.get(pk=row.pk).workspace_id == acme.workspace.pk

    @pytest.mark.parametrize("way", [pytest.param(w, id=n) for n, w in CHANGING.items() if w is not upsert])
    @pytest.mark.parametrize("row", ["agent", "team"])
    def test_slugs_of_agents_and_teams_stay(self, acme, row, way):
        row = getattr(acme, row)

        with pytest.raises(FixedFieldError, match="never changes"), transaction.atomic():
            way(type(row), row, "slug", "other")

    def test_upserting_never_reaches_another_workspace(self, acme, rival):
        theirs = rival.shift
        forged = Shift(
            pk=theirs.pk, workspace=acme.workspace, agent=acme.agent, weekday=1, start_minute=1, end_minute=2
        )

        with pytest.raises(FixedFieldError), transaction.atomic():
            Shift.objects.bulk_create([forged], update_conflicts=True, update_fields=["weekday"], unique_fields=["id"])

        theirs.refresh_from_db()
        assert theirs.weekday == 0
