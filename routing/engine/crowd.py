"""People compiled to bitsets: everybody is one bit.

What is asked of many people at once (who speaks this, who covers that country, who is on shift at this minute) is then
one AND, whatever their number. A roster is a crowd; so are the people of one team, whose bits are few enough for one
machine word, so that asking a team costs the same among ten people and among ten thousand.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple, TypeVar

from routing.engine.decision import Asked, Candidate, Verdict
from routing.engine.facts import LanguageTag
from routing.engine.hours import (
    DAY,
    HOUR,
    MINUTE,
    MONDAY,
    WEEK_MINUTES,
    Kind,
    LocalSpan,
    ShiftSpec,
    day_of_wall,
    instant,
    microseconds,
    offset_at,
    period_keys,
    wall_minute,
    weekly_minutes,
)
from routing.engine.loads import IDLE, UNLIMITED, Caps, Limit, Load, PeriodKeys, limits_of
from routing.engine.segments import Segments

K = TypeVar("K")
V = TypeVar("V")

_FEW = 64
_MOST_KEPT = 256


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
class ZoneHours:
    """The hours of all people of one zone, on that zone's wall clock."""

    regular: Segments = field(default_factory=Segments)
    on_call: Segments = field(default_factory=Segments)
    time_off: Segments = field(default_factory=Segments)
    calendars: Mapping[str, int] = field(default_factory=dict)


class Limited(NamedTuple):
    """Who is under the same limit, and at which bits."""

    limit: Limit
    agents: tuple[int, ...]
    places: tuple[int, ...]


class Lineup(NamedTuple):
    """Everybody who was asked, in the order of their ids, and at which places those are who can take the lead."""

    everybody: tuple[Candidate, ...]
    takers: tuple[int, ...]
    places: tuple[int, ...]


class Presence:
    """Who is on regular shift, on call, on time off and on holiday, as bitsets. One object for all such times."""

    __slots__ = ("absent", "holiday", "on_call", "regular", "time_off")

    def __init__(self, regular: int, on_call: int, time_off: int, holiday: int) -> None:
        self.regular = regular
        self.on_call = on_call
        self.time_off = time_off
        self.holiday = holiday
        # Who of some people is absent, and why, is the same for every lead of such times (`asking.here`).
        self.absent: dict[tuple[int, Asked], tuple[int, list[tuple[Verdict, int]]]] = {}


NOBODY_THERE = Presence(0, 0, 0, 0)


class Periods:
    """The cap periods of each zone's wall clock in `[since, until)` (microseconds), and what caps come to in them."""

    __slots__ = ("_keys", "_limits", "since", "until")

    def __init__(self, since: int, until: int) -> None:
        self.since = since
        self.until = until
        self._keys: dict[str, PeriodKeys] = {}
        self._limits: dict[int, list[Limited]] = {}

    def keys(self, zone: str) -> PeriodKeys:
        """The cap periods of a zone's wall clock now."""
        keys = self._keys.get(zone)
        if keys is None:
            keys = self._keys[zone] = PeriodKeys(*period_keys(instant(self.since), zone))
        return keys

    def limits(self, mask: int, crowd: Crowd) -> Sequence[Limited]:
        """The limits of a bitset of capped people of the crowd, now."""
        limits = self._limits.get(mask)
        if limits is None:
            under: dict[Limit, list[int]] = {}
            for agent in crowd.members(mask):
                spec = crowd.spec_of(agent)
                for limit in limits_of(spec.caps, self.keys(spec.zone)):
                    under.setdefault(limit, []).append(agent)
            limits = [
                Limited(limit, tuple(agents), tuple(crowd.bit(agent).bit_length() - 1 for agent in agents))
                for limit, agents in under.items()
            ]
            keep(self._limits, mask, limits)
        return limits


