"""Forms over rows of one workspace."""

from typing import Any, ClassVar

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
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

    def validate_constraints(self) -> None:
        """As Django's, but what is wrong with one field is said at that field."""
        exclude = self._get_validation_exclusions()
        for model, constraints in self.instance.get_constraints():
            for constraint in constraints:
                try:
                    constraint.validate(model, self.instance, exclude=exclude)
                except ValidationError as error:
                    typed = [name for name in getattr(constraint, "fields", ()) if self._is_typed(name)]
                    if len(typed) == 1 and not hasattr(error, "error_dict"):
                        error = ValidationError({typed[0]: error})
                    self._update_errors(error)

    def _is_typed(self, name: str) -> bool:
        return name in self.fields and not isinstance(self.fields[name], InlineForeignKeyField)

    def _update_errors(self, errors: ValidationError) -> None:
        if hasattr(errors, "error_dict"):
            placed: dict[str, list[ValidationError]] = {}
            for name, found in errors.error_dict.items():
                field = name if name in self.fields else self.places.get(name, NON_FIELD_ERRORS)
                placed.setdefault(field, []).extend(found)
            errors = ValidationError(placed)
        super()._update_errors(errors)  # type: ignore[misc]
