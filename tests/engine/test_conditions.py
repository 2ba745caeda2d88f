import pytest

from routing.engine.conditions import FIELDS, OPERATORS, Condition, Failure, Reading, When, field_type
from routing.engine.facts import Facts, LanguageTag

SPANISH_OF_MEXICO = LanguageTag("es-MX", "es", "Latn", "Latn")


def holds(field, op, value=None, *, language=None, **values):
    return Condition(field, op, value).test(Reading({**values, **values.pop("more", {})}, language))


class TestText:
    @pytest.mark.parametrize(
        ("op", "value"),
        [
            ("is", "são paulo"),
            ("in", ("Lisboa", "SÃO PAULO")),
            ("contains", "o P"),
            ("starts_with", "são"),
            ("ends_with", "PAULO"),
            ("matches", "^s.o\\b"),
            ("is_not", "Lisboa"),
            ("not_in", ("Lisboa", "Madrid")),
            ("not_contains", "x"),
            ("is_set", None),
        ],
    )
    def test_compares_without_regard_to_case(self, op, value):
        assert holds("city", op, value, city="São Paulo")

    @pytest.mark.parametrize(
        ("op", "value"),
        [
            ("is", "paulo"),
            ("in", ("Paulo", "Rio")),
            ("contains", "rio"),
            ("starts_with", "paulo"),
            ("ends_with", "são"),
            ("matches", "^paulo"),
            ("is_not", "SÃO paulo"),
            ("not_in", ("são paulo", "Rio")),
            ("not_contains", "PAUL"),
            ("is_not_set", None),
        ],
    )
    def test_fails_for_another_text(self, op, value):
        assert not holds("city", op, value, city="São Paulo")

    def test_folds_letters_that_only_casefold_makes_equal(self):
        assert holds("city", "is", "GROSSENHAIN", city="Großenhain")


@pytest.mark.parametrize("op", OPERATORS)
@pytest.mark.parametrize("field", [*FIELDS, "attributes.plan"])
def test_an_unknown_value_fails_every_positive_comparison_and_satisfies_the_negative_ones(field, op):
    if op not in field_type(field).operators:
        return
    value = {"in": ("1", "2"), "not_in": ("1", "2"), "between": ("1", "2"), "is_set": None, "is_not_set": None}
    assert holds(field, op, value.get(op, "1")) is (op in {"is_not", "not_in", "not_contains", "is_not_set"})


class TestPatterns:
    def test_search_anywhere(self):
        assert holds("message", "matches", "pri[cz]ing", message="about your PRICING page")

    def test_a_pattern_that_backtracks_elsewhere_costs_nothing_here(self):
        assert not holds("message", "matches", "(a+)+b$", message="a" * 100_000)

    def test_look_at_the_first_16_kilobytes_of_utf8_only(self):
        assert holds("message", "matches", "needle", message="é" * (8 * 1024 - 3) + "needle")
        assert not holds("message", "matches", "needle", message="é" * (8 * 1024 - 2) + "needle")

    def test_no_character_is_cut_in_two(self):
        opening = Reading({"message": "a" + "é" * 10_000}, None).opening("message")

        assert len(opening) == 16 * 1024 - 1
        assert opening.decode() == "a" + "é" * 8191

    def test_half_a_surrogate_pair_does_not_raise(self):
        assert holds("message", "matches", "hola", message="\ud800 hola")


class TestLanguage:
    @pytest.mark.parametrize("tag", ["es", "ES", "es-mx", "ES-MX"])
    def test_is_covers_the_tag_and_its_longer_forms(self, tag):
        assert holds("language", "is", tag, language=SPANISH_OF_MEXICO)
        assert not holds("language", "is_not", tag, language=SPANISH_OF_MEXICO)

    def test_is_does_not_cover_shorter_forms_or_tags_that_only_begin_alike(self):
        assert not holds("language", "is", "es-MX", language=LanguageTag("es", "es", "Latn", "Latn"))
        assert not holds("language", "is", "es", language=LanguageTag("est", "est", "Latn", "Latn"))

    def test_covers_subtags_in_the_middle(self):
        traditional = LanguageTag("zh-Hant-TW", "zh", "Hant", "Hans")

        assert holds("language", "in", ("pt", "zh-hant"), language=traditional)
        assert not holds("language", "not_in", ("pt", "zh-hant"), language=traditional)
        assert not holds("language", "is", "zh-TW", language=traditional)


