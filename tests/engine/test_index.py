"""The index answers as trying each rule in turn does; the oracle below shares no code with it."""

import re
from dataclasses import dataclass
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.engine.conditions import When
from routing.engine.facts import LanguageTag
from routing.engine.index import RuleIndex
from routing.engine.policy import Route, Rule, compile_policy
from tests.examples import times

WORDS = ["Pricing", "pricing", "demo", "price", "/de", "a", "straße", "STRASSE", "ab ab", "cab"]
TEXTS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join)
COUNTRIES = ["ES", "PT", "FR", "us"]
TAGS = ["es", "es-MX", "ES-mx", "pt-BR", "zh-Hant-TW", "zh", "zh-Hant"]
SCORES = st.integers(-2, 3)


def one_condition():
    text_fields = st.sampled_from(["message", "page_path", "attributes.plan"])
    return st.one_of(
        st.tuples(text_fields, st.sampled_from(["is", "is_not", "not_contains"]), TEXTS),
        st.tuples(
            text_fields, st.sampled_from(["contains", "starts_with", "ends_with", "matches"]), st.sampled_from(WORDS)
        ),
        st.tuples(st.just("country"), st.sampled_from(["is", "is_not"]), st.sampled_from(COUNTRIES)),
        st.tuples(
            st.just("country"),
            st.sampled_from(["in", "not_in"]),
            st.lists(st.sampled_from(COUNTRIES), min_size=1, max_size=3),
        ),
        st.tuples(st.just("language"), st.sampled_from(["is", "is_not"]), st.sampled_from(TAGS)),
        st.tuples(
            st.just("language"),
            st.sampled_from(["in", "not_in"]),
            st.lists(st.sampled_from(TAGS), min_size=1, max_size=3),
        ),
        st.tuples(st.just("returning"), st.sampled_from(["is", "is_not"]), st.booleans()),
        st.tuples(st.just("score"), st.sampled_from(["is", "gt", "lte"]), SCORES),
        st.tuples(st.just("score"), st.just("between"), st.tuples(SCORES, SCORES).map(lambda ends: sorted(ends))),
        st.tuples(
            st.sampled_from(["city", "language", "country"]), st.sampled_from(["is_set", "is_not_set"]), st.none()
        ),
    ).map(lambda parts: dict(zip(("field", "op", "value"), parts, strict=True)))


def whens():
    group = st.fixed_dictionaries({"all": st.lists(one_condition(), min_size=1, max_size=4)})
    any_of = st.fixed_dictionaries({"any": st.lists(one_condition() | group, min_size=1, max_size=3)})
    return st.none() | group | any_of


def leads():
    values = st.fixed_dictionaries(
        {},
        optional={
            "message": TEXTS,
            "page_path": TEXTS,
            "attributes.plan": TEXTS,
            "country": st.sampled_from(COUNTRIES),
            "city": st.just("Porto"),
            "returning": st.booleans(),
            "score": SCORES,
        },
    )
    language = st.sampled_from([None, *TAGS]).map(lambda tag: tag and LanguageTag(tag, tag.split("-")[0], "x", "x"))
    return st.tuples(values, language)


def obviously_holds(condition, values, language):
    """One condition, straight from the documentation of the operators."""
    field, op, wanted = condition["field"], condition["op"], condition["value"]
    value = language.tag if field == "language" and language else values.get(field)

    def same(one):
        if field == "language":
            return value.lower() == one.lower() or value.lower().startswith(one.lower() + "-")
        return value.casefold() == one.casefold() if isinstance(one, str) else value == one

    if op in ("is_not", "not_in", "not_contains", "is_not_set"):
        positive = {"is_not": "is", "not_in": "in", "not_contains": "contains", "is_not_set": "is_set"}[op]
        return not obviously_holds({**condition, "op": positive}, values, language)
    if value is None:
        return False
    return {
        "is": lambda: same(wanted),
        "in": lambda: any(same(one) for one in wanted),
        "contains": lambda: wanted.casefold() in value.casefold(),
        "starts_with": lambda: value.casefold().startswith(wanted.casefold()),
        "ends_with": lambda: value.casefold().endswith(wanted.casefold()),
        "matches": lambda: re.search(wanted, value, re.IGNORECASE) is not None,
        "gt": lambda: value > wanted,
        "lte": lambda: value <= wanted,
        "between": lambda: wanted[0] <= value <= wanted[1],
        "is_set": lambda: True,
    }[op]()


def obviously(when, values, language):
    if when is None:
        return True
    members = [when] if "all" in when else when["any"]
    groups = [member.get("all", [member]) for member in members]
    return any(all(obviously_holds(condition, values, language) for condition in group) for group in groups)


def rules_of(documents):
    return [
        Rule(f"rule {position}", position, When.of(document), Route("queue", None))
        for position, document in enumerate(documents)
    ]


