"""Whatever writes a roster row raises the workspace's version and keeps the row's new values under it."""

import json
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import AnonymousUser
from django.core import checks, serializers
from django.db import IntegrityError, connection, models, transaction
from django.db.models import F, ProtectedError
from django.test.utils import isolate_apps

from agents import roster
from agents.models import (
    Agent,
    Handle,
    Membership,
    RosterChange,
    Shift,
    Site,
    Team,
    TeamMember,
    TimeOff,
    User,
    Workspace,
)
from agents.roster import (
    FixedFieldError,
    RosterModel,
    accompany,
    acting_as,
    changes_between,
    history,
    one_change,
    roster_rows,
)
from tests.agents.conftest import make_house

BOOKKEEPING = {"id", "workspace_id", "created_at"}
BOOKKEEPING_OF_WORKSPACE = BOOKKEEPING | {"roster_version", "policy_version"}


async def _awaited(awaitable):
    return await awaitable


wait = async_to_sync(_awaited)


def roster_models() -> list[type[RosterModel]]:
    found, seen = [RosterModel], []
    while found:
        model = found.pop()
        found += model.__subclasses__()
        if not model._meta.abstract and model.__module__.startswith("agents."):
            seen.append(model)
    return sorted(set(seen), key=lambda model: model.__name__)


def stored(workspace: Workspace) -> dict:
    """The roster as the tables have it, read past everything that is tested here."""
    found = {}
    for model in roster_models():
        is_workspace = model is Workspace
        rows = model._base_manager.filter(**{"pk" if is_workspace else "workspace": workspace.pk})
        kept = {
            row["id"]: {
                name: value.isoformat() if isinstance(value, datetime) else value
                for name, value in row.items()
                if name not in (BOOKKEEPING_OF_WORKSPACE if is_workspace else BOOKKEEPING)
            }
            for row in rows.order_by("pk").values()
        }
        if kept:
            found[model._meta.model_name] = kept
    return found


def version_of(workspace: Workspace) -> int:
    return Workspace.objects.values_list("roster_version", flat=True).get(pk=workspace.pk)


@dataclass(frozen=True)
class Sample:
    """How to make a row of a model, how to find it again, and one change to make to it."""

    new: Callable[..., dict]  # house -> values of a row that does not exist yet
    unique: tuple[str, ...]  # the values that no second row may have
    field: str
    value: object


SAMPLES: dict[type[RosterModel], Sample] = {
    Agent: Sample(
        lambda h: {"workspace": h.workspace, "slug": "ana", "name": "Ana"}, ("workspace", "slug"), "tags", ["x"]
    ),
    Handle: Sample(
        lambda h: {"workspace": h.workspace, "agent": h.agent, "channel": "telegram", "value": "marta_acme"},
        ("agent", "channel"),
        "value",
        "marta_iberia",
    ),
    Shift: Sample(
        lambda h: {"workspace": h.workspace, "agent": h.agent, "weekday": 4, "start_minute": 0, "end_minute": 60},
        ("id",),
        "end_minute",
        1440,
    ),
    Team: Sample(
        lambda h: {"workspace": h.workspace, "slug": "nordics", "name": "Nordics"},
        ("workspace", "slug"),
        "archived_at",
        datetime(2026, 3, 2, 10, 0, 0, 123000, tzinfo=UTC),
    ),
    TeamMember: Sample(
        lambda h: {"workspace": h.workspace, "team": h.team, "agent": h.colleague, "weight": 2},
        ("team", "agent"),
        "weight",
        7,
    ),
    TimeOff: Sample(
        lambda h: {
            "workspace": h.workspace,
            "agent": h.agent,
            "starts_local": "2026-12-24T12:00",
            "ends_local": "2026-12-25T00:00",
        },
        ("id",),
        "note",
        "at the sea",
    ),
    Workspace: Sample(lambda h: {"slug": "annex", "name": "Annex"}, ("slug",), "timezone", "America/Bogota"),
}


def test_every_roster_model_has_a_sample():
    assert roster_models() == sorted(SAMPLES, key=lambda model: model.__name__)


# Ways to make one row, given the model and its values. Each returns the row's id.


def _found(model, values, unique):
    return model._base_manager.filter(**{name: values[name] for name in unique if name in values}).latest("pk").pk


def _as_fixture(model, values, pk):
    instance = model(pk=pk, **values)
    instance.created_at = datetime(2026, 1, 1, tzinfo=UTC)
    return json.loads(serializers.serialize("json", [instance]))


