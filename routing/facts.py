"""From what a submission says to the facts that rules look at, and facts as JSON."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from agents import contacts
from agents.languages import canonical_tag, likely_script
from routing.engine.conditions import ATTRIBUTE_PREFIX
from routing.engine.facts import Facts, LanguageTag, Value

UTM_FIELDS = ("utm_source", "utm_medium", "utm_campaign")


@lru_cache(maxsize=4096)
def language_tag(text: str) -> LanguageTag:
    """Raises ValueError with a sentence for what is no language."""
    tag = canonical_tag(text)
    language = tag.split("-")[0]
    return LanguageTag(tag, language, likely_script(tag) or "", likely_script(language) or "")


def build_facts(
    *,
    channel: str | None = None,
    source: str | None = None,
    language: str | None = None,
    country: str | None = None,
    region: str | None = None,
    city: str | None = None,
    page_url: str | None = None,
    page_path: str | None = None,
    page_host: str | None = None,
    referrer: str | None = None,
    utm_source: str | None = None,
    utm_medium: str | None = None,
    utm_campaign: str | None = None,
    message: str | None = None,
    email: str | None = None,
    phone: str | None = None,
    attributes: Mapping[str, Any] | None = None,
    needed: Collection[str] | None = None,
) -> Facts:
    """What is known of a lead. None and empty text are unknown.

    Parts of the page's address and of the contact are derived where they are not given: `page_path`, `page_host`
    and `utm_*` from `page_url`, `email_domain` from `email`, `phone_country` from `phone` (E.164), the country from
    the region. `needed` names the fields that will be asked for and spares the work for others; facts that are to be
    stored are built whole. Raises ValueError for a `language` that is none.
    """
    region = _code(region)
    given = {
        "channel": channel,
        "source": source,
        "country": _code(country) or (region.partition("-")[0] if region else None),
        "region": region,
        "city": city,
        "page_url": page_url,
        "page_path": page_path,
        "page_host": page_host,
        "referrer": referrer,
        "utm_source": utm_source,
        "utm_medium": utm_medium,
        "utm_campaign": utm_campaign,
        "message": message,
    }
    for name, value in (attributes or {}).items():
        given[f"{ATTRIBUTE_PREFIX}{name.strip()}"] = attribute_text(value)
    values: dict[str, Value] = {
        field: text
        for field, value in given.items()
        if value and (needed is None or field in needed) and (text := _clean(value))
    }
    for field, text in _derived(given, email=email, phone=phone, needed=needed):
        if text := _clean(text):
            values.setdefault(field, text)
    tag = None
    if language:
        tag = language_tag(language)
        values["language"] = tag.tag
    return Facts(values, tag)


def _derived(
    given: Mapping[str, str | None], *, email: str | None, phone: str | None, needed: Collection[str] | None
) -> Iterator[tuple[str, str]]:
    def wanted(*fields: str) -> bool:
        return needed is None or not set(fields).isdisjoint(needed)

    url = given["page_url"]
    if url and wanted("page_path", "page_host", *UTM_FIELDS):
        address = split_address(url)
        if wanted("page_path"):
            yield "page_path", address.path
        if wanted("page_host"):
            yield "page_host", address.host
        # The query is the dear part, and most pages have none of these.
        if "utm_" in address.query.lower():
            for name, value in _pairs(address.query):
                if name.lower() in UTM_FIELDS and wanted(name.lower()):
                    yield name.lower(), value
    if email and wanted("email_domain"):
        yield "email_domain", email.rpartition("@")[2].lower() if "@" in email else ""
    if phone and wanted("phone_country"):
        yield "phone_country", contacts.phone_country(phone) or ""


class Address(NamedTuple):
    host: str
    path: str
    query: str


def split_address(url: str) -> Address:
    """Host (lower case, without port), path and query of what a visitor's browser or an integration sent.

    Takes anything: `urlsplit` raises for some texts, and a lead is not lost for a strange address.
    """
    rest = url.strip().partition("#")[0]
    rest, _mark, query = rest.partition("?")
    _scheme, colon, after = rest.partition("://")
    if not colon and rest.startswith("//"):
        after, colon = rest[2:], "//"
    if not colon:
        first = rest.partition("/")[0]
        if "." not in first:  # a bare path
            return Address("", rest if rest.startswith("/") else f"/{rest}" if rest else "", query)
        after = rest
    host, slash, path = after.partition("/")
    host = host.rpartition("@")[2].lower()
    host = host.partition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0].rstrip(".")
    return Address(host, slash + path or "/", query)


def _pairs(query: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(query, max_num_fields=200)
    except ValueError:  # more fields than anybody's campaign has
        return []


def _code(text: str | None) -> str | None:
    return text.strip().upper() if text else None


def attribute_text(value: Any) -> str | None:
    """An attribute as text: `true`, `50`, `50.5`; lists and mappings as JSON; None is unknown."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


def _clean(text: str) -> str:
    """Trimmed, and without what a database refuses to store: null characters and halves of surrogate pairs."""
    text = text.replace("\x00", "").strip()
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


def facts_to_json(facts: Facts) -> dict[str, Any]:
    tag = facts.language
    return {
        "values": dict(facts.values),
        "language": None if tag is None else [tag.tag, tag.language, tag.script, tag.base_script],
    }


def facts_from_json(document: Mapping[str, Any]) -> Facts:
    """The facts exactly as they were, whatever newer language data say."""
    language = document["language"]
    return Facts(dict(document["values"]), None if language is None else LanguageTag(*language))
