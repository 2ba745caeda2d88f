"""The roster as decisions read it: its people and teams, compiled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from types import MappingProxyType

from routing.engine.crowd import AgentSpec, Crowd, keep
from routing.engine.hours import Schedule, microseconds
from routing.engine.ledger import Shares, shares_of

ON_CALL_LEDGER = 0  # the number of the ledger that the workspace's on-call people share


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


@dataclass(frozen=True)
class Team:
    """A compiled team: the roster's bits of its members, of those without weight, and of each tier in order."""

    id: int
    slug: str
    mask: int
    weightless: int
    tiers: tuple[int, ...]
    weights: Mapping[int, int]
    catch_up: int
    members: tuple[Member, ...]
    people: Mapping[int, AgentSpec]
    calendars: Mapping[str, frozenset[date]]

    @cached_property
    def crew(self) -> Crew:
        """The same people by themselves. Compiled when they are first asked: most changes of a roster are not."""
        crowd = Crowd(self.people, self.calendars)
        weightless, tiers = _ranks(self.members, crowd)
        return Crew(crowd, crowd.everybody, self.id, weightless, tiers, self.weights, self.catch_up)


@dataclass(frozen=True, slots=True)
class Crew:
    """Whom a rule asks: some people of a crowd, those of them without weight, and each tier in order.

    `ledger` is the one that their turns move, None where none are taken: a rule for one agent. Without `weights` all
    are equal.
    """

    crowd: Crowd
    people: int
    ledger: int | None = None
    weightless: int = 0
    tiers: tuple[int, ...] = ()
    weights: Mapping[int, int] | None = None
    catch_up: int = 0
    _shares: dict[int, Shares] = field(default_factory=dict, init=False, repr=False, compare=False)

    def shares(self, takers: int) -> Shares:
        """What a lead gives each of some of them (bits, at least one). Worked out once for all leads they can take."""
        found = self._shares.get(takers)
        if found is None:
            weights = self.weights
            found = shares_of([(agent, weights[agent] if weights else 1) for agent in self.crowd.members(takers)])
            if self.crowd.few:
                keep(self._shares, takers, found)
        return found


NOBODY = Crew(Crowd({}, {}), 0)


def _ranks(members: Iterable[Member], crowd: Crowd) -> tuple[int, tuple[int, ...]]:
    """Those without weight, and each tier in order, by the bits of a crowd."""
    weightless = 0
    tiers: dict[int, int] = {}
    for member in members:
        bit = crowd.bit(member.agent)
        tiers[member.tier] = tiers.get(member.tier, 0) | bit
        if member.weight <= 0:
            weightless |= bit
    return weightless, tuple(tiers[tier] for tier in sorted(tiers))


