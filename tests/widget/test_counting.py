import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import redis
from django.db import connections

from widget import counting
from widget.counting import Limit, count, count_in_lots, forget_past_counts
from widget.models import ThrottleCount

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _redis_is_rested(monkeypatch):
    counting.forget_lots()
    monkeypatch.setattr(counting, "_redis_rests_until", 0.0)


def minute(key, most):
    return Limit(key, most, 60)


def in_threads(times, work):
    """Run it so often at once, each in a thread that starts when all are there."""
    barrier = threading.Barrier(16)

    def thread(_number):
        barrier.wait()
        try:
            return [work() for _ in range(times // 16)]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(16) as pool:
        return [answer for answers in pool.map(thread, range(16)) for answer in answers]


@pytest.mark.django_db
@pytest.mark.portable
class TestInTheTable:
    def test_lets_so_many_pass_and_says_how_long_to_wait(self):
        assert [count([minute("a", 3)], at=NOON) for _ in range(3)] == [None] * 3

        passed = count([minute("a", 3)], at=NOON + timedelta(seconds=20))

        assert passed.limit == minute("a", 3)
        assert passed.wait_s == 40

    def test_a_period_begins_with_its_first_request(self):
        late = NOON.replace(second=55)
        assert count([minute("a", 1)], at=late) is None
        assert count([minute("a", 1)], at=late + timedelta(seconds=59)) is not None
        assert count([minute("a", 1)], at=late + timedelta(seconds=60)) is None

    def test_keys_are_counted_apart(self):
        assert count([minute("a", 1)], at=NOON) is None
        assert count([minute("b", 1)], at=NOON) is None

    def test_what_one_limit_refuses_uses_up_nothing_of_the_next(self):
        for _ in range(5):
            count([minute("address", 1), minute("site", 2)], at=NOON)

        assert count([minute("other address", 1), minute("site", 2)], at=NOON) is None
        assert count([minute("third address", 1), minute("site", 2)], at=NOON).limit.key == "site"

    def test_a_request_costs_one_statement_a_limit(self, django_assert_num_queries):
        with django_assert_num_queries(2):
            count([minute("address", 1), minute("site", 2)], at=NOON)

    def test_past_counts_are_forgotten(self):
        count([minute("old", 1)], at=NOON)
        count([minute("new", 1)], at=NOON + timedelta(minutes=9))

        assert forget_past_counts(at=NOON + timedelta(minutes=10)) == 1
        assert [row.key for row in ThrottleCount.objects.all()] == ["new"]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_500_at_once_against_10_exactly_10_pass_in_the_table():
    answers = in_threads(512, lambda: count([minute("a", 10)], at=NOON))

    assert answers.count(None) == 10


@pytest.mark.redis
def test_of_500_at_once_against_10_exactly_10_pass_in_redis(redis_url, settings):
    settings.REDIS_URL = redis_url

    answers = in_threads(512, lambda: count([minute("a", 10)], at=NOON))

    assert answers.count(None) == 10
    assert 50 < max(passed.wait_s for passed in answers if passed) <= 60


@pytest.mark.redis
def test_redis_too_spares_the_site_what_the_address_is_refused(redis_url, settings):
    settings.REDIS_URL = redis_url
    for _ in range(5):
        count([minute("address", 1), minute("site", 2)], at=NOON)

    assert count([minute("other address", 1), minute("site", 2)], at=NOON) is None
    assert count([minute("third address", 1), minute("site", 2)], at=NOON).limit.key == "site"


class TestInLots:
    @pytest.mark.redis
    def test_of_1200_at_once_against_1000_no_more_pass(self, redis_url, settings):
        settings.REDIS_URL = redis_url

        answers = in_threads(1_200, lambda: count_in_lots(minute("a", 1_000), at=NOON))

        # Who asks while another does gets a lot of its own: what of it is not used is lost, and never passes twice.
        assert 1_000 - 16 * 10 < answers.count(None) <= 1_000

    @pytest.mark.redis
    def test_a_busy_key_seldom_asks(self, redis_url, settings, monkeypatch):
        settings.REDIS_URL = redis_url
        asked = []
        monkeypatch.setattr(counting, "_take", lambda *given, take=counting._take: asked.append(1) or take(*given))

        answers = [count_in_lots(minute("a", 1_000), at=NOON) for _ in range(1_001)]

        assert answers.count(None) == 1_000
        assert len(asked) == 101

    @pytest.mark.django_db
    def test_a_period_that_is_over_takes_its_lots_with_it(self, monkeypatch):
        assert count_in_lots(minute("a", 200), at=NOON) is None
        clock = counting.time.monotonic() + 61
        monkeypatch.setattr(counting.time, "monotonic", lambda: clock)

        answers = [count_in_lots(minute("a", 200), at=NOON + timedelta(seconds=61)) for _ in range(201)]

        assert answers.count(None) == 200

    @pytest.mark.django_db
    def test_a_small_limit_is_counted_one_by_one(self):
        assert [count_in_lots(minute("a", 3), at=NOON) is None for _ in range(4)] == [True, True, True, False]
        assert ThrottleCount.objects.get().hits == 4


@pytest.mark.django_db
def test_a_redis_that_is_away_is_asked_once_and_then_left_alone(settings, monkeypatch, caplog):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    asked = []
    monkeypatch.setattr(redis.Redis, "eval", lambda self, *args: asked.append(1) or _refuse())

    answers = [count([minute("a", 2)], at=NOON) for _ in range(3)]

    assert [answer is None for answer in answers] == [True, True, False]
    assert len(asked) == 1
    assert "the database does" in caplog.text


def _refuse():
    raise redis.ConnectionError("connection refused")
