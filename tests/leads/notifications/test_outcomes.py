"""How often, and when, it is tried again."""

from datetime import UTC, datetime, timedelta

import pytest

from leads.notifications.outcomes import Retry, asked_wait, next_try_at

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def test_ten_tries_in_all_over_75_hours():
    at, tries = AT, 1
    while next_at := next_try_at(tries=tries, retry=Retry("500"), at=at):
        assert next_at > at
        at, tries = next_at, tries + 1

    assert tries == 10
    assert timedelta(hours=75) < at - AT < timedelta(hours=76)


def test_the_receiver_may_ask_for_longer_but_not_for_sooner():
    assert next_try_at(tries=1, retry=Retry("429", timedelta(minutes=2)), at=AT) == AT + timedelta(minutes=2)
    assert next_try_at(tries=2, retry=Retry("429", timedelta(seconds=1)), at=AT) == AT + timedelta(minutes=5)


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("120", timedelta(minutes=2)),
        ("0", timedelta()),
        ("99999999", timedelta(days=1)),
        ("Mon, 02 Mar 2026 09:10:00 GMT", timedelta(minutes=10)),
        ("Mon, 02 Mar 2026 10:00:00 +0100", timedelta()),
        ("Mon, 02 Mar 2026 08:00:00 GMT", timedelta()),
        ("Mon, 02 Mar 2099 08:00:00 GMT", timedelta(days=1)),
        ("Mon, 02 Mar 2026 09:10:00 -0000", timedelta(minutes=10)),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("9" * 5_000, None),
        ("Mon, 32 Mar 2026 08:00:00 GMT", None),
    ],
)
def test_a_wait_asked_for_is_seconds_or_a_date_and_a_day_at_most(header, wait):
    assert asked_wait(header, at=AT) == wait
