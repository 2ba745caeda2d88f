"""Reading a whole policy document into its one normal form.

    {"returning": "same_agent", "join_window": 86400, "intent": {"hot": 70, "warm": 30},
     "sla": {"respond_within": 300, "clock": "wall"}, "acknowledge_within": 300,
     "scoring": [{"when": …, "points": 40}],
     "rules": [{"name": "…", "active": false, "when": …, "route": {"to": …, …}, "sla": …}]}

All but `sla` and `acknowledge_within` are always there, and so are the keys of a route that mean something for its
target. `when` is absent where a rule holds for every lead, `active` where the rule is active, `sla` where nothing is
promised (the policy's is for rules that have none), `acknowledge_within` (of people on call, in seconds) where it is
the default. Scalars may arrive as text (from a file) or as JSON; the field says which type they become. Normalising
twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from agents.validators import validate_one_line
from routing.rulebook.conditions import Document, normalise_when, parse_flag, parse_integer
from routing.rulebook.durations import parse_duration
from routing.rulebook.errors import Findings, Path, unknown
from routing.rulebook.routes import RosterNames, normalise_route, normalise_sla, refuse_claim_of_links

RETURNING = ("same_agent", "rotate")
DEFAULTS: Mapping[str, Any] = {
    "returning": "same_agent",
    "join_window": 86_400,
    "intent": {"hot": 70, "warm": 30},
    "scoring": [],
    "rules": [],
}
# Seconds within which somebody on call says that they have a lead, before the next in line is paged.
ACKNOWLEDGE_WITHIN = 300
_OPTIONAL = ("sla", "acknowledge_within")
MAX_NAME = 200


def normalise_policy(document: object, *, roster_names: RosterNames | None) -> Document:
    """The normal form. Raises PolicyErrors with everything that is wrong; targets are looked up in `roster_names`."""
    findings = Findings()
    if not isinstance(document, Mapping):
        findings.add((), _("expected a policy: %(keys)s") % {"keys": ", ".join(DEFAULTS)})
        findings.raise_any()
        return {}
    findings.refuse_unknown_keys(document, (*DEFAULTS, *_OPTIONAL), ())
    read = {
        **normalise_settings(document, findings=findings),
        "scoring": _list(document, "scoring", findings, normalise_scoring_rule),
        "rules": _list(
            document,
            "rules",
            findings,
            lambda rule, *, path, findings: normalise_rule(
                rule, path=path, findings=findings, roster_names=roster_names
            ),
        ),
    }
    _refuse_repeated_names(read["rules"], findings)
    findings.raise_any()
    return read


def normalise_settings(document: Mapping[str, Any], *, findings: Findings) -> Document:
    """`returning`, `join_window`, `intent`, `sla` and `acknowledge_within`, which stand under `workspace` in a file."""
    returning = document.get("returning", DEFAULTS["returning"])
    if returning not in RETURNING:
        findings.add(("workspace", "returning"), unknown(_("choice"), returning, RETURNING))
    join_window = None
    try:
        # 0: every submission is a lead of its own.
        join_window = parse_duration(document.get("join_window", DEFAULTS["join_window"]), least=0)
    except ValueError as error:
        findings.add(("workspace", "join_window"), str(error))
    acknowledge_within = None
    try:
        acknowledge_within = parse_duration(document.get("acknowledge_within", ACKNOWLEDGE_WITHIN))
    except ValueError as error:
        findings.add(("workspace", "acknowledge_within"), str(error))
    optional = {
        "sla": normalise_sla(document.get("sla"), path=("workspace", "sla"), findings=findings),
        "acknowledge_within": None if acknowledge_within == ACKNOWLEDGE_WITHIN else acknowledge_within,
    }
    return {
        "returning": returning,
        "join_window": join_window,
        "intent": _intent(document.get("intent", {}), ("workspace", "intent"), findings),
        **_without_nones(optional),
    }


def _intent(intent: object, path: Path, findings: Findings) -> Document:
    read: Document = dict(DEFAULTS["intent"])
    if not isinstance(intent, Mapping):
        findings.add(path, _("expected {hot: 70, warm: 30}"))
        return read
    findings.refuse_unknown_keys(intent, read, path)
    before = len(findings.errors)
    for key in read:
        if key in intent:
            try:
                read[key] = parse_integer(intent[key])
            except ValueError as error:
                findings.add((*path, key), str(error))
    if len(findings.errors) == before and read["hot"] < read["warm"]:
        findings.add(path, _("hot must not be below warm: raise hot or lower warm"))
    return read


def normalise_scoring_rule(rule: object, *, path: Path, findings: Findings) -> Document | None:
    if not isinstance(rule, Mapping):
        findings.add(path, _("expected {when: …, points: …}"))
        return None
    findings.refuse_unknown_keys(rule, ("when", "points"), path)
    why = _("scoring makes score and intent, so it cannot look at them: choose another field")
    when = normalise_when(
        rule.get("when"), path=(*path, "when"), findings=findings, refused_fields={"score": why, "intent": why}
    )
    points = None
    if rule.get("points") is None:
        findings.add(path, _("'points' is missing"))
    else:
        try:
            points = parse_integer(rule["points"], least=-1_000, most=1_000)
        except ValueError as error:
            findings.add((*path, "points"), str(error))
    return _without_nones({"when": when}) | {"points": points}


def normalise_rule(
    rule: object, *, path: Path, findings: Findings, roster_names: RosterNames | None = None
) -> Document | None:
    """One rule; None where it is no mapping at all. Targets are not looked up without `roster_names`."""
    if not isinstance(rule, Mapping):
        findings.add(path, _("expected a rule: {name: …, when: …, route: …}"))
        return None
    findings.refuse_unknown_keys(rule, ("name", "active", "when", "route", "sla"), path)
    name = rule.get("name")
    name = name.strip() if isinstance(name, str) else name
    if name is None or name == "":
        findings.add(path, _("'name' is missing"))
    elif not isinstance(name, str):
        findings.add((*path, "name"), _("expected a text"))
    elif len(name) > MAX_NAME:
        findings.add((*path, "name"), _("longer than %(most)s characters") % {"most": MAX_NAME})
    else:
        try:
            validate_one_line(name)
        except ValidationError as error:
            findings.add((*path, "name"), " ".join(error.messages))
    active = True
    try:
        active = parse_flag(rule.get("active", True))
    except ValueError as error:
        findings.add((*path, "active"), str(error))
    before = len(findings.errors)
    when = normalise_when(rule.get("when"), path=(*path, "when"), findings=findings)
    when_is_sound = len(findings.errors) == before
    route = None
    if rule.get("route") is None:
        findings.add(path, _("'route' is missing: a rule needs somewhere to send leads"))
    else:
        route = normalise_route(rule["route"], path=(*path, "route"), findings=findings, roster_names=roster_names)
        if route is not None and when_is_sound:
            refuse_claim_of_links(route, when, path=(*path, "route"), findings=findings)
    sla = normalise_sla(rule.get("sla"), path=(*path, "sla"), findings=findings)
    read = {"name": name, "active": None if active else False, "when": when, "route": route, "sla": sla}
    return _without_nones(read)


def _list(document: Mapping[str, Any], key: str, findings: Findings, read_one: Any) -> list[Any]:
    members = document.get(key, DEFAULTS[key])
    if not isinstance(members, list | tuple):
        findings.add((key,), _("expected a list"))
        return []
    return [read_one(member, path=(key, place), findings=findings) for place, member in enumerate(members)]


def _refuse_repeated_names(rules: list[Document | None], findings: Findings) -> None:
    first: dict[str, int] = {}
    for place, rule in enumerate(rules):
        name = rule.get("name") if rule else None
        if not isinstance(name, str):
            continue
        if name in first:
            text = _("rule %(first)s is called %(name)r already: names are unique, choose another")
            findings.add(("rules", place, "name"), text % {"first": first[name], "name": name})
        first.setdefault(name, place)


def _without_nones(document: Document) -> Document:
    return {key: value for key, value in document.items() if value is not None}
