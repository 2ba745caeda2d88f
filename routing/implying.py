"""Whether conditions can hold at all, and whether some hold wherever others do.

Both answer no rather than guess: `implies` is True only where every lead that fulfils the one fulfils the other, and
`can_hold` False only where no lead can.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

Condition = Mapping[str, Any]
Group = Sequence[Condition]

_PART = ("contains", "starts_with", "ends_with")
_RANGE = ("gt", "gte", "lt", "lte", "between")
_POSITIVE = ("is", "in", "contains", "starts_with", "ends_with", "matches", "gt", "gte", "lt", "lte", "between")


def groups_of(when: Mapping[str, Any] | None) -> list[Group]:
    """The sets of conditions of which any one is enough; one empty set where there are none."""
    if when is None:
        return [()]
    return [when["all"]] if "all" in when else [member.get("all", [member]) for member in when["any"]]


def implies(narrow: Mapping[str, Any] | None, wide: Mapping[str, Any] | None) -> bool:
    """Whether `wide` holds for every lead for which `narrow` does."""
    return groups_imply(groups_of(narrow), groups_of(wide))


def groups_imply(narrow: Sequence[Group], wide: Sequence[Group]) -> bool:
    """The same of what `groups_of` answers, for whoever compares many with many."""
    return all(any(_group_implies(group, other) for other in wide) for group in narrow)


def can_hold(when: Mapping[str, Any] | None) -> bool:
    """Whether some lead may fulfil this."""
    return any(_group_can_hold(group) for group in groups_of(when))


def _group_implies(narrow: Group, wide: Group) -> bool:
    return all(any(_condition_implies(own, other) for own in narrow) for other in wide)


def _condition_implies(narrow: Condition, wide: Condition) -> bool:
    if narrow["field"] != wide["field"]:
        return False
    if narrow["op"] == wide["op"] and narrow.get("value") == wide.get("value"):
        return True
    if wide["op"] == "is_set":
        return narrow["op"] in _POSITIVE
    if wide["op"] in ("is_not", "not_in", "not_contains"):
        return _excludes(narrow, wide)
    if narrow["op"] in ("is", "in"):
        return all(_fulfils(value, wide) for value in _values(narrow))
    if narrow["op"] in _PART:
        return wide["op"] in _PART and _part_implies(narrow, wide)
    return narrow["op"] in _RANGE and wide["op"] in _RANGE and _range_within(narrow, wide)


def _part_implies(narrow: Condition, wide: Condition) -> bool:
    """Whether a text with the one part has the other."""
    own, other = _folded(narrow["value"]), _folded(wide["value"])
    match wide["op"]:
        case "contains":
            return other in own
        case "starts_with":
            return narrow["op"] == "starts_with" and own.startswith(other)
    return narrow["op"] == "ends_with" and own.endswith(other)


def _fulfils(value: Any, condition: Condition) -> bool:
    """Whether this value of the field fulfils the condition."""
    field, op, other = condition["field"], condition["op"], condition.get("value")
    text = _folded(value)
    match op:
        case "is" | "in":
            return any(_covers(field, text, _folded(one)) for one in _values(condition))
        case "contains":
            return _folded(other) in text
        case "starts_with":
            return text.startswith(_folded(other))
        case "ends_with":
            return text.endswith(_folded(other))
    number = _number(value)
    low, high, low_open, high_open = _bounds(condition)
    if number is None or (low is None and high is None):
        return False
    above = low is None or (number > low if low_open else number >= low)
    return above and (high is None or (number < high if high_open else number <= high))


def _covers(field: str, text: str, other: str) -> bool:
    return text == other or (field == "language" and text.startswith(f"{other}-"))


def _excludes(narrow: Condition, wide: Condition) -> bool:
    """Whether values that fulfil `narrow` are none of those that `wide` shuts out."""
    field = wide["field"]
    if wide["op"] == "not_contains":
        return narrow["op"] in ("is", "in") and all(
            _folded(wide["value"]) not in _folded(value) for value in _values(narrow)
        )
    shut_out = [_folded(value) for value in _values(wide)]
    if narrow["op"] in ("is", "in"):
        # `es` may be `es-MX`, which `wide` may shut out: only what meets neither way is free of it.
        return not any(
            _covers(field, _folded(value), other) or _covers(field, other, _folded(value))
            for value in _values(narrow)
            for other in shut_out
        )
    if narrow["op"] in ("is_not", "not_in"):
        own = [_folded(value) for value in _values(narrow)]
        return all(any(_covers(field, other, value) for value in own) for other in shut_out)
    return False


def _range_within(narrow: Condition, wide: Condition) -> bool:
    own, other = _bounds(narrow), _bounds(wide)
    if own[:2] == (None, None) or other[:2] == (None, None):
        return False
    low_fits = other[0] is None or (
        own[0] is not None and (own[0] > other[0] or (own[0] == other[0] and (own[2] or not other[2])))
    )
    high_fits = other[1] is None or (
        own[1] is not None and (own[1] < other[1] or (own[1] == other[1] and (own[3] or not other[3])))
    )
    return low_fits and high_fits


def _bounds(condition: Condition) -> tuple[Decimal | None, Decimal | None, bool, bool]:
    """Least and most, and whether each is itself shut out. Nothing for what is no range of numbers, or wraps."""
    op, value = condition["op"], condition.get("value")
    if op == "between" and isinstance(value, list | tuple):
        low, high = _number(value[0]), _number(value[1])
        is_time = condition["field"] == "local_time"
        if low is None or high is None or low > high:
            return None, None, False, False
        return low, high, False, is_time
    number = _number(value)
    match op:
        case "gt":
            return number, None, True, False
        case "gte":
            return number, None, False, False
        case "lt":
            return None, number, False, True
        case "lte":
            return None, number, False, False
    return None, None, False, False


def _group_can_hold(group: Group) -> bool:
    return not any(
        _shut_out(one, other)
        for place, one in enumerate(group)
        for other in group[place + 1 :]
        if one["field"] == other["field"]
    )


def _shut_out(one: Condition, other: Condition) -> bool:
    """Whether no value fulfils both."""
    for first, second in ((one, other), (other, one)):
        if first["op"] == "is_not_set" and second["op"] in (*_POSITIVE, "is_set"):
            return True
        if first["op"] in ("is", "in") and first["field"] != "language":
            if second["op"] in ("is", "in", "starts_with", "ends_with", "contains", "gt", "gte", "lt", "lte") or (
                second["op"] == "between" and _bounds(second)[:2] != (None, None)
            ):
                return not any(_fulfils(value, second) for value in _values(first))
            if second["op"] in ("is_not", "not_in"):
                shut = {_folded(value) for value in _values(second)}
                return all(_folded(value) in shut for value in _values(first))
        if first["op"] in ("is", "in") and second["op"] in ("is", "in"):
            return not any(
                _covers("language", _folded(a), _folded(b)) or _covers("language", _folded(b), _folded(a))
                for a in _values(first)
                for b in _values(second)
            )
    low, high = _bounds(one), _bounds(other)
    for below, above in ((low, high), (high, low)):
        if (
            below[1] is not None
            and above[0] is not None
            and (below[1] < above[0] or (below[1] == above[0] and (below[3] or above[2])))
        ):
            return True
    return False


def _values(condition: Condition) -> list[Any]:
    value = condition["value"]
    return list(value) if isinstance(value, list | tuple) else [value]


def _folded(value: Any) -> str:
    return str(value).casefold()


def _number(value: Any) -> Decimal | None:
    """A number, or the minute of a time of day."""
    if isinstance(value, bool) or value is None:
        return None
    text = str(value)
    hours, colon, minutes = text.partition(":")
    if colon and hours.isdigit() and minutes.isdigit():
        return Decimal(int(hours) * 60 + int(minutes))
    try:
        number = Decimal(text)
    except ArithmeticError:
        return None
    return number if number.is_finite() else None