def _load(objects):
    for loaded in serializers.deserialize("json", json.dumps(objects)):
        loaded.save()


CREATING = {
    "save": lambda m, v, u: _saved(m(**v)),
    "save of a chosen id": lambda m, v, u: _saved(m(pk=987_654, **v)),
    "force_insert": lambda m, v, u: _saved(m(**v), force_insert=True),
    "asave": lambda m, v, u: _asaved(m(**v)),
    "create": lambda m, v, u: m.objects.create(**v).pk,
    "acreate": lambda m, v, u: wait(m.objects.acreate(**v)).pk,
    "get_or_create": lambda m, v, u: m.objects.get_or_create(**v)[0].pk,
    "aget_or_create": lambda m, v, u: wait(m.objects.aget_or_create(**v))[0].pk,
    "update_or_create": lambda m, v, u: m.objects.update_or_create(**v)[0].pk,
    "aupdate_or_create": lambda m, v, u: wait(m.objects.aupdate_or_create(**v))[0].pk,
    "bulk_create": lambda m, v, u: m.objects.bulk_create([m(**v)])[0].pk,
    "abulk_create": lambda m, v, u: wait(m.objects.abulk_create([m(**v)]))[0].pk,
    "bulk_create of a chosen id": lambda m, v, u: m.objects.bulk_create([m(pk=987_654, **v)])[0].pk,
    "bulk_create ignoring conflicts": lambda m, v, u: (
        m.objects.bulk_create([m(**v)], ignore_conflicts=True) and _found(m, v, u)
    ),
    "bulk_create updating conflicts": lambda m, v, u: (
        (
            m.objects.bulk_create([m(**v)], update_conflicts=True, update_fields=["name"], unique_fields=u)
            if hasattr(m, "name")
            else m.objects.bulk_create(
                [m(**v)],
                update_conflicts=True,
                update_fields=[SAMPLES[m].field],
                unique_fields=["pk" if u == ("id",) else x for x in u],
            )
        )
        and _found(m, v, u)
    ),
    "the base manager": lambda m, v, u: m._base_manager.create(**v).pk,
    "loaddata": lambda m, v, u: _load(_as_fixture(m, v, 987_654)) or 987_654,
    "a related manager": lambda m, v, u: (
        getattr(v["workspace"], m._meta.get_field("workspace").remote_field.related_name)
        .create(**{name: value for name, value in v.items() if name != "workspace"})
        .pk
    ),
}


def _saved(instance, **kwargs):
    instance.save(**kwargs)
    return instance.pk


def _asaved(instance):
    wait(instance.asave())
    return instance.pk


def _changed(instance, field, value):
    setattr(instance, field, value)
    return instance


def _updated_as_fixture(model, instance, field, value):
    setattr(instance, field, value)
    _load(json.loads(serializers.serialize("json", [instance])))


def _unique_fields(model):
    return ["pk" if name == "id" else name for name in SAMPLES[model].unique]


def _upsert(model, instance, field, value):
    copy = model(**{f.attname: getattr(instance, f.attname) for f in model._meta.concrete_fields})
    if SAMPLES[model].unique != ("id",):
        copy.pk = None
    setattr(copy, field, value)
    model.objects.bulk_create([copy], update_conflicts=True, update_fields=[field], unique_fields=_unique_fields(model))


# Ways to change one row: (model, row, field, value).
CHANGING = {
    "save": lambda m, r, f, x: _changed(r, f, x).save(),
    "update_fields": lambda m, r, f, x: _changed(r, f, x).save(update_fields=[f]),
    "force_update": lambda m, r, f, x: _changed(r, f, x).save(force_update=True),
    "asave": lambda m, r, f, x: wait(_changed(r, f, x).asave()),
    "save of a deferred row": lambda m, r, f, x: _changed(m.objects.only("pk").get(pk=r.pk), f, x).save(),
    "loaddata": lambda m, r, f, x: _updated_as_fixture(m, r, f, x),
    "update": lambda m, r, f, x: m.objects.filter(pk=r.pk).update(**{f: x}),
    "aupdate": lambda m, r, f, x: wait(m.objects.filter(pk=r.pk).aupdate(**{f: x})),
    "the base manager": lambda m, r, f, x: m._base_manager.filter(pk=r.pk).update(**{f: x}),
    "bulk_update": lambda m, r, f, x: m.objects.bulk_update([_changed(r, f, x)], [f]),
    "abulk_update": lambda m, r, f, x: wait(m.objects.abulk_update([_changed(r, f, x)], [f])),
    "update_or_create": lambda m, r, f, x: m.objects.update_or_create({f: x}, pk=r.pk),
    "aupdate_or_create": lambda m, r, f, x: wait(m.objects.aupdate_or_create({f: x}, pk=r.pk)),
    "bulk_create updating conflicts": _upsert,
    "update of a filter over tables": lambda m, r, f, x: m.objects.filter(
        **{"pk" if m is Workspace else "workspace__slug": r.pk if m is Workspace else "acme"}, pk__in=[r.pk]
    ).update(**{f: x}),
}

