"""Forms over rows of one workspace."""

from typing import Any, ClassVar

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db.models import UniqueConstraint
from django.forms.models import InlineForeignKeyField


class WorkspaceForm(forms.ModelForm):
    """A row of `workspace`, which the admin sets on the form's class for each request.

    The row belongs to the workspace before it is checked, so constraints and plans are judged here and not by the
    database. `places` says at which of the form's fields a message about a column without one is shown.
    """

    workspace: ClassVar[Any] = None
    places: ClassVar[dict[str, str]] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.workspace and self.instance._state.adding and hasattr(self.instance, "workspace_id"):
            self.instance.workspace = self.workspace

    def _get_validation_exclusions(self) -> set[str]:
        # The workspace has no field, and yet the constraints that it is a part of are to be checked.
        return super()._get_validation_exclusions() - {"workspace"}  # type: ignore[misc]

    def _update_errors(self, errors: ValidationError) -> None:
        if hasattr(errors, "error_dict"):
            placed: dict[str, list[ValidationError]] = {}
            for name, found in errors.error_dict.items():
                for error in found:
                    placed.setdefault(self._place_of(name, error), []).append(error)
            errors = ValidationError(placed)
        super()._update_errors(errors)  # type: ignore[misc]

    def _place_of(self, name: str, error: ValidationError) -> str:
        """Where the message is shown: at its field, if it has one here; else at the top."""
        if name in self.fields:
            return name
        if name != NON_FIELD_ERRORS:
            return self.places.get(name, NON_FIELD_ERRORS)
        # What a constraint over several columns finds is said at the one of them that was typed.
        for constraint in self.instance._meta.constraints:
            if not isinstance(constraint, UniqueConstraint):
                continue
            if str(error.message) == constraint.get_violation_error_message():
                typed = [column for column in constraint.fields if self._is_typed(column)]
                return typed[0] if len(typed) == 1 else NON_FIELD_ERRORS
        return NON_FIELD_ERRORS

    def _is_typed(self, name: str) -> bool:
        return name in self.fields and not isinstance(self.fields[name], InlineForeignKeyField)


class RowForm(WorkspaceForm):
    """A row inside another row's page. One that nobody touched is not checked again: a team may have hundreds."""

    def _post_clean(self) -> None:
        if self.instance._state.adding or self.has_changed():
            super()._post_clean()  # type: ignore[misc]
