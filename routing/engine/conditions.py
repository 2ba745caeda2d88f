"""Conditions on a lead's values: which fields and operators there are, and when a condition holds.

A condition is compiled once and asked many times. Text compares without regard to case. An unknown value
fails every positive comparison and satisfies `is_not`, `not_in`, `not_contains` and `is_not_set`.
Documents are trusted here: they were checked when saved.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Any

import re2

from routing.engine.facts import LanguageTag, Value


class Takes(StrEnum):
    """What an operator is compared with."""

    ONE = "one"
    MANY = "many"
    PAIR = "pair"
    NOTHING = "nothing"


OPERATORS: Mapping[str, Takes] = {
    "is": Takes.ONE,
    "is_not": Takes.ONE,
    "in": Takes.MANY,
    "not_in": Takes.MANY,
    "contains": Takes.ONE,
    "not_contains": Takes.ONE,
    "starts_with": Takes.ONE,
    "ends_with": Takes.ONE,
    "matches": Takes.ONE,
    "gt": Takes.ONE,
    "gte": Takes.ONE,
    "lt": Takes.ONE,
    "lte": Takes.ONE,
    "between": Takes.PAIR,
    "is_set": Takes.NOTHING,
    "is_not_set": Takes.NOTHING,
}


class Kind(StrEnum):
    TEXT = "text"
    ATTRIBUTE = "attribute"  # text that may be a number
    CHOICE = "choice"  # one of a closed list of codes
    LANGUAGE = "language"
    FLAG = "flag"
    NUMBER = "number"
    TIME = "time"  # "HH:MM"


_SET = ("is_set", "is_not_set")
_EQUAL = ("is", "is_not", "in", "not_in")
_WORDING = ("contains", "not_contains", "starts_with", "ends_with", "matches")
_ORDER = ("gt", "gte", "lt", "lte", "between")

_OPERATORS_OF: Mapping[Kind, tuple[str, ...]] = {
    Kind.TEXT: (*_EQUAL, *_WORDING, *_SET),
    Kind.ATTRIBUTE: (*_EQUAL, *_WORDING, *_ORDER, *_SET),
    Kind.CHOICE: (*_EQUAL, *_SET),
    Kind.LANGUAGE: (*_EQUAL, *_SET),
    Kind.FLAG: ("is", "is_not", *_SET),
    Kind.NUMBER: (*_EQUAL, *_ORDER, *_SET),
    Kind.TIME: ("is", "is_not", *_ORDER, *_SET),
}


@dataclass(frozen=True, slots=True)
class FieldType:
    """What a field holds, and the operators that mean something for it."""

    kind: Kind
    operators: tuple[str, ...]


_TYPES = {kind: FieldType(kind, operators) for kind, operators in _OPERATORS_OF.items()}

FIELDS: Mapping[str, FieldType] = {
    name: _TYPES[kind]
    for name, kind in {
        "channel": Kind.CHOICE,
        "source": Kind.CHOICE,
        "language": Kind.LANGUAGE,
        "country": Kind.CHOICE,
        "region": Kind.CHOICE,
        "city": Kind.TEXT,
        "page_url": Kind.TEXT,
        "page_path": Kind.TEXT,
        "page_host": Kind.TEXT,
        "referrer": Kind.TEXT,
        "utm_source": Kind.TEXT,
        "utm_medium": Kind.TEXT,
        "utm_campaign": Kind.TEXT,
        "message": Kind.TEXT,
        "email_domain": Kind.TEXT,
        "phone_country": Kind.CHOICE,
        "returning": Kind.FLAG,
        "score": Kind.NUMBER,
        "intent": Kind.CHOICE,
        "weekday": Kind.CHOICE,
        "local_time": Kind.TIME,
        "in_hours": Kind.FLAG,
    }.items()
}

ATTRIBUTE_PREFIX = "attributes."


def field_type(name: str) -> FieldType | None:
    """The type of a field, `attributes.NAME` included; None for a field that does not exist."""
    if name.startswith(ATTRIBUTE_PREFIX):
        return _TYPES[Kind.ATTRIBUTE] if len(name) > len(ATTRIBUTE_PREFIX) else None
    return FIELDS.get(name)


PATTERN_BYTES = 16 * 1024  # of a text's UTF-8: what a regular expression looks at
# A pattern may grow this large when compiled: the time of a search grows with it, and a visitor writes the text.
_PATTERN_MEMORY = 256 * 1024


def compile_pattern(pattern: str) -> Any:
    """Compile for RE2, without regard to case. Raises `re2.error`, or UnicodeError for what is no text."""
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.never_capture = True
    options.max_mem = _PATTERN_MEMORY
    return re2.compile(pattern, options)


# Not everything Decimal accepts is a number to people: no exponents, NaN, underscores or other scripts' digits.
_NUMBER = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?")


def parse_number(text: str) -> Decimal | None:
    stripped = text.strip()
    return Decimal(stripped) if _NUMBER.fullmatch(stripped) else None


class Reading:
    """One lead's values as conditions read them. `folded` are those that are known, text casefolded."""

    __slots__ = ("_language", "_openings", "_prefixes", "_values", "folded")

    def __init__(self, values: Mapping[str, Value], language: LanguageTag | None) -> None:
        self._values = values
        self._language = language
        self._openings: dict[str, bytes] = {}
        self._prefixes: tuple[str, ...] | None = None  # of a tag that has several
        self.folded: dict[str, Any] = {
            name: value.casefold() if isinstance(value, str) else value for name, value in values.items()
        }
        if language is not None:
            self.folded["language"] = language.tag.casefold()

    def seen(self, name: str) -> Value | None:
        """The value as given; None = unknown."""
        if name == "language" and self._language is not None:
            return self._language.tag
        return self._values.get(name)

    def opening(self, name: str) -> bytes | None:
        """The first 16 kB of a text, for regular expressions: UTF-8, no character cut in two."""
        try:
            return self._openings[name]
        except KeyError:
            value = self.seen(name)
            if value is None:
                return None
            # "replace": a lone surrogate in a visitor's JSON must not raise.
            encoded = str(value).encode("utf-8", "replace")
            if len(encoded) > PATTERN_BYTES:
                encoded = encoded[:PATTERN_BYTES].decode("utf-8", "ignore").encode()
            self._openings[name] = encoded
            return encoded

    def number(self, name: str) -> int | Decimal | None:
        value = self._values.get(name)
        return parse_number(value) if isinstance(value, str) else value

    def language_prefixes(self) -> tuple[str, ...]:
        """The tag and its shorter forms: `zh-hant-tw`, `zh-hant`, `zh`."""
        tag = self.folded.get("language")
        if tag is None:
            return ()
        if "-" not in tag:
            return (tag,)
        if self._prefixes is None:
            parts = tag.split("-")
            self._prefixes = tuple(["-".join(parts[:length]) for length in range(len(parts), 0, -1)])
        return self._prefixes


