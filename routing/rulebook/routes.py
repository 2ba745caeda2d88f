"""Reading `route` and `sla`: where a rule sends a lead, and what is promised about it."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from agents.validators import canonical_tags
from routing.rulebook.conditions import Document, parse_integer
from routing.rulebook.durations import format_duration, parse_duration
from routing.rulebook.errors import Findings, Path, did_you_mean, unknown

STRATEGIES = ("round_robin", "least_busy", "priority", "claim")
IF_NOBODY = ("next_rule", "on_call", "hold", "queue", "fallback")
WISHES = ("language", "channel", "territory")  # and tags:X
CLOCKS = ("wall", "covered")
MAX_REROUTES = 20
_ROUTE_KEYS = ("to", "by", "require", "prefer", "if_nobody")
_SLA_KEYS = ("respond_within", "remind_at", "reroute_after", "max_reroutes", "escalate_after", "clock")
_TAG = re.compile(r"tags:\s*(?P<tag>\S.*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RosterNames:
    """The slugs that a rule may name."""

    teams: Collection[str]
    agents: Collection[str]


def normalise_route(
    route: object, *, path: Path, findings: Findings, roster_names: RosterNames | None
) -> Document | None:
    """The normal form, every key that means something present. Targets are not looked up without `roster_names`."""
    if not isinstance(route, Mapping):
        findings.add(path, _("expected a route: {to: {team: …}}, {to: {agent: …}} or {to: queue}"))
        return None
    findings.refuse_unknown_keys(route, _ROUTE_KEYS, path)
    to = _target(route.get("to"), (*path, "to"), findings, roster_names)
    if to is None:
        return None
    if to == "queue":
        for key in _ROUTE_KEYS[1:]:
            if key in route:
                findings.add((*path, key), _("%(key)r means nothing with `to: queue`: remove it") % {"key": key})
        return {"to": to}
    read: Document = {"to": to}
    if "team" in to:
        read["by"] = _word(route.get("by", "round_robin"), STRATEGIES, _("strategy"), (*path, "by"), findings)
    elif "by" in route:
        findings.add((*path, "by"), _("'by' means nothing with one agent: remove it, or route to a team"))
    for key in ("require", "prefer"):
        read[key] = _wishes(route.get(key, []), (*path, key), findings)
    read["if_nobody"] = _word(
        route.get("if_nobody", "next_rule"), IF_NOBODY, _("choice"), (*path, "if_nobody"), findings
    )
    return read


def refuse_claim_of_links(route: Document, when: Document | None, *, path: Path, findings: Findings) -> None:
    """A claim makes the visitor wait, so it is only for leads that wait for no link."""
    if route.get("by") == "claim" and not limits_channel_to_form(when):
        findings.add(
            (*path, "by"),
            _(
                "'claim' is only for rules whose conditions limit channel to form, because a visitor who waits for "
                "a link must get one: add the condition channel is form, or choose another strategy"
            ),
        )


def limits_channel_to_form(when: Document | None) -> bool:
    """Whether no other lead can fulfil the conditions: every group has `channel` `is` (or `in`) `form`."""
    if when is None:
        return False
    members = [when] if "all" in when else when["any"]
    return all(any(map(_is_form, member.get("all", [member]))) for member in members)


def _is_form(condition: Document) -> bool:
    return (
        condition["field"] == "channel"
        and condition.get("value") in ("form", ["form"])
        and (condition["op"] in ("is", "in"))
    )


def _target(to: object, path: Path, findings: Findings, roster_names: RosterNames | None) -> Any:
    if to is None or to == "":
        findings.add(path, _("the route has no target: write {team: …}, {agent: …} or queue"))
        return None
    if isinstance(to, str):
        if to.strip().lower() == "queue":
            return "queue"
        findings.add(path, _("%(to)r is no target: write {team: …}, {agent: …} or queue") % {"to": to})
        return None
    if not isinstance(to, Mapping) or len(to) != 1 or not to.keys() <= {"team", "agent"}:
        near = did_you_mean(str(next(iter(to))), ("team", "agent")) if isinstance(to, Mapping) and len(to) == 1 else ""
        findings.add(path, _("expected {team: …}, {agent: …} or queue") + near)
        return None
    ((kind, slug),) = to.items()
    if not isinstance(slug, str) or not slug.strip():
        findings.add((*path, kind), _("expected the slug of one %(kind)s") % {"kind": kind})
        return None
    slug = slug.strip()
    if roster_names is not None:
        names = roster_names.teams if kind == "team" else roster_names.agents
        if slug not in names:
            text = _("there is no %(kind)s %(slug)r") % {"kind": kind, "slug": slug}
            findings.add((*path, kind), text + did_you_mean(slug, sorted(names)))
            return None
    return {kind: slug}


def _word(value: object, names: Collection[str], what: str, path: Path, findings: Findings) -> str | None:
    word = value.strip().lower() if isinstance(value, str) else value
    if word not in names:
        findings.add(path, unknown(what, value, names))
        return None
    return str(word)


def _wishes(value: object, path: Path, findings: Findings) -> list[str]:
    """Each once, in order: `language`, `channel`, `territory`, `tags:X`."""
    if not isinstance(value, list | tuple):
        findings.add(path, _("expected a list, such as [language, tags:senior]"))
        return []
    read = []
    for place, one in enumerate(value):
        text = one.strip() if isinstance(one, str) else str(one)
        if text.lower() in WISHES:
            read.append(text.lower())
        elif tag := _TAG.fullmatch(text):
            try:
                read += [f"tags:{name}" for name in canonical_tags([tag["tag"]])]
            except ValidationError as error:
                findings.add((*path, place), " ".join(error.messages))
        else:
            findings.add((*path, place), unknown(_("wish"), text, (*WISHES, "tags:NAME")))
    return list(dict.fromkeys(read))


def normalise_sla(sla: object, *, path: Path, findings: Findings) -> Document | None:
    """The normal form: seconds; reminders in order, whole percentages (of `respond_within`) before lengths of time
    (texts like 2m); None where nothing is promised."""
    if sla is None or sla == {}:
        return None
    if not isinstance(sla, Mapping):
        findings.add(path, _("expected {respond_within: 5m, …}"))
        return None
    findings.refuse_unknown_keys(sla, _SLA_KEYS, path)
    read: Document = {}

    def attempt(key: str, parse: Callable[[Any], Any]) -> None:
        try:
            read[key] = parse(sla[key])
        except ValueError as error:
            findings.add((*path, key), str(error))

    for key in ("respond_within", "reroute_after", "escalate_after"):
        if key in sla:
            attempt(key, parse_duration)
    if "remind_at" in sla:
        _read_reminders(sla, read, path, findings)
    if "max_reroutes" in sla:
        if "reroute_after" not in sla:
            findings.add((*path, "max_reroutes"), _("'max_reroutes' means nothing without 'reroute_after': add it"))
        attempt("max_reroutes", lambda value: parse_integer(value, least=1, most=MAX_REROUTES))
    elif "reroute_after" in sla:
        read["max_reroutes"] = 3
    read["clock"] = _word(sla.get("clock", "wall"), CLOCKS, _("clock"), (*path, "clock"), findings)
    if sla.keys() == {"clock"}:
        findings.add(path, _("the SLA promises nothing: add respond_within"))
    return {key: read[key] for key in _SLA_KEYS if key in read}


def _read_reminders(sla: Mapping[str, Any], read: Document, path: Path, findings: Findings) -> None:
    path = (*path, "remind_at")
    reminders = sla["remind_at"]
    if not isinstance(reminders, list | tuple):
        findings.add(path, _("expected a list of percentages, such as [50%, 80%]"))
        return
    shares: set[int] = set()
    lengths: set[int] = set()
    for place, one in enumerate(reminders):
        text = one.strip().removesuffix("%").strip() if isinstance(one, str) else one
        try:
            if isinstance(one, str) and one.strip()[-1:].isalpha():
                lengths.add(parse_duration(one))
            else:
                shares.add(parse_integer(text, least=1, most=100))
        except ValueError:
            shown = _("expected a percentage between 1%% and 100%%, or a length of time such as 2m, found %(value)r")
            findings.add((*path, place), shown % {"value": one})
    if shares and "respond_within" not in sla:
        findings.add(path, _("'remind_at' is a share of 'respond_within': add it"))
    read["remind_at"] = [*sorted(shares), *map(format_duration, sorted(lengths))]
