"""The roster as decisions read it: people and teams, compiled to bitsets.

Every agent is one bit. What is asked of many people at once (who speaks this, who covers that country, who is on
shift at this minute) is then one AND, whatever the number of agents.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType

from routing.engine.facts import LanguageTag
from routing.engine.hours import (
    Kind,
    LocalSpan,
    Schedule,
    ShiftSpec,
    local,
    minute_of_week,
    period_keys,
    wall_minute,
    weekly_minutes,
)
from routing.engine.loads import IDLE, UNLIMITED, Caps, Load, PeriodKeys
from routing.engine.segments import Segments


@dataclass(frozen=True, slots=True)
class AgentSpec:
    """One person as the roster has them. `calendar` names an entry of `RosterSpec.calendars`, '' for none."""

    id: int
    slug: str
    name: str = ""
    zone: str = "UTC"
    languages: tuple[LanguageTag, ...] = ()
    territories: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    active: bool = True
    paused: bool = False
    caps: Caps = UNLIMITED
    shifts: tuple[ShiftSpec, ...] = ()
    time_off: tuple[LocalSpan, ...] = ()
    calendar: str = ""


@dataclass(frozen=True, slots=True)
class Member:
    """A place in a team: turns by weight (0: none), `priority` by tier (1 first)."""

    agent: int
    weight: int = 1
    tier: int = 1


@dataclass(frozen=True, slots=True)
class TeamSpec:
    """A team as the roster has it. An archived one counts as empty."""

    id: int
    slug: str
    name: str = ""
    members: tuple[Member, ...] = ()
    catch_up: int = 0
    archived: bool = False


@dataclass(frozen=True, slots=True)
class RosterSpec:
    """A whole roster. `calendars` are the local dates of each holiday calendar that an agent names."""

    zone: str = "UTC"
    agents: Mapping[int, AgentSpec] = field(default_factory=dict)
    teams: Mapping[int, TeamSpec] = field(default_factory=dict)
    calendars: Mapping[str, frozenset[date]] = field(default_factory=dict)
    fallback: int | None = None


@dataclass(frozen=True, slots=True)
class Team:
    """A compiled team: bitsets of members, of those without weight, and of each tier in order."""

    id: int
    slug: str
    mask: int
    weightless: int
    weights: Mapping[int, int]
    tiers: tuple[int, ...]
    catch_up: int = 0
    solo: bool = False  # not a team but one agent, whom a rule names: no turns, no ledger


@dataclass(frozen=True, slots=True)
class _ZoneHours:
    """The hours of all agents of one zone, on that zone's wall clock."""

    regular: Segments
    on_call: Segments
    time_off: Segments
    calendars: Mapping[str, int]


class Presence:
    """Who is on regular shift, on call, on time off and on holiday in one minute, as bitsets."""

    __slots__ = ("_keys", "at", "holiday", "on_call", "regular", "time_off")

    def __init__(self, at: datetime, regular: int, on_call: int, time_off: int, holiday: int) -> None:
        self.at = at
        self.regular = regular
        self.on_call = on_call
        self.time_off = time_off
        self.holiday = holiday
        self._keys: dict[str, PeriodKeys] = {}

    def keys(self, zone: str) -> PeriodKeys:
        """The cap periods of a zone's wall clock now."""
        keys = self._keys.get(zone)
        if keys is None:
            keys = self._keys[zone] = PeriodKeys(*period_keys(self.at, zone))
        return keys