class Crowd:
    """Some people. Immutable for its users."""

    _now: tuple[int, int, Presence]  # since, until, who is where
    _periods: Periods
    _presences: dict[tuple[int, int, int, int], Presence]
    _members: dict[int, tuple[int, ...]]
    _lineups: dict[tuple[int, tuple[tuple[Verdict, int], ...]], Lineup]

    def __init__(self, agents: Mapping[int, AgentSpec], calendars: Mapping[str, frozenset[date]]) -> None:
        """Compile them, in the order of their ids. Time is linear in people, shifts and leave."""
        self._agents = agents
        self._calendars = calendars
        self._bits: dict[int, int] = {}
        self._order: list[int] = []
        self.everybody = self.active = self.paused = self.capped = self.anywhere = self.on_call_people = 0
        self.languages: dict[str, int] = {}
        self.scripts: dict[tuple[str, str], int] = {}
        self.territories: dict[str, int] = {}
        self.tags: dict[str, int] = {}
        self.channels: dict[str, int] = {}
        self._hours: dict[str, ZoneHours] = {}
        self._forget()
        for agent in sorted(agents):
            self._place(agents[agent])
        for zone in {agent.zone for agent in agents.values()}:
            self._hours[zone] = self._zone_hours(zone)

    # reading

    def bit(self, agent: int) -> int:
        """The agent's bit, 0 for somebody unknown."""
        position = self._bits.get(agent)
        return 0 if position is None else 1 << position

    @property
    def few(self) -> bool:
        """Whether what is worked out for some of them is worth keeping."""
        return len(self._order) <= _FEW

    def spec_of(self, agent: int) -> AgentSpec:
        """The agent as the roster has them."""
        return self._agents[agent]

    def members(self, mask: int) -> Sequence[int]:
        """The agents of a bitset, in the order of their bits."""
        found = self._members.get(mask)
        if found is None:
            found = tuple(self._members_of(mask))
            if self.few:
                keep(self._members, mask, found)
        return found

    def lineup(self, takers: int, failing: Sequence[tuple[Verdict, int]]) -> Lineup:
        """The agents of a bitset and those of others, who each have a verdict already."""
        key = takers, tuple(failing)
        found = self._lineups.get(key)
        if found is None:
            everybody = [Candidate(agent, Verdict.CHOSEN) for agent in self.members(takers)]
            for verdict, mask in failing:
                everybody += [Candidate(agent, verdict) for agent in self.members(mask)]
            everybody.sort()  # by agent: nobody is here twice
            places = [place for place, each in enumerate(everybody) if each.verdict is Verdict.CHOSEN]
            found = Lineup(tuple(everybody), tuple(everybody[place].agent for place in places), tuple(places))
            if self.few:
                keep(self._lineups, key, found)
        return found

    def presence(self, at: datetime) -> Presence:
        """Who is where at `at`."""
        return self.presence_at(microseconds(at))

    def presence_at(self, now: int) -> Presence:
        """The same at so many microseconds since 1970; kept for the next question until something of it changes."""
        since, until, presence = self._now
        if not since <= now < until:
            until, masks = self._look(now)
            found = self._presences.get(masks)
            if found is None:
                keep(self._presences, masks, found := Presence(*masks))
            presence = found
            self._now = now, until, presence
        return presence

    def periods_at(self, now: int) -> Periods:
        """The cap periods at so many microseconds since 1970."""
        periods = self._periods
        if not periods.since <= now < periods.until:
            until = now + HOUR
            for zone in self._hours:
                offset, changes = offset_at(zone, now)
                until = min(until, changes, now - (now + offset) % HOUR + HOUR)
            periods = self._periods = Periods(now, until)
        return periods

    def period_keys(self, agent: int, at: datetime) -> PeriodKeys:
        """The cap periods of an agent's wall clock at an instant."""
        return self.periods_at(microseconds(at)).keys(self._agents[agent].zone)

    def there(self, now: int, asked: Asked) -> int:
        """Everybody who would be available were it not for caps."""
        presence = self.presence_at(now)
        left = self.active & ~self.paused & ~presence.time_off
        return left & presence.on_call if asked is Asked.ON_CALL else left & presence.regular & ~presence.holiday

    def at_cap(self, mask: int, now: int, loads: Mapping[int, Load]) -> int:
        """Those of a bitset whose load reaches one of their caps at so many microseconds since 1970."""
        full = 0
        load_of = loads.get
        for (counted, most, period, key), agents, places in self.periods_at(now).limits(mask & self.capped, self):
            for agent, place in zip(agents, places, strict=True):
                load: Sequence[Any] = load_of(agent, IDLE)
                if load[counted] >= most and (key is None or load[period] == key):
                    full |= 1 << place
        return full

    def _look(self, now: int) -> tuple[int, tuple[int, int, int, int]]:
        """Until when the same people are where they are now, and the masks of a `Presence`."""
        until = now + DAY
        regular = on_call = time_off = holiday = 0
        for zone, hours in self._hours.items():
            offset, changes = offset_at(zone, now)
            wall = now + offset
            minute = wall // MINUTE
            of_week = (minute - MONDAY) % WEEK_MINUTES
            shift, shift_ends = hours.regular.stretch(of_week)
            called, call_ends = hours.on_call.stretch(of_week)
            off, off_ends = hours.time_off.stretch(minute)
            regular |= shift
            on_call |= called
            time_off |= off
            ends = minute + min(shift_ends - of_week, call_ends - of_week, WEEK_MINUTES - of_week, off_ends - minute)
            until = min(until, changes, ends * MINUTE - offset)
            if hours.calendars:
                today = day_of_wall(wall)
                until = min(until, wall - wall % DAY + DAY - offset)
                for calendar, mask in hours.calendars.items():
                    if today in self._calendars[calendar]:
                        holiday |= mask
        return until, (regular, on_call, time_off, holiday)

    def _forget(self) -> None:
        """Start anew with what was worked out once: the same people are there for hours, and again next week."""
        self._now, self._periods = (0, 0, NOBODY_THERE), Periods(0, 0)
        self._presences, self._members, self._lineups = {}, {}, {}

    def _members_of(self, mask: int) -> Iterator[int]:
        order = self._order
        while mask:
            low = mask & -mask
            yield order[low.bit_length() - 1]
            mask ^= low

    # compiling

    def _place(self, spec: AgentSpec) -> None:
        position = self._bits.get(spec.id)
        if position is None:
            position = self._bits[spec.id] = len(self._order)
            self._order.append(spec.id)
        bit = 1 << position
        self.everybody |= bit
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
        for table, key in _keys_of(spec):
            index: dict[object, int] = getattr(self, table)
            index[key] &= keep

    def _zone_hours(self, zone: str) -> ZoneHours:
        people = [agent for agent in self._agents.values() if agent.zone == zone]
        calendars: dict[str, int] = {}
        for agent in people:
            if agent.calendar:
                calendars[agent.calendar] = calendars.get(agent.calendar, 0) | 1 << self._bits[agent.id]
        return ZoneHours(
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
            spec = self._agents.get(agent)
            here = [spec] if spec is not None and spec.zone == zone else []
            regular = regular.replaced(position, [span[:2] for span in self._weekly(here, Kind.REGULAR)])
            on_call = on_call.replaced(position, [span[:2] for span in self._weekly(here, Kind.ON_CALL)])
            time_off = time_off.replaced(position, [span[:2] for span in self._leave(here)])
            calendars = {calendar: mask & ~bit for calendar, mask in calendars.items() if mask & ~bit}
            if here and here[0].calendar:
                calendars[here[0].calendar] = calendars.get(here[0].calendar, 0) | bit
        self._hours[zone] = ZoneHours(regular, on_call, time_off, calendars)

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


def keep(kept: dict[K, V], key: K, value: V) -> None:
    """Remember a value among a few hundred."""
    if len(kept) >= _MOST_KEPT:
        kept.clear()
    kept[key] = value


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
