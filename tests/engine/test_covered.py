from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.engine import covered
from routing.engine.covered import (
    covered_intervals,
    covered_seconds,
    deadline,
    deadlines,
    hours_within,
    next_on_shift,
    off_shift_at,
    union,
)
from routing.engine.hours import Kind, LocalSpan, Schedule, on_shift
from tests.engine.wall_clock import (
    MINUTE,
    MON,
    SAT,
    SUN,
    WEEKDAYS,
    berlin,
    instants,
    minutes_on,
    runs,
    schedules,
    shift,
    utc,
    zones,
)
from tests.examples import times

REGULAR, ON_CALL = Kind.REGULAR, Kind.ON_CALL
HOUR = 3600
OFFICE = Schedule("Europe/Berlin", WEEKDAYS)
ALWAYS = Schedule("Europe/Berlin", tuple(shift(day, "00:00", "24:00") for day in range(7)))


def office(*, holidays: set[date] = frozenset(), time_off: tuple[LocalSpan, ...] = ()) -> Schedule:
    return Schedule("Europe/Berlin", WEEKDAYS, time_off, frozenset(holidays))


def hours_of(schedule: Schedule, start: str, end: str) -> float:
    return covered_seconds([schedule], start=berlin(start), end=berlin(end)) / HOUR


class TestCoveredIntervals:
    def test_a_week_of_office_hours(self):
        found = covered_intervals(
            OFFICE, start=berlin("2026-03-05T12:00"), end=berlin("2026-03-09T10:00"), kind=REGULAR
        )

        assert found == [
            (utc("2026-03-05T11:00"), utc("2026-03-05T16:00")),
            (utc("2026-03-06T08:00"), utc("2026-03-06T16:00")),
            (utc("2026-03-09T08:00"), utc("2026-03-09T09:00")),
        ]
        assert all(at.tzinfo is UTC for interval in found for at in interval)

    def test_an_hour_that_does_not_exist_shortens_a_shift_and_a_repeated_one_lengthens_it(self):
        early = Schedule("Europe/Berlin", (shift(SUN, "01:00", "05:00"),))
        night = Schedule("Europe/Berlin", (shift(SAT, "22:00", "06:00"),))

        assert hours_of(early, "2026-03-29", "2026-03-30") == 3
        assert hours_of(early, "2026-10-25", "2026-10-26") == 5
        assert hours_of(night, "2026-03-28", "2026-03-30") == 7
        assert hours_of(night, "2026-10-24", "2026-10-26") == 9

    @pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25"])
    def test_nine_to_five_lasts_eight_hours_when_clocks_change(self, day):
        sunday = Schedule("Europe/Berlin", (shift(SUN, "09:00", "17:00"),))

        found = covered_intervals(sunday, start=berlin(f"{day}T00:00"), end=berlin(f"{day}T23:59"), kind=REGULAR)

        assert found == [(berlin(f"{day}T09:00"), berlin(f"{day}T17:00"))]

    def test_a_window_that_the_clock_jumps_over_does_not_exist(self):
        window = Schedule("Europe/Berlin", (shift(SUN, "02:10", "02:50"),))
        night = {"start": berlin("2026-03-29"), "end": berlin("2026-03-30"), "kind": REGULAR}

        assert covered_intervals(window, **night) == []

    def test_a_window_in_the_repeated_hour_comes_twice(self):
        window = Schedule("Europe/Berlin", (shift(SUN, "02:10", "02:50"),))
        night = {"start": berlin("2026-10-25"), "end": berlin("2026-10-26"), "kind": REGULAR}

        assert covered_intervals(window, **night) == [
            (utc("2026-10-25T00:10"), utc("2026-10-25T00:50")),
            (utc("2026-10-25T01:10"), utc("2026-10-25T01:50")),
        ]

    def test_time_off_that_overlaps_cuts_once(self):
        away = (
            LocalSpan(datetime(2026, 3, 2, 12), datetime(2026, 3, 2, 14)),
            LocalSpan(datetime(2026, 3, 2, 10), datetime(2026, 3, 2, 13)),
            LocalSpan(datetime(2026, 3, 2, 10, 30), datetime(2026, 3, 2, 11)),
        )

        assert hours_of(office(time_off=away), "2026-03-02", "2026-03-03") == 4

    def test_nothing_lies_between_an_instant_and_itself(self):
        at = berlin("2026-03-02T10:00")

        assert covered_intervals(OFFICE, start=at, end=at, kind=REGULAR) == []

    def test_round_the_clock_is_one_interval(self):
        start, end = berlin("2026-03-02"), berlin("2027-03-02")

        assert covered_intervals(ALWAYS, start=start, end=end, kind=REGULAR) == [(start, end)]

    @given(data=st.data())
    @settings(max_examples=times(5))
    def test_agree_with_the_definition_minute_by_minute(self, data):
        zone = data.draw(zones)
        start = data.draw(instants(zone))
        end = start + MINUTE * data.draw(st.integers(0, 1500))
        schedule = data.draw(schedules(zone, start))
        kind = data.draw(st.sampled_from(Kind))

        expected = runs(minutes_on([schedule], start, end, kind))

        assert covered_intervals(schedule, start=start, end=end, kind=kind) == expected
        horizon = end - start
        assert next_on_shift(schedule, at=start, kind=kind, horizon=horizon) == (expected[0][0] if expected else None)
        ends = [closes for _, closes in expected if closes < end]
        assert off_shift_at(schedule, at=start, kind=kind, horizon=horizon) == (ends[0] if ends else None)


