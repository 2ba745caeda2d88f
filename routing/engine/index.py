"""Which rules hold for a lead, without trying them all.

Each group of conditions is filed under its most selective condition, so that a lead looks only at the groups filed
under its own values and tries their other conditions. Groups that can be filed nowhere (negations, comparisons,
patterns, no conditions) are tried for every lead. The answer is the same as from trying each rule in turn.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from routing.engine.conditions import (
    Condition,
    Group,
    Kind,
    Reading,
    Test,
    When,
    field_type,
    fold,
)
from routing.engine.facts import LanguageTag, Value


class HasWhen(Protocol):
    @property
    def when(self) -> When: ...


R = TypeVar("R", bound=HasWhen)

Numbers = list[int]  # of groups, ascending: groups are numbered in the order of their rules


class _Way(Enum):
    """How a filed condition is found, with what a look costs in comparison."""

    EQUAL = 1
    LANGUAGE = 2
    PREFIX = 3
    SUFFIX = 4
    FRAGMENT = 5


# A guess that a fragment holds is worth less than a guess that a value is equal: texts hold many fragments.
_DOUBT = {_Way.EQUAL: 1, _Way.LANGUAGE: 2, _Way.PREFIX: 2, _Way.SUFFIX: 2, _Way.FRAGMENT: 4}
_FEWEST_LETTERS = 3
_Letters = tuple[str, str, str]  # of a fragment, by which a text finds it


class _Place(NamedTuple):
    """Where a condition can be filed: under each of the keys."""

    way: _Way
    field: str
    keys: tuple[Value, ...]


def _place(condition: Condition) -> _Place | None:
    name, value = condition.field, condition.value
    kind = field_type(name)
    if condition.op in ("is", "in"):
        values = value if isinstance(value, tuple) else (value,)
        keys = tuple(dict.fromkeys(fold(one) for one in values))
        return _Place(_Way.LANGUAGE if kind and kind.kind is Kind.LANGUAGE else _Way.EQUAL, name, keys)
    if isinstance(value, str):
        text = fold(value)
        if condition.op == "starts_with":
            return _Place(_Way.PREFIX, name, (text,))
        if condition.op == "ends_with":
            return _Place(_Way.SUFFIX, name, (text,))
        if condition.op == "contains" and len(text) >= _FEWEST_LETTERS:
            return _Place(_Way.FRAGMENT, name, (text,))
    return None


class _Ends:
    """Groups filed under a beginning (or ending) of one field's text: one look for each length there is."""

    def __init__(self, field: str, way: _Way, numbers: Mapping[Value, Numbers]) -> None:
        self.field = field
        self._ending = way is _Way.SUFFIX
        self._numbers = numbers
        self._lengths = sorted({len(str(key)) for key in numbers})

    def add_to(self, found: Numbers, text: str) -> None:
        """Add the groups that a text asks for."""
        whole = len(text)
        for length in self._lengths:
            if length > whole:
                return
            if more := self._numbers.get(text[-length:] if self._ending else text[:length]):
                found += more


class _Fragments:
    """Groups filed under a fragment of one field's text."""

    def __init__(self, field: str, numbers: Mapping[Value, Numbers]) -> None:
        self.field = field
        self._numbers = {str(key): found for key, found in numbers.items()}
        # By its rarest three letters, so that a text asks for few fragments that it does not hold.
        shared = Counter(letters for fragment in self._numbers for letters in set(_letters(fragment)))
        self._by_letters: dict[_Letters, list[tuple[str, Numbers]]] = {}
        for fragment, found in self._numbers.items():
            rarest = min(sorted(set(_letters(fragment))), key=shared.__getitem__)
            self._by_letters.setdefault(rarest, []).append((fragment, found))
        self._known = frozenset(self._by_letters)

    def add_to(self, found: Numbers, text: str) -> None:
        """Add the groups that a text asks for."""
        if len(self._numbers) <= len(text):
            for fragment, more in self._numbers.items():
                if fragment in text:
                    found += more
            return
        for letters in self._known.intersection(_letters(text)):
            for fragment, more in self._by_letters[letters]:
                if fragment in text:
                    found += more


