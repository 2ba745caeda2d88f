"""Public holidays by country or ISO 3166-2 region, from the pinned `holidays` package."""

from datetime import date
from functools import lru_cache

import holidays

HOLIDAY_DATA_VERSION = holidays.__version__
FIRST_YEAR, LAST_YEAR = 2000, 2060


@lru_cache(maxsize=1)
def _supported() -> dict[str, list[str]]:
    return holidays.list_supported_countries(include_aliases=False)


def is_calendar(code: str) -> bool:
    """Whether there are holidays for this country (`ES`) or region (`ES-MD`)."""
    country, _hyphen, region = code.partition("-")
    return code == code.strip("-") and country in _supported() and (not region or region in _supported()[country])


def calendar_codes() -> list[str]:
    """Every calendar there is, in order."""
    return sorted(
        code
        for country, regions in _supported().items()
        for code in (country, *(f"{country}-{region}" for region in regions))
    )


@lru_cache(maxsize=512)
def dates_of(calendar: str) -> frozenset[date]:
    """The days off, 2000 to 2060, with the weekdays that replace holidays on weekends. '' has none.

    Raises ValueError for an unknown calendar.
    """
    if not calendar:
        return frozenset()
    if not is_calendar(calendar):
        raise ValueError(f"no holiday calendar {calendar!r}")
    country, _hyphen, region = calendar.partition("-")
    years = range(FIRST_YEAR, LAST_YEAR + 1)
    return frozenset(holidays.country_holidays(country, subdiv=region or None, years=years))


@lru_cache(maxsize=512)
def holiday_names(calendar: str, year: int) -> dict[date, str]:
    """The days off of one year with their names in the country's own language."""
    if not calendar:
        return {}
    country, _hyphen, region = calendar.partition("-")
    return dict(sorted(holidays.country_holidays(country, subdiv=region or None, years=year).items()))
