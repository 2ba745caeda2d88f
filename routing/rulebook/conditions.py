"""Reading `when`: every fault is found here, so that the engine never meets a bad condition."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import re2
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from agents.validators import validate_attribute_name
from routing.engine.conditions import (
    ATTRIBUTE_PREFIX,
    FIELDS,
    OPERATORS,
    FieldType,
    Kind,
    Takes,
    compile_pattern,
    field_type,
    parse_number,
)
from routing.rulebook import codes
from routing.rulebook.errors import Findings, Path, unknown

MAX_CONDITIONS = 200  # in one rule
MAX_VALUES = 5_000  # in one list
MAX_TEXT = 2_000
MAX_PATTERN = 1_000
MAX_SCORE = 1_000_000

Document = dict[str, Any]


def normalise_when(
    when: object, *, path: Path, findings: Findings, refused_fields: Mapping[str, str] | None = None
) -> Document | None:
    """The normal form of `when`; None where it holds for every lead, or where a fault was found.

    `refused_fields` are fields that may not be used here, each with the sentence that says why.
    """
    if when is None or when == {}:
        return None
    if not isinstance(when, Mapping):
        findings.add(path, _("expected {all: [conditions]} or {any: [conditions]}"))
        return None
    findings.refuse_unknown_keys(when, ("all", "any"), path)
    if "all" in when and "any" in when:
        findings.add(path, _("takes either `all` or `any`; put an `all` group into `any` to mix them"))
        return None
    key = "all" if "all" in when else "any"
    if key not in when:
        return None
    members = _members(when[key], (*path, key), findings)
    if members is None:
        return None
    if not members:
        if key == "any":
            findings.add((*path, key), _("the list is empty, so this would hold for no lead; add a condition"))
        return None
    reader = _ConditionReader(findings, refused_fields or {})
    read = [
        reader.group(member, (*path, key, place))
        if key == "any" and isinstance(member, Mapping) and "all" in member
        else reader.condition(member, (*path, key, place))
        for place, member in enumerate(members)
    ]
    if reader.count > MAX_CONDITIONS:
        findings.add(path, _("more than %(most)s conditions: split the rule") % {"most": MAX_CONDITIONS})
    return {key: [member for member in read if member is not None]}


def _members(members: object, path: Path, findings: Findings) -> Sequence[Any] | None:
    if isinstance(members, list | tuple):
        return members
    findings.add(path, _("expected a list of conditions"))
    return None


class _ConditionReader:
    def __init__(self, findings: Findings, refused_fields: Mapping[str, str]) -> None:
        self.findings = findings
        self.refused_fields = refused_fields
        self.count = 0

    def group(self, group: Mapping[str, Any], path: Path) -> Document | None:
        self.findings.refuse_unknown_keys(group, ("all",), path)
        members = _members(group["all"], (*path, "all"), self.findings)
        if members is None:
            return None
        if not members:
            self.findings.add((*path, "all"), _("the group is empty, so this would hold for every lead; remove it"))
            return None
        read = [self.condition(member, (*path, "all", place)) for place, member in enumerate(members)]
        return {"all": [condition for condition in read if condition is not None]}

    def condition(self, condition: object, path: Path) -> Document | None:
        self.count += 1
        if not isinstance(condition, Mapping):
            self.findings.add(path, _("expected a condition: {field: …, op: …, value: …}"))
            return None
        if condition.keys() & {"all", "any"}:
            self.findings.add(
                path, _("groups go no deeper: only `any` may hold `all` groups, and these conditions only")
            )
            return None
        before = len(self.findings.errors)
        self.findings.refuse_unknown_keys(condition, ("field", "op", "value"), path)
        field = self._field(condition, path)
        op = self._operator(condition, path)
        if field is None or op is None:
            return None
        name, type_ = field
        if op not in type_.operators:
            self.findings.add(
                (*path, "op"),
                _("operator %(op)r does not apply to %(field)r: use one of %(ops)s")
                % {"op": op, "field": name, "ops": ", ".join(type_.operators)},
            )
            return None
        read: Document = {"field": name, "op": op}
        if OPERATORS[op] is Takes.NOTHING:
            if condition.get("value") not in (None, ""):
                self.findings.add((*path, "value"), _("%(op)r takes no value: remove it") % {"op": op})
        elif condition.get("value") is None:
            self.findings.add(path, _("%(op)r needs a value") % {"op": op})
        else:
            read["value"] = self._value(type_, name, op, condition["value"], (*path, "value"))
        return read if len(self.findings.errors) == before else None

    def _field(self, condition: Mapping[str, Any], path: Path) -> tuple[str, FieldType] | None:
        name = condition.get("field")
        if not isinstance(name, str) or not name.strip():
            self.findings.add(path, _("the condition has no field"))
            return None
        name = name.strip()
        type_ = field_type(name)
        if type_ is not None and type_.kind is Kind.ATTRIBUTE:
            try:
                validate_attribute_name(name.removeprefix(ATTRIBUTE_PREFIX))
            except ValidationError as error:
                self.findings.add((*path, "field"), " ".join(error.messages))
                return None
        if type_ is None:
            remedy = _("write attributes.NAME") if name.partition(".")[0] in ("attributes", "attribute") else ""
            text = unknown(_("field"), name, FIELDS)
            self.findings.add((*path, "field"), f"{text}: {remedy}" if remedy else text)
            return None
        if name in self.refused_fields:
            self.findings.add((*path, "field"), self.refused_fields[name])
            return None
        return name, type_

    def _operator(self, condition: Mapping[str, Any], path: Path) -> str | None:
        op = condition.get("op")
        if not isinstance(op, str) or not op.strip():
            self.findings.add(path, _("the condition has no operator (op)"))
            return None
        op = op.strip()
        if op not in OPERATORS:
            self.findings.add((*path, "op"), unknown(_("operator"), op, OPERATORS, synonyms=_SYNONYMS))
            return None
        return op

    def _value(self, type_: FieldType, name: str, op: str, value: Any, path: Path) -> Any:
        read = _reader(type_, name, op)
        takes = OPERATORS[op]
        is_list = isinstance(value, list | tuple)
        if takes is Takes.ONE:
            if is_list or isinstance(value, Mapping):
                lists = {"is": "in", "is_not": "not_in"}
                instead = _("; use %(op)r for a list") % {"op": lists[op]} if op in lists else ""
                self.findings.add(path, _("%(op)r takes one value") % {"op": op} + instead)
                return None
            return self._checked(read, value, path)
        if not is_list:
            shown = _("two values, [from, to]") if takes is Takes.PAIR else _("a list of values")
            self.findings.add(path, _("%(op)r takes %(shown)s") % {"op": op, "shown": shown})
            return None
        if takes is Takes.PAIR:
            return self._pair(type_, read, value, path)
        if not value or len(value) > MAX_VALUES:
            self.findings.add(path, _("the list must have between 1 and %(most)s values") % {"most": MAX_VALUES})
            return None
        values = [self._checked(read, one, (*path, place)) for place, one in enumerate(value)]
        return list(dict.fromkeys(values))

    def _pair(self, type_: FieldType, read: Callable[[Any], Any], value: Sequence[Any], path: Path) -> Any:
        if len(value) != 2:
            self.findings.add(path, _("'between' takes two values, [from, to]"))
            return None
        if type_.kind is Kind.TIME:
            start, end = self._checked(read, value[0], (*path, 0)), self._checked(parse_end, value[1], (*path, 1))
            if start is not None and start == end:
                self.findings.add(path, _("the two times are equal, so this would hold never; widen them"))
            return [start, end]
        start, end = (self._checked(read, one, (*path, place)) for place, one in enumerate(value))
        if start is not None and end is not None and Decimal(start) > Decimal(end):
            self.findings.add(path, _("the first number is larger than the second; exchange them"))
        return [start, end]

    def _checked(self, read: Callable[[Any], Any], value: Any, path: Path) -> Any:
        try:
            return read(value)
        except ValueError as error:
            self.findings.add(path, str(error))
            return None


# What people write who come from other products.
_SYNONYMS = {
    "=": "is",
    "==": "is",
    "eq": "is",
    "equals": "is",
    "!=": "is_not",
    "ne": "is_not",
    "<>": "is_not",
    "not_equals": "is_not",
    ">": "gt",
    ">=": "gte",
    "<": "lt",
    "<=": "lte",
    "regex": "matches",
    "any_of": "in",
    "none_of": "not_in",
    "exists": "is_set",
    "begins_with": "starts_with",
}


def _reader(type_: FieldType, name: str, op: str) -> Callable[[Any], Any]:
    if op == "matches":
        return parse_pattern
    match type_.kind:
        case Kind.ATTRIBUTE if op in ("gt", "gte", "lt", "lte", "between"):
            return parse_decimal
        case Kind.CHOICE:
            return codes.READERS[name]
        case Kind.LANGUAGE:
            return codes.language
        case Kind.FLAG:
            return parse_flag
        case Kind.NUMBER:
            return parse_integer
        case Kind.TIME:
            return parse_time
    return parse_text


def parse_text(value: Any) -> str:
    if isinstance(value, bool):
        value = "true" if value else "false"
    text = value if isinstance(value, str) else str(value)
    if not text.strip():
        raise ValueError(_("the text is empty; use is_set or is_not_set to ask whether there is one"))
    if len(text) > MAX_TEXT:
        raise ValueError(_("longer than %(most)s characters") % {"most": MAX_TEXT})
    return text


def parse_pattern(value: Any) -> str:
    text = parse_text(value)
    if len(text) > MAX_PATTERN:
        raise ValueError(_("the pattern is longer than %(most)s characters") % {"most": MAX_PATTERN})
    try:
        compile_pattern(text)
    except UnicodeError:
        raise ValueError(_("the pattern holds characters that are no text")) from None
    except re2.error as error:
        reason = error.args[0].decode(errors="replace") if isinstance(error.args[0], bytes) else str(error)
        hint = ""
        if "perl operator" in reason or re.search(r"escape sequence: \\[1-9]", reason):
            hint = _("; look-around and back-references are not supported (RE2)")
        raise ValueError(_("the pattern does not compile: %(reason)s") % {"reason": reason} + hint) from None
    return text


# Typed by the field, so the words of YAML 1.1 may mean here what they say.
_FLAGS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


def parse_flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    try:
        return _FLAGS[str(value).strip().lower()]
    except KeyError:
        raise ValueError(_("expected true or false, found %(value)r") % {"value": value}) from None


_INTEGER = re.compile(r"[+-]?[0-9]{1,9}")


def parse_integer(value: Any, *, least: int = -MAX_SCORE, most: int = MAX_SCORE) -> int:
    if isinstance(value, bool) or not _INTEGER.fullmatch(str(value).strip()):
        raise ValueError(_("expected a whole number, found %(value)r") % {"value": value})
    number = int(value)
    if not least <= number <= most:
        raise ValueError(
            _("%(number)s is not between %(least)s and %(most)s") % {"number": number, "least": least, "most": most}
        )
    return number


def parse_decimal(value: Any) -> str:
    """The number as text, `50` or `50.5`: JSON has no exact decimals."""
    number = None if isinstance(value, bool) else parse_number(str(value))
    if number is None:
        raise ValueError(_("expected a number, found %(value)r") % {"value": value})
    return format(number.normalize(), "f") if number else "0"


_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")


def parse_time(value: Any) -> str:
    """`HH:MM`, 00:00 to 23:59."""
    found = _TIME.fullmatch(value.strip()) if isinstance(value, str) else None
    if not found:
        raise ValueError(_("expected a time such as 09:00 or 17:30, found %(value)r") % {"value": value})
    return f"{int(found[1]):02}:{found[2]}"


def parse_end(value: Any) -> str:
    """A time, or the `24:00` that ends a day."""
    return "24:00" if isinstance(value, str) and value.strip() == "24:00" else parse_time(value)