@settings(max_examples=times(4))
@given(documents=st.lists(whens(), max_size=12), some_leads=st.lists(leads(), min_size=1, max_size=4))
def test_the_index_agrees_with_trying_each_rule_in_turn(documents, some_leads):
    rules = rules_of(documents)
    index = RuleIndex(rules)
    for values, language in some_leads:
        expected = [rule for rule, when in zip(rules, documents, strict=True) if obviously(when, values, language)]
        assert list(index.matching(values, language)) == expected
        assert [rule for rule in rules if rule.when.holds(values, language)] == expected
        assert [rule for rule in rules if not rule.when.failures(values, language)] == expected


def test_many_fragments_are_found_in_a_short_text():
    documents = [{"all": [{"field": "message", "op": "contains", "value": f"item {n:03}"}]} for n in range(500)]

    found = RuleIndex(rules_of(documents)).matching({"message": "Item 123 and ITEM 007"}, None)

    assert [rule.name for rule in found] == ["rule 7", "rule 123"]


@dataclass
class CountedRule:
    when: When


def test_a_lead_looks_only_at_rules_filed_under_its_own_values(monkeypatch):
    documents = [
        {
            "all": [
                {"field": "country", "op": "is", "value": "ES"},
                {"field": "utm_campaign", "op": "is", "value": f"campaign {n}"},
            ]
        }
        for n in range(1_000)
    ]
    index = RuleIndex([CountedRule(When.of(document)) for document in documents])
    tried = []
    for number, (position, tests) in enumerate(index._groups):
        counted = tuple(lambda reading, test=test, p=position: tried.append(p) or test(reading) for test in tests)
        index._groups[number] = (position, counted)

    assert len(list(index.matching({"country": "ES", "utm_campaign": "campaign 7"}, None))) == 1
    assert tried == [7]


def test_rules_are_tried_only_as_far_as_they_are_asked_for():
    tried = []
    rules = rules_of([{"all": [{"field": "score", "op": "gt", "value": n}]} for n in range(10)])
    index = RuleIndex(rules)
    index._groups[:] = [
        (position, (lambda reading, position=position: tried.append(position) or True,))
        for position, _ in index._groups
    ]

    assert [rule.position for rule in islice(index.matching({"score": 99}, None), 2)] == [0, 1]
    assert tried == [0, 1]


class TestCompiledPolicy:
    DOCUMENT = {
        "returning": "rotate",
        "join_window": 3600,
        "intent": {"hot": 70, "warm": 30},
        "scoring": [
            {"when": {"all": [{"field": "page_path", "op": "starts_with", "value": "/pricing"}]}, "points": 40},
            {"points": 5},
            {"when": {"all": [{"field": "email_domain", "op": "is", "value": "gmail.com"}]}, "points": -10},
        ],
        "rules": [
            {
                "name": "off",
                "active": False,
                "when": {"all": [{"field": "city", "op": "is", "value": "Rome"}]},
                "route": {"to": "queue"},
            },
            {
                "name": "hot",
                "when": {"all": [{"field": "intent", "op": "is", "value": "hot"}]},
                "route": {
                    "to": {"team": "seniors"},
                    "by": "priority",
                    "require": ["channel"],
                    "prefer": ["language", "tags:x"],
                    "if_nobody": "hold",
                },
                "sla": {"respond_within": 300},
            },
            {"name": "marta", "route": {"to": {"agent": "marta"}}},
            {"name": "rest", "route": {"to": "queue"}},
        ],
    }

    @pytest.fixture
    def policy(self):
        return compile_policy(self.DOCUMENT, 7)

    def test_leaves_inactive_rules_out_and_keeps_positions(self, policy):
        assert [(rule.name, rule.position) for rule in policy.rules] == [("hot", 1), ("marta", 2), ("rest", 3)]
        assert [rule.name for rule in policy.matching({"intent": "cold"}, None)] == ["marta", "rest"]

    def test_knows_the_fields_it_looks_at(self, policy):
        assert policy.fields == {"page_path", "email_domain", "intent"}

    def test_reads_routes(self, policy):
        assert [rule.route for rule in policy.rules] == [
            Route("team", "seniors", "priority", ("channel",), ("language", "tags:x"), "hold"),
            Route("agent", "marta"),
            Route("queue", None),
        ]
        assert policy.rules[0].sla == {"respond_within": 300}

    def test_adds_the_points_of_every_scoring_rule_that_holds(self, policy):
        assert policy.score({}, None) == 5
        assert policy.score({"page_path": "/pricing/eu", "email_domain": "Gmail.com"}, None) == 35

    @pytest.mark.parametrize(("score", "intent"), [(70, "hot"), (69, "warm"), (30, "warm"), (29, "cold"), (-5, "cold")])
    def test_limits_belong_to_the_higher_intent(self, policy, score, intent):
        assert policy.intent(score) == intent
