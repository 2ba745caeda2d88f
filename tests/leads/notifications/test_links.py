"""A link in a mail stands for one act, of one agent, on one lead, for 72 hours."""

import base64
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from leads.notifications.links import Link, LinkRefused, make, read

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LEAD = UUID("0b6f3c1e-58a1-4a0e-9d0b-3f3a5b0c7d11")


def token(**changes):
    return make(**{"purpose": "one-click", "lead": LEAD, "agent": "marta", "action": "answered", "at": AT} | changes)


def test_says_who_may_do_what():
    assert read(token(), purpose="one-click", at=AT) == Link(
        "one-click", LEAD, "marta", "answered", AT + timedelta(hours=72)
    )


def test_is_good_for_72_hours_and_not_a_second_longer():
    made = token()

    read(made, purpose="one-click", at=AT + timedelta(hours=72, seconds=-1))
    with pytest.raises(LinkRefused, match="older than 72 hours"):
        read(made, purpose="one-click", at=AT + timedelta(hours=72))


def test_opens_only_the_page_it_was_made_for():
    with pytest.raises(LinkRefused):
        read(token(), purpose="export", at=AT)


@pytest.mark.parametrize("place", [0, 10, 40, -1])
def test_is_refused_where_one_letter_differs(place):
    letters = list(token())
    letters[place] = "A" if letters[place] != "A" else "B"

    with pytest.raises(LinkRefused, match="not complete"):
        read("".join(letters), purpose="one-click", at=AT)


@pytest.mark.parametrize("text", ["", ":", "a:b", "ö:ü", "\x00", "e30:x", "." * 5_000])
def test_is_refused_where_it_is_nothing_of_ours(text):
    with pytest.raises(LinkRefused):
        read(text, purpose="one-click", at=AT)


def test_made_under_another_secret_is_refused(settings):
    made = token()
    settings.SECRET_KEY = "another secret, long enough to sign with it"

    with pytest.raises(LinkRefused):
        read(made, purpose="one-click", at=AT)

    settings.SECRET_KEY_FALLBACKS = ["for tests only, and long enough to sign with"]
    assert read(made, purpose="one-click", at=AT).agent == "marta"


def test_fits_a_path_and_holds_no_row_number():
    made = token()
    body = made.split(":")[0]

    assert set(made) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_:.")
    assert len(made) < 200
    assert base64.urlsafe_b64decode(body + "==").startswith(b'["0b6f3c1e58a14a0e9d0b3f3a5b0c7d11","marta","answered",')
