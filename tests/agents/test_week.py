"""A week as people write it."""

from datetime import date

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from agents.coming_days import coming_weeks
from agents.models import Agent, Shift, TimeOff
from agents.week import Bar, Window, bars, in_words, read_windows

minutes = st.integers(0, 1439)


@pytest.mark.parametrize(
    ("text", "windows"),
    [
        ("", []),
        ("09:00–18:00", [(540, 1080)]),
        ("9-13, 15:30 to 18h", [(540, 780), (930, 1080)]),
        ("22.00 — 6", [(1320, 360)]),
        ("15-18; 9-13", [(540, 780), (900, 1080)]),
        ("0-24", [(0, 1440)]),
        ("22-0", [(1320, 1440)]),
    ],
)
def test_is_read_however_people_write_it(text, windows):
    assert read_windows(text) == windows


@pytest.mark.parametrize("text", ["nine to five", "9", "9-25", "09:60-10", "9-9", "24-6", "9-18-20", "9–18,x"])
def test_refuses_what_is_no_window(text):
    with pytest.raises(ValidationError):
        read_windows(text)


@given(st.sets(st.tuples(minutes, st.integers(1, 1440)).filter(lambda w: w[0] != w[1]), max_size=4))
def test_what_is_shown_is_read_back_the_same(windows):
    assert read_windows(in_words(windows)) == sorted(windows)


def test_a_night_is_drawn_on_both_its_days():
    drawn = bars([Window(6, 1320, 360)])

    assert drawn[6] == [Bar(1320, 1440, "regular")]
    assert drawn[0] == [Bar(0, 360, "regular", continues=True)]


def test_the_coming_days_show_what_cuts_into_them():
    agent = Agent(holiday_calendar="ES")
    shifts = [Shift(weekday=day, start_minute=540, end_minute=1080) for day in range(5)]
    off = [TimeOff(starts_local="2026-12-10T12:00", ends_local="2026-12-12T00:00", note="Dentist")]

    weeks = coming_weeks(agent, today=date(2026, 12, 9), shifts=shifts, time_off=off, weeks=3)

    days = {day.date.day: day for week in weeks for day in week}
    assert weeks[0][0].date == date(2026, 12, 7)
    assert [days[n].state for n in (7, 8, 9, 10, 11, 12, 25)] == [
        "works", "holiday", "works", "off", "off", "free", "holiday",
    ]  # fmt: skip
    assert (days[10].off, days[9].is_today, days[8].is_past) == ("Dentist", True, True)
