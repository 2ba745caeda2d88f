"""Facts of one sort are the same to every decision."""

from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from routing.engine import EVEN, Outcome, Snapshot, compile_policy, decide
from routing.engine.hours import microseconds
from routing.engine.sorting import Recall, Sorting
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


class TestRecall:
    """What is worked out for one lead is the answer for another one only where nothing tells them apart."""

    def decided(self, world, *leads):
        """Of (lead, instant) pairs, all by one recall."""
        recall, found = Recall(world), []
        for request, at in leads:
            decision = recall.shortlist(request, at, microseconds(at), {}, 0).decide(EVEN)
            found.append((decision.rule, decision.agent, decision.outcome))
        return found

    def test_other_rules_may_hold(self):
        spanish = rule("spanish", "agent:a1", when=condition("city", "is", "Madrid"))
        world = snapshot([agent(1), agent(2)], rules=[spanish, rule("rest", "agent:a2")])

        found = self.decided(world, *((lead(city=city), MONDAY) for city in ("Madrid", "Porto", "Madrid")))
        assert [agent for _, agent, _ in found] == [1, 2, 1]

    def test_leads_wait_for_hours_that_come_and_not_for_those_that_are_over(self):
        leaves = agent(1, shifts=office_hours(), time_off=[(datetime(2026, 3, 7), datetime(2027, 3, 7))])
        world = snapshot([leaves, agent(2)], rules=[rule("hold", "agent:a1", if_nobody="hold"), rule("rest", "queue")])

        # Nobody is there in either night; the agent is back in the morning of the first one only.
        found = self.decided(world, (lead(), MONDAY), (lead(), MONDAY + timedelta(days=4, hours=22)))
        assert [outcome for _, _, outcome in found] == [Outcome.HELD, Outcome.QUEUED]

    def test_hours_pass(self):
        day = rule("day", "queue", when=condition("in_hours", "is", True))
        world = snapshot([agent(1, shifts=office_hours())], rules=[day, rule("rest", "queue")])

        found = self.decided(world, *((lead(), MONDAY + timedelta(hours=hour)) for hour in (8, 9, 16, 17)))
        assert [name for name, _, _ in found] == ["rest", "day", "day", "rest"]

    def test_the_clocks_change(self):
        late = rule("late", "queue", when=condition("local_time", "gte", "10:00"))
        world = snapshot([agent(1)], rules=[late, rule("rest", "queue")], zone="Europe/Madrid")

        # On 29 March ten o'clock is at eight, an hour earlier than half past one makes it look.
        moments = [datetime(2026, 3, 29, hour, 30, tzinfo=UTC) for hour in (0, 7, 8)]
        found = self.decided(world, *((lead(), at) for at in moments))
        assert [name for name, _, _ in found] == ["rest", "rest", "late"]
