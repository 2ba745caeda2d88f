"""Asking a team: who of these people may take this lead now, and what stands in the way of each of the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from routing.engine.crowd import Crowd, Presence, keep
from routing.engine.decision import Asked, Candidate, Verdict
from routing.engine.facts import Facts
from routing.engine.loads import Load

FORM = "form"  # the one channel that opens on nobody's handle

TAGS = "tags:"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a rule asks of the people of its target, beside being there."""

    require: tuple[str, ...] = ()
    prefer: tuple[str, ...] = ()
    by_tier: bool = False


ANY = Wanted()


@dataclass(slots=True)
class Answer:
    """What asking came to: the takers, and everybody else by the first thing that stood in the way (bitsets)."""

    crowd: Crowd
    asked: Asked
    takers: int
    failing: list[tuple[Verdict, int]]

    def candidates(
        self, takers: Verdict, chosen: int | None = None, margins: Mapping[int, int] | None = None
    ) -> tuple[Candidate, ...]:
        """Everybody asked, in the order of their ids; `takers` is the verdict of those who could have had it, but the
        chosen one."""
        behind = {} if margins is None else margins
        everybody, places = self.crowd.lineup(self.takers, self.failing)
        found = list(everybody)
        for place in places:
            agent = found[place].agent
            found[place] = Candidate(agent, Verdict.CHOSEN if agent == chosen else takers, behind.get(agent))
        return tuple(found)

    def failing_by(self, verdict: Verdict) -> int:
        """Those whose first obstacle this is."""
        return next((mask for name, mask in self.failing if name is verdict), 0)


def here(
    crowd: Crowd,
    people: int,
    asked: Asked,
    presence: Presence,
    loads: Mapping[int, Load],
    *,
    pardoning_absence: bool = False,
) -> tuple[int, list[tuple[Verdict, int]]]:
    """Who of these people is available, and why the others are not, by the first reason.

    `pardoning_absence` asks as if nobody were paused or on time off.
    """
    if pardoning_absence:
        left, failing = _present(crowd, people, asked, presence, pardoning_absence=True)
    elif kept := presence.absent.get((people, asked)):
        left, failing = kept[0], kept[1].copy()
    else:
        left, failing = _present(crowd, people, asked, presence)
        keep(presence.absent, (people, asked), (left, failing.copy()))
    if left & crowd.capped and (out := crowd.at_cap(left, presence, loads)):
        failing.append((Verdict.AT_CAP, out))
        left ^= out
    return left, failing


def _present(
    crowd: Crowd, people: int, asked: Asked, presence: Presence, *, pardoning_absence: bool = False
) -> tuple[int, list[tuple[Verdict, int]]]:
    """The same but for caps: nothing of it depends on leads."""
    failing: list[tuple[Verdict, int]] = []
    left = people
    if out := left & ~crowd.active:
        failing.append((Verdict.INACTIVE, out))
        left ^= out
    if not pardoning_absence:
        if out := left & crowd.paused:
            failing.append((Verdict.PAUSED, out))
            left ^= out
        if out := left & presence.time_off:
            failing.append((Verdict.TIME_OFF, out))
            left ^= out
    on_shift = presence.on_call
    if asked is Asked.REGULAR:
        on_shift = presence.regular
        if out := left & presence.holiday:
            failing.append((Verdict.HOLIDAY, out))
            left ^= out
    if out := left & ~on_shift:
        failing.append((Verdict.OFF_SHIFT, out))
        left ^= out
    return left, failing


def fulfilling(crowd: Crowd, facts: Facts, require: Sequence[str]) -> int:
    """Everybody who fulfils the requirements at all, there or not (any degree of the language will do)."""
    left = crowd.everybody & _reachable(crowd, facts, "channel" in require)
    if "language" in require:
        left &= language_levels(crowd, facts)[-1]
    if "territory" in require:
        left &= _covering(crowd, facts)
    return left & _tagged(crowd, require)


