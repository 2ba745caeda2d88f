"""How many examples a law is tried on where it needs more, or can do with fewer, than the profile says."""

from hypothesis import settings


def times(factor: float) -> int:
    """So many times what the profile of this run says (see tests/conftest.py)."""
    return max(5, round(settings.default.max_examples * factor))
