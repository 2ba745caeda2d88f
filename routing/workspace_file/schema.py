"""The shape of a workspace file: which keys there are, and what the text of each value means."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.utils.translation import gettext as _

from agents import channels, holiday_dates, languages, places, plans, site_texts, zones
from agents.colours import normal_colour
from agents.models import Agent, Scheme, ShiftKind, Side, Site, Team, TimeOff, Workspace
from agents.models.site import unreadable
from agents.origins import valid_origin
from agents.validators import canonical_tags, validate_attribute_name
from routing.rulebook.errors import Findings, did_you_mean
from routing.workspace_file.nodes import MappingNode, Node, Path, TextNode, kind_of
from routing.workspace_file.readers import (
    UNREAD,
    Reader,
    column,
    flag,
    integer,
    list_of,
    one_of,
    plain,
    read_value,
    record,
    set_of,
    text,
)

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CAPS = ("open", "hour", "day", "week")
# What the policy keeps of the section `workspace`; the rulebook reads it.
SETTINGS = ("returning", "join_window", "intent", "sla", "acknowledge_within")
MIDNIGHT = 24 * 60
# Of a site that the file gives no name.
SITE_NAME = "Website"
# What else the file says of a site, under the column's own name; absent means the column's default.
SITE_COLUMNS = (
    "origins",
    "channels",
    "accent",
    "on_accent",
    "side",
    "scheme",
    "offset",
    "texts",
    "hours_shown",
    "fallback_url",
    "asks_consent",
    "privacy_url",
)

_CLOCK = re.compile(r"(?:([01]?[0-9]|2[0-3]):([0-5][0-9])|24:00)")
_LOCAL = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ]([0-9]{2}:[0-9]{2})(?::00)?)?")
_KEY = re.compile(r"[A-Za-z0-9_-]{1,40}")


def site_default(column: str) -> Any:
    return Site._meta.get_field(column).get_default()


@dataclass(frozen=True, slots=True)
class Contents:
    """A file's values as the models take them: plain lists and mappings by the file's keys, only those given.

    A section that the file does not have is None. Scoring, rules and the policy's settings are as written: the
    rulebook reads them.
    """

    workspace: dict[str, Any]
    sites: list[dict[str, Any]] | None
    agents: list[dict[str, Any]] | None
    teams: list[dict[str, Any]] | None
    scoring: list[Any] | None
    rules: list[Any] | None


def read_contents(root: MappingNode, findings: Findings) -> Contents:
    """Reads as much as can be read; what cannot is left out and in the findings."""
    sections: dict[str, Reader] = {
        "workspace": record(_WORKSPACE, required=("slug", "name")),
        "sites": list_of(_checked(record(_SITE), _site_fault)),
        "agents": list_of(record(_agent(_phone_region(root)), required=("slug", "name"))),
        "teams": list_of(record(_TEAM, required=("slug",))),
        "scoring": list_of(plain),
        "rules": list_of(plain),
    }
    read = record(sections, required=("workspace",))(root, (), findings)
    return Contents(
        workspace=read.get("workspace", {}), **{key: read.get(key) for key in sections if key != "workspace"}
    )


def _phone_region(root: MappingNode) -> str | None:
    """Where a number without + is dialled from: the country of the workspace's zone."""
    entry = root.entries.get("workspace")
    section = entry.node if entry else None
    zone = section.entries.get("timezone") if isinstance(section, MappingNode) else None
    return zones.region_of_zone(zone.node.value) if zone and isinstance(zone.node, TextNode) else None


def parse_zone(value: str) -> str:
    return str(zones.zone(value))


def parse_clock(value: str) -> int:
    """Minutes since midnight; `24:00` is 1440."""
    if not _CLOCK.fullmatch(value):
        raise ValueError(_("%(value)r is no time of day: write it like 09:00") % {"value": value})
    hour, minute = value.split(":")
    return int(hour) * 60 + int(minute)


def parse_local(value: str) -> str:
    """A wall clock without a zone, `2026-08-01T00:00`; a bare date means its midnight."""
    found = _LOCAL.fullmatch(value)
    wall = f"{found[1]}T{found[2] or '00:00'}" if found else ""
    try:
        datetime.fromisoformat(wall)
    except ValueError:
        raise ValueError(
            _("%(value)r is no local time: write it like 2026-08-01T00:00 or 2026-08-01") % {"value": value}
        ) from None
    return wall


def _calendar(value: str) -> str:
    if not holiday_dates.is_calendar(value):
        near = did_you_mean(value, holiday_dates.calendar_codes())
        raise ValueError(_("there is no holiday calendar %(value)r") % {"value": value} + near)
    return value


def _tag(value: str) -> str:
    return canonical_tags([value])[0]


def _attribute_name(value: str) -> str:
    validate_attribute_name(value)
    return value


def _site_key(value: str) -> str:
    if not _KEY.fullmatch(value):
        raise ValueError(_("%(value)r is no site key: letters, digits, - and _, at most 40") % {"value": value})
    return value


def _channel(value: str) -> str:
    return channels.channel_named(value).id


