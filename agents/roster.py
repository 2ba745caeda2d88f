"""The roster's memory: whatever writes a roster row raises its workspace's version and keeps the row's new values.

A write looks the same from every side: lock the workspaces whose rows it touches, remember these rows, write, look
again. What differs goes into the history under one new version for each workspace; where nothing differs, no version
is spent. The lock makes roster writes of one workspace wait for each other, so versions tell their order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.core import checks
from django.db import models, router, transaction
from django.db.models import F
from django.utils.translation import gettext as _

from agents.scoping import TenantQuerySet, workspace_path

if TYPE_CHECKING:
    from agents.models import RosterChange, Workspace

Values = dict[str, Any]
_ROWS_A_STATEMENT = 5_000  # SQLite takes at most 32,766 parameters

_open_change: ContextVar[_Change | None] = ContextVar("open_roster_change", default=None)
_actor: ContextVar[Any] = ContextVar("roster_actor", default=None)
_companions: dict[type[models.Model], list[tuple[type[models.Model], str]]] = defaultdict(list)


class FixedFieldError(ValueError):
    """A write would change what stays as it was made: a row's workspace, or the slug that policies name it by."""


class RosterQuerySet(TenantQuerySet):
    """Bulk writes that keep the history. Reading is as ever."""

    def update(self, **kwargs: Any) -> int:
        if self.query.is_sliced:
            raise TypeError("Cannot update a query once a slice has been taken.")
        self._for_write = True
        with one_change(using=self.db) as change:
            batches = _batches(change.claim(self))
            # The claimed rows and no others: what matches only now may lie in a workspace that is not locked.
            return sum(models.QuerySet.update(self.filter(pk__in=ids), **kwargs) for ids in batches)

    update.alters_data = True  # type: ignore[attr-defined]

    def delete(self) -> tuple[int, dict[str, int]]:
        if self.query.is_sliced:
            raise TypeError("Cannot use 'limit' or 'offset' with delete().")
        self._for_write = True
        deleted: dict[str, int] = defaultdict(int)
        with one_change(using=self.db) as change:
            for ids in _batches(change.claim(self)):
                for label, count in models.QuerySet.delete(self.filter(pk__in=ids))[1].items():
                    deleted[label] += count
        return sum(deleted.values()), dict(deleted)

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]

    def bulk_create(
        self,
        objs: Iterable[Any],
        batch_size: int | None = None,
        ignore_conflicts: bool = False,
        update_conflicts: bool = False,
        update_fields: Collection[str] | None = None,
        unique_fields: Collection[str] | None = None,
    ) -> list[Any]:
        objs = list(objs)
        self._for_write = True
        with one_change(using=self.db) as change:
            conflicts = ignore_conflicts or update_conflicts
            if conflicts:
                # Which rows it changed or made, the database does not tell: all that it can reach are compared.
                change.claim(self._reached_by(objs))
            else:
                change.lock(_workspaces_of(self.model, objs))
            if update_conflicts:
                self._refuse_rows_out_of_reach(objs, unique_fields or ())
            created = super().bulk_create(
                objs,
                batch_size=batch_size,
                ignore_conflicts=ignore_conflicts,
                update_conflicts=update_conflicts,
                update_fields=update_fields,
                unique_fields=unique_fields,
            )
            if conflicts:
                change.made(self.model, self._reached_by(objs).values_list("pk", flat=True))
            else:
                change.made(self.model, [row.pk for row in objs])
        return created

    def bulk_update(self, objs: Iterable[Any], fields: Iterable[str], batch_size: int | None = None) -> int:
        self._for_write = True
        with one_change(using=self.db):
            return super().bulk_update(objs, fields, batch_size=batch_size)

    bulk_update.alters_data = True  # type: ignore[attr-defined]

    def update_or_create(self, defaults: Any = None, create_defaults: Any = None, **kwargs: Any) -> tuple[Any, bool]:
        self._for_write = True
        with one_change(using=self.db) as change:
            # Django locks the row first and would then wait for its workspace, which another write holds that waits
            # for this row.
            change.claim(self.filter(**kwargs))
            return super().update_or_create(defaults, create_defaults, **kwargs)

    update_or_create.alters_data = True  # type: ignore[attr-defined]

    def _reached_by(self, objs: Sequence[Any]) -> models.QuerySet[Any]:
        rows: models.QuerySet[Any] = self.model._base_manager.using(self.db)
        if workspace_path(self.model) == "id":
            return rows.filter(
                models.Q(pk__in=[w.pk for w in objs if w.pk]) | models.Q(slug__in=[w.slug for w in objs])
            )
        return rows.filter(workspace_id__in=_workspaces_of(self.model, objs))

    def _refuse_rows_out_of_reach(self, objs: Sequence[Any], unique_fields: Collection[str]) -> None:
        fields = [self.model._meta.pk if name == "pk" else self.model._meta.get_field(name) for name in unique_fields]
        reached = self._reached_by(objs).values("pk")
        for batch in _batches(objs, size=500):
            same = models.Q()
            for row in batch:
                same |= models.Q(**{field.attname: getattr(row, field.attname) for field in fields})
            if self.model._base_manager.using(self.db).filter(same).exclude(pk__in=reached).exists():
                raise FixedFieldError(_("A row of another workspace has these values already."))