Test = Callable[[Reading], bool]


def fold(value: Any) -> Any:
    """A value as it is compared: text casefolded."""
    return value.casefold() if isinstance(value, str) else value


def _set(name: str, _: Any) -> Test:
    return lambda reading: reading.seen(name) is not None


# Many rules ask for the same: their test is there once, and stays in the processor's caches.
_once = lru_cache(maxsize=4096, typed=True)


@_once
def _equal(name: str, value: Any) -> Test:
    wanted = fold(value)
    return lambda reading: reading.folded.get(name) == wanted


@_once
def _among(name: str, values: tuple[Any, ...]) -> Test:
    wanted = frozenset(map(fold, values))
    return lambda reading: reading.folded.get(name) in wanted


def _contains(name: str, value: str) -> Test:
    wanted = value.casefold()
    return lambda reading: (text := reading.folded.get(name)) is not None and wanted in text


def _starts_with(name: str, value: str) -> Test:
    wanted = value.casefold()
    return lambda reading: (text := reading.folded.get(name)) is not None and text.startswith(wanted)


def _ends_with(name: str, value: str) -> Test:
    wanted = value.casefold()
    return lambda reading: (text := reading.folded.get(name)) is not None and text.endswith(wanted)


def _matches(name: str, value: str) -> Test:
    search = compile_pattern(value).search
    return lambda reading: (opening := reading.opening(name)) is not None and search(opening) is not None


_POSITIVE: Mapping[str, Callable[[str, Any], Test]] = {
    "is": _equal,
    "in": _among,
    "contains": _contains,
    "starts_with": _starts_with,
    "ends_with": _ends_with,
    "matches": _matches,
    "is_set": _set,
}
_NEGATIVE: Mapping[str, str] = {"is_not": "is", "not_in": "in", "not_contains": "contains", "is_not_set": "is_set"}

_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "gt": lambda value, limit: bool(value > limit),
    "gte": lambda value, limit: bool(value >= limit),
    "lt": lambda value, limit: bool(value < limit),
    "lte": lambda value, limit: bool(value <= limit),
    "between": lambda value, limits: bool(limits[0] <= value <= limits[1]),
}


