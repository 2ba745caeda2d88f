from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.engine.hours import (
    Kind,
    LocalSpan,
    Schedule,
    instant,
    local,
    microseconds,
    minute_of_week,
    on_shift,
    period_ends,
    period_keys,
    stretches,
    wall_minute,
    weekly_minutes,
)
from tests.engine.wall_clock import (
    CHANGES,
    MON,
    SUN,
    TUE,
    WED,
    WEEKDAYS,
    berlin,
    instants,
    is_on,
    schedules,
    shift,
    utc,
    zones,
)
from tests.examples import times

REGULAR, ON_CALL = Kind.REGULAR, Kind.ON_CALL


class TestOnShift:
    # 2026-03-02 is a Monday.

    @pytest.mark.parametrize(
        ("at", "on"),
        [
            ("2026-03-02T20:59", False),
            ("2026-03-02T21:00", True),
            ("2026-03-02T23:30", True),
            ("2026-03-03T01:59", True),
            ("2026-03-03T01:59:59", True),
            ("2026-03-03T02:00", False),
            ("2026-03-03T21:00", False),
            ("2026-03-02T01:00", False),
        ],
    )
    def test_a_shift_past_midnight_belongs_to_the_day_it_began(self, at, on):
        night = Schedule("Europe/Berlin", (shift(MON, "21:00", "02:00"),))

        assert on_shift(night, at=berlin(at), kind=REGULAR) is on

    def test_a_sunday_night_reaches_into_monday(self):
        night = Schedule("Europe/Berlin", (shift(SUN, "21:00", "02:00"),))

        assert on_shift(night, at=berlin("2026-03-02T01:59"), kind=REGULAR)
        assert not on_shift(night, at=berlin("2026-03-02T02:00"), kind=REGULAR)

    @pytest.mark.parametrize(
        ("at", "on"),
        [("08:00", True), ("11:59", True), ("12:00", False), ("13:29", False), ("13:30", True), ("18:00", False)],
    )
    def test_a_split_day_has_a_break(self, at, on):
        split = Schedule("Europe/Berlin", (shift(MON, "08:00", "12:00"), shift(MON, "13:30", "18:00")))

        assert on_shift(split, at=berlin(f"2026-03-02T{at}"), kind=REGULAR) is on

    def test_a_shift_may_last_to_the_end_of_the_day(self):
        late = Schedule("Europe/Berlin", (shift(MON, "18:00", "24:00"),))

        assert on_shift(late, at=berlin("2026-03-02T23:59"), kind=REGULAR)
        assert not on_shift(late, at=berlin("2026-03-03T00:00"), kind=REGULAR)

    @pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25"])
    def test_nine_to_five_stays_nine_to_five_when_clocks_change(self, day):
        sunday = Schedule("Europe/Berlin", (shift(SUN, "09:00", "17:00"),))

        hours = {
            at: on_shift(sunday, at=berlin(f"{day}T{at}"), kind=REGULAR) for at in ("08:59", "09:00", "16:59", "17:00")
        }

        assert hours == {"08:59": False, "09:00": True, "16:59": True, "17:00": False}

    def test_a_window_counts_in_both_passes_of_a_repeated_hour(self):
        window = Schedule("Europe/Berlin", (shift(SUN, "02:00", "02:30"),))

        assert on_shift(window, at=utc("2026-10-25T00:15"), kind=REGULAR)
        assert not on_shift(window, at=utc("2026-10-25T00:45"), kind=REGULAR)
        assert on_shift(window, at=utc("2026-10-25T01:15"), kind=REGULAR)

    def test_kinds_do_not_mix(self):
        on_call = Schedule("Europe/Berlin", (shift(MON, "09:00", "17:00", ON_CALL),))

        assert on_shift(on_call, at=berlin("2026-03-02T10:00"), kind=ON_CALL)
        assert not on_shift(on_call, at=berlin("2026-03-02T10:00"), kind=REGULAR)

    def test_without_shifts_nobody_is_ever_on(self):
        assert not on_shift(Schedule("Europe/Berlin"), at=berlin("2026-03-02T10:00"), kind=REGULAR)

    def test_another_instant_is_judged_by_the_shifts_and_absences_of_that_instant(self):
        off = LocalSpan(datetime(2026, 3, 3), datetime(2026, 3, 4))
        schedule = Schedule("Europe/Berlin", WEEKDAYS, (off,))

        assert [on_shift(schedule, at=berlin(f"2026-03-0{day}T10:00"), kind=REGULAR) for day in (1, 2, 3, 4)] == [
            False,
            True,
            False,
            True,
        ]

    @pytest.mark.parametrize("kind", Kind)
    def test_time_off_cuts_both_kinds_and_excludes_its_end(self, kind):
        off = LocalSpan(datetime(2026, 3, 2, 10), datetime(2026, 3, 2, 11))
        schedule = Schedule("Europe/Berlin", (shift(MON, "09:00", "17:00", kind),), (off,))

        hours = [
            on_shift(schedule, at=berlin(f"2026-03-02T{at}"), kind=kind) for at in ("09:59", "10:00", "10:59", "11:00")
        ]

        assert hours == [True, False, False, True]

    def test_a_holiday_cuts_its_own_date_out_of_regular_hours_only(self):
        nights = tuple(shift(day, "22:00", "06:00", kind) for day in (MON, TUE) for kind in Kind)
        schedule = Schedule("Europe/Berlin", nights, holidays=frozenset({date(2026, 3, 3)}))
        asked = ["2026-03-02T23:59", "2026-03-03T00:00", "2026-03-03T23:59", "2026-03-04T00:00"]

        assert [on_shift(schedule, at=berlin(at), kind=REGULAR) for at in asked] == [True, False, False, True]
        assert all(on_shift(schedule, at=berlin(at), kind=ON_CALL) for at in asked)

    @given(data=st.data())
    @settings(max_examples=times(5))
    def test_agrees_with_the_definition(self, data):
        zone = data.draw(zones)
        at = data.draw(instants(zone))
        schedule = data.draw(schedules(zone, at))

        for kind in Kind:
            assert on_shift(schedule, at=at, kind=kind) is is_on(schedule, at, kind)


