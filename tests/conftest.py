"""What every test may rely on."""

import gc
import os
import zoneinfo
from urllib.parse import urlsplit

import pytest
import redis
from django.core.cache import cache
from django.test import TransactionTestCase
from hypothesis import settings as hypothesis

from tests import emptying, services

zoneinfo.reset_tzpath(to=[])  # the pinned zone data, as in production

# HYPOTHESIS_PROFILE=full draws many times as many examples, and others each time.
hypothesis.register_profile("steady", derandomize=True, deadline=None, max_examples=30)
hypothesis.register_profile("full", deadline=None, max_examples=300)
hypothesis.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))


TransactionTestCase._fixture_teardown = emptying.after_a_test_that_commits


def pytest_collection():
    """Importing leaves no garbage worth looking for; a fifth of its time went there."""
    gc.disable()


def pytest_collection_finish(session):
    """What is there by now stays: looking through it again and again for what is not took a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    gc.enable()


def pytest_runtest_setup(item):
    """Tests marked as in `services.MISSING` skip where the part is missing, and fail where it is promised."""
    for name, missing in services.MISSING.items():
        if item.get_closest_marker(name) and (reason := missing()):
            if services.REQUIRED:
                pytest.fail(f"{reason} (CI or REQUIRE_SERVICES is set, so nothing is skipped)", pytrace=False)
            pytest.skip(reason)


@pytest.fixture(autouse=True)
def _fresh_cache():
    """No test sees what another put into the cache, or what a process keeps of rosters and policies."""
    from routing import snapshots

    cache.clear()
    snapshots.forget()


@pytest.fixture
def redis_url():
    """An empty Redis database of this process's own (numbers 8 to 15). For tests marked `redis`."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw7")
    url = urlsplit(services.REDIS_URL)._replace(path=f"/{8 + int(worker.removeprefix('gw')) % 8}").geturl()
    with redis.Redis.from_url(url) as client:
        client.flushdb()
        yield url
        client.flushdb()


@pytest.fixture(scope="session")
def chromium():
    """The path of the browser. For tests marked `browser`."""
    return services.chromium()
