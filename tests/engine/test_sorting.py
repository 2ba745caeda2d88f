"""Facts of one sort are the same to every decision."""

from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from routing.engine import Snapshot, compile_policy, decide
from routing.engine.sorting import Sorting
from tests.engine.world import agent, condition, lead, office_hours, policy, rule, snapshot, tag
from tests.examples import times

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
ROSTER = snapshot(
    [
        agent(1, languages=["es"], channels=["telegram"], territories=["ES"], shifts=office_hours("07:00", "15:00")),
        agent(2, languages=["en", "es-MX"], shifts=office_hours("12:00", "20:00")),
        agent(3, languages=["en"], territories=["US-CA", "PT"], shifts=office_hours("00:00", "24:00", days=range(7))),
    ]
).roster

conditions = st.sampled_from(
    [
        condition("city", "is", "Porto"),
        condition("city", "is_set"),
        condition("city", "starts_with", "p"),
        condition("message", "contains", "price"),
        condition("message", "matches", "[0-9]+"),
        condition("attributes.size", "gte", 50),
        condition("attributes.size", "is_not", "50"),
        condition("language", "is", "es"),
        condition("country", "in", ["ES", "PT"]),
        condition("intent", "is", "hot"),
        condition("score", "lt", 30),
        condition("weekday", "in", ["mon", "tue"]),
        condition("local_time", "between", ["09:00", "13:00"]),
        condition("in_hours", "is", False),
    ]
)
rules = st.lists(
    st.tuples(
        conditions, st.sampled_from(["sales", "agent:a1"]), st.sampled_from(["language", "channel", "territory"])
    ),
    max_size=5,
)
scoring = st.lists(st.tuples(conditions, st.sampled_from([-20, 40, 70])), max_size=3)
leads = st.builds(
    lead,
    channel=st.sampled_from([None, "whatsapp", "telegram", "form"]),
    language=st.sampled_from(["es", "es-MX", "en"]),
    country=st.sampled_from([None, "ES", "US"]),
    region=st.sampled_from([None, "US-CA"]),
    city=st.sampled_from([None, "Porto", "PARIS", "Lyon"]),
    message=st.sampled_from([None, "What is the price?", "The price, please", "42", "Call 12"]),
    **{"attributes.size": st.sampled_from([None, "50", "50.0", "7", "large"])},
)


def world(ruled, scored) -> Snapshot:
    document = policy(
        [
            rule(f"rule {number}", to, when=when, require=[wish], if_nobody="hold")
            for number, (when, to, wish) in enumerate(ruled)
        ],
        scoring=[
            {"when": when, "points": points}
            for when, points in scored
            if when["all"][0]["field"] not in ("score", "intent")
        ],
    )
    return Snapshot(compile_policy(document, 1), ROSTER)


@settings(max_examples=times(3), suppress_health_check=[HealthCheck.filter_too_much])  # few two are of one sort
@given(ruled=rules, scored=scoring, one=leads, other=leads, hours=st.integers(0, 167))
def test_facts_of_one_sort_are_decided_alike_at_any_time(ruled, scored, one, other, hours):
    taken = world(ruled, scored)
    sorting = Sorting(taken.policy)
    assume(sorting.sort(one.facts) == sorting.sort(other.facts))

    at = MONDAY + timedelta(hours=hours)

    assert decide(one, taken, {}, {}, at) == decide(other, taken, {}, {}, at)


def test_what_nobody_looks_at_makes_no_difference():
    sorting = Sorting(world([(condition("city", "is", "Porto"), "sales", "language")], []).policy)

    assert sorting.sort(lead(city="Lyon", message="a").facts) == sorting.sort(lead(message="b").facts)
    assert sorting.sort(lead(city="porto").facts) != sorting.sort(lead(city="Lyon").facts)
    assert sorting.sort(lead(language="es").facts) != sorting.sort(lead(language="es-MX").facts)


def test_a_language_is_more_than_its_tag():
    facts = lead(language="zh-TW").facts

    assert facts.language == tag("zh-TW")
    assert Sorting(world([], []).policy).sort(facts) != Sorting(world([], []).policy).sort(lead(language="zh").facts)
