"""Held leads: what they wait for, who of it is there now, and when somebody of it will be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from routing.engine.asking import here
from routing.engine.covered import HOLD_HORIZON, hours_within, next_on_shift, off_shift_at
from routing.engine.decision import Asked, Reason, Target, Verdict
from routing.engine.hours import Kind, microseconds, on_shift, period_ends, period_keys
from routing.engine.loads import IDLE, Caps, Load, PeriodKeys
from routing.engine.roster import Roster

OPENING_HORIZON = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class Standing:
    """Who of a target is available, and whom only a cap keeps from being so."""

    available: frozenset[int]
    capped: frozenset[int]

    def newly_available(self, before: Standing) -> frozenset[int]:
        """Who became available since; a held lead is tried again for them, and not otherwise."""
        return self.available - before.available


NOBODY = Standing(frozenset(), frozenset())


def people_of(roster: Roster, target: Target) -> int:
    """The people of a target, as a bitset: of a team, one agent, or all. Nobody where it is archived or gone."""
    if target.kind == Target.TEAM:
        team = roster.teams.get(target.id)
        return 0 if team is None else team.mask
    return roster.everybody if target.kind == Target.WORKSPACE else roster.bit(target.id)


def load_agents(roster: Roster, target: Target) -> tuple[int, ...]:
    """Whose loads a standing or an opening depends on."""
    return tuple(roster.members(people_of(roster, target) & roster.capped))


def standing(roster: Roster, target: Target, loads: Mapping[int, Load], at: datetime) -> Standing:
    """Who of the target is available at an instant: on a regular shift, or on call too where anybody will do."""
    people, now = people_of(roster, target), microseconds(at)
    available = capped = 0
    for asked in _asked(target):
        left, failing = here(roster, people, asked, now, loads)
        available |= left
        capped |= next((mask for verdict, mask in failing if verdict is Verdict.AT_CAP), 0)
    return Standing(frozenset(roster.members(available)), frozenset(roster.members(capped & ~available)))


def opening(roster: Roster, target: Target, loads: Mapping[int, Load], at: datetime) -> datetime | None:
    """The first later instant at which time alone makes somebody of the target available, who is not so just before.

    None where that is not within `OPENING_HORIZON`: then only a closing or a change of the roster can.
    """
    openings = (
        opening_of(roster, agent, Kind(asked.value), loads.get(agent, IDLE), at)
        for agent in roster.members(people_of(roster, target) & roster.active & ~roster.paused)
        for asked in _asked(target)
    )
    return min((opens for opens in openings if opens is not None), default=None)


def worth_waiting(roster: Roster, target: Target, at: datetime) -> bool:
    """Whether somebody of the target still has regular hours within `HOLD_HORIZON`, net of leave and holidays."""
    people = roster.members(people_of(roster, target) & roster.active)
    return any(hours_within(roster.schedule(agent), at=at, horizon=HOLD_HORIZON) for agent in people)


def release_reason(agent: int, before: Standing) -> Reason:
    """Why a held lead could go to this agent: a cap was freed where only that had stood in the way."""
    return Reason.CAP_FREED if agent in before.capped else Reason.SHIFT_STARTED


def _asked(target: Target) -> Iterable[Asked]:
    return (Asked.REGULAR, Asked.ON_CALL) if target.kind == Target.WORKSPACE else (Asked.REGULAR,)


def opening_of(roster: Roster, agent: int, kind: Kind, load: Load, at: datetime) -> datetime | None:
    """The same for one agent with this load, who is active and not paused, on shifts of one kind."""
    spec, schedule = roster.spec.agents[agent], roster.schedule(agent)
    moment: datetime | None = at
    if on_shift(schedule, at=at, kind=kind) and not load.reaches(spec.caps, PeriodKeys(*period_keys(at, spec.zone))):
        moment = off_shift_at(schedule, at=at, kind=kind, horizon=OPENING_HORIZON)
    while moment is not None and moment - at <= OPENING_HORIZON:
        start = next_on_shift(schedule, at=moment, kind=kind, horizon=OPENING_HORIZON)
        if start is None:
            return None
        keys = PeriodKeys(*period_keys(start, spec.zone))
        if not load.reaches(spec.caps, keys):
            return start
        if spec.caps.open is not None and load.open >= spec.caps.open:
            return None
        moment = _period_end(load, spec.caps, keys, start, spec.zone)
    return None


def _period_end(load: Load, caps: Caps, keys: PeriodKeys, at: datetime, zone: str) -> datetime:
    """When the last of the reached hour, day and week caps starts to count anew."""
    reached = (
        load.hour_key == keys.hour and caps.hour is not None and load.hour >= caps.hour,
        load.day_key == keys.day and caps.day is not None and load.day >= caps.day,
        load.week_key == keys.week and caps.week is not None and load.week >= caps.week,
    )
    return max(end for end, full in zip(period_ends(at, zone), reached, strict=True) if full)
