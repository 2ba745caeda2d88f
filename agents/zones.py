"""Time zones, from the pinned tzdata package alone: the system's data differ from machine to machine."""

from difflib import get_close_matches
from functools import lru_cache
from importlib.metadata import version
from importlib.resources import files
from zoneinfo import ZoneInfo

from babel.core import get_global
from django.utils.translation import gettext as _

ZONE_DATA_VERSION = version("tzdata")


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    return frozenset((files("tzdata") / "zones").read_text().split()) - {"Factory", "localtime"}


def is_zone(name: str) -> bool:
    return name in zone_names()


def zone(name: str) -> ZoneInfo:
    """Raises ValueError with a sentence for a name that is no zone."""
    if not is_zone(name):
        near = get_close_matches(name, zone_names(), n=1)
        hint = " " + _("Did you mean %(name)s?") % {"name": near[0]} if near else ""
        raise ValueError(
            _("There is no time zone “%(name)s”. Write one like Europe/Madrid.%(hint)s") % {"name": name, "hint": hint}
        )
    return ZoneInfo(name)


def region_of_zone(name: str) -> str | None:
    """The country where this zone is local time: `Europe/Madrid` as `ES`. None for zones of no country, such as UTC."""
    country = get_global("zone_territories").get(name)
    return country if country and len(country) == 2 and country != "ZZ" else None
