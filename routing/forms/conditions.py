"""Conditions as rows: a group, a field, an operator, a value. A rule holds if all rows of any one group hold."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from routing.engine.conditions import ATTRIBUTE_PREFIX, FIELDS, OPERATORS, Takes
from routing.rulebook import Findings, normalise_when
from routing.rulebook.words import FIELD_LABELS

Document = dict[str, Any]

_GROUPS: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (_("The lead"), ("channel", "source", "language", "message", "returning")),
    (_("Where they are"), ("country", "region", "city", "phone_country")),
    (_("Where they came from"), ("page_path", "page_url", "page_host", "referrer")),
    (_("Campaign"), ("utm_source", "utm_medium", "utm_campaign")),
    (_("Contact"), ("email_domain",)),
    (_("Intent"), ("intent", "score")),
    (_("Time"), ("weekday", "local_time", "in_hours")),
)
_OPERATOR_LABELS: Mapping[str, Any] = {
    "is": _("is"),
    "is_not": _("is not"),
    "in": _("is one of"),
    "not_in": _("is none of"),
    "contains": _("contains"),
    "not_contains": _("does not contain"),
    "starts_with": _("starts with"),
    "ends_with": _("ends with"),
    "matches": _("matches the pattern"),
    "gt": _("is over"),
    "gte": _("is at least"),
    "lt": _("is under"),
    "lte": _("is at most"),
    "between": _("is between"),
    "is_set": _("is known"),
    "is_not_set": _("is unknown"),
}
_PAIR = re.compile(r"\s*(?:,|–|—|\.\.|\bto\b|\s-\s)\s*")
_SPARE = 3  # empty rows, so that conditions can be added without a script
_MOST_GROUPS = 200


class ConditionForm(forms.Form):
    """One row. `attribute` is the name where the field is an attribute that no choice names."""

    group = forms.IntegerField(
        label=_("Group"),
        min_value=1,
        max_value=_MOST_GROUPS,
        initial=1,
        required=False,
        widget=UnfoldAdminIntegerFieldWidget(attrs={"class": "sy-group"}),
    )
    field = forms.ChoiceField(label=_("Field"), required=False, widget=UnfoldAdminSelectWidget)
    attribute = forms.CharField(
        label=_("Name of the attribute"),
        required=False,
        max_length=64,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": _("name of the attribute"), "class": "sy-attribute"}),
    )
    op = forms.ChoiceField(
        label=_("Comparison"),
        required=False,
        initial="is",
        choices=list(_OPERATOR_LABELS.items()),
        widget=UnfoldAdminSelectWidget,
    )
    value = forms.CharField(
        label=_("Value"), required=False, widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"})
    )

    def __init__(self, *args: Any, attributes: Iterable[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        named = [(f"{ATTRIBUTE_PREFIX}{name}", name) for name in attributes]
        self.fields["field"].choices = [  # type: ignore[attr-defined]
            ("", "–"),
            *((title, [(name, FIELD_LABELS[name]) for name in names]) for title, names in _GROUPS),
            (_("Attributes"), [*named, (ATTRIBUTE_PREFIX, _("another attribute …"))]),
        ]

    @property
    def is_blank(self) -> bool:
        cleaned = self.cleaned_data
        return not cleaned.get("field") and not cleaned.get("value", "").strip()

    def condition(self) -> Document:
        """As the rulebook reads it, right or wrong."""
        cleaned = self.cleaned_data
        field, op, text = cleaned.get("field") or "", cleaned.get("op") or "is", cleaned.get("value") or ""
        if field == ATTRIBUTE_PREFIX:
            field += (cleaned.get("attribute") or "").strip()
        condition: Document = {"field": field, "op": op}
        takes = OPERATORS[op]
        if takes is Takes.MANY:
            condition["value"] = _split(text)
        elif takes is Takes.PAIR:
            condition["value"] = _PAIR.split(text.strip())
        elif text.strip():
            condition["value"] = text.strip()
        return condition


class BaseConditionFormSet(forms.BaseFormSet):
    """`when` is what the rows say together, after validation; None holds for every lead."""

    def __init__(
        self, *args: Any, when: Document | None = None, refused_fields: Mapping[str, str] | None = None, **kwargs: Any
    ) -> None:
        self.stored = when
        self.when: Document | None = when
        self.refused_fields = refused_fields
        super().__init__(*args, initial=list(_rows(when)), **kwargs)  # type: ignore[misc]

    def clean(self) -> None:
        if any(form.errors for form in self.forms):
            return
        if not self.has_changed():
            # Rows cannot show a group of one condition apart from that condition: what nobody touched stays.
            return
        rows = [form for form in self.forms if not self._should_delete_form(form) and not form.is_blank]  # type: ignore[attr-defined]
        when, places = _assembled(rows)
        findings = Findings()
        self.when = normalise_when(when, path=(), findings=findings, refused_fields=self.refused_fields)
        for path, message in findings.errors:
            self._say(path, message, places)

    def _say(self, path: tuple[Any, ...], message: str, places: dict[tuple[Any, ...], ConditionForm]) -> None:
        """At the row and column that the path leads to; over all rows where it leads to none."""
        for length in range(len(path), -1, -1):
            row = places.get(path[:length])
            if row is not None:
                column = next((step for step in path[length:] if step in ("field", "op", "value")), None)
                if column is None:
                    column = "value" if row.cleaned_data.get("field") else "field"
                if column == "field" and row.cleaned_data.get("field") == ATTRIBUTE_PREFIX:
                    column = "attribute"
                row.add_error(column, _sentence(message))
                return
        self._non_form_errors.append(_sentence(message))  # type: ignore[attr-defined]


def condition_formset(*, attributes: Iterable[str], data: Any = None, **kwargs: Any) -> BaseConditionFormSet:
    """The rows of a rule. `attributes` are names that the field offers; `when` and `refused_fields` as above."""
    used = {c["field"].removeprefix(ATTRIBUTE_PREFIX) for c in _conditions(kwargs.get("when"))} - FIELDS.keys()
    made: Any = forms.formset_factory(
        ConditionForm, formset=BaseConditionFormSet, extra=_SPARE, can_delete=True, max_num=1_000, absolute_max=1_000
    )
    names = sorted({*attributes, *used})
    formset: BaseConditionFormSet = made(data, prefix="when", form_kwargs={"attributes": names}, **kwargs)
    return formset


def _assembled(rows: list[ConditionForm]) -> tuple[Document | None, dict[tuple[Any, ...], ConditionForm]]:
    """The document of these rows, and the row of each path in it."""
    groups = [
        list(members)
        for _number, members in groupby(
            sorted(rows, key=lambda row: row.cleaned_data.get("group") or 1),
            key=lambda row: row.cleaned_data.get("group") or 1,
        )
    ]
    if not groups:
        return None, {}
    places: dict[tuple[Any, ...], ConditionForm] = {}
    if len(groups) == 1:
        for place, row in enumerate(groups[0]):
            places["all", place] = row
        return {"all": [row.condition() for row in groups[0]]}, places
    members: list[Document] = []
    for number, group in enumerate(groups):
        if len(group) == 1:
            places["any", number] = group[0]
            members.append(group[0].condition())
            continue
        for place, row in enumerate(group):
            places["any", number, "all", place] = row
        members.append({"all": [row.condition() for row in group]})
    return {"any": members}, places


def _rows(when: Document | None) -> Iterator[Document]:
    if not when:
        return
    groups = [when] if "all" in when else [m if "all" in m else {"all": [m]} for m in when["any"]]
    for number, group in enumerate(groups, start=1):
        for condition in group["all"]:
            yield {
                "group": number,
                "field": condition["field"],
                "op": condition["op"],
                "value": _shown(condition),
                "attribute": "",
            }


def _conditions(when: Document | None) -> Iterator[Document]:
    if when:
        for member in when.get("all") or when.get("any") or ():
            yield from member.get("all", [member])


def _shown(condition: Document) -> str:
    value = condition.get("value")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if condition["op"] == "between" and isinstance(value, list | tuple):
        return " – ".join(map(str, value))
    if isinstance(value, list | tuple):
        text = io.StringIO()
        csv.writer(text, lineterminator="").writerow(value)
        return text.getvalue().replace(",", ", ") if not any("," in str(one) for one in value) else text.getvalue()
    return "" if value is None else str(value)


def _split(text: str) -> list[str]:
    """Values between commas; one that holds a comma stands in double quotes."""
    values = next(csv.reader([text.replace("\n", ",")], skipinitialspace=True), [])
    return [value.strip() for value in values if value.strip()]


def _sentence(message: Any) -> str:
    message = str(message)
    return f"{message[:1].upper()}{message[1:]}" + ("" if message[-1:] in ".?)!" else ".")