DELETING = {
    "delete": lambda m, r: r.delete(),
    "adelete": lambda m, r: wait(r.adelete()),
    "a query's delete": lambda m, r: m.objects.filter(pk=r.pk).delete(),
    "a query's adelete": lambda m, r: wait(m.objects.filter(pk=r.pk).adelete()),
    "the base manager": lambda m, r: m._base_manager.filter(pk=r.pk).delete(),
}


def cases(paths, models_):
    return [
        pytest.param(model, way, id=f"{model.__name__}, {name}") for model in models_ for name, way in paths.items()
    ]


def assert_one_version(workspace, *, before, kind, row_id):
    """One version more; under it this row and no other; the tables and the history agree."""
    assert version_of(workspace) == before + 1
    changes = RosterChange.objects.filter(workspace=workspace, version=before + 1)
    assert [(c.kind, c.row_id) for c in changes] == [(kind, row_id)]
    assert roster_rows(workspace_id=workspace.pk, version=before + 1) == stored(workspace)


@pytest.mark.portable
class TestEveryWrite:
    @pytest.mark.parametrize(("model", "way"), cases(CREATING, [m for m in SAMPLES if m is not Workspace]))
    def test_that_makes_a_row_is_one_version(self, acme, rival, model, way):
        before, others = version_of(acme.workspace), version_of(rival.workspace)
        earlier = stored(acme.workspace)

        row_id = way(model, SAMPLES[model].new(acme), SAMPLES[model].unique)

        assert_one_version(acme.workspace, before=before, kind=model._meta.model_name, row_id=row_id)
        assert roster_rows(workspace_id=acme.workspace.pk, version=before) == earlier
        assert version_of(rival.workspace) == others

    @pytest.mark.parametrize(
        ("model", "way"), cases({n: w for n, w in CREATING.items() if n != "a related manager"}, [Workspace])
    )
    def test_that_makes_a_workspace_is_its_first_version(self, acme, model, way):
        row_id = way(model, SAMPLES[model].new(acme), SAMPLES[model].unique)

        assert_one_version(Workspace.objects.get(pk=row_id), before=0, kind="workspace", row_id=row_id)

    @pytest.mark.parametrize(("model", "way"), cases(CHANGING, SAMPLES))
    def test_that_changes_a_row_is_one_version(self, acme, rival, model, way):
        sample = SAMPLES[model]
        row = acme.workspace if model is Workspace else model.objects.create(**sample.new(acme))
        before, others = version_of(acme.workspace), version_of(rival.workspace)
        earlier = stored(acme.workspace)

        way(model, model.objects.get(pk=row.pk), sample.field, sample.value)

        assert getattr(model.objects.get(pk=row.pk), sample.field) == sample.value
        assert_one_version(acme.workspace, before=before, kind=model._meta.model_name, row_id=row.pk)
        assert roster_rows(workspace_id=acme.workspace.pk, version=before) == earlier
        assert version_of(rival.workspace) == others

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

        way(model, workspace)

        assert not RosterChange.objects.exists()

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
            if not (case.values[1] is _upsert and "workspace" in SAMPLES[case.values[0]].unique)
        ],
    )
    def test_no_row_moves_to_another_workspace(self, acme, rival, model, way):
        row = model.objects.create(**SAMPLES[model].new(acme))

        with pytest.raises(FixedFieldError, match=r"stays in its workspace|another workspace"), transaction.atomic():
            way(model, row, "workspace", rival.workspace)

        assert model.objects.get(pk=row.pk).workspace_id == acme.workspace.pk

    @pytest.mark.parametrize("way", [pytest.param(w, id=n) for n, w in CHANGING.items() if w is not _upsert])
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
