"""Asking a team: who of these people may take this lead now, and what stands in the way of each of the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import repeat

from routing.engine.crowd import Crowd, Presence, keep
from routing.engine.decision import Asked, Candidate, Verdict
from routing.engine.facts import Facts
from routing.engine.loads import Load
from routing.engine.roster import Crew

FORM = "form"  # the one channel that opens on nobody's handle

TAGS = "tags:"

NO_MARGINS = repeat(None)
_CANDIDATES = repeat(Candidate)
_new = tuple.__new__  # what a named tuple's own constructor does in the end, at half the price


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a rule asks of the people of its target, beside being there.

    What `require` names is taken apart once: `tags` are those required, folded.
    """

    require: tuple[str, ...] = ()
    prefer: tuple[str, ...] = ()
    by_tier: bool = False
    language: bool = field(init=False, repr=False, compare=False)
    channel: bool = field(init=False, repr=False, compare=False)
    territory: bool = field(init=False, repr=False, compare=False)
    tags: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in ("language", "channel", "territory"):
            object.__setattr__(self, name, name in self.require)
        object.__setattr__(self, "tags", tuple(_tag(need) for need in self.require if need.startswith(TAGS)))


ANY = Wanted()


@dataclass(slots=True)
class Answer:
    """What asking came to: the takers, and everybody else by the first thing that stood in the way (bitsets)."""

    crowd: Crowd
    asked: Asked
    takers: int
    failing: list[tuple[Verdict, int]]

    def candidates(
        self, takers: Verdict, chosen: int | None = None, margins: Iterable[int | None] = NO_MARGINS
    ) -> tuple[Candidate, ...]:
        """Everybody asked, in the order of their ids. `takers` is the verdict of those who could have had the lead,
        but the chosen one; `chosen` is a place among them, `margins` are in their order."""
        everybody, agents, places = self.crowd.lineup(self.takers, self.failing)
        found = list(everybody)
        could = map(_new, _CANDIDATES, zip(agents, repeat(takers), margins, strict=False))
        for place, candidate in zip(places, could, strict=False):
            found[place] = candidate
        if chosen is not None:
            place = places[chosen]
            agent, _, margin = found[place]
            found[place] = _new(Candidate, (agent, Verdict.CHOSEN, margin))
        return tuple(found)

    def failing_by(self, verdict: Verdict) -> int:
        """Those whose first obstacle this is."""
        return next((mask for name, mask in self.failing if name is verdict), 0)


def here(
    crowd: Crowd,
    people: int,
    asked: Asked,
    now: int,
    loads: Mapping[int, Load],
    pardoning_absence: bool = False,
) -> tuple[int, list[tuple[Verdict, int]]]:
    """Who of these people is available at so many microseconds since 1970, and why the others are not, by the first
    reason.

    `pardoning_absence` asks as if nobody were paused or on time off.
    """
    presence = crowd.presence_at(now)
    if pardoning_absence:
        left, failing = _present(crowd, people, asked, presence, pardoning_absence=True)
    elif kept := presence.absent.get((people, asked)):
        left, failing = kept[0], kept[1].copy()
    else:
        left, failing = _present(crowd, people, asked, presence)
        keep(presence.absent, (people, asked), (left, failing.copy()))
    if left & crowd.capped and (out := crowd.at_cap(left, now, loads)):
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


def fulfilling(crowd: Crowd, facts: Facts, wanted: Wanted) -> int:
    """Everybody who fulfils the requirements at all, there or not (any degree of the language will do)."""
    left = crowd.everybody & reaching(crowd, facts, wanted.channel)
    if wanted.language:
        left &= speaking(crowd, facts, 0)
    if wanted.territory:
        left &= covering(crowd, facts)
    for name in wanted.tags:
        left &= crowd.tags.get(name, 0)
    return left