def _letters(text: str) -> Iterator[_Letters]:
    """Every three letters that follow each other. Tuples that `zip` makes cost a third of slices."""
    return zip(text, text[1:], text[2:], strict=False)


class RuleIndex(Generic[R]):
    """Rules, filed once and asked for many leads. Any object with a `when` is a rule."""

    def __init__(self, rules: Iterable[R]) -> None:
        self._rules = tuple(rules)
        self._groups: list[tuple[int, tuple[Test, ...]]] = []  # position of the rule, tests still to be made
        self._always: Numbers = []
        self._equal: list[tuple[str, Mapping[Value | None, Numbers]]] = []
        self._languages: Mapping[Value, Numbers] = {}
        self._ends: list[_Ends] = []
        self._fragments: list[_Fragments] = []
        self._file()

    def matching(self, values: Mapping[str, Value], language: LanguageTag | None) -> Iterator[R]:
        """The rules that hold, in their order, each tried only when the one before was not enough."""
        return self.matching_for(Reading(values, language))

    def matching_for(self, reading: Reading) -> Iterator[R]:
        """The same for a lead that is being read already."""
        last = -1
        for number in self._candidates(reading):
            position, tests = self._groups[number]
            if position == last:  # another group of a rule that holds already
                continue
            for test in tests:
                if not test(reading):
                    break
            else:
                last = position
                yield self._rules[position]

    def _candidates(self, reading: Reading) -> Sequence[int]:
        found, value_of = self._always.copy(), reading.folded.get
        for field, numbers in self._equal:
            if more := numbers.get(value_of(field)):
                found += more
        if self._languages:
            for tag in reading.language_prefixes():
                found += self._languages.get(tag, ())
        for ends in self._ends:
            if (text := value_of(ends.field)) is not None:
                ends.add_to(found, text)
        for fragments in self._fragments:
            if (text := value_of(fragments.field)) is not None:
                fragments.add_to(found, text)
        found.sort()
        return found

    def _file(self) -> None:
        groups = [
            (position, group) for position, rule in enumerate(self._rules) for group in (rule.when.groups or ((),))
        ]
        choose = _Choice(group for _, group in groups)
        filed: dict[tuple[_Way, str], dict[Value, Numbers]] = defaultdict(lambda: defaultdict(list))
        for number, (position, group) in enumerate(groups):
            best = choose.best(group)
            if best is None:
                self._always.append(number)
                tests = [condition.test for condition in group]
            else:
                condition, place = best
                for key in place.keys:
                    filed[place.way, place.field][key].append(number)
                tests = [other.test for other in group if other is not condition]
            self._groups.append((position, tuple(tests)))
        for (way, field), numbers in filed.items():
            plain: dict[Any, Numbers] = dict(numbers)
            if way is _Way.EQUAL:
                self._equal.append((field, plain))
            elif way is _Way.LANGUAGE:
                self._languages = plain
            elif way is _Way.FRAGMENT:
                self._fragments.append(_Fragments(field, plain))
            else:
                self._ends.append(_Ends(field, way, plain))


class _Choice:
    """Guesses which condition of a group fewest leads fulfil: leads are taken to be like what the rules ask for."""

    def __init__(self, groups: Iterable[Group]) -> None:
        self._asked: Counter[tuple[_Way, str, Value]] = Counter()
        self._total: Counter[tuple[_Way, str]] = Counter()
        for group in groups:
            for condition in group:
                if place := _place(condition):
                    self._total[place.way, place.field] += 1
                    self._asked.update((place.way, place.field, key) for key in place.keys)

    def best(self, group: Group) -> tuple[Condition, _Place] | None:
        places = [(condition, place) for condition in group if (place := _place(condition))]
        return min(places, key=lambda both: self._share(both[1]), default=None)

    def _share(self, place: _Place) -> float:
        kind = field_type(place.field)
        values = 2 if kind and kind.kind is Kind.FLAG else 20  # that a field has, where few rules ask for it
        asked = sum(self._asked[place.way, place.field, key] + 1 for key in place.keys)
        return _DOUBT[place.way] * asked / (self._total[place.way, place.field] + values)