class TestNextOnShift:
    def test_is_now_where_the_shift_runs(self):
        at = datetime(2026, 3, 2, 10, 0, 0, 5, tzinfo=UTC)

        assert next_on_shift(OFFICE, at=at, kind=REGULAR) == at

    def test_is_the_next_morning_otherwise(self):
        assert next_on_shift(OFFICE, at=berlin("2026-03-06T17:00"), kind=REGULAR) == berlin("2026-03-09T09:00")

    def test_skips_the_night_on_which_the_window_does_not_exist(self):
        window = Schedule("Europe/Berlin", (shift(SUN, "02:10", "02:50"),))

        opens = next_on_shift(window, at=berlin("2026-03-23"), kind=REGULAR)

        assert opens == berlin("2026-04-05T02:10")

    def test_a_window_cut_into_by_the_jump_opens_where_the_clock_lands(self):
        window = Schedule("Europe/Berlin", (shift(SUN, "02:30", "05:00"),))

        assert next_on_shift(window, at=berlin("2026-03-29"), kind=REGULAR) == berlin("2026-03-29T03:00")

    def test_the_second_pass_of_a_repeated_window_opens_it_again(self):
        window = Schedule("Europe/Berlin", (shift(SUN, "02:10", "02:50"),))

        opens = next_on_shift(window, at=utc("2026-10-25T00:50"), kind=REGULAR)

        assert opens == utc("2026-10-25T01:10")

    def test_is_none_without_shifts_of_that_kind(self):
        assert next_on_shift(OFFICE, at=berlin("2026-03-02"), kind=ON_CALL) is None

    def test_the_horizon_is_real_time_and_excludes_its_end(self):
        """In the night of the jump, 09:00 is followed by 09:00 after 23 hours."""
        at = berlin("2026-03-28T09:00")
        sunday = Schedule("Europe/Berlin", (shift(SUN, "09:00", "17:00"),))

        assert next_on_shift(sunday, at=at, kind=REGULAR, horizon=timedelta(hours=23)) is None
        assert next_on_shift(sunday, at=at, kind=REGULAR, horizon=timedelta(hours=23, seconds=1)) == utc(
            "2026-03-29T07:00"
        )