class Roster(Crowd):
    """A compiled roster. Immutable for its users; `patched` gives a new one that shares what did not change."""

    _team_crews: dict[str, Crew]
    _agent_crews: dict[int, Crew]
    _on_call_crew: Crew | None

    def __init__(self, spec: RosterSpec) -> None:
        """Compile a roster. Time is linear in people, members, shifts and leave."""
        self.spec = RosterSpec(spec.zone, dict(spec.agents), dict(spec.teams), dict(spec.calendars), spec.fallback)
        super().__init__(self.spec.agents, self.spec.calendars)
        self.slugs: dict[str, int] = {agent.slug: agent.id for agent in self.spec.agents.values()}
        self.teams: dict[int, Team] = {}
        self.team_slugs: dict[str, int] = {}
        self._schedules: dict[int, Schedule] = {}
        for team in spec.teams.values():
            self._set_team(team)

    @classmethod
    def compile(cls, spec: RosterSpec) -> Roster:
        """The same by name: compiling is dear."""
        return cls(spec)

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
        new = copy(self)
        new._order = list(self._order)
        for name in ("_bits", "languages", "scripts", "territories", "tags", "channels", "slugs", "teams",
                     "team_slugs", "_hours", "_schedules"):  # fmt: skip
            setattr(new, name, dict(getattr(self, name)))
        new._forget()
        people = dict(self.spec.agents)
        groups = dict(self.spec.teams)
        new.spec = RosterSpec(
            self.spec.zone if zone is None else zone, people, groups, {**self.spec.calendars, **calendars}, fallback
        )
        new._agents, new._calendars = people, new.spec.calendars
        stale_zones: dict[str, set[int]] = {}
        members_changed = False
        for agent, spec in agents.items():
            before = people.get(agent)
            if before is not None:
                new._remove(before)
                new._schedules.pop(agent, None)
                if new.slugs.get(before.slug) == agent:
                    del new.slugs[before.slug]
            if spec is None:
                people.pop(agent, None)
            else:
                people[agent] = spec
                new._place(spec)
                new.slugs[spec.slug] = agent
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
        for team, group in groups.items():
            if members_changed:
                stale_team = any(member.agent in agents for member in group.members)
            else:
                stale_team = not new.teams[team].people.keys().isdisjoint(agents)
            if stale_team and team not in teams:
                new._set_team(group)
        return new

    # reading

    def in_hours(self, at: datetime) -> bool:
        """Whether some active agent is on a regular shift, not on time off or holiday. Pause and caps do not matter."""
        return self.in_hours_at(microseconds(at))

    def in_hours_at(self, now: int) -> bool:
        """The same at so many microseconds since 1970."""
        here = self.presence_at(now)
        return bool(here.regular & self.active & ~here.time_off & ~here.holiday)

    def team_crew(self, slug: str) -> Crew:
        """The people of a team; nobody where it is archived or gone."""
        crew = self._team_crews.get(slug)
        if crew is None:
            team = self.teams.get(self.team_slugs.get(slug, 0))
            crew = self._team_crews[slug] = NOBODY if team is None else team.crew
        return crew

    def agent_crew(self, agent: int) -> Crew:
        """One agent, like a team of one; nobody where they are gone."""
        crew = self._agent_crews.get(agent)
        if crew is None:
            crew = self._agent_crews[agent] = Crew(self, self.bit(agent))
        return crew

    @property
    def on_call_crew(self) -> Crew:
        """Everybody who is ever on call."""
        if self._on_call_crew is None:
            self._on_call_crew = Crew(self, self.on_call_people, ON_CALL_LEDGER)
        return self._on_call_crew

    def schedule(self, agent: int) -> Schedule:
        """The agent's hours."""
        schedule = self._schedules.get(agent)
        if schedule is None:
            spec = self.spec.agents[agent]
            dates = self.spec.calendars[spec.calendar] if spec.calendar else frozenset()
            schedule = self._schedules[agent] = Schedule(spec.zone, spec.shifts, spec.time_off, dates)
        return schedule

    def _forget(self) -> None:
        super()._forget()
        self._team_crews, self._agent_crews, self._on_call_crew = {}, {}, None

    # compiling

    def _set_team(self, spec: TeamSpec) -> None:
        agents = self.spec.agents
        members = () if spec.archived else tuple(each for each in spec.members if each.agent in agents)
        people = {member.agent: agents[member.agent] for member in members}
        weightless, tiers = _ranks(members, self)
        mask = 0
        for agent in people:
            mask |= 1 << self._bits[agent]
        self.teams[spec.id] = Team(
            id=spec.id,
            slug=spec.slug,
            mask=mask,
            weightless=weightless,
            tiers=tiers,
            weights={member.agent: member.weight for member in members},
            catch_up=spec.catch_up,
            members=members,
            people=people,
            calendars={each.calendar: self.spec.calendars[each.calendar] for each in people.values() if each.calendar},
        )
        self.team_slugs[spec.slug] = spec.id


def _hours_of(spec: AgentSpec | None) -> object:
    return None if spec is None else (spec.zone, spec.shifts, spec.time_off, spec.calendar)