class TestNumbers:
    @pytest.mark.parametrize(
        ("op", "value", "expected"),
        [
            ("gt", 40, False),
            ("gte", 40, True),
            ("lt", 41, True),
            ("lte", 39, False),
            ("between", (40, 50), True),
            ("between", (30, 40), True),
            ("between", (41, 50), False),
            ("is", 40, True),
            ("in", (1, 40), True),
        ],
    )
    def test_compare_the_score(self, op, value, expected):
        assert holds("score", op, value, score=40) is expected

    @pytest.mark.parametrize(("seats", "expected"), [("50", True), (" 50.5 ", True), ("9", False), ("many", False)])
    def test_compare_attributes_that_are_numbers(self, seats, expected):
        assert holds("attributes.seats", "gte", "50", more={"attributes.seats": seats}) is expected

    @pytest.mark.parametrize("seats", ["1e9", "NaN", "Infinity", "1_000", "٥٠٠", "9" * 5_000])
    def test_what_is_no_plain_number_is_not_compared(self, seats):
        assert not holds("attributes.seats", "gt", "1", more={"attributes.seats": seats})
        assert not holds("attributes.seats", "lt", "1", more={"attributes.seats": seats})


class TestLocalTime:
    @pytest.mark.parametrize(
        ("between", "time", "expected"),
        [
            (("09:00", "17:00"), "09:00", True),
            (("09:00", "17:00"), "16:59", True),
            (("09:00", "17:00"), "17:00", False),
            (("09:00", "17:00"), "08:59", False),
            (("22:00", "06:00"), "22:00", True),
            (("22:00", "06:00"), "05:59", True),
            (("22:00", "06:00"), "06:00", False),
            (("22:00", "06:00"), "21:59", False),
            (("18:00", "24:00"), "23:59", True),
        ],
    )
    def test_between_excludes_its_end_and_may_wrap_midnight(self, between, time, expected):
        assert holds("local_time", "between", between, local_time=time) is expected

    def test_compares_by_the_clock(self):
        assert holds("local_time", "lt", "10:00", local_time="09:59")
        assert holds("local_time", "gte", "10:00", local_time="10:00")


def test_flags_compare_as_flags():
    assert holds("returning", "is", True, returning=True)
    assert not holds("returning", "is", True, returning=False)
    assert holds("in_hours", "is_not", True, in_hours=False)


class TestWhen:
    MIXED = {
        "any": [
            {"field": "country", "op": "is", "value": "ES"},
            {"all": [{"field": "channel", "op": "is", "value": "form"}, {"field": "city", "op": "is_set"}]},
        ]
    }

    @pytest.mark.parametrize("document", [None, {}, {"all": []}])
    def test_without_conditions_holds_for_every_lead(self, document):
        when = When.of(document)

        assert when.holds({}, None)
        assert when.failures({}, None) == ()

    def test_any_group_is_enough_and_a_group_needs_all_of_its_conditions(self):
        when = When.of(self.MIXED)

        assert when.holds({"country": "ES"}, None)
        assert when.holds({"channel": "form", "city": "Porto"}, None)
        assert not when.holds({"channel": "form"}, None)

    def test_failures_name_the_first_failing_condition_of_each_group_and_the_value_seen(self):
        when = When.of(self.MIXED)

        assert when.failures({"country": "PT", "channel": "form"}, None) == (
            Failure(Condition("country", "is", "ES"), "PT", 0),
            Failure(Condition("city", "is_set"), None, 1),
        )
        assert when.first_failure({"country": "PT"}, None) == Failure(Condition("country", "is", "ES"), "PT", 0)
        assert when.first_failure({"country": "ES"}, None) is None

    def test_the_value_seen_is_the_value_as_given(self):
        failure = When.of({"all": [{"field": "language", "op": "is", "value": "pt"}]}).first_failure(
            {}, SPANISH_OF_MEXICO
        )

        assert failure.seen == "es-MX"


def test_a_value_is_folded_once_however_many_conditions_ask():
    folds = []

    class Counted(str):
        def casefold(self):
            folds.append(self)
            return super().casefold()

    reading = Reading({"message": Counted("Hello")}, None)
    for op, value in [("contains", "hell"), ("is", "hello"), ("starts_with", "he")]:
        assert Condition("message", op, value).test(reading)

    assert len(folds) == 1


def test_facts_take_the_values_of_the_instant_without_changing():
    facts = Facts({"country": "ES"}, SPANISH_OF_MEXICO)

    assert facts.with_values({"weekday": "mon"}) == Facts({"country": "ES", "weekday": "mon"}, SPANISH_OF_MEXICO)
    assert facts.values == {"country": "ES"}
