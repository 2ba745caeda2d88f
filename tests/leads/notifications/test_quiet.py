"""Quiet hours are those of the wall clock, whatever the clocks do."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leads.notifications.quiet import Choice, QuietHours, Way, choose, is_quiet, quiet_ends_at

MADRID = ZoneInfo("Europe/Madrid")
NIGHT = {"zone": MADRID, "start_minute": 22 * 60, "end_minute": 7 * 60}


def local(text, zone=MADRID, fold=0):
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).astimezone(UTC)


class TestIsQuiet:
    @pytest.mark.parametrize(
        ("wall", "quiet"),
        [("2026-03-02T21:59:59", False), ("2026-03-02T22:00", True), ("2026-03-03T00:00", True),
         ("2026-03-03T06:59:59", True), ("2026-03-03T07:00", False)],
    )  # fmt: skip
    def test_from_the_start_until_before_the_end(self, wall, quiet):
        assert is_quiet(at=local(wall), **NIGHT) is quiet

    def test_on_the_same_day(self):
        siesta = NIGHT | {"start_minute": 14 * 60, "end_minute": 16 * 60}

        assert is_quiet(at=local("2026-03-02T15:00"), **siesta)
        assert not is_quiet(at=local("2026-03-02T23:00"), **siesta)

    def test_never_where_start_and_end_are_equal(self):
        assert not is_quiet(at=local("2026-03-02T08:00"), zone=MADRID, start_minute=480, end_minute=480)


class TestEnd:
    def test_is_the_next_morning(self):
        assert quiet_ends_at(at=local("2026-03-02T23:10:30"), **NIGHT) == local("2026-03-03T07:00")

    def test_is_now_where_it_is_not_quiet(self):
        at = local("2026-03-02T12:00:07")

        assert quiet_ends_at(at=at, **NIGHT) == at

    def test_comes_an_hour_sooner_in_the_spring_night(self):
        at = local("2026-03-28T23:00")

        assert quiet_ends_at(at=at, **NIGHT) - at == timedelta(hours=7)

    def test_comes_an_hour_later_in_the_autumn_night(self):
        at = local("2026-10-24T23:00")

        assert quiet_ends_at(at=at, **NIGHT) - at == timedelta(hours=9)

    def test_within_the_minutes_that_do_not_exist_is_when_the_clocks_jump(self):
        ends = quiet_ends_at(at=local("2026-03-28T23:00"), **NIGHT | {"end_minute": 150})

        assert ends == local("2026-03-29T03:00")

    def test_within_the_minutes_that_come_twice_comes_twice(self):
        night = NIGHT | {"end_minute": 150}

        assert quiet_ends_at(at=local("2026-10-24T23:00"), **night) == local("2026-10-25T02:30")
        assert quiet_ends_at(at=local("2026-10-25T02:10", fold=1), **night) == local("2026-10-25T02:30", fold=1)


@given(
    minutes=st.integers(0, 525_600),
    zone=st.sampled_from(["Europe/Madrid", "Australia/Lord_Howe", "America/St_Johns", "UTC"]).map(ZoneInfo),
    start=st.integers(0, 1_439),
    length=st.integers(0, 1_439),
)
def test_the_end_is_the_first_instant_that_is_not_quiet(minutes, zone, start, length):
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    quiet = {"zone": zone, "start_minute": start, "end_minute": (start + length) % 1_440}

    ends_at = quiet_ends_at(at=at, **quiet)

    assert not is_quiet(at=ends_at, **quiet)
    assert ends_at == at or is_quiet(at=ends_at - timedelta(minutes=1), **quiet)
    for part in range(20):
        between = at + (ends_at - at) * part / 20
        assert between == ends_at or is_quiet(at=between, **quiet)


class TestChoice:
    PHONE, MAIL, CHAT = Way("1", "web_push"), Way("2", "email", wakes=False), Way("3", "telegram")
    HOURS = QuietHours(MADRID, 22 * 60, 7 * 60)
    DAY, LATE = local("2026-03-02T12:00"), local("2026-03-02T23:00")

    def test_is_the_first_by_day(self):
        assert choose([self.PHONE, self.MAIL], at=self.DAY, quiet_hours=self.HOURS) == Choice(self.PHONE, self.DAY)

    def test_is_the_first_that_wakes_nobody_by_night(self):
        assert choose([self.PHONE, self.MAIL], at=self.LATE, quiet_hours=self.HOURS) == Choice(self.MAIL, self.LATE)

    def test_waits_for_the_morning_where_all_would_wake_somebody(self):
        choice = choose([self.PHONE, self.CHAT], at=self.LATE, quiet_hours=self.HOURS)

        assert choice == Choice(self.PHONE, local("2026-03-03T07:00"))

    def test_wakes_people_for_what_is_urgent(self):
        choice = choose([self.PHONE, self.MAIL], at=self.LATE, quiet_hours=self.HOURS, is_urgent=True)

        assert choice == Choice(self.PHONE, self.LATE)

    def test_leaves_out_what_failed(self):
        ways = [self.PHONE, self.CHAT]

        assert choose(ways, at=self.DAY, quiet_hours=None, failed={"1"}) == Choice(self.CHAT, self.DAY)
        assert choose(ways, at=self.DAY, quiet_hours=self.HOURS, failed={"1", "3"}) is None
        assert choose([], at=self.DAY, quiet_hours=None) is None