class TestWallClock:
    def test_has_no_zone_and_no_second_pass(self):
        wall = local(utc("2026-10-25T01:30"), "Europe/Berlin")

        assert wall == datetime(2026, 10, 25, 2, 30)
        assert wall.tzinfo is None
        assert wall.fold == 0

    def test_counts_the_minutes_of_the_week_from_monday(self):
        assert minute_of_week(datetime(2026, 3, 2)) == 0
        assert minute_of_week(datetime(2026, 3, 8, 23, 59, 59)) == 10_079

    def test_counts_wall_minutes_from_1970(self):
        assert wall_minute(datetime(1970, 1, 1, 0, 1, 59)) == 1
        assert wall_minute(datetime(1969, 12, 31, 23, 59)) == -1

    def test_microseconds_survive_the_way_there_and_back(self):
        at = datetime(2026, 3, 2, 10, 0, 0, 123_457, tzinfo=UTC)

        assert instant(microseconds(at)) == at


class TestWeeklyMinutes:
    def test_joins_shifts_that_overlap_or_touch(self):
        shifts = (shift(MON, "13:00", "18:00"), shift(MON, "09:00", "12:00"), shift(MON, "12:00", "14:00"))

        assert weekly_minutes(shifts, REGULAR) == ((540, 1080),)

    def test_an_inner_shift_does_not_shorten_the_outer_one(self):
        assert weekly_minutes((shift(MON, "08:00", "18:00"), shift(MON, "09:00", "10:00")), REGULAR) == ((480, 1080),)

    def test_splits_sunday_night_at_the_end_of_the_week(self):
        assert weekly_minutes((shift(SUN, "22:00", "06:00"),), REGULAR) == ((0, 360), (9960, 10_080))

    def test_keeps_the_kinds_apart(self):
        shifts = (shift(TUE, "00:00", "24:00"), shift(WED, "22:00", "06:00", ON_CALL))

        assert weekly_minutes(shifts, REGULAR) == ((1440, 2880),)
        assert weekly_minutes(shifts, ON_CALL) == ((4200, 4680),)
        assert weekly_minutes((), REGULAR) == ()


class TestPeriodKeys:
    def test_are_those_of_the_zone(self):
        assert period_keys(utc("2026-03-02T23:30"), "Europe/Berlin") == ("2026-03-03T00", "2026-03-03", "2026-W10")

    def test_weeks_are_iso_weeks_with_the_year_they_belong_to(self):
        assert period_keys(utc("2027-01-03T12:00"), "UTC")[2] == "2026-W53"
        assert period_keys(utc("2027-01-04T12:00"), "UTC")[2] == "2027-W01"

    def test_a_repeated_hour_has_one_key(self):
        first, second = utc("2026-10-25T00:30"), utc("2026-10-25T01:30")

        assert period_keys(first, "Europe/Berlin") == period_keys(second, "Europe/Berlin")


