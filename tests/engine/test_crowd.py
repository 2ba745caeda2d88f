"""Who is there is kept until it changes, and no longer."""

from datetime import UTC, date, datetime

from routing.engine import Load
from routing.engine.hours import ShiftSpec, microseconds
from tests.engine.world import ALWAYS, agent, office_hours, snapshot

SUNDAY_EVENING = datetime(2026, 3, 8, 20, tzinfo=UTC)


def at(day, hour, minute=0):
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


def regular(roster, moment):
    return list(roster.members(roster.presence(moment).regular))


def test_a_week_ends_where_the_next_one_begins():
    roster = snapshot([agent(1, shifts=(ShiftSpec(0, 0, 8 * 60),))]).roster

    assert regular(roster, SUNDAY_EVENING) == []
    assert regular(roster, at(9, 1)) == [1]


def test_a_holiday_begins_and_ends_at_midnight_in_the_middle_of_a_shift():
    roster = snapshot(
        [agent(1, zone="Europe/Madrid", calendar="fiesta", shifts=ALWAYS)],
        calendars={"fiesta": frozenset({date(2026, 3, 10)})},
    ).roster

    assert [bool(roster.presence(when).holiday) for when in (at(9, 20), at(9, 23), at(10, 20), at(10, 23))] == [
        False, True, True, False,
    ]  # fmt: skip


def test_hours_are_those_of_the_wall_when_the_clocks_change():
    roster = snapshot([agent(1, zone="Europe/Madrid", shifts=office_hours("09:00", "17:00", days=range(7)))]).roster

    # On 29 March nine o'clock is an hour earlier than the day before.
    assert regular(roster, at(29, 0, 30)) == []
    assert regular(roster, at(29, 6, 59)) == []
    assert regular(roster, at(29, 7)) == [1]


def test_times_at_which_the_same_are_there_are_one_presence():
    roster = snapshot([agent(1, shifts=office_hours()), agent(2)]).roster

    assert roster.presence(at(3, 10)) is roster.presence(at(4, 16))
    assert roster.presence(at(3, 10)) is not roster.presence(at(3, 18))


def test_a_cap_of_an_hour_is_counted_anew_from_the_hour_of_the_agents_own_clock():
    person = agent(1, zone="Asia/Kathmandu", caps={"hour": 1})  # 5:45 before Greenwich
    roster = snapshot([person]).roster
    loads = {1: Load().with_assignment(roster.period_keys(1, at(3, 10)), at(3, 10))}

    full = [roster.at_cap(roster.capped, microseconds(at(3, 10, minute)), loads) for minute in (0, 14, 15, 59)]
    assert full == [1, 1, 0, 0]