class RosterModel(models.Model):
    """A row of the roster. See this module's first lines for what a write does.

    Foreign keys are PROTECT and there are no automatic through tables, because Django writes both past models and
    querysets; a system check says so.
    """

    # Fields beside `workspace` that stay as they were made.
    fixed_fields: tuple[str, ...] = ()
    # Fields that say nothing about who may take a lead, and so are no part of the history.
    bookkeeping_fields: tuple[str, ...] = ("created_at",)

    objects = models.Manager.from_queryset(RosterQuerySet)()

    class Meta:
        abstract = True
        base_manager_name = "objects"

    def _save_table(
        self,
        raw: bool = False,
        cls: Any = None,
        force_insert: bool = False,
        force_update: bool = False,
        using: str | None = None,
        update_fields: Collection[str] | None = None,
    ) -> bool:
        # Every kind of save comes through here. `save` and `save_base` would miss fixtures: loaddata calls the
        # `save_base` of Model itself.
        with one_change(using=using) as change:
            if self.pk is not None:
                change.claim(type(self)._base_manager.using(using).filter(pk=self.pk))
            if workspace_path(type(self)) != "id":
                change.lock({self.workspace_id})  # type: ignore[attr-defined]
            updated: bool = super()._save_table(raw, cls, force_insert, force_update, using, update_fields)  # type: ignore[misc]
            change.made(type(self), [self.pk])
        return updated

    def delete(self, using: str | None = None, keep_parents: bool = False) -> tuple[int, dict[str, int]]:
        using = using or router.db_for_write(type(self), instance=self)
        with one_change(using=using) as change:
            change.claim(type(self)._base_manager.using(using).filter(pk=self.pk))
            return super().delete(using=using, keep_parents=keep_parents)

    delete.alters_data = True  # type: ignore[attr-defined]

    @classmethod
    def history_kind(cls) -> str:
        """The name of these rows in the history."""
        return str(_concrete(cls)._meta.model_name)

    @classmethod
    def history_fields(cls) -> list[models.Field[Any, Any]]:
        """What the history keeps of a row: every column but its id, its workspace and bookkeeping."""
        return [
            field
            for field in cls._meta.concrete_fields
            if field.name not in ("id", "workspace", *cls.bookkeeping_fields)
        ]

    @classmethod
    def check(cls, **kwargs: Any) -> list[checks.CheckMessage]:
        errors = super().check(**kwargs)
        for many in cls._meta.many_to_many:
            if many.remote_field.through._meta.auto_created:
                errors.append(checks.Error(f"{many} has an automatic through table.", obj=cls, id="agents.E002"))
        for field in cls._meta.concrete_fields:
            if isinstance(field, models.ForeignKey) and field.remote_field.on_delete is not models.PROTECT:
                errors.append(checks.Error(f"{field} is not PROTECT.", obj=cls, id="agents.E003"))
        return errors


@contextmanager
def one_change(*, using: str | None = None) -> Iterator[_Change]:
    """Everything written inside is one transaction and one version for each workspace: a file, a form with its rows.

    The version is raised and the history written when the outermost block ends. Nobody else writes the rosters
    concerned meanwhile, so do nothing slow inside.
    """
    using = using or router.db_for_write(apps.get_model("agents.RosterChange"))
    current = _open_change.get()
    if current is not None and current.using == using:
        yield current
        return
    with transaction.atomic(using=using):
        change = _Change(using)
        token = _open_change.set(change)
        try:
            yield change
        finally:
            _open_change.reset(token)
        change.finish()


@contextmanager
def acting_as(user: Any) -> Iterator[None]:
    """Roster changes made inside are written down to this user; to nobody where it is None or not logged in."""
    token = _actor.set(user)
    try:
        yield
    finally:
        _actor.reset(token)