class Roster:
    """A compiled roster. Immutable for its users; `patched` gives a new one that shares what did not change."""

    __slots__ = (
        "_bits",
        "_hours",
        "_order",
        "_presence",
        "_schedules",
        "active",
        "anywhere",
        "capped",
        "channels",
        "everybody",
        "languages",
        "on_call_people",
        "paused",
        "scripts",
        "slugs",
        "spec",
        "tags",
        "team_slugs",
        "teams",
        "territories",
    )

    def __init__(self) -> None:
        self.spec = RosterSpec()
        self._bits: dict[int, int] = {}
        self._order: list[int] = []
        self.everybody = self.active = self.paused = self.capped = self.anywhere = self.on_call_people = 0
        self.languages: dict[str, int] = {}
        self.scripts: dict[tuple[str, str], int] = {}
        self.territories: dict[str, int] = {}
        self.tags: dict[str, int] = {}
        self.channels: dict[str, int] = {}
        self.slugs: dict[str, int] = {}
        self.teams: dict[int, Team] = {}
        self.team_slugs: dict[str, int] = {}
        self._hours: dict[str, _ZoneHours] = {}
        self._schedules: dict[int, Schedule] = {}
        self._presence: tuple[int, Presence] | None = None

    @classmethod
    def compile(cls, spec: RosterSpec) -> Roster:
        """Compile a roster. Time is linear in people, members, shifts and leave."""
        roster = cls()
        roster.spec = RosterSpec(spec.zone, dict(spec.agents), dict(spec.teams), dict(spec.calendars), spec.fallback)
        for agent in sorted(spec.agents):
            roster._place(spec.agents[agent])
        for zone in {agent.zone for agent in spec.agents.values()}:
            roster._hours[zone] = roster._zone_hours(zone)
        for team in spec.teams.values():
            roster._set_team(team)
        return roster

    def patched(
        self,
        *,
        agents: Mapping[int, AgentSpec | None] = MappingProxyType({}),
        teams: Mapping[int, TeamSpec | None] = MappingProxyType({}),
        calendars: Mapping[str, frozenset[date]] = MappingProxyType({}),
        zone: str | None = None,
        fallback: int | None = None,
    ) -> Roster:
        """The roster with these rows changed (None: gone). `zone` and `fallback` are the workspace's, as they are now.

        Costs what changed, not what there is: hours of a zone are touched only where somebody's hours changed.
        """
        new = Roster()
        for name in ("everybody", "active", "paused", "capped", "anywhere", "on_call_people"):
            setattr(new, name, getattr(self, name))
        new._order = list(self._order)
        for name in ("_bits", "languages", "scripts", "territories", "tags", "channels", "slugs", "teams",
                     "team_slugs", "_hours", "_schedules"):  # fmt: skip
            setattr(new, name, dict(getattr(self, name)))
        people = dict(self.spec.agents)
        groups = dict(self.spec.teams)
        new.spec = RosterSpec(
            self.spec.zone if zone is None else zone, people, groups, {**self.spec.calendars, **calendars}, fallback
        )
        stale_zones: dict[str, set[int]] = {}
        members_changed = False
        for agent, spec in agents.items():
            before = people.get(agent)
            if before is not None:
                new._remove(before)
            if spec is None:
                people.pop(agent, None)
            else:
                people[agent] = spec
                new._place(spec)
            members_changed = members_changed or (before is None) != (spec is None)
            if _hours_of(before) != _hours_of(spec):
                for changed in (before, spec):
                    if changed is not None:
                        stale_zones.setdefault(changed.zone, set()).add(agent)
        for stale, changed_agents in stale_zones.items():
            new._patch_zone(stale, changed_agents)
        for team, group in teams.items():
            old = groups.pop(team, None)
            if old is not None and new.team_slugs.get(old.slug) == team:
                del new.team_slugs[old.slug]
            new.teams.pop(team, None)
            if group is not None:
                groups[team] = group
                new._set_team(group)
        if members_changed:
            for group in groups.values():
                if any(member.agent in agents for member in group.members):
                    new._set_team(group)
        return new

    # reading

    def bit(self, agent: int) -> int:
        """The agent's bit, 0 for somebody unknown."""
        position = self._bits.get(agent)
        return 0 if position is None else 1 << position

    def members(self, mask: int) -> Iterator[int]:
        """The agents of a bitset."""
        order = self._order
        while mask:
            low = mask & -mask
            yield order[low.bit_length() - 1]
            mask ^= low

    def presence(self, at: datetime) -> Presence:
        """Who is where in the minute of `at`; kept for the next question about the same minute."""
        minute = int(at.timestamp()) // 60
        kept = self._presence
        if kept is not None and kept[0] == minute:
            return kept[1]
        regular = on_call = time_off = holiday = 0
        for zone, hours in self._hours.items():
            wall = local(at, zone)
            of_week = minute_of_week(wall)
            regular |= hours.regular.at(of_week)
            on_call |= hours.on_call.at(of_week)
            time_off |= hours.time_off.at(wall_minute(wall))
            if hours.calendars:
                today = wall.date()
                for calendar, mask in hours.calendars.items():
                    if today in self.spec.calendars[calendar]:
                        holiday |= mask
        presence = Presence(at, regular, on_call, time_off, holiday)
        self._presence = (minute, presence)
        return presence

    def in_hours(self, at: datetime) -> bool:
        """Whether some active agent is on a regular shift, not on time off or holiday. Pause and caps do not matter."""
        here = self.presence(at)
        return bool(here.regular & self.active & ~here.time_off & ~here.holiday)

    def schedule(self, agent: int) -> Schedule:
        """The agent's hours."""
        schedule = self._schedules.get(agent)
        if schedule is None:
            spec = self.spec.agents[agent]
            dates = self.spec.calendars[spec.calendar] if spec.calendar else frozenset()
            schedule = self._schedules[agent] = Schedule(spec.zone, spec.shifts, spec.time_off, dates)
        return schedule

    def at_cap(self, mask: int, presence: Presence, loads: Mapping[int, Load]) -> int:
        """Those of a bitset whose load reaches one of their caps."""
        full = 0
        for agent in self.members(mask & self.capped):
            spec = self.spec.agents[agent]
            if loads.get(agent, IDLE).reaches(spec.caps, presence.keys(spec.zone)):
                full |= 1 << self._bits[agent]
        return full

    # compiling

    def _place(self, spec: AgentSpec) -> None:
        position = self._bits.get(spec.id)
        if position is None:
            position = self._bits[spec.id] = len(self._order)
            self._order.append(spec.id)
        bit = 1 << position
        self.everybody |= bit
        self.slugs[spec.slug] = spec.id
        if spec.active:
            self.active |= bit
        if spec.paused:
            self.paused |= bit
        if spec.caps:
            self.capped |= bit
        if not spec.territories:
            self.anywhere |= bit
        if any(shift.kind is Kind.ON_CALL for shift in spec.shifts):
            self.on_call_people |= bit
        for table, key in _keys_of(spec):
            index: dict[object, int] = getattr(self, table)
            index[key] = index.get(key, 0) | bit

    def _remove(self, spec: AgentSpec) -> None:
        keep = ~(1 << self._bits[spec.id])
        self.everybody &= keep
        self.active &= keep
        self.paused &= keep
        self.capped &= keep
        self.anywhere &= keep
        self.on_call_people &= keep
        if self.slugs.get(spec.slug) == spec.id:
            del self.slugs[spec.slug]
        self._schedules.pop(spec.id, None)
        for table, key in _keys_of(spec):
            index: dict[object, int] = getattr(self, table)
            index[key] &= keep

    def _set_team(self, spec: TeamSpec) -> None:
        members = () if spec.archived else tuple(m for m in spec.members if m.agent in self.spec.agents)
        mask = weightless = 0
        tiers: dict[int, int] = {}
        for member in members:
            bit = 1 << self._bits[member.agent]
            mask |= bit
            tiers[member.tier] = tiers.get(member.tier, 0) | bit
            if member.weight <= 0:
                weightless |= bit
        self.teams[spec.id] = Team(
            id=spec.id,
            slug=spec.slug,
            mask=mask,
            weightless=weightless,
            weights={member.agent: member.weight for member in members},
            tiers=tuple(tiers[tier] for tier in sorted(tiers)),
            catch_up=spec.catch_up,
        )
        self.team_slugs[spec.slug] = spec.id

    def _zone_hours(self, zone: str) -> _ZoneHours:
        people = [agent for agent in self.spec.agents.values() if agent.zone == zone]
        calendars: dict[str, int] = {}
        for agent in people:
            if agent.calendar:
                calendars[agent.calendar] = calendars.get(agent.calendar, 0) | 1 << self._bits[agent.id]
        return _ZoneHours(
            Segments.build(self._weekly(people, Kind.REGULAR)),
            Segments.build(self._weekly(people, Kind.ON_CALL)),
            Segments.build(self._leave(people)),
            calendars,
        )

    def _patch_zone(self, zone: str, changed: Iterable[int]) -> None:
        hours = self._hours.get(zone)
        if hours is None:
            self._hours[zone] = self._zone_hours(zone)
            return
        regular, on_call, time_off, calendars = hours.regular, hours.on_call, hours.time_off, dict(hours.calendars)
        for agent in changed:
            position = self._bits[agent]
            bit = 1 << position
            spec = self.spec.agents.get(agent)
            here = [spec] if spec is not None and spec.zone == zone else []
            regular = regular.replaced(position, [span[:2] for span in self._weekly(here, Kind.REGULAR)])
            on_call = on_call.replaced(position, [span[:2] for span in self._weekly(here, Kind.ON_CALL)])
            time_off = time_off.replaced(position, [span[:2] for span in self._leave(here)])
            calendars = {calendar: mask & ~bit for calendar, mask in calendars.items() if mask & ~bit}
            if here and here[0].calendar:
                calendars[here[0].calendar] = calendars.get(here[0].calendar, 0) | bit
        self._hours[zone] = _ZoneHours(regular, on_call, time_off, calendars)

    def _weekly(self, people: Iterable[AgentSpec], kind: Kind) -> list[tuple[int, int, int]]:
        return [
            (start, end, 1 << self._bits[agent.id])
            for agent in people
            for start, end in weekly_minutes(agent.shifts, kind)
        ]

    def _leave(self, people: Iterable[AgentSpec]) -> list[tuple[int, int, int]]:
        return [
            (wall_minute(span.start), wall_minute(span.end), 1 << self._bits[agent.id])
            for agent in people
            for span in agent.time_off
        ]


def _hours_of(spec: AgentSpec | None) -> object:
    return None if spec is None else (spec.zone, spec.shifts, spec.time_off, spec.calendar)


def _keys_of(spec: AgentSpec) -> Iterator[tuple[str, object]]:
    for tag in spec.languages:
        yield "languages", tag.tag
        yield "scripts", (tag.language, tag.script)
    for territory in spec.territories:
        yield "territories", territory
    for name in spec.tags:
        yield "tags", name.casefold()
    for channel in spec.channels:
        yield "channels", channel
