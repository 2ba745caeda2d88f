"""Rows that are right or wrong only together."""

from typing import Any

from django.forms import BaseInlineFormSet
from django.forms.formsets import DELETION_FIELD_NAME

from agents.models.team import check_weights


class TeamMemberFormSet(BaseInlineFormSet):
    """A team's members: their weights are judged as they will stand together, not one against what is stored."""

    def _construct_form(self, i: int, **kwargs: Any) -> Any:
        form = super()._construct_form(i, **kwargs)  # type: ignore[misc]
        form.instance.weights_are_checked_together = True
        return form

    def clean(self) -> None:
        super().clean()
        if any(self.errors):
            return
        weights = [
            form.cleaned_data.get("weight", form.instance.weight)
            for form in self.forms
            if (form.instance.pk or form.has_changed())
            and not (self.can_delete and form.cleaned_data.get(DELETION_FIELD_NAME))
        ]
        check_weights(weight for weight in weights if weight is not None)
