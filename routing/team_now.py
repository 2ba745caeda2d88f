"""A team as it stands: who could take a lead now, whose turn is next, what each is owed, and when somebody is there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from routing.engine import Roster, U
from routing.engine.asking import here
from routing.engine.decision import Asked
from routing.engine.hours import microseconds
from routing.engine.ledger import Ledger, take_turn
from routing.engine.loads import Load

SLOT = timedelta(minutes=15)
_DAYS = 7
_EVEN = U // 200  # what rounds to 0.00 of a lead


@dataclass(frozen=True, slots=True)
class Now:
    """Members who could take a lead now: on shift, and on call alone. `next_turn` is who would get one of these."""

    on_shift: tuple[int, ...]
    on_call: tuple[int, ...]
    next_turn: int | None


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a day, in per cent of it, with so many members on shift; `on_call`: nobody is, but somebody on call."""

    left: float
    width: float
    people: int
    on_call: bool
    starts: str
    ends: str


@dataclass(frozen=True, slots=True)
class CoveredDay:
    date: date
    stretches: list[Stretch]


def now(roster: Roster, team_id: int, ledger: Ledger, loads: Mapping[int, Load], at: datetime) -> Now:
    """As a rule that asks for nothing but the team would find it. Nobody where it is archived."""
    team = roster.teams.get(team_id)
    if team is None:
        return Now((), (), None)
    instant = microseconds(at)
    on_shift, _failing = here(roster, team.mask, Asked.REGULAR, instant, loads)
    on_call, _failing = here(roster, team.mask & ~on_shift, Asked.ON_CALL, instant, loads)
    takers = [
        (agent, team.weights[agent]) for agent in roster.members(on_shift & ~team.weightless) if team.weights[agent]
    ]
    following = take_turn(ledger, takers).chosen if takers else None
    return Now(tuple(roster.members(on_shift)), tuple(roster.members(on_call)), following)


def capped_members(roster: Roster, team_id: int) -> tuple[int, ...]:
    """Whose loads `now` depends on."""
    team = roster.teams.get(team_id)
    return tuple(roster.members(team.mask & roster.capped)) if team else ()


def standing_in_words(ledger: Ledger, agent: int) -> str:
    """What the ledger says of a member: `owed 0.33 leads`, `0.67 leads ahead`, `even`."""
    credit = ledger.of(agent).credit
    if abs(credit) < _EVEN:
        return _("even")
    if credit > 0:
        return _("owed %(leads).2f leads") % {"leads": credit / U}
    return _("%(leads).2f leads ahead") % {"leads": -credit / U}


def coverage(roster: Roster, team_id: int, *, at: datetime, zone: ZoneInfo) -> list[CoveredDay]:
    """Seven days from today on, by quarters of an hour: how many active members are there, pauses not counted."""
    team = roster.teams.get(team_id)
    mask = (team.mask if team else 0) & roster.active
    today = at.astimezone(zone).date()
    return [_day(roster, mask, today + timedelta(days=n), zone) for n in range(_DAYS)]


def gaps_in_words(days: Iterable[CoveredDay]) -> str:
    """For how long nobody is there at all; '' where somebody always is."""
    empty = sum(each.width for day in days for each in day.stretches if not each.people and not each.on_call)
    return (
        _("Nobody is there in %(hours)d of the coming 168 hours.") % {"hours": round(empty * 24 / 100)} if empty else ""
    )


def _day(roster: Roster, mask: int, day: date, zone: ZoneInfo) -> CoveredDay:
    slots = timedelta(days=1) // SLOT
    states = []
    for slot in range(slots):
        presence = roster.presence(datetime.combine(day, time(), zone) + slot * SLOT)
        there = mask & ~presence.time_off
        regular = (there & presence.regular & ~presence.holiday).bit_count()
        states.append((regular, not regular and bool(there & presence.on_call)))
    stretches, place = [], 0
    for (people, on_call), run in groupby(states):
        length = len(list(run))
        starts, ends = (datetime.combine(day, time()) + n * SLOT for n in (place, place + length))
        stretches.append(
            Stretch(
                left=round(place * 100 / slots, 3),
                width=round(length * 100 / slots, 3),
                people=people,
                on_call=on_call,
                starts=f"{starts:%H:%M}",
                ends="24:00" if ends.date() > day else f"{ends:%H:%M}",
            )
        )
        place += length
    return CoveredDay(day, stretches)
