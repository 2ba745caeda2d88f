"""A team as its page shows it."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from routing import team_now
from routing.engine import AgentSpec, Member, Roster, RosterSpec, TeamSpec, U
from routing.engine.hours import Kind, LocalSpan, ShiftSpec
from routing.engine.ledger import EVEN, Entry, Ledger

MONDAY = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def office(agent, kind=Kind.REGULAR, **given):
    shifts = tuple(ShiftSpec(day, 540, 1080, kind) for day in range(5))
    return AgentSpec(agent, f"a{agent}", **{"shifts": shifts, **given})


def roster(*people, weights=()):
    members = tuple(Member(each.id, dict(weights).get(each.id, 1)) for each in people)
    team = TeamSpec(1, "sales", members=members)
    return Roster.compile(RosterSpec(agents={each.id: each for each in people}, teams={1: team}))


class TestNow:
    def test_names_who_could_take_a_lead_and_whose_turn_is_next(self):
        people = roster(office(1), office(2), office(3, paused=True), office(4, active=False), office(5, Kind.ON_CALL))

        found = team_now.now(people, 1, Ledger({2: Entry(U // 3), 1: Entry(-U // 3)}, 1), {}, MONDAY)

        assert (found.on_shift, found.on_call, found.next_turn) == ((1, 2), (5,), 2)

    def test_gives_no_turn_to_a_weight_of_0(self):
        found = team_now.now(roster(office(1), office(2), weights={1: 0}), 1, EVEN, {}, MONDAY)

        assert (found.on_shift, found.next_turn) == ((1, 2), 2)

    def test_knows_nobody_in_a_team_that_is_gone(self):
        assert team_now.now(roster(office(1)), 9, EVEN, {}, MONDAY) == team_now.Now((), (), None)


def test_a_ledger_is_said_in_leads():
    ledger = Ledger({1: Entry(U // 3), 2: Entry(-2 * U // 3)}, 1)

    said = [team_now.standing_in_words(ledger, agent) for agent in (1, 2, 3)]
    assert said == ["owed 0.33 leads", "0.67 leads ahead", "even"]


def test_coverage_counts_people_and_tells_on_call_from_nobody():
    off = (LocalSpan(datetime(2026, 3, 3), datetime(2026, 3, 4)),)
    people = roster(
        office(1), office(2, time_off=off), office(3, Kind.ON_CALL, shifts=(ShiftSpec(5, 0, 1440, Kind.ON_CALL),))
    )

    days = team_now.coverage(people, 1, at=MONDAY, zone=ZoneInfo("UTC"))

    def seen(day):
        return [(each.starts, each.ends, each.people, each.on_call) for each in days[day].stretches]

    assert seen(0) == [("00:00", "09:00", 0, False), ("09:00", "18:00", 2, False), ("18:00", "24:00", 0, False)]
    assert seen(1)[1] == ("09:00", "18:00", 1, False)
    assert seen(5) == [("00:00", "24:00", 0, True)]
    assert team_now.gaps_in_words(days) == "Nobody is there in 99 of the coming 168 hours."