def _compare(name: str, op: str, value: Any) -> Test:
    compare = _COMPARE[op]
    limit = tuple(map(_as_number, value)) if op == "between" else _as_number(value)
    return lambda reading: (number := reading.number(name)) is not None and compare(number, limit)


def _as_number(value: int | str) -> int | Decimal:
    return Decimal(value) if isinstance(value, str) else value


def _compare_time(name: str, op: str, value: Any) -> Test:
    # "HH:MM" sorts as the minutes do; "24:00" after all of them.
    if op != "between":
        compare = _COMPARE[op]
        return lambda reading: (time := reading.folded.get(name)) is not None and compare(time, value)
    start, end = value
    if start < end:
        return lambda reading: (time := reading.folded.get(name)) is not None and start <= time < end
    return lambda reading: (time := reading.folded.get(name)) is not None and (time >= start or time < end)


@_once
def _speaks(values: tuple[str, ...]) -> Test:
    wanted = frozenset(value.casefold() for value in values)
    return lambda reading: not wanted.isdisjoint(reading.language_prefixes())


def _compile(name: str, op: str, value: Any) -> Test:
    if op in _NEGATIVE:
        holds = _compile(name, _NEGATIVE[op], value)
        return lambda reading: not holds(reading)
    kind_of_field = field_type(name)
    kind = kind_of_field.kind if kind_of_field else Kind.TEXT
    if op in _COMPARE:
        return _compare_time(name, op, value) if kind is Kind.TIME else _compare(name, op, value)
    if kind is Kind.LANGUAGE and op in ("is", "in"):
        return _speaks((value,) if op == "is" else value)
    return _POSITIVE[op](name, value)


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison. `value` is as in the document: text, a whole number, a bool, a tuple of these, or None."""

    field: str
    op: str
    value: Value | tuple[Value, ...] | None = None
    test: Test = dataclasses.field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "test", _compile(self.field, self.op, self.value))

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Condition:
        value = document.get("value")
        return cls(document["field"], document["op"], tuple(value) if isinstance(value, list) else value)


Group = tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Failure:
    """The first condition of a group that did not hold, and the value it saw (None = unknown)."""

    condition: Condition
    seen: Value | None
    group: int = 0


def _holding(groups: tuple[Group, ...]) -> Test:
    """Whether any group has all of its conditions hold; always where there is none."""
    if not groups:
        return lambda reading: True
    if len(groups) == 1 and len(groups[0]) == 1:
        return groups[0][0].test
    tests = tuple(tuple(condition.test for condition in group) for group in groups)

    def holds(reading: Reading) -> bool:
        for group in tests:
            for test in group:
                if not test(reading):
                    break
            else:
                return True
        return False

    return holds


@dataclass(frozen=True, slots=True)
class When:
    """Groups of conditions: holds if ANY group has ALL of its conditions hold. Without groups: always."""

    groups: tuple[Group, ...] = ()
    holds_for: Test = dataclasses.field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "holds_for", _holding(self.groups))

    @classmethod
    def of(cls, document: Mapping[str, Any] | None) -> When:
        """From `{"all": [condition, …]}`, `{"any": [condition or {"all": …}, …]}` or None."""
        if not document:
            return cls()
        if "all" in document:
            group = tuple(map(Condition.of, document["all"]))
            return cls((group,) if group else ())
        return cls(
            tuple(
                tuple(map(Condition.of, member["all"])) if "all" in member else (Condition.of(member),)
                for member in document["any"]
            )
        )

    @property
    def fields(self) -> frozenset[str]:
        return frozenset(condition.field for group in self.groups for condition in group)

    def holds(self, values: Mapping[str, Value], language: LanguageTag | None) -> bool:
        return self.holds_for(Reading(values, language))

    def first_failure(self, values: Mapping[str, Value], language: LanguageTag | None) -> Failure | None:
        """Why the first group does not hold; None where this holds."""
        failures = self.failures(values, language)
        return failures[0] if failures else None

    def failures(self, values: Mapping[str, Value], language: LanguageTag | None) -> tuple[Failure, ...]:
        """The first failure of each group, in order; empty where this holds."""
        reading = Reading(values, language)
        failures = []
        for number, group in enumerate(self.groups):
            failed = next((condition for condition in group if not condition.test(reading)), None)
            if failed is None:
                return ()
            failures.append(Failure(failed, reading.seen(failed.field), number))
        return tuple(failures)
