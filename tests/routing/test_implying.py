"""Whether conditions can hold at all, and whether some hold wherever others do."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.engine.conditions import When
from routing.facts import build_facts
from routing.implying import can_hold, implies
from tests.leads.world import only


def both(*conditions):
    return {"all": [condition for one in conditions for condition in one["all"]]}


def either(*whens):
    return {"any": [when["all"][0] if len(when["all"]) == 1 else when for when in whens]}


ES, PT = only("country", "ES"), only("country", "PT")
SPANISH, MEXICAN = only("language", "es"), only("language", "es-MX")


@pytest.mark.parametrize(
    ("narrow", "wide", "expected"),
    [
        (ES, None, True),
        (None, ES, False),
        (ES, only("country", ["ES", "PT"], "in"), True),
        (only("country", ["ES", "FR"], "in"), only("country", ["ES", "PT"], "in"), False),
        (both(ES, SPANISH), ES, True),
        (ES, both(ES, SPANISH), False),
        (MEXICAN, SPANISH, True),
        (SPANISH, MEXICAN, False),
        (ES, only("country", None, "is_set"), True),
        (ES, only("country", "PT", "is_not"), True),
        (SPANISH, only("language", "es-MX", "is_not"), False),
        (only("page_path", "/pricing/pro"), only("page_path", "/pricing", "starts_with"), True),
        (only("page_path", "/pricing/pro", "starts_with"), only("page_path", "/pricing", "starts_with"), True),
        (only("page_path", "/pricing", "starts_with"), only("page_path", "/pricing/pro", "starts_with"), False),
        (only("page_path", "/pricing", "starts_with"), only("page_path", "PRICING", "contains"), True),
        (only("page_path", "ice", "contains"), only("page_path", "pricing", "contains"), False),
        (only("page_path", "pricing", "contains"), only("page_path", "pricing", "starts_with"), False),
        (only("page_path", "a.pdf", "ends_with"), only("page_path", ".pdf", "ends_with"), True),
        (only("page_path", ".pdf", "ends_with"), only("page_path", "a.pdf", "ends_with"), False),
        (only("score", 80, "gte"), only("score", 50, "gt"), True),
        (only("score", 50, "gte"), only("score", 50, "gt"), False),
        (only("score", [60, 70], "between"), only("score", 50, "gt"), True),
        (only("local_time", ["10:00", "12:00"], "between"), only("local_time", ["09:00", "12:00"], "between"), True),
        (only("local_time", ["22:00", "06:00"], "between"), only("local_time", ["20:00", "08:00"], "between"), False),
        (either(ES, PT), only("country", ["ES", "PT"], "in"), True),
        (only("country", ["ES", "PT"], "in"), either(ES, both(PT, SPANISH)), False),
    ],
)  # fmt: skip
def test_is_said_only_where_it_is_certain(narrow, wide, expected):
    assert implies(narrow, wide) is expected


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        (both(ES, PT), False),
        (either(both(ES, PT), SPANISH), True),
        (both(SPANISH, MEXICAN), True),
        (both(ES, only("country", ["ES", "PT"], "not_in")), False),
        (both(only("score", 80, "gt"), only("score", 20, "lt")), False),
        (both(only("country", None, "is_not_set"), ES), False),
        (both(only("local_time", ["20:00", "08:00"], "between"), only("local_time", "21:00", "gt")), True),
    ],
)
def test_what_excludes_itself_never_holds(when, expected):
    assert can_hold(when) is expected


conditions = st.one_of(
    st.builds(only, st.just("country"), st.sampled_from(["ES", "PT", "FR"]), st.sampled_from(["is", "is_not"])),
    st.builds(
        only,
        st.just("country"),
        st.lists(st.sampled_from(["ES", "PT", "FR"]), min_size=1, unique=True),
        st.sampled_from(["in", "not_in"]),
    ),
    st.builds(only, st.just("language"), st.sampled_from(["es", "es-MX", "fr"]), st.sampled_from(["is", "is_not"])),
    st.builds(
        only,
        st.just("page_path"),
        st.sampled_from(["/a", "/ab", "b"]),
        st.sampled_from(["is", "contains", "starts_with", "ends_with", "not_contains"]),
    ),
    st.builds(
        only,
        st.just("attributes.n"),
        st.sampled_from(["1", "2", "3"]),
        st.sampled_from(["gt", "gte", "lt", "lte", "is"]),
    ),
    st.builds(only, st.sampled_from(["country", "page_path"]), st.none(), st.sampled_from(["is_set", "is_not_set"])),
)
whens = st.one_of(
    st.none(),
    st.lists(conditions, min_size=1, max_size=3).map(lambda several: both(*several)),
    st.lists(conditions, min_size=2, max_size=3).map(lambda several: either(*several)),
)
leads = st.builds(
    lambda country, language, path, n: build_facts(
        country=country, language=language, page_path=path, attributes={"n": n}
    ),
    st.sampled_from([None, "ES", "PT", "FR"]),
    st.sampled_from(["es", "es-MX", "fr", "de"]),
    st.sampled_from([None, "/a", "/ab", "/cab", "/b"]),
    st.sampled_from([None, "1", "2", "2.5", "3", "x"]),
)


def holds(when, facts):
    document = {key: [_without_none(member) for member in members] for key, members in when.items()} if when else None
    return not When.of(document).failures(facts.values, facts.language)


def _without_none(member):
    if "all" in member:
        return {"all": [_without_none(one) for one in member["all"]]}
    return {key: value for key, value in member.items() if value is not None}


@given(narrow=whens, wide=whens, some=st.lists(leads, min_size=1, max_size=12))
@settings(max_examples=150)
def test_the_engine_never_disagrees(narrow, wide, some):
    for facts in some:
        if implies(narrow, wide) and holds(narrow, facts):
            assert holds(wide, facts)
        if not can_hold(narrow):
            assert not holds(narrow, facts)
