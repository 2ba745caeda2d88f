"""Asking a team: who of these people may take this lead now, and what stands in the way of each of the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from routing.engine.decision import Asked, Candidate, Verdict
from routing.engine.facts import Facts
from routing.engine.loads import Load
from routing.engine.roster import Presence, Roster

FORM = "form"  # the one channel that opens on nobody's handle

TAGS = "tags:"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a rule asks of the people of its target, beside being there."""

    require: tuple[str, ...] = ()
    prefer: tuple[str, ...] = ()
    by_tier: bool = False


ANY = Wanted()


@dataclass(frozen=True, slots=True)
class Answer:
    """What asking came to: the takers, and everybody else by the first thing that stood in the way (bitsets)."""

    asked: Asked
    people: int
    takers: int
    failing: tuple[tuple[Verdict, int], ...]

    def candidates(
        self, roster: Roster, takers: Verdict | Mapping[int, Verdict], margins: Mapping[int, int] | None = None
    ) -> tuple[Candidate, ...]:
        """Everybody asked, in the order of their ids; `takers` is the verdict of those who could have had it."""
        behind = {} if margins is None else margins
        candidates = [Candidate(agent, verdict) for verdict, mask in self.failing for agent in roster.members(mask)]
        for agent in roster.members(self.takers):
            verdict = takers if isinstance(takers, Verdict) else takers[agent]
            candidates.append(Candidate(agent, verdict, behind.get(agent)))
        candidates.sort()  # by agent: nobody is here twice
        return tuple(candidates)

    def failing_by(self, verdict: Verdict) -> int:
        """Those whose first obstacle this is."""
        return next((mask for name, mask in self.failing if name is verdict), 0)


def here(
    roster: Roster,
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
    failing: list[tuple[Verdict, int]] = []

    def keep(left: int, among: int, verdict: Verdict) -> int:
        if out := left & ~among:
            failing.append((verdict, out))
        return left & among

    left = keep(people, roster.active, Verdict.INACTIVE)
    if not pardoning_absence:
        left = keep(left, ~roster.paused, Verdict.PAUSED)
        left = keep(left, ~presence.time_off, Verdict.TIME_OFF)
    if asked is Asked.REGULAR:
        left = keep(left, ~presence.holiday, Verdict.HOLIDAY)
        left = keep(left, presence.regular, Verdict.OFF_SHIFT)
    else:
        left = keep(left, presence.on_call, Verdict.OFF_SHIFT)
    left = keep(left, ~roster.at_cap(left, presence, loads), Verdict.AT_CAP)
    return left, failing


def fulfilling(roster: Roster, facts: Facts, require: Sequence[str]) -> int:
    """Everybody who fulfils the requirements at all, there or not (any degree of the language will do)."""
    left = roster.everybody & _reachable(roster, facts, "channel" in require)
    if "language" in require:
        left &= language_levels(roster, facts)[-1]
    if "territory" in require:
        left &= _covering(roster, facts)
    return left & _tagged(roster, require)


def ask(
    roster: Roster,
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
    """Narrow people down to those who may take the lead: available, eligible, preferred, with a weight."""
    left, failing = here(roster, people, asked, presence, loads, pardoning_absence=pardoning_absence)
    reachable = _reachable(roster, facts, "channel" in wanted.require)
    covering = _covering(roster, facts) if "territory" in wanted.require else -1
    tagged = _tagged(roster, wanted.require)
    steps = [(Verdict.CHANNEL, reachable), (Verdict.TERRITORY, covering), (Verdict.TAGS, tagged)]
    if "language" in wanted.require:
        others = left & reachable & covering & tagged & ~tried & ~weightless
        speaking = _first(language_levels(roster, facts), others)
        steps.insert(0, (Verdict.LANGUAGE, speaking))
    steps.append((Verdict.ALREADY_TRIED, ~tried))
    for verdict, among in steps:
        if out := left & ~among:
            failing.append((verdict, out))
        left &= among
    preferred = left
    for preference in wanted.prefer:
        for level in _preferring(roster, facts, preference):
            if preferred & level:
                preferred &= level
                break
    if out := left & ~preferred:
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
    return Answer(asked, people, takers, tuple(failing))


def language_levels(roster: Roster, facts: Facts) -> tuple[int, int, int]:
    """Who speaks the lead's language: by the exact tag; or by its base tag if that is written in the same likely
    script; or by any tag of the same language and script. Each level holds the ones before it."""
    tag = facts.language
    if tag is None:
        return (0, 0, 0)
    exact = roster.languages.get(tag.tag, 0)
    base = exact
    if tag.base_script == tag.script:
        base |= roster.languages.get(tag.language, 0)
    return exact, base, base | roster.scripts.get((tag.language, tag.script), 0)


def channel_of(facts: Facts) -> str | None:
    """The channel the visitor chose, None where unknown."""
    channel = facts.values.get("channel")
    return channel if isinstance(channel, str) else None


def _first(levels: Sequence[int], among: int) -> int:
    """The first level that somebody reaches; the widest where nobody does."""
    return next((level for level in levels if level & among), levels[-1])


def _reachable(roster: Roster, facts: Facts, required: bool) -> int:
    channel = channel_of(facts)
    if channel is None:
        return 0 if required else -1
    return -1 if channel == FORM else roster.channels.get(channel, 0)


def _covering(roster: Roster, facts: Facts) -> int:
    return roster.anywhere | _naming(roster, facts, "region") | _naming(roster, facts, "country")


def _naming(roster: Roster, facts: Facts, field: str) -> int:
    value = facts.values.get(field)
    return roster.territories.get(value, 0) if isinstance(value, str) else 0


def _tagged(roster: Roster, require: Sequence[str]) -> int:
    left = -1
    for need in require:
        if need.startswith(TAGS):
            left &= roster.tags.get(need[len(TAGS) :].casefold(), 0)
    return left


def _preferring(roster: Roster, facts: Facts, preference: str) -> tuple[int, ...]:
    """Whom a preference favours, the most favoured first."""
    if preference == "language":
        return language_levels(roster, facts)
    if preference == "territory":
        return _naming(roster, facts, "region"), _naming(roster, facts, "country")
    if preference == "channel":
        return (_reachable(roster, facts, required=True),)
    return (_tagged(roster, (preference,)),)
