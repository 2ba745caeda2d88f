"""Languages by their BCP 47 tags."""

import re
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.core import get_global
from django.utils.translation import get_language
from django.utils.translation import gettext as _

# language [- extended]* [- script] [- region] [- variant]* [- extension]* [- private use]
_TAG = re.compile(
    r"(?P<language>[a-z]{2,3})(?:-[a-z]{3}){0,3}"
    r"(?:-(?P<script>[a-z]{4}))?"
    r"(?:-(?P<region>[a-z]{2}|[0-9]{3}))?"
    r"(?P<rest>(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*(?:-[a-wy-z0-9](?:-[a-z0-9]{2,8})+)*(?:-x(?:-[a-z0-9]{1,8})+)?)",
    re.ASCII,
)
# Codes that ISO 639 withdrew and old systems still send.
_WITHDRAWN = {"iw": "he", "in": "id", "ji": "yi", "jw": "jv", "mo": "ro"}
_ENGLISH = Locale("en")


def _known_languages() -> frozenset[str]:
    likely = {key.split("_")[0] for key in get_global("likely_subtags")}
    return frozenset(likely | set(_ENGLISH.languages)) - {"und", "mul", "zxx"}


_LANGUAGES = _known_languages()


@lru_cache(maxsize=4096)
def canonical_tag(text: str) -> str:
    """`pt_br` as `pt-BR`, `ZH-hant-tw` as `zh-Hant-TW`. Raises ValueError with a sentence for what is no language."""
    tag = text.strip().replace("_", "-").lower()
    parts = _TAG.fullmatch(tag) if len(tag) <= 35 else None
    if parts is None:
        raise ValueError(_("“%(text)s” is not a language tag. Write one like es, pt-BR or zh-Hant.") % {"text": text})
    language = _WITHDRAWN.get(parts["language"], parts["language"])
    script = (parts["script"] or "").title()
    region = (parts["region"] or "").upper()
    if language not in _LANGUAGES:
        raise ValueError(
            _("There is no language “%(code)s”. Write one like es, pt-BR or zh-Hant.") % {"code": language}
        )
    if script and script not in _ENGLISH.scripts:
        raise ValueError(_("There is no script “%(code)s”. Write one like zh-Hant or sr-Latn.") % {"code": script})
    if region and (region not in _ENGLISH.territories or region == "ZZ"):
        raise ValueError(
            _("There is no region “%(code)s” for a language. Write one like pt-BR or es-419.") % {"code": region}
        )
    extended = tag[len(parts["language"]) : _first_start(parts, len(tag))]
    return language + extended + "".join(f"-{part}" for part in (script, region) if part) + parts["rest"]


def _first_start(parts: re.Match[str], end: int) -> int:
    """Where script, region or the rest begin, with their hyphen."""
    starts = [parts.start(name) - 1 for name in ("script", "region") if parts[name]]
    return min([*starts, parts.start("rest") if parts["rest"] else end])


def canonical_tags(texts: list[str]) -> list[str]:
    """Each once, in order. Raises ValueError as `canonical_tag`."""
    return list(dict.fromkeys(canonical_tag(text) for text in texts))


@lru_cache(maxsize=4096)
def likely_script(tag: str) -> str | None:
    """The script that the language is most likely written in (CLDR likely subtags): `zh-TW` Hant, `zh` Hans, `en` Latn.

    None where CLDR does not know.
    """
    language, *subtags = tag.split("-")
    for subtag in subtags:
        if len(subtag) == 4 and subtag.isalpha():
            return subtag.title()
    region = next((s for s in subtags if (len(s) == 2 and s.isalpha()) or (len(s) == 3 and s.isdigit())), None)
    likely = get_global("likely_subtags")
    full = (likely.get(f"{language}_{region}") if region else None) or likely.get(language)
    return full.split("_")[1] if full else None


def language_name(tag: str, locale: str | None = None) -> str:
    """`pt-BR` as “Portuguese (Brazil)”, in the language of `locale` (default: the active one); the tag if unnamed."""
    return _name(tag, locale or get_language() or "en")


def own_name(tag: str) -> str:
    """The language's name in itself, as a visitor looks for it: `es` as “español”."""
    return _name(tag, tag)


@lru_cache(maxsize=4096)
def _name(tag: str, locale: str) -> str:
    names = _locale(locale)
    language, *subtags = tag.split("-")
    name = names.languages.get(language)
    if name is None:
        return tag
    details = [names.scripts.get(subtag) or names.territories.get(subtag) for subtag in subtags]
    known = ", ".join(detail for detail in details if detail)
    return f"{name} ({known})" if known else name


def _locale(tag: str) -> Locale:
    """The names that CLDR has in this language, else in English."""
    try:
        return Locale.parse(tag.replace("-", "_"))
    except (ValueError, UnknownLocaleError):
        return _ENGLISH
