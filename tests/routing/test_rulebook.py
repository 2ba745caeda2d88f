"""A policy is read into one normal form, or refused with the place and the remedy of everything that is wrong."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.engine.conditions import FIELDS, OPERATORS, Condition, Kind, When, field_type
from routing.engine.policy import compile_policy
from routing.rulebook import (
    DEFAULTS,
    PolicyErrors,
    RosterNames,
    check_plan,
    format_duration,
    format_path,
    in_words,
    normalise_policy,
    parse_duration,
)

NAMES = RosterNames(teams={"iberia", "nordics"}, agents={"marta", "joao"})
TO_TEAM = {"to": {"team": "iberia"}}


def read(**document):
    return normalise_policy(document, roster_names=NAMES)


def read_rule(**rule):
    return read(rules=[{"name": "r", "route": TO_TEAM, **rule}])["rules"][0]


def read_condition(field, op, *value):
    condition = {"field": field, "op": op, **({"value": value[0]} if value else {})}
    return read_rule(when={"all": [condition]})["when"]["all"][0].get("value")


def errors(**document):
    with pytest.raises(PolicyErrors) as refused:
        read(**document)
    return refused.value.errors


def the_error(**document):
    found = errors(**document)
    assert len(found) == 1, found
    return found[0]


def error_of_rule(**rule):
    return the_error(rules=[{"name": "r", "route": TO_TEAM, **rule}])


def error_of_condition(field, op, *value):
    return error_of_rule(when={"all": [{"field": field, "op": op, **({"value": value[0]} if value else {})}]})


FROM_A_FILE = {
    "returning": "rotate",
    "join_window": "90m",
    "intent": {"hot": "80", "warm": "20"},
    "scoring": [
        {"when": {"all": [{"field": "page_path", "op": "starts_with", "value": "/pricing"}]}, "points": "40"},
    ],
    "rules": [
        {
            "name": " Iberian WhatsApp ",
            "when": {
                "any": [
                    {"field": "country", "op": "in", "value": ["es", "NO", "ES"]},
                    {
                        "all": [
                            {"field": "local_time", "op": "between", "value": ["18:00", "9:30"]},
                            {"field": "returning", "op": "is", "value": "true"},
                            {"field": "score", "op": "gte", "value": "40"},
                            {"field": "language", "op": "is", "value": "es_mx"},
                            {"field": "attributes.seats", "op": "gt", "value": "050.50"},
                        ]
                    },
                ]
            },
            "route": {"to": {"team": "iberia"}, "require": ["channel", "tags: Senior", "channel"]},
            "sla": {"respond_within": "5m", "remind_at": ["80%", "50%"], "reroute_after": "10m"},
        },
        {"name": "off", "active": "false", "route": {"to": {"agent": "marta"}, "if_nobody": "hold"}},
        {"name": "rest", "when": {"all": []}, "route": {"to": "queue"}},
    ],
}
NORMAL = {
    "returning": "rotate",
    "join_window": 5400,
    "intent": {"hot": 80, "warm": 20},
    "scoring": [{"when": {"all": [{"field": "page_path", "op": "starts_with", "value": "/pricing"}]}, "points": 40}],
    "rules": [
        {
            "name": "Iberian WhatsApp",
            "when": {
                "any": [
                    {"field": "country", "op": "in", "value": ["ES", "NO"]},
                    {
                        "all": [
                            {"field": "local_time", "op": "between", "value": ["18:00", "09:30"]},
                            {"field": "returning", "op": "is", "value": True},
                            {"field": "score", "op": "gte", "value": 40},
                            {"field": "language", "op": "is", "value": "es-MX"},
                            {"field": "attributes.seats", "op": "gt", "value": "50.5"},
                        ]
                    },
                ]
            },
            "route": {
                "to": {"team": "iberia"},
                "by": "round_robin",
                "require": ["channel", "tags:senior"],
                "prefer": [],
                "if_nobody": "next_rule",
            },
            "sla": {
                "respond_within": 300,
                "remind_at": [50, 80],
                "reroute_after": 600,
                "max_reroutes": 3,
                "clock": "wall",
            },
        },
        {
            "name": "off",
            "active": False,
            "route": {"to": {"agent": "marta"}, "require": [], "prefer": [], "if_nobody": "hold"},
        },
        {"name": "rest", "route": {"to": "queue"}},
    ],
}


class TestNormalForm:
    def test_types_the_texts_of_a_file_by_field(self):
        assert read(**FROM_A_FILE) == NORMAL

    def test_of_a_normal_form_is_itself(self):
        assert read(**NORMAL) == NORMAL
        assert read(**json.loads(json.dumps(NORMAL))) == NORMAL

    def test_of_nothing_is_the_defaults(self):
        assert read() == DEFAULTS

    def test_is_what_the_engine_compiles(self):
        policy = compile_policy(NORMAL, 1)

        assert [rule.name for rule in policy.matching({"country": "no"}, None)] == ["Iberian WhatsApp", "rest"]

    def test_a_rule_with_defaults_written_out_is_the_rule_without(self):
        written_out = {
            "to": {"team": "iberia"},
            "by": "round_robin",
            "require": [],
            "prefer": [],
            "if_nobody": "next_rule",
        }

        assert read_rule(route=written_out, active="true", when=None, sla={}) == read_rule()


@st.composite
def sound_conditions(draw):
    name = draw(st.sampled_from([*FIELDS, "attributes.plan"]))
    op = draw(st.sampled_from(field_type(name).operators))
    kind = field_type(name).kind
    one = {
        Kind.TEXT: st.sampled_from(["a", "Demo", "/x"]),
        Kind.ATTRIBUTE: st.sampled_from(["1", "02", "3.50", "-4"]),
        Kind.LANGUAGE: st.sampled_from(["es", "ES-mx", "zh_hant"]),
        Kind.FLAG: st.sampled_from(["true", "NO", False]),
        Kind.NUMBER: st.integers(-9, 9) | st.integers(-9, 9).map(str),
        Kind.TIME: st.sampled_from(["9:00", "10:30"]),
        Kind.CHOICE: st.sampled_from(
            {
                "channel": ["form", "WhatsApp"],
                "source": ["api", "Widget"],
                "region": ["us-ca", "ES-MD"],
                "intent": ["hot", "Cold"],
                "weekday": ["mon", "SUN"],
            }.get(name, ["es", "PT"])
        ),
    }[kind]
    if OPERATORS[op] == "nothing":
        return {"field": name, "op": op}
    if OPERATORS[op] == "many":
        return {"field": name, "op": op, "value": draw(st.lists(one, min_size=1, max_size=3))}
    if OPERATORS[op] == "pair":
        return {"field": name, "op": op, "value": ["9:00", "10:30"] if kind is Kind.TIME else ["-1", "10"]}
    return {"field": name, "op": op, "value": draw(one)}


@given(conditions=st.lists(sound_conditions(), min_size=1, max_size=4))
def test_normalising_twice_changes_nothing_and_the_engine_takes_what_comes_out(conditions):
    when = {"any": [{"all": conditions}, conditions[0]]}
    normal = read(rules=[{"name": "r", "when": when, "route": TO_TEAM}])

    assert read(**normal) == normal
    assert json.loads(json.dumps(normal)) == normal
    When.of(normal["rules"][0]["when"]).holds({}, None)


class TestPlaces:
    def test_a_fault_names_the_rule_and_the_nearest_right_field(self):
        error = the_error(
            rules=[
                *({"name": str(n), "route": TO_TEAM} for n in range(3)),
                {
                    "name": "typo",
                    "when": {"all": [{"field": "contry", "op": "is", "value": "ES"}]},
                    "route": TO_TEAM,
                },
            ]
        )

        assert error.path == ("rules", 3, "when", "all", 0, "field")
        assert str(error) == "rules[3].when: unknown field 'contry' (did you mean 'country'?)"

    @pytest.mark.parametrize(
        ("path", "shown"),
        [
            (("rules", 0, "route", "by"), "rules[0].route.by"),
            (("scoring", 2, "when", "any", 1, "all", 0, "op"), "scoring[2].when"),
            (("workspace", "join_window"), "workspace.join_window"),
            ((), ""),
        ],
    )
    def test_paths_read_as_in_the_file(self, path, shown):
        assert format_path(path) == shown

    def test_everything_that_is_wrong_is_found_at_once(self):
        found = errors(
            join_window="soon",
            rulez=[],
            scoring=[{"points": "many"}],
            rules=[
                {"name": "a", "route": {"to": {"team": "iberja"}, "by": "turns"}},
                {"when": {"all": [{"field": "country", "op": "is", "value": "Spain"}]}, "route": {"to": "queue"}},
            ],
        )

        assert [error.path for error in found] == [
            ("rulez",),
            ("workspace", "join_window"),
            ("scoring", 0, "points"),
            ("rules", 0, "route", "to", "team"),
            ("rules", 1),
            ("rules", 1, "when", "all", 0, "value"),
        ]


class TestConditions:
    @pytest.mark.parametrize(
        ("field", "op", "value", "sentence"),
        [
            ("contry", "is", "ES", "unknown field 'contry' (did you mean 'country'?)"),
            ("attribute.plan", "is", "x", "write attributes.NAME"),
            ("attributes.", "is", "x", "write attributes.NAME"),
            ("attributes.a b", "is", "x", "attribute's name"),
            ("country", "equals", "ES", "unknown operator 'equals' (did you mean 'is'?)"),
            ("country", "start_with", "ES", "(did you mean 'starts_with'?)"),
            ("country", "gt", "ES", "'gt' does not apply to 'country': use one of is, is_not"),
            ("message", "between", ["a", "b"], "does not apply to 'message'"),
            ("returning", "contains", "x", "does not apply to 'returning'"),
            ("country", "is", ["ES"], "use 'in' for a list"),
            ("message", "contains", ["a"], "'contains' takes one value"),
            ("country", "in", "ES", "'in' takes a list of values"),
            ("country", "in", [], "between 1 and"),
            ("country", "is", None, "needs a value"),
            ("country", "is_set", "ES", "'is_set' takes no value"),
            ("country", "is", "UK", "GB"),
            ("country", "is", "ZZ", "ZZ"),
            ("country", "in", ["ES", "Spain"], "ES"),
            ("region", "is", "ES", "US-CA"),
            ("region", "is", "ZZ-CA", "ZZ"),
            ("language", "is", "spanish", "language tag"),
            ("channel", "is", "whatsap", "(did you mean 'whatsapp'?)"),
            ("source", "is", "web", "unknown source 'web'"),
            ("intent", "is", "hott", "(did you mean 'hot'?)"),
            ("weekday", "in", ["monday"], "(did you mean 'mon'?)"),
            ("phone_country", "is", "+34", "+34"),
            ("returning", "is", "maybe", "expected true or false"),
            ("score", "gt", "high", "expected a whole number"),
            ("score", "gt", "1.5", "expected a whole number"),
            ("score", "gt", True, "expected a whole number"),
            ("score", "between", ["1"], "two values"),
            ("score", "between", ["9", "1"], "exchange"),
            ("local_time", "between", ["09:00", "25:00"], "expected a time"),
            ("local_time", "between", ["09:00", "9:00"], "equal"),
            ("local_time", "gt", "24:00", "expected a time"),
            ("local_time", "gt", 1080, "expected a time"),
            ("attributes.seats", "gt", "many", "expected a number"),
            ("message", "contains", "  ", "empty"),
            ("message", "matches", "(a", "does not compile: missing )"),
            ("message", "matches", "(?=a)", "look-around"),
            ("message", "matches", r"(a)\1", "back-references"),
            ("message", "matches", "a{2000}", "does not compile"),
            ("message", "matches", "\ud800", "no text"),
            ("message", "matches", "a" * 1001, "longer than 1000"),
        ],
    )
    def test_what_is_wrong_is_said_with_its_remedy(self, field, op, value, sentence):
        error = error_of_condition(field, op, *([] if value is None else [value]))

        assert sentence in error.message
        assert format_path(error.path) == "rules[0].when"

    @pytest.mark.parametrize(
        ("field", "op", "value", "normal"),
        [
            ("country", "is", "no", "NO"),
            ("region", "in", ["us-ca"], ["US-CA"]),
            ("weekday", "is", "MON", "mon"),
            ("channel", "is", "WhatsApp", "whatsapp"),
            ("local_time", "between", ["22:00", "24:00"], ["22:00", "24:00"]),
            ("in_hours", "is", "off", False),
            ("score", "in", ["7", 7, "+08"], [7, 8]),
            ("attributes.seats", "lte", "-0.0", "0"),
            ("attributes.seats", "lte", 1000000, "1000000"),
            ("attributes.vip", "is", True, "true"),
            ("message", "is", 7, "7"),
            ("city", "is", "NO", "NO"),
        ],
    )
    def test_values_become_the_type_of_their_field(self, field, op, value, normal):
        found = read_condition(field, op, value)

        assert (found, type(found)) == (normal, type(normal))

    @pytest.mark.parametrize(
        ("when", "sentence"),
        [
            ({"all": [], "any": []}, "either"),
            ({"and": []}, "unknown key 'and'"),
            ({"any": []}, "no lead"),
            ({"any": [{"all": []}]}, "every lead"),
            ({"all": [{"any": []}]}, "no deeper"),
            ({"any": [{"all": [{"all": []}]}]}, "no deeper"),
            ({"all": {"field": "city"}}, "expected a list"),
            ({"all": ["city is Rome"]}, "expected a condition"),
            ({"all": [{"op": "is", "value": "x"}]}, "no field"),
            ({"all": [{"field": "city", "value": "x"}]}, "no operator"),
            ({"all": [{"field": "city", "op": "is", "value": "x", "values": "y"}]}, "(did you mean 'value'?)"),
            ("country is ES", "expected {all"),
            ({"all": [{"field": "city", "op": "is_set"}] * 201}, "split the rule"),
        ],
    )
    def test_groups_go_one_level_deep(self, when, sentence):
        assert sentence in error_of_rule(when=when).message

    def test_every_operator_is_offered_by_some_field_and_compiles(self):
        offered = {op for name in [*FIELDS, "attributes.x"] for op in field_type(name).operators}

        assert offered == set(OPERATORS)

    @pytest.mark.parametrize("field", ["score", "intent"])
    def test_scoring_cannot_look_at_what_it_makes(self, field):
        when = {"all": [{"field": field, "op": "is_set"}]}

        assert "scoring makes" in the_error(scoring=[{"when": when, "points": 1}]).message
        assert read_rule(when=when)["when"] == when


class TestRules:
    @pytest.mark.parametrize(
        ("rule", "place", "sentence"),
        [
            ({"name": ""}, "rules[0]", "'name' is missing"),
            ({"name": "a\nb"}, "rules[0].name", "one line"),
            ({"name": "x" * 201}, "rules[0].name", "longer than 200"),
            ({"active": "perhaps"}, "rules[0].active", "true or false"),
            ({"colour": "red"}, "rules[0].colour", "unknown key 'colour'"),
            ({"route": None}, "rules[0]", "'route' is missing"),
            ({"route": "queue"}, "rules[0].route", "expected a route"),
            ({"route": {}}, "rules[0].route.to", "no target"),
            ({"route": {"to": "iberia"}}, "rules[0].route.to", "write {team"),
            ({"route": {"to": {"teem": "iberia"}}}, "rules[0].route.to", "(did you mean 'team'?)"),
            ({"route": {"to": {"team": "iberia", "agent": "marta"}}}, "rules[0].route.to", "expected {team"),
            ({"route": {"to": {"team": ["iberia"]}}}, "rules[0].route.to.team", "one team"),
            (
                {"route": {"to": {"team": "iberja"}}},
                "rules[0].route.to.team",
                "there is no team 'iberja' (did you mean 'iberia'?)",
            ),
            ({"route": {"to": {"agent": "iberia"}}}, "rules[0].route.to.agent", "there is no agent 'iberia'"),
            ({"route": {**TO_TEAM, "by": "robin"}}, "rules[0].route.by", "unknown strategy 'robin'"),
            ({"route": {**TO_TEAM, "bye": "x"}}, "rules[0].route.bye", "(did you mean 'by'?)"),
            ({"route": {**TO_TEAM, "if_nobody": "wait"}}, "rules[0].route.if_nobody", "use one of next_rule, on_call"),
            ({"route": {**TO_TEAM, "require": "channel"}}, "rules[0].route.require", "expected a list"),
            ({"route": {**TO_TEAM, "prefer": ["langage"]}}, "rules[0].route.prefer[0]", "(did you mean 'language'?)"),
            ({"route": {**TO_TEAM, "require": ["tags:a,b"]}}, "rules[0].route.require[0]", "cannot be a tag"),
            ({"route": {"to": "queue", "by": "priority"}}, "rules[0].route.by", "means nothing with `to: queue`"),
            ({"route": {"to": "queue", "prefer": []}}, "rules[0].route.prefer", "means nothing"),
            ({"route": {"to": "queue", "if_nobody": "hold"}}, "rules[0].route.if_nobody", "means nothing"),
            ({"route": {"to": {"agent": "marta"}, "by": "priority"}}, "rules[0].route.by", "one agent"),
        ],
    )
    def test_what_is_wrong_is_said_with_its_place_and_remedy(self, rule, place, sentence):
        error = error_of_rule(**rule)

        assert format_path(error.path) == place
        assert sentence in error.message

    def test_names_are_unique(self):
        error = the_error(rules=[{"name": "a", "route": TO_TEAM}, {"name": "a ", "route": TO_TEAM}])

        assert error.path == ("rules", 1, "name")
        assert "rule 0 is called 'a' already" in error.message

    def test_sla_goes_with_any_target(self):
        assert read_rule(route={"to": "queue"}, sla={"respond_within": "2d"})["sla"] == {
            "respond_within": 172_800,
            "clock": "wall",
        }

    FORM = {"field": "channel", "op": "is", "value": "form"}
    CLAIM = {"to": {"team": "iberia"}, "by": "claim"}

    @pytest.mark.parametrize(
        "when",
        [
            None,
            {"all": [{"field": "channel", "op": "in", "value": ["form", "email"]}]},
            {"all": [{"field": "channel", "op": "is_not", "value": "whatsapp"}]},
            {"any": [FORM, {"field": "country", "op": "is", "value": "ES"}]},
        ],
    )
    def test_a_claim_is_refused_where_a_visitor_may_wait_for_a_link(self, when):
        error = error_of_rule(when=when, route=self.CLAIM)

        assert error.path == ("rules", 0, "route", "by")
        assert "limit channel to form" in error.message

    @pytest.mark.parametrize(
        "when",
        [
            {"all": [{"field": "country", "op": "is", "value": "ES"}, FORM]},
            {"any": [FORM, {"all": [{"field": "channel", "op": "in", "value": ["form"]}]}]},
        ],
    )
    def test_a_claim_is_for_rules_that_take_forms_only(self, when):
        assert read_rule(when=when, route=self.CLAIM)["route"]["by"] == "claim"


class TestSla:
    @pytest.mark.parametrize(
        ("sla", "place", "sentence"),
        [
            ({"respond_in": "5m"}, "rules[0].sla.respond_in", "unknown key"),
            ({"respond_within": "5"}, "rules[0].sla.respond_within", "like 90s, 5m"),
            ({"respond_within": "0s"}, "rules[0].sla.respond_within", "at least 1s"),
            ({"respond_within": "400d"}, "rules[0].sla.respond_within", "at most 366d"),
            ({"respond_within": "5m", "remind_at": "50%"}, "rules[0].sla.remind_at", "list of percentages"),
            ({"respond_within": "5m", "remind_at": ["150%"]}, "rules[0].sla.remind_at[0]", "between 1% and 100%"),
            ({"reroute_after": "5m", "remind_at": ["50%"]}, "rules[0].sla.remind_at", "share of 'respond_within'"),
            ({"respond_within": "5m", "max_reroutes": "2"}, "rules[0].sla.max_reroutes", "without 'reroute_after'"),
            ({"reroute_after": "5m", "max_reroutes": "0"}, "rules[0].sla.max_reroutes", "between 1 and 20"),
            ({"respond_within": "5m", "clock": "sun"}, "rules[0].sla.clock", "use one of wall, covered"),
            ({"clock": "wall"}, "rules[0].sla", "promises nothing"),
            (["5m"], "rules[0].sla", "expected {respond_within"),
        ],
    )
    def test_what_is_wrong_is_said_with_its_place_and_remedy(self, sla, place, sentence):
        error = error_of_rule(sla=sla)

        assert format_path(error.path) == place
        assert sentence in error.message

    def test_is_kept_in_seconds_and_percent(self):
        sla = {
            "respond_within": "5m",
            "remind_at": ["50%", "50 %", "20"],
            "reroute_after": "1h30m",
            "max_reroutes": "2",
            "escalate_after": "15m",
            "clock": "covered",
        }

        assert read_rule(sla=sla)["sla"] == {
            "respond_within": 300,
            "remind_at": [20, 50],
            "reroute_after": 5400,
            "max_reroutes": 2,
            "escalate_after": 900,
            "clock": "covered",
        }

    def test_reminds_also_after_lengths_of_time(self):
        sla = {"respond_within": "1h", "remind_at": ["120s", "50%", "2m", "1h30m", "10"]}

        read_once = read_rule(sla=sla)["sla"]

        assert read_once["remind_at"] == [10, 50, "2m", "90m"]
        assert read_rule(sla=read_once)["sla"] == read_once
        assert read_rule(sla={"reroute_after": "5m", "remind_at": ["2m"]})["sla"]["remind_at"] == ["2m"]


class TestSettings:
    @pytest.mark.parametrize(
        ("document", "place", "sentence"),
        [
            ({"returning": "same"}, "workspace.returning", "unknown choice 'same'"),
            ({"join_window": "-1h"}, "workspace.join_window", "like 90s, 5m, 24h"),
            ({"intent": {"hot": "30", "warm": "70"}}, "workspace.intent", "must not be below"),
            ({"intent": {"hod": "30"}}, "workspace.intent.hod", "(did you mean 'hot'?)"),
            ({"intent": {"hot": "very"}}, "workspace.intent.hot", "whole number"),
            ({"intent": "70"}, "workspace.intent", "expected {hot"),
            ({"sla": {"clock": "wall"}}, "workspace.sla", "promises nothing"),
            ({"sla": {"respond_within": "soon"}}, "workspace.sla.respond_within", "like 90s, 5m"),
            ({"acknowledge_within": "0s"}, "workspace.acknowledge_within", "at least 1s"),
            ({"scoring": {}}, "scoring", "expected a list"),
            ({"scoring": [{"when": None}]}, "scoring[0]", "'points' is missing"),
            ({"scoring": [{"points": "1001"}]}, "scoring[0].points", "between -1000 and 1000"),
            ({"rules": [7]}, "rules[0]", "expected a rule"),
        ],
    )
    def test_what_is_wrong_is_said_with_its_place_and_remedy(self, document, place, sentence):
        error = the_error(**document)

        assert format_path(error.path) == place
        assert sentence in error.message

    def test_a_join_window_of_nothing_joins_nothing(self):
        assert read(join_window="0")["join_window"] == 0

    def test_a_promise_for_rules_without_one_is_kept_like_a_rules(self):
        document = read(sla={"respond_within": "1h", "remind_at": ["50%"]}, acknowledge_within="2m")

        assert document["sla"] == {"respond_within": 3600, "remind_at": [50], "clock": "wall"}
        assert document["acknowledge_within"] == 120
        assert read(**document) == document

    def test_what_is_said_by_default_is_not_kept(self):
        assert read(sla={}, acknowledge_within="5m") == read()

    def test_one_intent_limit_may_be_given_alone(self):
        assert read(intent={"hot": "90"})["intent"] == {"hot": 90, "warm": 30}


@pytest.mark.parametrize(
    ("text", "seconds", "shown"),
    [
        ("90s", 90, "90s"),
        ("5m", 300, "5m"),
        ("24h", 86_400, "24h"),
        ("1d", 86_400, "24h"),
        ("2d", 172_800, "2d"),
        ("1h 30m", 5_400, "90m"),
        (61, 61, "61s"),
    ],
)
def test_durations_are_read_and_written_as_people_write_them(text, seconds, shown):
    assert parse_duration(text) == seconds
    assert format_duration(seconds) == shown
    assert parse_duration(shown) == seconds


@pytest.mark.parametrize("text", ["5", "", "5 minutes", "m5", "1.5h", "-5m", True, None, ["5m"]])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        parse_duration(text)


class TestPlan:
    @pytest.mark.parametrize(
        ("document", "cheapest", "path"),
        [
            ({"rules": [{"name": "r", "route": TO_TEAM}]}, "free", None),
            (
                {
                    "rules": [
                        {
                            "name": "r",
                            "when": {"all": [{"field": "city", "op": "is_set"}]},
                            "route": {"to": "queue"},
                        }
                    ]
                },
                "pro",
                ("rules", 0, "when"),
            ),
            (
                {"rules": [{"name": "r", "route": {**TO_TEAM, "by": "priority"}}]},
                "pro",
                ("rules", 0, "route", "by"),
            ),
            (
                {"rules": [{"name": "r", "route": {**TO_TEAM, "prefer": ["language"]}}]},
                "pro",
                ("rules", 0, "route", "prefer"),
            ),
            (
                {
                    "rules": [
                        {
                            "name": "r",
                            "when": {"any": [{"all": [{"field": "intent", "op": "is", "value": "hot"}]}]},
                            "route": TO_TEAM,
                        }
                    ]
                },
                "scale",
                ("rules", 0, "when"),
            ),
            ({"scoring": [{"points": 1}]}, "scale", ("scoring", 0)),
            ({"sla": {"respond_within": "5m"}}, "scale", ("workspace", "sla")),
            (
                {"rules": [{"name": "r", "route": TO_TEAM, "sla": {"respond_within": "5m"}}]},
                "scale",
                ("rules", 0, "sla"),
            ),
            (
                {
                    "rules": [
                        {
                            "name": "r",
                            "when": {"all": [TestRules.FORM]},
                            "route": {**TO_TEAM, "by": "claim"},
                        }
                    ]
                },
                "scale",
                ("rules", 0, "route", "by"),
            ),
        ],
    )
    def test_what_a_plan_does_not_have_is_refused_at_its_place(self, document, cheapest, path):
        plans = ["free", "pro", "scale"]
        for plan in plans:
            found = check_plan(read(**document), plan)
            if plans.index(plan) < plans.index(cheapest):
                assert path in [error.path for error in found]
                assert all("plan" in error.message for error in found)
            else:
                assert found == []


class TestWords:
    @pytest.mark.parametrize(
        ("rule", "sentence"),
        [
            (
                {
                    "when": {
                        "all": [
                            {"field": "country", "op": "in", "value": ["ES", "PT"]},
                            {"field": "language", "op": "is", "value": "es"},
                        ]
                    },
                    "route": {**TO_TEAM, "if_nobody": "hold"},
                },
                (
                    "When country is Spain or Portugal and language is Spanish → team iberia, taking turns; "
                    "nobody there: hold until somebody is"
                ),
            ),
            ({"route": {"to": "queue"}}, "Always → the nurture queue"),
            (
                {
                    "when": {
                        "any": [
                            {"field": "returning", "op": "is_not", "value": True},
                            {
                                "all": [
                                    {"field": "local_time", "op": "between", "value": ["18:00", "09:00"]},
                                    {"field": "attributes.plan", "op": "contains", "value": "Pro"},
                                ]
                            },
                        ]
                    },
                    "route": {"to": {"agent": "marta"}, "require": ["channel", "tags:vip"], "prefer": ["language"]},
                },
                (
                    "When the contact is new or (local time is from 18:00 to 09:00 and plan contains “Pro”) → marta; "
                    "only who has the channel and the tag “vip”; rather who has the language; "
                    "nobody there: the next rule"
                ),
            ),
        ],
    )
    def test_say_what_a_rule_does(self, rule, sentence):
        assert in_words(read_rule(**rule)) == sentence

    def test_name_the_target_where_it_is_known(self):
        assert "team Iberia, " in in_words(read_rule(), target="Iberia")

    def test_a_long_list_is_cut(self):
        when = {"all": [{"field": "city", "op": "in", "value": list("abcdefgh")}]}

        assert "city is “a”, “b”, “c”, “d” or 4 more" in in_words(read_rule(when=when))

    @given(condition=sound_conditions())
    def test_there_are_words_for_every_condition(self, condition):
        assert in_words(read_rule(when={"all": [condition]}))


def test_conditions_of_every_sort_compile():
    assert Condition.of({"field": "city", "op": "in", "value": ["a"]}).value == ("a",)
