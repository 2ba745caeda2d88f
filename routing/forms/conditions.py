"""Conditions as rows: a group, a field, an operator, a value. A rule holds if all rows of any one group hold."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import groupby
from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from routing.engine.conditions import ATTRIBUTE_PREFIX, FIELDS, OPERATORS, Kind, Takes, field_type
from routing.forms.choices import NOTHING, Offers, code_of, is_picked, option_groups
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
_TIME_LABELS: Mapping[str, Any] = {
    "is": _("is exactly"),
    "gt": _("is after"),
    "gte": _("is at or after"),
    "lt": _("is before"),
    "lte": _("is at or before"),
    "between": _("is between"),
}
_FIELD_LABELS: Mapping[str, Any] = {
    "returning": _("returning contact"),
    "in_hours": _("somebody on shift"),
    "page_path": _("page (path)"),
    "page_url": _("page (whole address)"),
    "page_host": _("page (website)"),
    "referrer": _("website before ours"),
    "phone_country": _("country of the phone number"),
    "source": _("source"),
}
_PICKED = {"in": "is", "not_in": "is_not"}
_ORDER = ("gt", "gte", "lt", "lte", "between")
_SEARCHED: Mapping[str, Any] = {
    "country": _("Add a country …"),
    "phone_country": _("Add a country …"),
    "language": _("Add a language …"),
    "channel": _("Add a channel …"),
    "source": _("Add a source …"),
}
_HINTS: Mapping[str, Any] = {
    "region": _("such as US-CA or ES-MD"),
    "page_path": _("such as /pricing"),
    "page_host": _("such as www.example.com"),
    "email_domain": _("such as gmail.com"),
}
_PAIR = re.compile(r"\s*(?:,|–|—|\.\.|\bto\b|\s-\s)\s*")
_SPARE = 3  # empty rows, so that conditions can be added without a script
_MOST_GROUPS = 200
_ROW = re.compile(r"(?P<prefix>when-[0-9]{1,4})-field")


class ValueInput(forms.Widget):
    """One input or several of one name; what they bring is a list, blanks left out."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        values = data.getlist(name) if hasattr(data, "getlist") else data.get(name, [])
        values = [values] if isinstance(values, str) else values
        return [value for value in values if value.strip()]