def accompany(row_model: type[RosterModel], companion_model: type[models.Model], field: str = "agent") -> None:
    """From now on every new row of `row_model`, however written, gets a `companion_model` row in its transaction.

    The companion points to the row by `field`, and carries the row's workspace where it has one. A companion that
    exists already is kept.
    """
    if (companion_model, field) not in _companions[row_model]:
        _companions[row_model].append((companion_model, field))


def roster_rows(*, workspace_id: int, version: int) -> dict[str, dict[int, Values]]:
    """The whole roster as it stood at this version: {kind: {row id: values}}, kinds and rows in order.

    Values are plain JSON by column name (`agent_id`, not `agent`). Version 0 is empty.
    """
    changes = _changes(workspace_id).filter(version__lte=version)
    newest = changes.filter(kind=models.OuterRef("kind"), row_id=models.OuterRef("row_id")).order_by("-version")
    return {
        kind: rows
        for kind, found in _by_kind(changes.filter(version=models.Subquery(newest.values("version")[:1]))).items()
        if (rows := {row_id: values for row_id, values in found.items() if values is not None})
    }


def changes_between(*, workspace_id: int, after: int, until: int) -> dict[str, dict[int, Values | None]]:
    """What leads from version `after` to version `until`: {kind: {row id: new values}}, None for rows that are gone."""
    return _by_kind(_changes(workspace_id).filter(version__gt=after, version__lte=until))


def history(
    *, workspace: Workspace, since: datetime | None = None, until: datetime | None = None
) -> models.QuerySet[RosterChange]:
    """Who changed what in [since, until), the newest first."""
    changes = _changes(workspace.pk)
    if since is not None:
        changes = changes.filter(changed_at__gte=since)
    if until is not None:
        changes = changes.filter(changed_at__lt=until)
    return changes.select_related("actor").order_by("-version", "kind", "row_id")


class _Change:
    """The rows that one write touches, as they were before it, and the workspaces it has locked."""

    def __init__(self, using: str) -> None:
        self.using = using
        self.locked: set[int] = set()
        # Workspaces in memory whose version is to follow the database's.
        self.workspaces: list[Workspace] = []
        self._before: dict[type[RosterModel], dict[int, _Row | None]] = defaultdict(dict)

    def lock(self, workspace_ids: Iterable[int | None]) -> None:
        """Make other roster writes of these workspaces wait until the transaction ends. Always in the order of ids."""
        wanted = sorted({i for i in workspace_ids if i is not None} - self.locked)
        if wanted:
            # no_key: leads that point to the workspace are written meanwhile.
            rows = self._workspace_rows().filter(pk__in=wanted).order_by("pk").select_for_update(no_key=True)
            self.locked.update(rows.values_list("pk", flat=True))

    def claim(self, rows: models.QuerySet[Any]) -> list[int]:
        """Lock the workspaces of these rows and remember the rows as they are then. Returns their ids."""
        rows = rows.order_by().using(self.using)
        path = workspace_path(rows.model)
        while True:
            found = dict(rows.values_list("pk", path))
            if self.locked.issuperset(found.values()):
                break
            self.lock(found.values())
        model = _concrete(rows.model)
        unseen = [row_id for row_id in found if row_id not in self._before[model]]
        self._before[model].update(self._read(model, unseen))
        return list(found)

    def made(self, model: type[RosterModel], row_ids: Iterable[int]) -> None:
        """These rows were written; those that nobody claimed before are new."""
        before = self._before[_concrete(model)]
        for row_id in row_ids:
            before.setdefault(row_id, None)

    def finish(self) -> None:
        """Compare, and write down what changed."""
        changed: dict[int, list[tuple[type[RosterModel], int, _Row | None]]] = defaultdict(list)
        gone: set[int] = set()
        for model, before in self._before.items():
            after = self._read(model, before)
            for row_id, old in before.items():
                new = after.get(row_id)
                if old == new:
                    continue
                if old is not None and new is not None:
                    _refuse_change_of_fixed_fields(model, old, new)
                workspace_id, _values = new or old  # type: ignore[misc]
                changed[workspace_id].append((model, row_id, new))
                if new is None and model._meta.label == "agents.Workspace":
                    gone.add(row_id)
        for workspace_id in sorted(changed.keys() - gone):
            self._write_down(workspace_id, changed[workspace_id])
        versions = dict(
            self._workspace_rows().filter(pk__in=[w.pk for w in self.workspaces]).values_list("pk", "roster_version")
        )
        for workspace in self.workspaces:
            workspace.roster_version = versions.get(workspace.pk, workspace.roster_version)
        self._make_companions(changed)

    def _write_down(self, workspace_id: int, rows: list[tuple[type[RosterModel], int, _Row | None]]) -> None:
        workspace = self._workspace_rows().filter(pk=workspace_id)
        # The plain update: the roster's own would record the recording.
        models.QuerySet.update(workspace, roster_version=F("roster_version") + 1)
        version = workspace.values_list("roster_version", flat=True).get()
        user = _actor.get()
        actor_id = user.pk if user is not None and user.is_authenticated else None
        change = apps.get_model("agents.RosterChange")
        change._base_manager.using(self.using).bulk_create(
            [
                change(
                    workspace_id=workspace_id,
                    version=version,
                    kind=model.history_kind(),
                    row_id=row_id,
                    values=None if row is None else row[1],
                    actor_id=actor_id,
                )
                for model, row_id, row in rows
            ],
            batch_size=1_000,
        )

    def _make_companions(self, changed: dict[int, list[tuple[type[RosterModel], int, _Row | None]]]) -> None:
        new: dict[type[RosterModel], list[tuple[int, int]]] = defaultdict(list)
        for workspace_id, rows in changed.items():
            for model, row_id, row in rows:
                if row is not None and self._before[model][row_id] is None:
                    new[model].append((workspace_id, row_id))
        for model, found in new.items():
            for companion, field in _companions[model]:
                attname = companion._meta.get_field(field).attname
                companion._base_manager.using(self.using).bulk_create(
                    [
                        companion(**{"workspace_id": workspace_id, attname: row_id})
                        if _has_workspace(companion)
                        else companion(**{attname: row_id})
                        for workspace_id, row_id in found
                    ],
                    batch_size=1_000,
                    ignore_conflicts=True,
                )

    def _read(self, model: type[RosterModel], row_ids: Collection[int]) -> dict[int, _Row]:
        fields = model.history_fields()
        columns = [field.attname for field in fields]
        found: dict[int, _Row] = {}
        for batch in _batches(list(row_ids)):
            rows = model._base_manager.using(self.using).filter(pk__in=batch)
            for row_id, workspace_id, *values in rows.values_list("pk", workspace_path(model), *columns):
                found[row_id] = workspace_id, dict(zip(columns, map(_as_json, values), strict=True))
        return found

    def _workspace_rows(self) -> models.QuerySet[Workspace]:
        return apps.get_model("agents.Workspace")._base_manager.using(self.using)


