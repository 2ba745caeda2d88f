"""Countries (ISO 3166-1 alpha-2) and their regions (ISO 3166-2)."""

import re
from difflib import get_close_matches
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django_countries.data import COUNTRIES

# Kosovo has no code of its own; XK is what address databases and browsers use.
COUNTRY_CODES = frozenset(COUNTRIES) | {"XK"}
_TERRITORY = re.compile(r"(?P<country>[A-Z]{2})(?:-[A-Z0-9]{1,3})?")
_OFTEN_WRITTEN = {"UK": "GB", "EL": "GR"}


def is_country(code: str) -> bool:
    return code in COUNTRY_CODES


def canonical_country(text: str) -> str:
    """The two capital letters. Raises ValueError with a sentence."""
    code = text.strip().upper()
    if code in COUNTRY_CODES:
        return code
    raise ValueError(_("There is no country “%(text)s”.%(hint)s") % {"text": text, "hint": _did_you_mean(code)})


@lru_cache(maxsize=4096)
def canonical_territory(text: str) -> str:
    """A country or one of its regions, in capitals: `ES`, `US-CA`. Raises ValueError with a sentence.

    Of a region only the country is checked: ISO renames regions every year.
    """
    code = text.strip().upper()
    parts = _TERRITORY.fullmatch(code)
    if parts is None:
        raise ValueError(
            _("“%(text)s” is neither a country nor a region. Write ES or US-CA (ISO 3166).") % {"text": text}
        )
    canonical_country(parts["country"])
    return code


def country_name(code: str, locale: str | None = None) -> str:
    """`ES` as “Spain”, in the language of `locale` (default: the active one); the code if unnamed."""
    try:
        names = Locale.parse((locale or get_language() or "en").replace("-", "_")).territories
    except (ValueError, UnknownLocaleError):
        names = Locale("en").territories
    return names.get(code) or code


def territory_name(code: str, locale: str | None = None) -> str:
    """`US-CA` as “CA, United States”: there is no list of regions that stays true for long."""
    country, _hyphen, region = code.partition("-")
    name = country_name(country, locale)
    return f"{region}, {name}" if region else name


def _did_you_mean(code: str) -> str:
    likely = _OFTEN_WRITTEN.get(code)
    if likely is None:
        by_name = {str(name).casefold(): found for found, name in COUNTRIES.items()}
        likely = next((by_name[name] for name in get_close_matches(code.casefold(), by_name, n=1, cutoff=0.8)), None)
    return " " + _("Did you mean %(code)s?") % {"code": likely} if likely else ""
