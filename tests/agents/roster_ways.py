"""Every way to write a roster row, for every model of the roster."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from asgiref.sync import async_to_sync
from django.core import serializers

from agents.models import (
    Agent,
    Handle,
    RosterChange,
    Shift,
    Team,
    TeamMember,
    TimeOff,
    Workspace,
)
from agents.roster import (
    RosterModel,
    roster_rows,
)

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
        if not model._meta.abstract and not model.__module__.startswith("tests."):
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


def upsert(model, instance, field, value):
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
    "bulk_create updating conflicts": upsert,
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