def ask(
    crowd: Crowd,
    facts: Facts,
    people: int,
    wanted: Wanted,
    *,
    asked: Asked,
    presence: Presence,
    loads: Mapping[int, Load],
    tried: int = 0,
    weightless: int = 0,
    tiers: Sequence[int] = (),
    pardoning_absence: bool = False,
) -> Answer:
    """Narrow people down to those who may take the lead: available, eligible, preferred, with a weight.

    All bits are the crowd's.
    """
    left, failing = here(crowd, people, asked, presence, loads, pardoning_absence=pardoning_absence)
    if not left:
        return Answer(crowd, asked, 0, failing)
    require = wanted.require
    reachable = _reachable(crowd, facts, "channel" in require)
    covering = _covering(crowd, facts) if "territory" in require else -1
    tagged = _tagged(crowd, require)
    if "language" in require:
        others = left & reachable & covering & tagged & ~tried & ~weightless
        if out := left & ~_first(language_levels(crowd, facts), others):
            failing.append((Verdict.LANGUAGE, out))
            left ^= out
    if out := left & ~reachable:
        failing.append((Verdict.CHANNEL, out))
        left ^= out
    if out := left & ~covering:
        failing.append((Verdict.TERRITORY, out))
        left ^= out
    if out := left & ~tagged:
        failing.append((Verdict.TAGS, out))
        left ^= out
    if out := left & tried:
        failing.append((Verdict.ALREADY_TRIED, out))
        left ^= out
    preferred = left
    for preference in wanted.prefer:
        for level in _preferring(crowd, facts, preference):
            if preferred & level:
                preferred &= level
                break
    if out := left ^ preferred:
        failing.append((Verdict.NOT_PREFERRED, out))
    takers = preferred & ~weightless
    weightless &= preferred
    if wanted.by_tier:
        lowest = next((tier for tier in tiers if takers & tier), -1)
        if out := preferred & ~lowest:
            failing.append((Verdict.LOWER_TIER, out))
        takers &= lowest
        weightless &= lowest
    if weightless:
        failing.append((Verdict.WEIGHT_ZERO, weightless))
    return Answer(crowd, asked, takers, failing)


def language_levels(crowd: Crowd, facts: Facts) -> tuple[int, int, int]:
    """Who speaks the lead's language: by the exact tag; or by its base tag if that is written in the same likely
    script; or by any tag of the same language and script. Each level holds the ones before it."""
    tag = facts.language
    if tag is None:
        return (0, 0, 0)
    exact = crowd.languages.get(tag.tag, 0)
    base = exact
    if tag.base_script == tag.script:
        base |= crowd.languages.get(tag.language, 0)
    return exact, base, base | crowd.scripts.get((tag.language, tag.script), 0)


def channel_of(facts: Facts) -> str | None:
    """The channel the visitor chose, None where unknown."""
    channel = facts.values.get("channel")
    return channel if isinstance(channel, str) else None


def _first(levels: Sequence[int], among: int) -> int:
    """The first level that somebody reaches; the widest where nobody does."""
    return next((level for level in levels if level & among), levels[-1])


def _reachable(crowd: Crowd, facts: Facts, required: bool) -> int:
    channel = channel_of(facts)
    if channel is None:
        return 0 if required else -1
    return -1 if channel == FORM else crowd.channels.get(channel, 0)


def _covering(crowd: Crowd, facts: Facts) -> int:
    return crowd.anywhere | _naming(crowd, facts, "region") | _naming(crowd, facts, "country")


def _naming(crowd: Crowd, facts: Facts, field: str) -> int:
    value = facts.values.get(field)
    return crowd.territories.get(value, 0) if isinstance(value, str) else 0


def _tagged(crowd: Crowd, require: Sequence[str]) -> int:
    left = -1
    for need in require:
        if need.startswith(TAGS):
            left &= crowd.tags.get(need[len(TAGS) :].casefold(), 0)
    return left


def _preferring(crowd: Crowd, facts: Facts, preference: str) -> tuple[int, ...]:
    """Whom a preference favours, the most favoured first."""
    if preference == "language":
        return language_levels(crowd, facts)
    if preference == "territory":
        return _naming(crowd, facts, "region"), _naming(crowd, facts, "country")
    if preference == "channel":
        return (_reachable(crowd, facts, required=True),)
    return (_tagged(crowd, (preference,)),)
