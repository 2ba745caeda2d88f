"""The roster's rows of one version, as the history keeps them, and the specs that the engine reads off them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Generic, NamedTuple, TypeVar

from agents.holiday_dates import dates_of
from agents.roster import Values
from routing.engine import AgentSpec, Caps, Member, RosterSpec, TeamSpec
from routing.engine.hours import Kind, LocalSpan, ShiftSpec
from routing.facts import language_tag

T = TypeVar("T")

# By kind and row id: new values, or None for a row that is gone. As `agents.roster` reads its history.
Changes = Mapping[str, Mapping[int, Values | None]]


@dataclass(frozen=True, slots=True)
class _Parts(Generic[T]):
    """Rows that belong to an agent or a team: its shifts, its members."""

    owner: str  # the column
    read: Callable[[Values], T]
    owners: Mapping[int, int] = field(default_factory=dict)  # by row id
    items: Mapping[int, Mapping[int, T]] = field(default_factory=dict)  # by owner and row id

    def of(self, owner: int) -> tuple[T, ...]:
        items = self.items.get(owner)
        return tuple(items[row] for row in sorted(items)) if items else ()

    def after(self, changes: Mapping[int, Values | None]) -> tuple[_Parts[T], set[int]]:
        """The rows once these changed, and whose they were and are now."""
        if not changes:
            return self, set()
        owners, items = dict(self.owners), dict(self.items)
        touched: dict[int, dict[int, T]] = {}

        def own(owner: int) -> dict[int, T]:
            if owner not in touched:
                touched[owner] = dict(items.get(owner, ()))
            return touched[owner]

        for row, values in changes.items():
            if (before := owners.pop(row, None)) is not None:
                del own(before)[row]
            if values is not None:
                owners[row] = values[self.owner]
                own(owners[row])[row] = self.read(values)
        for owner, its in touched.items():
            if its:
                items[owner] = its
            else:
                items.pop(owner, None)
        return _Parts(self.owner, self.read, owners, items), set(touched)


def _shift(values: Values) -> ShiftSpec:
    return ShiftSpec(values["weekday"], values["start_minute"], values["end_minute"], Kind(values["kind"]))


def _time_off(values: Values) -> LocalSpan:
    return LocalSpan(datetime.fromisoformat(values["starts_local"]), datetime.fromisoformat(values["ends_local"]))


def _channel(values: Values) -> str:
    return str(values["channel"])


def _member(values: Values) -> Member:
    return Member(values["agent_id"], values["weight"], values["tier"])


class Touched(NamedTuple):
    """Whose specs may differ after a change."""

    agents: set[int]
    teams: set[int]


@dataclass(frozen=True, slots=True)
class RosterRows:
    """The rows, grouped by what they are part of. Never changed: `after` gives the next version's."""

    workspace: Values = field(default_factory=dict)
    agents: Mapping[int, Values] = field(default_factory=dict)
    teams: Mapping[int, Values] = field(default_factory=dict)
    shifts: _Parts[ShiftSpec] = _Parts("agent_id", _shift)
    time_off: _Parts[LocalSpan] = _Parts("agent_id", _time_off)
    channels: _Parts[str] = _Parts("agent_id", _channel)
    members: _Parts[Member] = _Parts("team_id", _member)

    def after(self, changes: Changes) -> tuple[RosterRows, Touched]:
        """The rows once these changed, and the agents and teams that may differ."""
        agents, teams = dict(self.agents), dict(self.teams)
        touched = Touched(_apply(changes.get("agent", {}), agents), _apply(changes.get("team", {}), teams))
        shifts, whose_shifts = self.shifts.after(changes.get("shift", {}))
        time_off, whose_time_off = self.time_off.after(changes.get("timeoff", {}))
        channels, whose_channels = self.channels.after(changes.get("handle", {}))
        members, whose_members = self.members.after(changes.get("teammember", {}))
        touched.agents.update(whose_shifts, whose_time_off, whose_channels)
        touched.teams.update(whose_members)
        workspace = self.workspace
        for values in changes.get("workspace", {}).values():
            workspace = values or {}
        if _zone_of(workspace) != _zone_of(self.workspace):
            touched.agents.update(agent for agent, values in agents.items() if not values["timezone"])
        return RosterRows(workspace, agents, teams, shifts, time_off, channels, members), touched

    @property
    def zone(self) -> str:
        return _zone_of(self.workspace)

    @property
    def fallback(self) -> int | None:
        return self.workspace.get("fallback_agent_id")

    def spec(self) -> RosterSpec:
        """The whole roster."""
        return RosterSpec(
            zone=self.zone,
            agents={agent: person for agent in self.agents if (person := self.agent(agent))},
            teams={team: group for team in self.teams if (group := self.team(team))},
            calendars=self.calendars(self.agents),
            fallback=self.fallback,
        )

    def agent(self, agent: int) -> AgentSpec | None:
        """None where there is no such agent."""
        values = self.agents.get(agent)
        if values is None:
            return None
        return AgentSpec(
            id=agent,
            slug=values["slug"],
            name=values["name"],
            zone=values["timezone"] or self.zone,
            languages=tuple(map(language_tag, values["languages"])),
            territories=frozenset(values["territories"]),
            tags=frozenset(values["tags"]),
            channels=frozenset(self.channels.of(agent)),
            active=values["is_active"],
            paused=values["is_paused"],
            caps=Caps(values["cap_open"], values["cap_hour"], values["cap_day"], values["cap_week"]),
            shifts=self.shifts.of(agent),
            time_off=self.time_off.of(agent),
            calendar=values["holiday_calendar"],
        )

    def team(self, team: int) -> TeamSpec | None:
        """None where there is no such team."""
        values = self.teams.get(team)
        if values is None:
            return None
        return TeamSpec(
            id=team,
            slug=values["slug"],
            name=values["name"],
            members=self.members.of(team),
            catch_up=values["catch_up"],
            archived=values["archived_at"] is not None,
        )

    def calendars(self, agents: Iterable[int]) -> dict[str, frozenset[date]]:
        """The dates of the holiday calendars that these agents name."""
        names = {self.agents[agent]["holiday_calendar"] for agent in agents if agent in self.agents}
        return {name: dates_of(name) for name in sorted(names) if name}


def _apply(changes: Mapping[int, Values | None], rows: dict[int, Values]) -> set[int]:
    for row, values in changes.items():
        if values is None:
            rows.pop(row, None)
        else:
            rows[row] = values
    return set(changes)


def _zone_of(workspace: Values) -> str:
    return str(workspace.get("timezone", "UTC"))
