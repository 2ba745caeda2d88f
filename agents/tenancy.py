"""The wall between workspaces, in the database itself."""

from collections.abc import Sequence
from typing import Any, cast

from django.core import checks
from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.ddl_references import Columns, Statement, Table
from django.utils.translation import gettext_lazy as _


class SameWorkspace(models.BaseConstraint):
    """The row that `field` points to belongs to the same workspace as this row.

    A composite foreign key, `(workspace_id, field_id)` to the target's `(workspace_id, id)`, checked at commit. The
    target needs `UniqueConstraint(fields=["workspace", "id"])`. `workspace` names the column that says whose row this
    is: on a workspace itself that is its own `id`. Where `field` is null the database checks nothing.
    """

    default_violation_error_message = _("This %(target)s belongs to another workspace. Choose one of this workspace.")

    def __init__(
        self,
        *,
        field: str,
        name: str,
        workspace: str = "workspace",
        violation_error_code: str | None = None,
        violation_error_message: Any = None,
    ) -> None:
        self.field = field
        self.workspace = workspace
        super().__init__(
            name=name,
            violation_error_code=violation_error_code,
            violation_error_message=violation_error_message,
        )

    def constraint_sql(self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor) -> str | None:
        if not _takes_constraints_inline_only(schema_editor):
            # As Django's own foreign keys: when every table of the migration exists.
            schema_editor.deferred_sql.append(self.create_sql(model, schema_editor))
            return None
        return f"CONSTRAINT {schema_editor.quote_name(self.name)} {self._foreign_key(model, schema_editor)}"

    def create_sql(self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor) -> Statement:
        if _takes_constraints_inline_only(schema_editor):
            raise NotImplementedError("SQLite takes a foreign key only when it makes the table.")
        return Statement(
            "ALTER TABLE %(table)s ADD CONSTRAINT %(name)s %(definition)s",
            table=Table(model._meta.db_table, schema_editor.quote_name),
            name=schema_editor.quote_name(self.name),
            definition=self._foreign_key(model, schema_editor),
        )

    def remove_sql(self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor) -> Statement:
        return Statement(
            "ALTER TABLE %(table)s DROP CONSTRAINT %(name)s",
            table=Table(model._meta.db_table, schema_editor.quote_name),
            name=schema_editor.quote_name(self.name),
        )

    def validate(
        self,
        model: type[models.Model],
        instance: models.Model,
        exclude: Any = None,
        using: str = DEFAULT_DB_ALIAS,
    ) -> None:
        """Raise a ValidationError at `field`. `workspace` may be excluded: forms carry it outside their fields."""
        if exclude and self.field in exclude:
            return
        target = self._target(model)
        target_id = getattr(instance, f"{self.field}_id")
        workspace_id = getattr(instance, "id" if self.workspace == "id" else "workspace_id")
        if target_id is None or (workspace_id is None and self.workspace == "workspace"):
            return
        rows = target._base_manager.using(using)
        # A workspace that is being made has no id yet, so nothing can be its own.
        if not rows.filter(pk=target_id, workspace_id=workspace_id).exists():
            raise ValidationError(
                {
                    self.field: ValidationError(
                        str(self.violation_error_message),
                        code=self.violation_error_code or "other_workspace",
                        params={"target": target._meta.verbose_name},
                    )
                }
            )

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        path, args, kwargs = super().deconstruct()
        kwargs["field"] = self.field
        if self.workspace != "workspace":
            kwargs["workspace"] = self.workspace
        return path, args, kwargs

    def __eq__(self, other: object) -> bool:
        if isinstance(other, SameWorkspace):
            return self.deconstruct() == other.deconstruct()
        return NotImplemented

    def __hash__(self) -> int:
        return hash((self.name, self.field, self.workspace))

    def __repr__(self) -> str:
        return f"<SameWorkspace: field={self.field!r} name={self.name!r}>"

    def _foreign_key(self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor) -> Statement:
        target = self._target(model)
        own = [_column(model, name) for name in (self.workspace, self.field)]
        theirs = [_column(target, name) for name in ("workspace", "id")]
        return Statement(
            "FOREIGN KEY (%(own)s) REFERENCES %(to_table)s (%(theirs)s) DEFERRABLE INITIALLY DEFERRED",
            own=Columns(model._meta.db_table, own, schema_editor.quote_name),
            to_table=Table(target._meta.db_table, schema_editor.quote_name),
            theirs=Columns(target._meta.db_table, theirs, schema_editor.quote_name),
        )

    def _target(self, model: type[models.Model]) -> type[models.Model]:
        target: Any = model._meta.get_field(self.field).related_model
        return cast("type[models.Model]", target)

    def _check(self, model: type[models.Model], connection: Any) -> list[checks.CheckMessage]:
        target = self._target(model)
        if any(
            isinstance(constraint, models.UniqueConstraint) and set(constraint.fields) == {"workspace", "id"}
            for constraint in target._meta.constraints
        ):
            return []
        return [
            checks.Error(
                f"{self.name}: {target._meta.label} has no UniqueConstraint(fields=['workspace', 'id']).",
                hint="The database lets a composite foreign key point only to columns that are unique together.",
                obj=model,
                id="agents.E001",
            )
        ]


def _column(model: type[models.Model], name: str) -> str:
    field: Any = model._meta.get_field(name)
    return str(field.column)


def _takes_constraints_inline_only(schema_editor: BaseDatabaseSchemaEditor) -> bool:
    return schema_editor.connection.vendor == "sqlite"