def _handles(region: str | None) -> Reader:
    """A mapping of channels to addresses, each in its channel's normal form."""

    def read(node: Node, path: Path, findings: Findings) -> Any:
        if not isinstance(node, MappingNode):
            findings.add(path, _("expected a mapping of channels to handles, found %(kind)s") % {"kind": kind_of(node)})
            return UNREAD
        handles = {}
        for name, entry in node.entries.items():
            place = (*path, name)
            try:
                channel = channels.channel_named(name)
                if not channel.needs_handle:
                    raise ValueError(_("%(name)s needs no handle: remove it") % {"name": name})
            except ValueError as error:
                findings.add(place, str(error))
                continue
            handle = text(partial(channel.normalise, region=region))
            value = read_value(handle, entry.node, place, findings)
            if value is not UNREAD:
                handles[channel.id] = value
        return handles

    return read


def _checked(read_fields: Reader, check: Callable[[Any], str | None]) -> Reader:
    """`check` looks at the whole value and returns what is wrong with it, if anything."""

    def read(node: Node, path: Path, findings: Findings) -> Any:
        before = len(findings.errors)
        value = read_fields(node, path, findings)
        if len(findings.errors) == before and (fault := check(value)):
            findings.add(path, fault)
            return UNREAD
        return value

    return read


def _texts(node: Node, path: Path, findings: Findings) -> Any:
    """Texts by language and name, each with its own place in the file."""
    if not isinstance(node, MappingNode):
        findings.add(path, _("expected a mapping of languages to texts, found %(kind)s") % {"kind": kind_of(node)})
        return UNREAD
    texts = {}
    for written, entry in node.entries.items():
        place = (*path, written)
        words = read_value(_WORDS, entry.node, place, findings)
        try:
            tag = languages.canonical_tag(written)
        except ValueError as error:
            findings.add(place, str(error))
            continue
        if words is not UNREAD:
            texts[tag] = words
    return texts


def _site_fault(site: Mapping[str, Any]) -> str | None:
    colours = (site.get(name, site_default(name)) for name in ("accent", "on_accent"))
    return unreadable(*colours)


def _shift_fault(shift: Mapping[str, Any]) -> str | None:
    if shift["start"] == shift["end"]:
        return _("start and end are equal: for a whole day write 00:00 to 24:00")
    if shift["start"] == MIDNIGHT:
        return _("a shift starts between 00:00 and 23:59: write 00:00 of the next day")
    return None


def _time_off_fault(absence: Mapping[str, Any]) -> str | None:
    return None if absence["from"] < absence["to"] else _("'to' must be after 'from'")


def _member(node: Node, path: Path, findings: Findings) -> Any:
    """`marta`, or `{agent: marta, weight: 3, tier: 1}`."""
    if isinstance(node, TextNode):
        slug = _SLUG(node, path, findings)
        return slug if slug is UNREAD else {"agent": slug}
    return _MEMBER(node, path, findings)


_SLUG = column(Agent, "slug")
_LANGUAGES = text(languages.canonical_tag)

_WORKSPACE: dict[str, Reader] = {
    "slug": column(Workspace, "slug"),
    "name": column(Workspace, "name"),
    "timezone": text(parse_zone),
    "plan": one_of(plans.Plan.values),
    "languages": set_of(_LANGUAGES, at_least=1),
    "fallback_agent": _SLUG,
    "public_attributes": set_of(text(_attribute_name)),
    **dict.fromkeys(SETTINGS, plain),
}
_WORDS = record({name: text(partial(site_texts.checked_text, name)) for name in site_texts.LONGEST})
_SITE: dict[str, Reader] = {
    "name": column(Site, "name"),
    "key": text(_site_key),
    "origins": set_of(text(valid_origin)),
    "channels": set_of(text(_channel)),
    "accent": text(normal_colour),
    "on_accent": text(normal_colour),
    "side": one_of(Side.values),
    "scheme": one_of(Scheme.values),
    "offset": integer(least=0, most=200),
    "texts": _texts,
    "hours_shown": flag,
    "fallback_url": column(Site, "fallback_url"),
    "asks_consent": flag,
    "privacy_url": column(Site, "privacy_url"),
}
_SHIFT = _checked(
    record(
        {
            "days": set_of(one_of(WEEKDAYS), at_least=1),
            "start": text(parse_clock),
            "end": text(parse_clock),
            "kind": one_of(ShiftKind.values),
        },
        required=("days", "start", "end"),
    ),
    _shift_fault,
)
_TIME_OFF = _checked(
    record(
        {"from": text(parse_local), "to": text(parse_local), "note": column(TimeOff, "note")}, required=("from", "to")
    ),
    _time_off_fault,
)
_MEMBER = record(
    {"agent": _SLUG, "weight": integer(least=0, most=1_000_000), "tier": integer(least=1, most=1_000)},
    required=("agent",),
)
_TEAM: dict[str, Reader] = {
    "slug": column(Team, "slug"),
    "name": column(Team, "name"),
    "agents": list_of(_member),
    "catch_up": integer(least=0, most=1_000),
}


def _agent(region: str | None) -> dict[str, Reader]:
    return {
        "slug": _SLUG,
        "name": column(Agent, "name"),
        "title": column(Agent, "title"),
        "photo_url": column(Agent, "photo_url"),
        "email": column(Agent, "email"),
        "timezone": text(parse_zone),
        "languages": set_of(_LANGUAGES),
        "territories": set_of(text(places.canonical_territory)),
        "tags": set_of(text(_tag)),
        "active": flag,
        "paused": flag,
        "caps": record({cap: integer(least=1, most=1_000_000) for cap in CAPS}),
        "handles": _handles(region),
        "shifts": list_of(_SHIFT),
        "time_off": list_of(_TIME_OFF),
        "holidays": text(_calendar),
    }
