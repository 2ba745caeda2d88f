"""Laws of deciding, on random worlds: people, teams, rules, loads, ledgers and leads of every kind."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from routing.engine import (
    EVEN,
    Entry,
    Ledger,
    Load,
    Outcome,
    Reason,
    Roster,
    Snapshot,
    U,
    Verdict,
    compile_policy,
    decide,
    match,
)
from routing.engine.hours import Kind, ShiftSpec, microseconds, on_shift
from routing.engine.index import RuleIndex
from routing.engine.sorting import Recall
from routing.engine.walk import walk
from tests.engine.world import agent, lead, policy, rule, snapshot, team

ZONES = ["UTC", "Europe/Madrid", "America/New_York", "Asia/Kathmandu"]
LANGUAGES = ["es", "es-MX", "en", "pt", "pt-BR", "zh-TW", "zh-CN"]
PLACES = ["ES", "US", "US-CA", "PT"]
CHANNELS = ["whatsapp", "telegram", "phone"]
TAGS = ["vip", "senior"]
AT = datetime(2026, 3, 4, 10, 30, tzinfo=UTC)
START = datetime(2026, 3, 4)

some = st.integers(1, 3)


def few(values, size=3):
    return st.lists(st.sampled_from(values), max_size=size, unique=True)


shifts = st.builds(
    lambda weekday, start, length, kind: ShiftSpec(weekday, start, (start + length - 1) % 1440 + 1, kind),
    st.integers(0, 6),
    st.integers(0, 47).map(lambda half: half * 30),
    st.integers(1, 47).map(lambda half: half * 30),
    st.sampled_from(Kind),
)
whole_days = st.builds(lambda day, kind: ShiftSpec(day, 0, 1440, kind), st.integers(1, 3), st.sampled_from(Kind))


def people(number):
    return st.builds(
        agent,
        st.just(number),
        zone=st.sampled_from(ZONES),
        languages=few(LANGUAGES),
        territories=few(PLACES),
        channels=few(CHANNELS),
        tags=few(TAGS),
        active=st.sampled_from([True] * 5 + [False]),
        paused=st.sampled_from([False] * 4 + [True]),
        caps=st.fixed_dictionaries({}, optional={"open": some, "hour": some, "day": some, "week": some}),
        shifts=st.lists(shifts | whole_days, max_size=5).map(tuple),
        time_off=st.lists(
            st.integers(-72, 48).map(lambda late: (START + timedelta(hours=late), START + timedelta(hours=late + 12))),
            max_size=1,
        ),
        calendar=st.sampled_from(["", "", "XX"]),
    )  # fmt: skip


def conditions():
    single = st.one_of(
        st.tuples(st.just("country"), st.sampled_from(["is", "is_not"]), st.sampled_from(PLACES[:2])),
        st.tuples(st.just("language"), st.sampled_from(["is", "is_not"]), st.sampled_from(["es", "en", "zh-TW"])),
        st.tuples(st.just("intent"), st.just("is"), st.sampled_from(["hot", "warm", "cold"])),
        st.tuples(st.just("in_hours"), st.just("is"), st.booleans()),
        st.tuples(st.just("returning"), st.just("is"), st.booleans()),
        st.tuples(st.just("message"), st.sampled_from(["contains", "not_contains"]), st.just("demo")),
    ).map(lambda parts: dict(zip(("field", "op", "value"), parts, strict=True)))  # fmt: skip
    return st.none() | st.fixed_dictionaries({"all": st.lists(single, min_size=1, max_size=2)})


def routes(to):
    if to == "queue":
        return st.just({})
    wants = st.lists(st.sampled_from(["language", "channel", "territory", "tags:vip"]), max_size=2, unique=True)
    more = {"by": st.sampled_from(["round_robin", "least_busy", "priority", "claim"])} if to.startswith("t") else {}
    return st.fixed_dictionaries(
        {
            "require": wants,
            "prefer": wants,
            "if_nobody": st.sampled_from(["next_rule", "on_call", "hold", "queue", "fallback"]),
            **more,
        }
    )


@st.composite
def rule_lists(draw):
    targets = st.sampled_from(["t1", "t2", "t3", "t4", "gone", "agent:a1", "agent:a9", "queue"])
    rules = []
    for number in range(draw(st.integers(0, 5))):
        to = draw(targets)
        rules.append(rule(f"r{number}", to, when=draw(conditions()), **draw(routes(to))))
    return rules


@st.composite
def worlds(draw):
    count = draw(st.integers(1, 6))
    numbers = range(1, count + 1)
    place = st.tuples(st.sampled_from(numbers), st.integers(0, 3), some)
    teams = [
        team(
            number,
            f"t{number}",
            draw(st.lists(place, max_size=5, unique_by=lambda member: member[0])),
            catch_up=draw(st.integers(0, 2)),
            archived=number == 4,
        )
        for number in range(1, 5)
    ]
    points = st.integers(-50, 90)
    return snapshot(
        [draw(people(number)) for number in numbers],
        teams,
        draw(rule_lists()),
        fallback=draw(st.sampled_from([None, *numbers])),
        zone=draw(st.sampled_from(ZONES)),
        calendars={"XX": frozenset({date(2026, 3, 4)})},
        returning=draw(st.sampled_from(["same_agent", "rotate"])),
        scoring=draw(st.lists(st.fixed_dictionaries({"when": plain_conditions, "points": points}), max_size=2)),
    )


plain_conditions = conditions().filter(
    lambda when: not when or all(each["field"] not in ("intent",) for each in when["all"])
)

instants = st.integers(-3000, 3000).map(lambda minutes: AT + timedelta(minutes=minutes))

requests = st.builds(
    lead,
    known=st.none() | st.integers(1, 7),
    language=st.sampled_from(LANGUAGES),
    channel=st.sampled_from([*CHANNELS, "form", None]),
    country=st.sampled_from(["ES", "US", None]),
    region=st.sampled_from(["US-CA", None]),
    message=st.sampled_from(["a demo please", "Price?", None]),
    channels=st.permutations(CHANNELS).map(tuple),
    tried=st.frozensets(st.integers(1, 6), max_size=2),
    claim_over=st.booleans(),
)

loads = st.dictionaries(
    st.integers(1, 6),
    st.builds(
        Load,
        open=st.integers(0, 4),
        hour_key=st.sampled_from(["2026-03-04T10", ""]),
        hour=st.integers(0, 3),
        day_key=st.sampled_from(["2026-03-04", "2026-03-05"]),
        day=st.integers(0, 3),
        week_key=st.just("2026-W10"),
        week=st.integers(0, 4),
        last_assigned_at=st.none() | instants,
    ),
)

ledgers = st.dictionaries(
    st.integers(0, 4),
    st.dictionaries(
        st.integers(1, 6),
        st.builds(Entry, st.integers(-2 * U, 2 * U), st.integers(0, 9), st.sampled_from([0, 0, U])),
    ).map(lambda entries: Ledger(entries, 10)),
)


@given(worlds(), requests, loads, ledgers, instants)
def test_deciding_and_the_full_walk_agree_in_everything(world, request, loads, ledgers, at):
    assert decide(request, world, loads, ledgers, at) == walk(request, world, loads, ledgers, at).decision


@given(worlds(), requests, loads, instants, st.lists(st.integers(0, 90), min_size=2, max_size=4))
def test_what_is_kept_of_one_instant_decides_nothing_at_another(world, request, loads, at, minutes):
    for later in minutes:
        at += timedelta(minutes=later)
        assert decide(request, world, loads, {}, at) == walk(request, world, loads, {}, at).decision


@given(
    worlds(),
    st.lists(requests, min_size=1, max_size=3),
    st.lists(instants, min_size=1, max_size=2),
    st.lists(loads, min_size=1, max_size=2),
    ledgers,
)
def test_leads_by_the_million_go_where_each_by_itself_would(world, some, times, loads, ledgers):
    recall = Recall(world)
    for request, at, carried in list(product(some, times, loads)) * 2:
        now = microseconds(at)
        full = world.roster.at_cap(world.roster.capped, now, carried)
        shortlist = recall.shortlist(request, at, now, carried, full)
        found = shortlist.decide(EVEN if shortlist.ledger is None else ledgers.get(shortlist.ledger, EVEN))

        said = decide(request, world, carried, ledgers, at)
        assert found == said._replace(pools=(), channel=None, score=None, intent=None)


@given(worlds(), requests, loads, ledgers, instants)
def test_the_same_inputs_give_the_same_decision(world, request, loads, ledgers, at):
    again = Snapshot(
        world.policy,
        Roster.compile(replace(world.roster.spec, agents=dict(reversed(list(world.roster.spec.agents.items()))))),
    )

    assert decide(request, world, loads, ledgers, at) == decide(request, again, loads, ledgers, at)


@given(worlds(), requests, loads, ledgers, instants)
def test_nobody_gets_a_lead_they_cannot_take(world, request, loads, ledgers, at):
    decision = decide(request, world, loads, ledgers, at)
    if decision.agent is None:
        return
    spec = world.roster.spec.agents[decision.agent]
    assert spec.active
    assert spec.id not in request.tried
    if decision.outcome is Outcome.ASSIGNED:
        kind = Kind.ON_CALL if decision.reason is Reason.ON_CALL else Kind.REGULAR
        assert not spec.paused
        assert on_shift(world.roster.schedule(spec.id), at=at, kind=kind)
        assert not loads.get(spec.id, Load()).reaches(spec.caps, world.roster.period_keys(spec.id, at))
        channel = request.facts.values.get("channel")
        assert channel in (None, "form") or channel in spec.channels


@given(worlds(), requests, loads, ledgers, instants)
def test_every_lead_gets_exactly_one_outcome(world, request, loads, ledgers, at):
    decision = decide(request, world, loads, ledgers, at)

    assert decision.outcome in (Outcome.ASSIGNED, Outcome.FALLBACK, Outcome.HELD, Outcome.QUEUED)
    assert (decision.agent is not None) == (decision.outcome in (Outcome.ASSIGNED, Outcome.FALLBACK))
    assert (decision.target is not None) == (decision.outcome is Outcome.HELD)
    chosen = [candidate for candidate in decision.candidates if candidate.verdict is Verdict.CHOSEN]
    assert len(chosen) == (decision.outcome is Outcome.ASSIGNED)
    assert (decision.turn is None) == (decision.ledger is None)


@given(worlds(), rule_lists(), requests, loads, ledgers, instants)
def test_a_rule_added_below_never_changes_a_lead_that_a_rule_above_decided(world, more, request, loads, ledgers, at):
    added = compile_policy(policy([{**below, "name": f"below {below['name']}"} for below in more]), 1)
    rules = (*world.policy.rules, *added.rules)
    longer = replace(world.policy, rules=rules, index=RuleIndex(rules), fields=world.policy.fields | added.fields)

    before = decide(request, world, loads, ledgers, at)
    after = decide(request, Snapshot(longer, world.roster), loads, ledgers, at)

    decided_by_a_rule = before.rule is not None and (
        before.outcome is Outcome.QUEUED
        or (before.pools[-1].rule == before.rule and before.pools[-1].then != "next_rule")
    )
    if decided_by_a_rule:
        assert before._replace(score=None, intent=None) == after._replace(score=None, intent=None)


@given(worlds(), requests, loads, instants)
def test_the_loads_a_match_asks_for_are_all_that_a_decision_depends_on(world, request, loads, at):
    found = match(request, world, at)
    asked = {number: load for number, load in loads.items() if number in found.load_agents}

    assert found.shortlist(asked).decide(EVEN) == decide(request, world, loads, {}, at)


@given(worlds(), st.data())
def test_a_patched_roster_is_the_one_compiled_anew(world, data):
    spec = world.roster.spec
    numbers = data.draw(st.lists(st.integers(1, 8), max_size=3, unique=True))
    agents = {number: data.draw(st.none() | people(number)) for number in numbers}
    patched = world.roster.patched(agents=agents, zone=spec.zone, fallback=spec.fallback)
    anew = Roster.compile(patched.spec)

    expected = {number: a for number, a in ({**spec.agents, **agents}).items() if a is not None}
    assert patched.spec.agents == expected
    for name in ("active", "paused", "capped", "anywhere", "everybody", "on_call_people"):
        assert set(patched.members(getattr(patched, name))) == set(anew.members(getattr(anew, name)))
    request, at = data.draw(requests), data.draw(instants)
    assert decide(request, Snapshot(world.policy, patched), {}, {}, at) == decide(
        request, Snapshot(world.policy, anew), {}, {}, at
    )
