"""Rules, people and leads for measuring the engine, in any number: the same for every engine that is compared."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from routing.engine import Facts, Known, Request, Snapshot
from tests.engine.world import agent, office_hours, rule, snapshot, tag, team

AT = datetime(2026, 3, 4, 10, 30, tzinfo=UTC)  # a Wednesday
AGENTS = 10_000
TEAM_OF = 20

COUNTRIES = ["ES", "PT", "FR", "DE", "AT", "CH", "IT", "GB", "IE", "US", "MX", "CO", "CL", "AR", "BR", "NL", "BE", "SE"]
LANGUAGES = ["es", "pt", "fr", "de", "it", "en", "nl", "sv"]
CHANNELS = ["whatsapp", "telegram", "phone", "sms", "email"]
ZONES = ["Europe/Madrid", "Europe/London", "America/New_York", "America/Mexico_City"]
FIELDS = ("country", "language", "channel", "utm_campaign", "page_path", "email_domain", "message")

# What few leads have: each rule asks for at least one of these, as rules do that are not shadowed by others.
_RARE = {
    "utm_campaign": ("is", "campaign-{}"),
    "page_path": ("starts_with", "/products/item-{}/"),
    "email_domain": ("is", "company-{}.example"),
    "message": ("contains", "article {:05}"),
}
_COMMON: Mapping[str, list[str]] = {"country": COUNTRIES, "language": LANGUAGES, "channel": CHANNELS}


def conditions_of(count: int, *, seed: int = 1) -> list[list[dict[str, Any]]]:
    """The conditions of so many rules, two to four each."""
    draw = random.Random(seed)
    return [_conditions(draw, max(10, count // 3)) for _ in range(count)]


def _conditions(draw: random.Random, spread: int) -> list[dict[str, Any]]:
    rare = draw.sample(sorted(_RARE), draw.choice([1, 1, 2]))
    common = draw.sample(sorted(_COMMON), draw.randint(1, 4 - len(rare)))
    found = []
    for field in (*rare, *common):
        if field in _RARE:
            op, text = _RARE[field]
            found.append({"field": field, "op": op, "value": text.format(draw.randrange(spread))})
        elif draw.random() < 0.3:
            found.append({"field": field, "op": "in", "value": sorted(draw.sample(_COMMON[field], 3))})
        else:
            found.append({"field": field, "op": "is", "value": draw.choice(_COMMON[field])})
    draw.shuffle(found)
    return found


def leads_of(rules: list[list[dict[str, Any]]], count: int, *, seed: int = 2) -> list[dict[str, str]]:
    """Leads with a value for every field: nine of ten fulfil some rule."""
    draw = random.Random(seed)
    return [_lead(draw, rules) for _ in range(count)]


def _lead(draw: random.Random, rules: list[list[dict[str, Any]]]) -> dict[str, str]:
    spread = max(10, len(rules) // 3)
    lead = {
        "country": draw.choice(COUNTRIES),
        "language": draw.choice(LANGUAGES),
        "channel": draw.choice(CHANNELS),
        "utm_campaign": f"campaign-{draw.randrange(spread)}",
        "page_path": f"/products/item-{draw.randrange(spread)}/details",
        "email_domain": f"company-{draw.randrange(spread)}.example",
        "message": f"Hello, I would like an offer for article {draw.randrange(spread):05}, please.",
    }
    if draw.random() < 0.9:
        for condition in draw.choice(rules):
            field, value = condition["field"], condition["value"]
            value = draw.choice(value) if isinstance(value, list) else value
            lead[field] = {
                "page_path": f"{value}details",
                "message": f"Hello, I would like an offer for {value}, please.",
            }.get(field, value)
    return lead


def request_of(lead: Mapping[str, str]) -> Request:
    return Request(Facts(dict(lead), tag(lead["language"])), Known(), ("whatsapp", "phone"))


def world_of(rules: list[list[dict[str, Any]]], *, agents: int = AGENTS) -> Snapshot:
    """A policy of these rules, each for a team of 20 of so many people; whoever fits none goes to a last team."""
    draw = random.Random(3)
    people = [
        agent(
            number,
            zone=draw.choice(ZONES),
            languages=draw.sample(LANGUAGES, draw.randint(2, 5)),
            territories=draw.sample(COUNTRIES, draw.choice([0, 0, 3])),
            channels=draw.sample(CHANNELS, draw.randint(3, 5)),
            shifts=office_hours(f"0{draw.randint(0, 9)}:{draw.choice(['00', '15', '30'])}", "19:00"),
            caps={"day": 500} if draw.random() < 0.3 else {},
            paused=draw.random() < 0.05,
        )
        for number in range(1, agents + 1)
    ]
    members = range(1, agents + 1)
    teams = [
        team(1 + number, f"team-{number}", [(each, draw.randint(1, 3)) for each in members[start : start + TEAM_OF]])
        for number, start in enumerate(range(0, agents, TEAM_OF))
    ]
    entries = [
        rule(
            f"rule {number}",
            f"team-{number % len(teams)}",
            when={"all": conditions},
            require=["channel"],
            prefer=["language", "territory"],
        )
        for number, conditions in enumerate(rules)
    ]
    entries.append(rule("the rest", "team-0"))
    return snapshot(people, teams, entries, zone="Europe/Madrid", fallback=1)