class TestOffShiftAt:
    def test_is_the_end_of_the_running_shift_or_of_the_next(self):
        for at in ("2026-03-02T10:00", "2026-03-02T16:59", "2026-03-01T03:00"):
            assert off_shift_at(OFFICE, at=berlin(at), kind=REGULAR) == berlin("2026-03-02T17:00")
        assert off_shift_at(OFFICE, at=berlin("2026-03-02T17:00"), kind=REGULAR) == berlin("2026-03-03T17:00")

    def test_shifts_that_touch_at_midnight_are_one(self):
        nights = Schedule("Europe/Berlin", (shift(SUN, "22:00", "02:00"), shift(MON, "02:00", "06:00")))

        assert off_shift_at(nights, at=berlin("2026-03-01T23:00"), kind=REGULAR) == berlin("2026-03-02T06:00")

    def test_is_none_where_it_never_ends_or_never_starts(self):
        assert off_shift_at(ALWAYS, at=berlin("2026-03-02"), kind=REGULAR) is None
        assert off_shift_at(Schedule("Europe/Berlin"), at=berlin("2026-03-02"), kind=REGULAR) is None


class TestHoursWithin:
    def test_looks_fourteen_days_ahead(self):
        away = LocalSpan(datetime(2026, 3, 2), datetime(2026, 3, 16))

        assert not hours_within(office(time_off=(away,)), at=berlin("2026-03-02T08:59"))
        assert hours_within(office(time_off=(away,)), at=berlin("2026-03-02T09:01"))

    def test_on_call_hours_and_holidays_are_none(self):
        on_call = Schedule("Europe/Berlin", (shift(MON, "09:00", "17:00", ON_CALL),))
        monday_only = Schedule(
            "Europe/Berlin", (shift(MON, "09:00", "17:00"),), holidays=frozenset({date(2026, 3, 2), date(2026, 3, 9)})
        )

        assert not hours_within(on_call, at=berlin("2026-03-02"))
        assert not hours_within(monday_only, at=berlin("2026-03-02"))
        assert hours_within(monday_only, at=berlin("2026-03-02"), horizon=timedelta(days=15))


class TestUnion:
    def test_joins_what_overlaps_or_touches(self):
        one = [(utc("2026-03-02T09:00"), utc("2026-03-02T12:00")), (utc("2026-03-02T14:00"), utc("2026-03-02T15:00"))]
        two = [(utc("2026-03-02T12:00"), utc("2026-03-02T13:00"))]

        assert union([one, two, []]) == [(utc("2026-03-02T09:00"), utc("2026-03-02T13:00")), one[1]]
        assert union([]) == []


