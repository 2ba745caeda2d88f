"""Leads run through the engine in the order of time."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from routing.engine import U
from routing.engine.hours import Kind, ShiftSpec, instant
from routing.engine.simulation import Simulation
from tests.engine.course import Course, Submission
from tests.engine.world import agent, condition, lead, office_hours, rule, snapshot, team
from tests.examples import times

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
STEP = timedelta(minutes=5)


class Memory:
    """Facts of waiting leads, in memory."""

    def __init__(self) -> None:
        self.kept: list = []

    def keep(self, facts) -> int:
        if facts not in self.kept:
            self.kept.append(facts)
        return self.kept.index(facts)

    def facts(self, ticket: int):
        return self.kept[ticket]


def simulate(world, submissions) -> Simulation:
    simulation = Simulation(world, Memory())
    for submission in submissions:
        simulation.arrive(
            at=submission.at, facts=submission.facts, keys=submission.keys, closed_at=submission.closed_at
        )
    simulation.finish()
    return simulation


def told(simulation: Simulation) -> list[tuple]:
    rows = [simulation.record.told(number) for number in range(len(simulation.record))]
    return [
        (
            row.outcome.value,
            row.agent,
            row.rule,
            row.reason.value,
            None if row.assigned is None else instant(row.assigned),
        )
        for row in rows
    ]


# Worlds in which everything can happen.

hours = st.integers(0, 23)
caps = st.dictionaries(st.sampled_from(["open", "hour", "day"]), st.integers(1, 3), max_size=2)


@st.composite
def shifts(draw):
    found = []
    for _ in range(draw(st.integers(0, 3))):
        start, length = draw(st.integers(0, 23)), draw(st.integers(5, 22))
        kind = draw(st.sampled_from([Kind.REGULAR, Kind.REGULAR, Kind.ON_CALL]))
        days = draw(st.sets(st.integers(0, 6), min_size=1))
        end = (start + length) % 24 * 60 or 1440
        if end != start * 60:
            found += [ShiftSpec(day, start * 60, end, kind) for day in sorted(days)]
    return tuple(found)


@st.composite
def people(draw):
    return [
        agent(
            number,
            shifts=draw(shifts()),
            caps=draw(caps),
            channels=draw(st.sets(st.sampled_from(["whatsapp", "telegram"]))),
            languages=draw(st.lists(st.sampled_from(["en", "es"]), unique=True)),
            active=draw(st.integers(0, 19)) > 0,
            paused=draw(st.integers(0, 19)) == 19,
            zone=draw(st.sampled_from(["UTC", "Europe/Madrid", "America/Lima"])),
        )
        for number in range(1, 5)
    ]


whens = st.sampled_from(
    [
        None,
        None,
        condition("country", "is", "ES"),
        condition("channel", "is", "whatsapp"),
        condition("in_hours", "is", True),
        condition("returning", "is", True),
        condition("local_time", "between", ["08:00", "20:00"]),
    ]
)


@st.composite
def rules(draw):
    found = []
    for number in range(draw(st.integers(0, 4))):
        to = draw(st.sampled_from(["sales", "sales", "sales", "other", "other", "agent:a1", "queue"]))
        route = {}
        if to != "queue":
            route["require"] = draw(st.lists(st.sampled_from(["language", "channel"]), unique=True))
            route["if_nobody"] = draw(
                st.sampled_from(["next_rule", "on_call", "hold", "hold", "hold", "queue", "fallback"])
            )
        if to in ("sales", "other"):
            route["by"] = draw(st.sampled_from(["round_robin", "priority", "least_busy"]))
        found.append(rule(f"rule {number}", to, when=draw(whens), **route))
    if draw(st.booleans()):
        when = condition("channel", "is", "form")
        found.insert(
            0, rule("offer", "sales", when=when, by="claim", if_nobody=draw(st.sampled_from(["hold", "next_rule"])))
        )
    return found


@st.composite
def worlds(draw):
    teams = [team(10, "sales", [(1, 2), (2, 1), (3, 1, 2)]), team(11, "other", [3, (4, 2)])]
    return snapshot(
        draw(people()),
        teams,
        draw(rules()),
        fallback=draw(st.sampled_from([None, None, 4])),
        returning=draw(st.sampled_from(["same_agent", "rotate"])),
        join_window=draw(st.sampled_from([0, 3600, 86_400])),
    )


@st.composite
def courses(draw):
    at, found = MONDAY + timedelta(hours=draw(st.integers(0, 100))), []
    for _ in range(draw(st.integers(1, 14))):
        at += STEP * draw(st.sampled_from([0, 0, 1, 2, 7, 30, 100, 400]))
        keys = tuple(draw(st.lists(st.sampled_from(["v1", "v2", "e1", "e2", "p1"]), max_size=2, unique=True)))
        closed_at = at + STEP * draw(st.integers(0, 300)) if draw(st.booleans()) else None
        request = lead(
            channel=draw(st.sampled_from([None, "whatsapp", "telegram", "form"])),
            language=draw(st.sampled_from(["en", "es"])),
            country=draw(st.sampled_from([None, "ES"])),
        )
        found.append(Submission(at, request.facts, keys, closed_at))
    return found


@settings(max_examples=times(0.8))
@given(world=worlds(), submissions=courses())
def test_a_simulation_goes_as_looking_at_everything_whenever_anything_could_happen(world, submissions):
    course = Course(world)
    expected = course.run(submissions)

    simulation = simulate(world, submissions)

    assert told(simulation) == expected
    assert dict(simulation.tally.got) == course.got
    assert totals(simulation) == totals_of(course.turns)


def totals(simulation: Simulation) -> dict:
    return {
        ledger: (
            {agent: Fraction(due, U) for agent, due in account.due.items()},
            dict(account.received),
            Fraction(account.worst, U),
        )
        for ledger, account in simulation.tally.accounts.items()
    }


def totals_of(turns: list) -> dict:
    """Due, received and the worst difference of each ledger, added up from the turns themselves."""
    found = {}
    for ledger in {ledger for ledger, _ in turns}:
        due, received, worst = defaultdict(Fraction), defaultdict(int), Fraction(0)
        for of, turn in turns:
            if of == ledger:
                for agent_, share in turn.given:
                    due[agent_] += Fraction(share, U)
                received[turn.chosen] += 1
                worst = max([worst, *(abs(due[who] - received.get(who, 0)) for who in due)])
        found[ledger] = (dict(due), dict(received), worst)
    return found


def test_many_leads_that_wait_cost_decisions_for_those_that_are_given_and_no_more(monkeypatch):
    """Two thousand wait for two people of whom each takes one an hour: nobody goes through the queue each time."""
    capped = {"caps": {"hour": 1}, "channels": ["whatsapp"]}
    world = snapshot([agent(1, **capped), agent(2, **capped, languages=["es"])], rules=[rule("all", if_nobody="hold")])
    decided = []
    decide = Simulation._decide

    def counting(simulation, *args, **more):
        decided.append(args)
        return decide(simulation, *args, **more)

    monkeypatch.setattr(Simulation, "_decide", counting)
    submissions = [
        Submission(MONDAY, lead(message=f"message {number}", country=["ES", "PT"][number % 2]).facts, (f"v{number}",))
        for number in range(2_000)
    ]

    rows = told(simulate(world, submissions))

    given = sum(1 for row in rows if row[1] is not None)
    assert given == 2 + 2 * 24 * 31
    # Each lead when it came, and each that was given later; two were given at once.
    assert len(decided) == 2_000 + given - 2


def test_a_lead_that_waits_goes_to_the_agent_its_person_was_given_meanwhile():
    """Held on Friday night and, after the join window, again on Sunday: both go to one agent on Monday."""
    world = snapshot([agent(number, shifts=office_hours()) for number in (1, 2)], rules=[rule("all", if_nobody="hold")])
    friday, sunday = MONDAY + timedelta(days=4, hours=20), MONDAY + timedelta(days=6, hours=9)
    submissions = [
        Submission(friday, lead().facts, ("v1",)),
        Submission(friday, lead().facts, ("v2",)),
        Submission(sunday, lead().facts, ("v1",)),
    ]

    rows = told(simulate(world, submissions))

    assert [(row[1], row[2], row[3]) for row in rows] == [
        (1, "all", "shift_started"),
        (2, "all", "shift_started"),
        (1, None, "shift_started"),
    ]


def test_whose_agent_is_there_is_not_kept_waiting_by_others_like_them():
    """At nine only the agent who speaks no Spanish is there: for Spanish leads nobody, but for the one whose person
    has just become theirs."""
    world = snapshot(
        [
            agent(1, languages=["es"], shifts=office_hours("12:00", "17:00")),
            agent(2, languages=["en"], shifts=office_hours("09:00", "17:00")),
        ],
        rules=[rule("all", require=["language"], if_nobody="hold")],
    )
    friday, sunday = MONDAY + timedelta(days=4, hours=20), MONDAY + timedelta(days=6, hours=9)
    submissions = [
        Submission(friday, lead().facts, ("v1",)),
        Submission(friday, lead(language="es").facts, ("v2",), friday + timedelta(hours=1)),
        Submission(sunday, lead(language="es").facts, ("v2",)),
        Submission(sunday, lead(language="es").facts, ("v1",)),
    ]

    rows = told(simulate(world, submissions))

    nine = MONDAY + timedelta(days=7, hours=9)
    assert [(row[1], row[4]) for row in rows] == [(2, nine), (None, None), (1, nine + timedelta(hours=3)), (2, nine)]