def ask(
    crew: Crew,
    facts: Facts,
    wanted: Wanted,
    asked: Asked,
    now: int,
    loads: Mapping[int, Load],
    tried: int = 0,
    pardoning_absence: bool = False,
) -> Answer:
    """Narrow people down to those who may take the lead: available, eligible, preferred, with a weight.

    `now` are microseconds since 1970. `tried` are bits of the crew's crowd.
    """
    crowd, weightless = crew.crowd, crew.weightless
    left, failing = here(crowd, crew.people, asked, now, loads, pardoning_absence)
    if not left:
        return Answer(crowd, asked, 0, failing)
    reachable = reaching(crowd, facts, wanted.channel)
    covers = covering(crowd, facts) if wanted.territory else -1
    tagged = -1
    for name in wanted.tags:
        tagged &= crowd.tags.get(name, 0)
    if wanted.language:
        others = left & reachable & covers & tagged & ~tried & ~weightless
        if out := left & ~speaking(crowd, facts, others):
            failing.append((Verdict.LANGUAGE, out))
            left ^= out
    if out := left & ~reachable:
        failing.append((Verdict.CHANNEL, out))
        left ^= out
    if out := left & ~covers:
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
        if favoured := preferred & favouring(crowd, facts, preference, preferred):
            preferred = favoured
    if out := left ^ preferred:
        failing.append((Verdict.NOT_PREFERRED, out))
    takers = preferred & ~weightless
    weightless &= preferred
    if wanted.by_tier:
        lowest = next((tier for tier in crew.tiers if takers & tier), -1)
        if out := preferred & ~lowest:
            failing.append((Verdict.LOWER_TIER, out))
        takers &= lowest
        weightless &= lowest
    if weightless:
        failing.append((Verdict.WEIGHT_ZERO, weightless))
    return Answer(crowd, asked, takers, failing)


def speaking(crowd: Crowd, facts: Facts, among: int) -> int:
    """Who speaks the lead's language: by the exact tag; or, where that is none of `among`, by its base tag too if that
    is written in the same likely script; or, where these are none either, by any tag of the same language and script.
    """
    tag = facts.language
    if tag is None:
        return 0
    level = crowd.languages.get(tag.tag, 0)
    if level & among:
        return level
    if tag.base_script == tag.script:
        level |= crowd.languages.get(tag.language, 0)
        if level & among:
            return level
    return level | crowd.scripts.get((tag.language, tag.script), 0)


def regarding(crowd: Crowd, facts: Facts) -> tuple[int, ...]:
    """The same for facts that no question to any of these people can tell apart."""
    tag, get = facts.language, crowd.languages.get
    spoken = (0, 0, 0)
    if tag is not None:
        base = get(tag.language, 0) if tag.base_script == tag.script else 0
        spoken = get(tag.tag, 0), base, crowd.scripts.get((tag.language, tag.script), 0)
    reached = reaching(crowd, facts, required=False), reaching(crowd, facts, required=True)
    return *spoken, *reached, _naming(crowd, facts, "region"), _naming(crowd, facts, "country")


def channel_of(facts: Facts) -> str | None:
    """The channel the visitor chose, None where unknown."""
    channel = facts.values.get("channel")
    return channel if isinstance(channel, str) else None


def reaching(crowd: Crowd, facts: Facts, required: bool) -> int:
    """Who can answer on the channel the visitor chose. Where none is known, nobody if it is `required`, else all."""
    channel = facts.values.get("channel")
    if channel == FORM:
        return -1
    if isinstance(channel, str):
        return crowd.channels.get(channel, 0)
    return 0 if required else -1


def covering(crowd: Crowd, facts: Facts) -> int:
    """Whose territory the lead is in: the region's, the country's, and those who cover the world."""
    return crowd.anywhere | _naming(crowd, facts, "region") | _naming(crowd, facts, "country")


def favouring(crowd: Crowd, facts: Facts, preference: str, among: int) -> int:
    """Whom a preference favours most of some people."""
    if preference == "language":
        return speaking(crowd, facts, among)
    if preference == "territory":
        named = _naming(crowd, facts, "region")
        return named if named & among else _naming(crowd, facts, "country")
    if preference == "channel":
        return reaching(crowd, facts, required=True)
    return crowd.tags.get(_tag(preference), 0)


def _naming(crowd: Crowd, facts: Facts, name: str) -> int:
    value = facts.values.get(name)
    return crowd.territories.get(value, 0) if isinstance(value, str) else 0


def _tag(need: str) -> str:
    """The tag that a requirement or preference names, as the crowd files it."""
    return need.removeprefix(TAGS).casefold()
