"""A small world for engine tests: people, teams, rules and leads, said in few words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from routing.engine import (
    EVEN,
    AgentSpec,
    Caps,
    Decision,
    Facts,
    Known,
    LanguageTag,
    Ledger,
    Load,
    Member,
    Request,
    Roster,
    RosterSpec,
    Snapshot,
    TeamSpec,
    compile_policy,
    decide,
)
from routing.engine.hours import Kind, LocalSpan, ShiftSpec

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday
NIGHT = datetime(2026, 3, 2, 23, tzinfo=UTC)

_SCRIPTS = {"zh-TW": "Hant", "zh-Hant": "Hant", "zh-CN": "Hans", "zh-Hans": "Hans", "zh": "Hans"}


def tag(text: str) -> LanguageTag:
    """A language tag with the likely scripts these tests need."""
    language = text.split("-")[0]
    return LanguageTag(text, language, _SCRIPTS.get(text, "Latn"), _SCRIPTS.get(language, "Latn"))


def _minute(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def office_hours(
    start: str = "09:00", end: str = "17:00", *, days: Iterable[int] = range(5), kind: Kind = Kind.REGULAR
) -> tuple[ShiftSpec, ...]:
    """The same hours on several days (0 = Monday)."""
    return tuple(ShiftSpec(day, _minute(start), _minute(end), kind) for day in days)


ALWAYS = office_hours("00:00", "24:00", days=range(7))
ON_CALL = office_hours("00:00", "24:00", days=range(7), kind=Kind.ON_CALL)


def agent(number: int, **changes: Any) -> AgentSpec:
    """An agent who is always there and speaks English; `slug` is "a" and the number unless said otherwise."""
    given: dict[str, Any] = {"slug": f"a{number}", "shifts": ALWAYS, "languages": ["en"], "channels": ["whatsapp"]}
    given |= changes
    given["languages"] = tuple(map(tag, given["languages"]))
    for name in ("territories", "tags", "channels"):
        given[name] = frozenset(given.get(name, ()))
    given["caps"] = Caps(**given.get("caps", {}))
    given["time_off"] = tuple(LocalSpan(start, end) for start, end in given.get("time_off", ()))
    return AgentSpec(id=number, **given)


def team(
    number: int, slug: str, members: Iterable[int | tuple[int, int] | tuple[int, int, int]], **more: Any
) -> TeamSpec:
    """A team of agents, of (agent, weight) or of (agent, weight, tier)."""
    places = tuple(Member(*place) if isinstance(place, tuple) else Member(place) for place in members)
    return TeamSpec(number, slug, slug, places, **more)


def rule(name: str, to: str = "sales", *, when: Mapping[str, Any] | None = None, **route: Any) -> dict[str, Any]:
    """A rule for a team (or "agent:slug", or "queue"); keyword arguments are of its route."""
    target: Any = {"agent": to[6:]} if to.startswith("agent:") else to if to == "queue" else {"team": to}
    return {"name": name, "when": when, "route": {"to": target, **route}}


def condition(field: str, op: str, value: Any = None) -> dict[str, Any]:
    """A `when` of one condition."""
    return {"all": [{"field": field, "op": op, "value": value}]}


def policy(rules: Iterable[dict[str, Any]], **settings: Any) -> dict[str, Any]:
    """A normal-form policy document."""
    return {
        "returning": "same_agent",
        "join_window": 86400,
        "intent": {"hot": 70, "warm": 30},
        "scoring": [],
        "rules": list(rules),
    } | settings


def snapshot(
    agents: Iterable[AgentSpec],
    teams: Iterable[TeamSpec] = (),
    rules: Iterable[dict[str, Any]] | None = None,
    *,
    fallback: int | None = None,
    zone: str = "UTC",
    calendars: Mapping[str, frozenset[date]] | None = None,
    **settings: Any,
) -> Snapshot:
    """A compiled world. Without teams everybody is in team 1, "sales"; without rules everything goes to it."""
    people = {person.id: person for person in agents}
    groups = {group.id: group for group in teams} or {1: team(1, "sales", people)}
    document = policy([rule("everything")] if rules is None else rules, **settings)
    spec = RosterSpec(zone, people, groups, calendars or {}, fallback)
    return Snapshot(compile_policy(document, 1), Roster.compile(spec))


def lead(*, known: int | None = None, returning: bool = False, language: str = "en", **values: Any) -> Request:
    """A lead by WhatsApp in English unless said otherwise; `channel=None` makes the channel unknown."""
    more = {name: values.pop(name) for name in ("channels", "tried", "claim_over") if name in values}
    facts = {"channel": "whatsapp", "language": language} | values
    given = {name: value for name, value in facts.items() if value is not None}
    return Request(Facts(given, tag(language)), Known(returning or known is not None, known), **more)


class Desk:
    """Leads decided one after another, with their ledgers and loads kept as the product keeps them."""

    def __init__(self, world: Snapshot, at: datetime = NOON) -> None:
        self.world = world
        self.at = at
        self.ledgers: dict[int, Ledger] = {}
        self.loads: dict[int, Load] = {}
        self.decisions: list[Decision] = []

    def take(self, request: Request | None = None) -> int | None:
        """Decide one lead, write down what follows, and say who got it."""
        decision = decide(request or lead(), self.world, self.loads, self.ledgers, self.at)
        if decision.turn is not None and decision.ledger is not None:
            self.ledgers[decision.ledger] = self.ledgers.get(decision.ledger, EVEN).after(decision.turn)
        if decision.agent is not None:
            roster = self.world.roster
            keys = roster.period_keys(decision.agent, self.at)
            self.loads[decision.agent] = self.loads.get(decision.agent, Load()).with_assignment(keys, self.at)
        self.decisions.append(decision)
        self.at += timedelta(seconds=1)
        return decision.agent

    def takes(self, count: int, request: Request | None = None) -> list[int | None]:
        """Decide several leads alike."""
        return [self.take(request) for _ in range(count)]