class TestPeriodEnds:
    @pytest.mark.parametrize(
        ("zone", "at", "ends"),
        [
            # An ordinary Wednesday.
            ("Europe/Berlin", "2026-03-04T10:15", ("2026-03-04T11:00", "2026-03-04T23:00", "2026-03-08T23:00")),
            # The nights of 23 and of 25 hours: a day cap opens again at 00:00 of the agent's zone.
            ("Europe/Berlin", "2026-03-28T23:30", ("2026-03-29T00:00", "2026-03-29T22:00", "2026-03-29T22:00")),
            ("Europe/Berlin", "2026-10-24T22:00", ("2026-10-24T23:00", "2026-10-25T23:00", "2026-10-25T23:00")),
            # The repeated hour is one; the hour before the skipped one ends at the jump.
            ("Europe/Berlin", "2026-10-25T00:00", ("2026-10-25T02:00", "2026-10-25T23:00", "2026-10-25T23:00")),
            ("Europe/Berlin", "2026-03-29T00:59", ("2026-03-29T01:00", "2026-03-29T22:00", "2026-03-29T22:00")),
            # Half an hour: 02:00 jumps to 02:30; 02:00 falls back to 01:30.
            ("Australia/Lord_Howe", "2026-10-03T15:00", ("2026-10-03T15:30", "2026-10-04T13:00", "2026-10-04T13:00")),
            ("Australia/Lord_Howe", "2026-04-04T14:15", ("2026-04-04T15:30", "2026-04-05T13:30", "2026-04-05T13:30")),
            # 24:00 does not exist: the next day begins at 01:00.
            ("Africa/Cairo", "2026-04-23T21:30", ("2026-04-23T22:00", "2026-04-23T22:00", "2026-04-26T21:00")),
            ("America/Santiago", "2026-09-06T03:59", ("2026-09-06T04:00", "2026-09-06T04:00", "2026-09-07T03:00")),
            # 24:00 falls back to 23:00: the day goes on.
            ("Africa/Cairo", "2026-10-29T20:30", ("2026-10-29T22:00", "2026-10-29T22:00", "2026-11-01T22:00")),
            # One minute into Sunday the clock fell back into Saturday.
            ("America/St_Johns", "2010-11-07T02:30:30", ("2010-11-07T02:31", "2010-11-07T02:31", "2010-11-08T03:30")),
            # 30 December 2011 does not exist.
            ("Pacific/Apia", "2011-12-30T09:30", ("2011-12-30T10:00", "2011-12-30T10:00", "2012-01-01T10:00")),
        ],
    )
    def test_are_the_first_instants_with_another_key(self, zone, at, ends):
        assert period_ends(utc(at), zone) == tuple(utc(end) for end in ends)

    @given(data=st.data())
    @settings(max_examples=times(3))
    def test_agree_with_stepping(self, data):
        zone = data.draw(zones)
        at = data.draw(instants(zone)) + timedelta(seconds=data.draw(st.integers(0, 59)))
        keys = period_keys(at, zone)

        for place, end in enumerate(period_ends(at, zone)):
            assert end > at
            assert period_keys(end, zone)[place] != keys[place]
            assert period_keys(end - timedelta(microseconds=1), zone)[place] == keys[place]
            step = timedelta(minutes=(1, 10, 60)[place])
            between = [at + step * steps for steps in range((end - at) // step)]
            assert {period_keys(moment, zone)[place] for moment in between} <= {keys[place]}


class TestStretches:
    @pytest.mark.parametrize("zone", sorted(set(CHANGES) - {"Asia/Kathmandu", "Pacific/Apia"}))
    def test_cut_exactly_where_the_clock_is_moved(self, zone):
        changes = [change.replace(tzinfo=UTC) for change in CHANGES[zone]]
        end = microseconds(changes[-1] + timedelta(days=1))

        found = [instant(begins) for begins, _, _ in stretches(zone, microseconds(changes[0]), end)]

        assert found == changes

    def test_cover_years_without_a_hole_and_with_the_offset_that_holds(self):
        start, end = microseconds(utc("2024-06-01")), microseconds(utc("2030-02-03"))
        for zone in ("Africa/Casablanca", "America/New_York", "Asia/Kathmandu", "Asia/Gaza"):
            found = list(stretches(zone, start, end))
            assert (found[0][0], found[-1][1]) == (start, end)
            assert all(before[1] == after[0] for before, after in pairwise(found))
            for begins, ends, offset in found:
                assert begins < ends
                for moment in (begins, (begins + ends) // 2, ends - 1):
                    at = instant(moment).astimezone(ZoneInfo(zone))
                    assert at.utcoffset() == timedelta(microseconds=offset)

    def test_are_never_empty_where_the_clock_is_moved_at_new_year(self):
        around = microseconds(utc("1911-12-31")), microseconds(utc("1912-01-02"))

        assert [instant(begins) for begins, _, _ in stretches("Europe/Lisbon", *around)] == [
            utc("1911-12-31"),
            utc("1912-01-01"),
        ]

    def test_no_clock_is_moved_twice_within_a_day(self):
        """The walk relies on it, for it looks at the ends of each day only. A sample of the zones, every four hours."""
        hours = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hour) for hour in range(0, 365 * 24, 4)]
        for zone in sorted(available_timezones())[::12]:
            tz = ZoneInfo(zone)
            offsets = [hour.astimezone(tz).utcoffset() for hour in hours]
            moved = [place for place in range(1, len(hours)) if offsets[place] != offsets[place - 1]]
            assert all(after - before > 6 for before, after in pairwise(moved)), zone
