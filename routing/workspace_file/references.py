"""Whether a row may be deleted, or something needs it."""

from __future__ import annotations

from django.db import models


def is_named(row: models.Model, *, but_for: tuple[type[models.Model], ...] = ()) -> bool:
    """Whether any row of any app points to this one, those of the models in `but_for` left aside."""
    return any(
        relation.related_model._base_manager.filter(**{relation.field.name: row}).exists()
        for relation in row._meta.get_fields(include_hidden=True)
        if relation.auto_created and not relation.concrete and relation.related_model not in but_for
    )