_Row = tuple[int, Values]  # its workspace's id, and what the history keeps


def _concrete(model: type[Any]) -> type[RosterModel]:
    """The model itself for its proxies, whose rows are the same."""
    concrete: type[RosterModel] = model._meta.concrete_model
    return concrete


def _as_json(value: Any) -> Any:
    # isoformat and not Django's encoder, which drops microseconds.
    return value.isoformat() if hasattr(value, "isoformat") else value


def _refuse_change_of_fixed_fields(model: type[RosterModel], old: _Row, new: _Row) -> None:
    if old[0] != new[0]:
        raise FixedFieldError(
            _("A %(kind)s stays in its workspace. Make a new one there instead.") % {"kind": model._meta.verbose_name}
        )
    for name in model.fixed_fields:
        if old[1][name] != new[1][name]:
            raise FixedFieldError(
                _("The %(field)s of a %(kind)s never changes, because rules name it. Make a new one instead.")
                % {"field": name, "kind": model._meta.verbose_name}
            )


def _has_workspace(model: type[models.Model]) -> bool:
    return any(field.name == "workspace" for field in model._meta.concrete_fields)


def _workspaces_of(model: type[models.Model], rows: Iterable[Any]) -> set[int]:
    path = workspace_path(model)
    return {getattr(row, path) for row in rows} - {None}


def _batches(ids: Sequence[Any], size: int = _ROWS_A_STATEMENT) -> list[Sequence[Any]]:
    """In pieces that one statement can carry; one empty piece where there is nothing, so that it is still checked."""
    return [ids[start : start + size] for start in range(0, max(len(ids), 1), size)]


def _changes(workspace_id: int) -> models.QuerySet[RosterChange]:
    return apps.get_model("agents.RosterChange")._default_manager.filter(workspace_id=workspace_id)


def _by_kind(changes: models.QuerySet[RosterChange]) -> dict[str, dict[int, Any]]:
    """The newest values of each row, kinds and rows in order."""
    found: dict[str, dict[int, Any]] = {}
    for kind, row_id, values in changes.order_by("kind", "row_id", "version").values_list("kind", "row_id", "values"):
        found.setdefault(kind, {})[row_id] = values
    return found
