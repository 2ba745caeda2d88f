"""Held leads in a simulation: who waits for whom, and when time alone makes somebody available.

A hundred thousand leads may wait for one team. Those that decisions cannot tell apart are one bucket: while the oldest
of them finds nobody, nor do the others, so a bucket is asked once and not lead by lead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from heapq import heappop, heappush
from itertools import count
from typing import NamedTuple

from routing.engine.decision import Target
from routing.engine.holding import OPENING_HORIZON, opening_of, people_of
from routing.engine.hours import MICROSECOND, Kind, microseconds
from routing.engine.loads import IDLE, Load
from routing.engine.roster import Roster


class Likeness(NamedTuple):
    """What leads of one bucket have in common. `person` is -1 where their agents do not matter or there are none."""

    facts: int  # a ticket
    returning: bool
    claim_over: bool
    person: int


@dataclass(eq=False, slots=True)
class Group:
    """The leads that wait for one target. `fresh` are the people who became available for this round (bits)."""

    target: Target
    people: int
    buckets: dict[Likeness, Bucket] = field(default_factory=dict)
    size: int = 0
    fresh: int = 0


@dataclass(eq=False, slots=True)
class Bucket:
    """Leads alike, the oldest first; some may have left meanwhile."""

    group: Group
    likeness: Likeness
    leads: list[int] = field(default_factory=list)


@dataclass(eq=False, slots=True)
class Waiting:
    """One held lead. `offered_until` (microseconds) where it is on offer to everybody: then it is in no bucket."""

    facts: int
    claim_over: bool = False
    bucket: Bucket | None = None
    offered_until: int | None = None


class WaitingRoom:
    """Every held lead, by its number, which is also its age: the lowest is the oldest."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster
        self._groups: dict[Target, Group] = {}
        self._leads: dict[int, Waiting] = {}

    def __len__(self) -> int:
        return len(self._leads)

    def get(self, lead: int) -> Waiting | None:
        return self._leads.get(lead)

    @property
    def groups(self) -> tuple[Group, ...]:
        return tuple(self._groups.values())

    @property
    def people(self) -> int:
        """Everybody whom some lead waits for."""
        awaited = 0
        for group in self._groups.values():
            awaited |= group.people
        return awaited

    def offer(self, lead: int, waiting: Waiting, until: int) -> None:
        """Let everybody have the first go at a lead."""
        waiting.offered_until = until
        self._leads[lead] = waiting

    def admit(self, lead: int, waiting: Waiting, target: Target, likeness: Likeness) -> Group:
        """Let a lead wait for a target."""
        group = self._groups.get(target)
        if group is None:
            group = self._groups[target] = Group(target, people_of(self._roster, target))
        group.size += 1
        self._leads[lead] = waiting
        self._file(lead, waiting, group, likeness)
        return group

    def refile(self, lead: int, likeness: Likeness) -> Bucket | None:
        """The lead is like others now. Returns its new bucket, None where it is as it was or on offer."""
        waiting = self._leads[lead]
        if waiting.bucket is None or waiting.bucket.likeness == likeness:
            return None
        return self._file(lead, waiting, waiting.bucket.group, likeness)

    def dismiss(self, lead: int) -> Waiting:
        """The lead waits no more."""
        waiting = self._leads.pop(lead)
        bucket = waiting.bucket
        waiting.bucket = waiting.offered_until = None
        if bucket is not None:
            bucket.group.size -= 1
            if not bucket.group.size:
                del self._groups[bucket.group.target]
        return waiting

    def oldest(self, bucket: Bucket) -> int | None:
        """The oldest lead that still waits in this bucket; an empty bucket goes."""
        leads = bucket.leads
        while leads:
            waiting = self._leads.get(leads[0])
            if waiting is not None and waiting.bucket is bucket:
                return leads[0]
            heappop(leads)
        bucket.group.buckets.pop(bucket.likeness, None)
        return None

    def _file(self, lead: int, waiting: Waiting, group: Group, likeness: Likeness) -> Bucket:
        bucket = group.buckets.get(likeness)
        if bucket is None:
            bucket = group.buckets[likeness] = Bucket(group, likeness)
        heappush(bucket.leads, lead)
        waiting.bucket = bucket
        return bucket


class Wakes:
    """When time alone next makes people available who are not so just before, as long as their loads stay."""

    def __init__(self, roster: Roster, loads: Mapping[int, Load]) -> None:
        self._roster = roster
        self._loads = loads
        self._due: dict[int, int] = {}

    def __contains__(self, agent: int) -> bool:
        return agent in self._due

    def unwatched(self, people: int) -> list[int]:
        """Those of these people whose time could come and who are not watched yet."""
        roster = self._roster
        return [agent for agent in roster.members(people & roster.active & ~roster.paused) if agent not in self._due]

    def watch(self, agent: int, at: datetime) -> int:
        """Work out when an agent becomes available (microseconds); where that is far off, when to look again."""
        load = self._loads.get(agent, IDLE)
        openings = (opening_of(self._roster, agent, kind, load, at) for kind in Kind)
        horizon = microseconds(at) + OPENING_HORIZON // MICROSECOND
        moment = min((microseconds(opens) for opens in openings if opens is not None), default=horizon)
        self._due[agent] = moment
        return moment

    def is_due(self, agent: int, moment: int) -> bool:
        """Whether a wake that was worked out earlier still counts."""
        return self._due.get(agent) == moment

    def forget(self, agent: int) -> None:
        del self._due[agent]


class Round:
    """One round of releases: leads in the order of their age, each bucket one lead at a time."""

    def __init__(self) -> None:
        self._turns: list[tuple[int, int, Bucket | None]] = []
        self._count = count()
        self._groups: list[Group] = []
        self._current = -1

    def begin(self, group: Group, fresh: int) -> None:
        """These people became available for a group: its leads are tried while one of them still is."""
        group.fresh = fresh
        self._groups.append(group)

    def add(self, lead: int | None, bucket: Bucket | None) -> None:
        """A lead to be tried, unless its age has been passed already or nobody became available for it."""
        if lead is not None and lead > self._current and (bucket is None or bucket.group.fresh):
            heappush(self._turns, (lead, next(self._count), bucket))

    def next(self) -> tuple[int, Bucket | None] | None:
        if not self._turns:
            return None
        self._current, _, bucket = heappop(self._turns)
        return self._current, bucket

    def is_taken(self, people: int) -> None:
        """These people are not available any more."""
        for group in self._groups:
            group.fresh &= ~people

    def end(self) -> None:
        for group in self._groups:
            group.fresh = 0
        self._groups.clear()