class TestDeadline:
    # 2026-03-02 is a Monday.

    @pytest.mark.parametrize(
        ("start", "hours", "due"),
        [
            ("2026-03-04T10:00", 2, "2026-03-04T12:00"),
            ("2026-03-04T07:00", 2, "2026-03-04T11:00"),
            ("2026-03-06T16:00", 2, "2026-03-09T10:00"),
            ("2026-03-07T10:00", 2, "2026-03-09T11:00"),
            ("2026-03-02T16:00", 10, "2026-03-04T10:00"),
            ("2026-03-04T10:00", 7, "2026-03-04T17:00"),
            ("2026-03-27T16:00", 2, "2026-03-30T10:00"),
        ],
    )
    def test_counts_covered_hours_only(self, start, hours, due):
        assert deadline([OFFICE], start=berlin(start), seconds=hours * HOUR) == berlin(due)

    def test_holidays_move_it(self):
        friday = berlin("2026-03-06T16:00")
        one, two = office(holidays={date(2026, 3, 9)}), office(holidays={date(2026, 3, 9), date(2026, 3, 10)})

        assert deadline([one], start=friday, seconds=4 * HOUR) == berlin("2026-03-10T12:00")
        assert deadline([two], start=friday, seconds=4 * HOUR) == berlin("2026-03-11T12:00")

    @pytest.mark.parametrize(
        "people",
        [
            [],
            [Schedule("Europe/Berlin")],
            [office(time_off=(LocalSpan(datetime(2026, 1, 1), datetime(9999, 12, 31)),))],
            [office(holidays={date(2026, 3, 1) + timedelta(days=day) for day in range(400)})],
        ],
    )
    def test_is_none_where_no_hour_is_covered_within_a_year(self, people):
        assert deadline(people, start=berlin("2026-03-02"), seconds=1) is None

    def test_is_none_where_the_horizon_has_too_few_hours(self):
        week = {"start": berlin("2026-03-02"), "horizon": timedelta(days=7)}

        assert deadline([OFFICE], seconds=40 * HOUR, **week) == berlin("2026-03-06T17:00")
        assert deadline([OFFICE], seconds=40 * HOUR + 1, **week) is None

    def test_of_several_lengths_are_those_of_each(self):
        lengths = [0, 1, 90.5, 8 * HOUR, 8 * HOUR + 1, 40 * HOUR, 90 * HOUR]
        week = {"start": berlin("2026-03-02T07:00"), "horizon": timedelta(days=7)}

        found = deadlines([OFFICE], seconds=reversed(lengths), **week)

        assert found == {length: deadline([OFFICE], seconds=length, **week) for length in lengths}
        assert found[8 * HOUR] == berlin("2026-03-02T17:00")
        assert found[90 * HOUR] is None

    def test_nothing_to_wait_for_is_over_at_once(self):
        assert deadline([OFFICE], start=berlin("2026-03-07T10:00"), seconds=0) == berlin("2026-03-07T10:00")

    def test_runs_while_anybody_of_the_team_works(self):
        mornings = Schedule("Europe/Berlin", (shift(MON, "09:00", "12:00"),))
        overseas = Schedule("America/New_York", (shift(MON, "05:00", "10:00"),))  # 11:00-16:00 in Berlin

        assert covered_seconds([mornings, overseas], start=berlin("2026-03-02"), end=berlin("2026-03-03")) == 7 * HOUR
        assert deadline([mornings, overseas], start=berlin("2026-03-02"), seconds=4 * HOUR) == berlin(
            "2026-03-02T13:00"
        )

    def test_on_call_hours_do_not_count(self):
        on_call = Schedule("Europe/Berlin", (shift(MON, "00:00", "24:00", ON_CALL),))

        assert deadline([on_call], start=berlin("2026-03-02"), seconds=1) is None

    @pytest.mark.parametrize("month", ["2026-03-02", "2026-03-16"], ids=["plain", "clocks change"])
    def test_thirty_days_take_one_look_per_shift_and_day(self, monkeypatch, month):
        looks = []

        def counted(*args):
            for window in windows(*args):
                looks.append(window)
                yield window

        windows = covered.windows
        monkeypatch.setattr(covered, "windows", counted)
        start = berlin(month)

        seconds = covered_seconds([OFFICE], start=start, end=start + timedelta(days=30))
        assert (seconds, len(looks)) == (22 * 8 * HOUR, 22)

        looks.clear()
        assert deadline([OFFICE], start=start, seconds=seconds) is not None
        assert len(looks) == len(set(looks)) <= 24  # the next ones, to see that no shift goes on

    @given(data=st.data())
    @settings(max_examples=times(2))
    def test_and_elapsed_time_undo_each_other_on_the_union_of_the_team(self, data):
        zone = data.draw(zones)
        start = data.draw(instants(zone))
        end = start + MINUTE * data.draw(st.integers(0, 1500))
        people = [data.draw(schedules(data.draw(st.sampled_from([zone, "Europe/Berlin"])), start)) for _ in range(2)]

        minutes = minutes_on(people, start, end, REGULAR)
        seconds = covered_seconds(people, start=start, end=end)

        assert seconds == 60 * len(minutes)
        covers = [covered_intervals(person, start=start, end=end, kind=REGULAR) for person in people]
        assert union(covers) == runs(minutes)
        if minutes:
            part = data.draw(st.integers(1, len(minutes) * 60))
            due = deadline(people, start=start, seconds=part)
            assert due is not None
            assert covered_seconds(people, start=start, end=due) == part
            assert any(on_shift(person, at=due - timedelta(microseconds=1), kind=REGULAR) for person in people)
        else:
            assert deadline(people, start=start, seconds=1, horizon=end - start) is None
