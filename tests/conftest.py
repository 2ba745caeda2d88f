"""What every test may rely on."""

import zoneinfo

import pytest
from hypothesis import settings as hypothesis

zoneinfo.reset_tzpath(to=[])  # the pinned zone data, as in production

hypothesis.register_profile("steady", derandomize=True, deadline=None)
hypothesis.load_profile("steady")


@pytest.fixture(autouse=True)
def _fresh_cache(settings):
    """No test sees what another put into the cache."""
    from django.core.cache import cache

    cache.clear()