class ConditionForm(forms.Form):
    """One row. `attribute` is the name where the field is an attribute that no choice names.

    The control for the value goes by the field: the template draws it as `control` says.
    """

    group = forms.IntegerField(label=_("Set"), min_value=1, max_value=_MOST_GROUPS, initial=1, required=False)
    field = forms.ChoiceField(label=_("What about the lead"), required=False)
    attribute = forms.CharField(label=_("Name of the attribute"), required=False, max_length=64)
    op = forms.ChoiceField(label=_("Comparison"), required=False, initial="is", choices=list(_OPERATOR_LABELS.items()))
    value = forms.Field(label=_("Value"), required=False, widget=ValueInput)

    def __init__(self, *args: Any, offers: Offers = NOTHING, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offers = offers
        named = [(f"{ATTRIBUTE_PREFIX}{name}", name) for name in offers.attributes]
        self.fields["field"].choices = [  # type: ignore[attr-defined]
            ("", _("Choose …")),
            *((title, [(name, _field_label(name)) for name in names]) for title, names in _GROUPS),
            (_("Attributes"), [*named, (ATTRIBUTE_PREFIX, _("another attribute …"))]),
        ]

    @property
    def is_blank(self) -> bool:
        cleaned = self.cleaned_data
        return not cleaned.get("field") and not cleaned.get("value")

    @property
    def place(self) -> str:
        """The number of the row, by which its inputs are named."""
        return str(self.prefix).rpartition("-")[2]

    @property
    def chosen_field(self) -> str:
        return str(self["field"].value() or "")

    @property
    def field_groups(self) -> list[tuple[Any, list[tuple[str, Any]]]]:
        return self.fields["field"].choices[1:]  # type: ignore[attr-defined]

    @property
    def operators(self) -> list[tuple[str, Any]]:
        """What is offered for the field: of what is picked from a list, `is` means any of the picked."""
        type_ = field_type(self.chosen_field)
        names = type_.operators if type_ else tuple(OPERATORS)
        if is_picked(self.chosen_field):
            names = tuple(name for name in names if name not in ("in", "not_in"))
        labels = _TIME_LABELS if type_ and type_.kind is Kind.TIME else {}
        return [(name, labels.get(name) or _OPERATOR_LABELS[name]) for name in names]

    @property
    def shown_op(self) -> str:
        """The operator that is marked: of what is picked, one for one value and for several."""
        op = str(self["op"].value() or "is")
        return _PICKED.get(op, op) if is_picked(self.chosen_field) else op

    @property
    def control(self) -> dict[str, Any]:
        """How the value is asked for: the `kind` of control, and what it shows."""
        field, op, values = self.chosen_field, self.shown_op, list(self["value"].value() or [])
        takes = OPERATORS.get(op, Takes.ONE)
        type_ = field_type(field) if field else None
        if takes is Takes.NOTHING:
            return {"kind": "nothing"}
        if type_ is None:
            return {"kind": "text", "value": ", ".join(values)}
        if field in ("weekday", "intent"):
            return {"kind": "toggles", "groups": option_groups(field), "chosen": values}
        if is_picked(field):
            groups = option_groups(field, offers=self.offers, chosen=values)
            return {"kind": "pick", "groups": groups, "chosen": values, "searched": _SEARCHED.get(field, "")}
        if type_.kind is Kind.FLAG:
            return {"kind": "flag", "chosen": values[:1] or ["yes"]}
        is_number = type_.kind is Kind.NUMBER or op in _ORDER
        kind = "time" if type_.kind is Kind.TIME else "number" if is_number else "text"
        if kind == "time":
            # The end of a day is the midnight of the next: what clocks on pages can show.
            values = [value.replace("24:00", "00:00") for value in values]
        if takes is Takes.PAIR:
            return {"kind": kind, "pair": [*values, "", ""][:2]}
        if takes is Takes.MANY:
            return {"kind": "text", "value": _joined(values), "hint": _("several, with commas between them")}
        return {"kind": kind, "value": "".join(values[:1]), "hint": _HINTS.get(field, "")}

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or {}
        needs_one = OPERATORS.get(cleaned.get("op") or "is") is not Takes.NOTHING
        if cleaned.get("field") and needs_one and not cleaned.get("value") and "value" not in self.errors:
            is_chosen = is_picked(cleaned["field"])
            self.add_error(
                "value", _now("Choose at least one.") if is_chosen else _now("Write what it is compared with.")
            )
        return cleaned

    def condition(self) -> Document:
        """As the rulebook reads it, right or wrong."""
        cleaned = self.cleaned_data
        field, op, values = cleaned.get("field") or "", cleaned.get("op") or "is", cleaned.get("value") or []
        if field == ATTRIBUTE_PREFIX:
            field += (cleaned.get("attribute") or "").strip()
        condition: Document = {"field": field, "op": op}
        takes = OPERATORS[op]
        if takes is Takes.NOTHING:
            return condition
        if takes is Takes.PAIR:
            condition["value"] = (
                [v.strip() for v in values] if len(values) > 1 else _PAIR.split("".join(values).strip())
            )
        elif is_picked(field):
            # A list that values are picked from brings them in its own order.
            before = list(self.initial.get("value") or [])
            codes = [code_of(field, name) for value in values for name in _split(value)]
            codes.sort(key=lambda code: before.index(code) if code in before else len(before))
            listed = self.initial.get("field") == field and _PICKED.get(self.initial.get("op", "")) == op
            if takes is Takes.ONE and (len(codes) > 1 or listed):
                condition["op"] = {"is": "in", "is_not": "not_in"}.get(op, op)
            if takes is Takes.MANY or codes:
                condition["value"] = codes if OPERATORS[condition["op"]] is Takes.MANY else codes[0]
        elif takes is Takes.MANY:
            condition["value"] = [one for value in values for one in _split(value)]
        elif values:
            condition["value"] = values[0].strip()
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

    @property
    def sets(self) -> list[tuple[int, list[ConditionForm]]]:
        """The rows that say something, by their set, in order."""
        said = [form for form in self.forms if not self._is_spare(form)]
        return [(number, list(rows)) for number, rows in groupby(sorted(said, key=_set_of), key=_set_of)]

    @property
    def spare(self) -> list[ConditionForm]:
        """Empty rows, with which conditions are added where no script runs."""
        return [form for form in self.forms if self._is_spare(form)]

    def _is_spare(self, form: ConditionForm) -> bool:
        return not form.chosen_field and not form["value"].value() and not form.errors

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


def condition_row(data: Any, *, offers: Offers) -> ConditionForm | None:
    """The one row of `data` whose field or comparison was just chosen, to be drawn anew; None where there is none."""
    found = next((match for name in data if (match := _ROW.fullmatch(name))), None)
    if found is None:
        return None
    prefix = found["prefix"]
    said = {name: data.get(f"{prefix}-{name}", "") for name in ("group", "field", "op", "attribute")}
    type_ = field_type(said["field"])
    if type_ is None or said["op"] not in type_.operators:
        said["op"] = "is" if type_ is None or "between" not in type_.operators else "between"
    return ConditionForm(prefix=prefix, initial={**said, "value": data.getlist(f"{prefix}-value")}, offers=offers)


def condition_formset(*, offers: Offers, data: Any = None, **kwargs: Any) -> BaseConditionFormSet:
    """The rows of a rule. `offers` come first in lists; `when` and `refused_fields` as above."""
    used = {c["field"].removeprefix(ATTRIBUTE_PREFIX) for c in _conditions(kwargs.get("when"))} - FIELDS.keys()
    made: Any = forms.formset_factory(
        ConditionForm, formset=BaseConditionFormSet, extra=_SPARE, can_delete=True, max_num=1_000, absolute_max=1_000
    )
    offers = replace(offers, attributes=tuple(sorted({*offers.attributes, *used})))
    formset: BaseConditionFormSet = made(data, prefix="when", form_kwargs={"offers": offers}, **kwargs)
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


def _field_label(name: str) -> str:
    return capfirst(str(_FIELD_LABELS.get(name) or FIELD_LABELS[name]))


def _set_of(form: ConditionForm) -> int:
    number = str(form["group"].value() or 1)
    return int(number) if number.isdecimal() else 1


def _shown(condition: Document) -> list[str]:
    value = condition.get("value")
    if isinstance(value, bool):
        return ["yes" if value else "no"]
    if isinstance(value, list | tuple):
        return [str(one) for one in value]
    return [] if value is None else [str(value)]


def _joined(values: list[str]) -> str:
    """As people type several: with commas between them, those that hold a comma in double quotes."""
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(values)
    return text.getvalue() if any("," in value for value in values) else ", ".join(values)


def _split(text: str) -> list[str]:
    """Values between commas; one that holds a comma stands in double quotes."""
    values = next(csv.reader([text.replace("\n", ",")], skipinitialspace=True), [])
    return [value.strip() for value in values if value.strip()]


def _sentence(message: Any) -> str:
    message = str(message)
    return f"{message[:1].upper()}{message[1:]}" + ("" if message[-1:] in ".?)!" else ".")
