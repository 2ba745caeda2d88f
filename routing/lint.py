"""What cannot be right about a policy, though it is sound: found while it is written, from the policy and the roster.

Pure: a normal-form document and a roster in, remarks out. Nothing here refuses anything; a remark says what will
happen and what to do about it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agents import languages, places
from agents.channels import CHANNELS
from routing.engine import AgentSpec, RosterSpec
from routing.engine.hours import Kind
from routing.facts import language_tag
from routing.implying import can_hold, groups_imply, groups_of
from routing.rulebook.limits import conditions_of

Document = Mapping[str, Any]


class Weight(StrEnum):
    """`wrong`: it never does what it says. `note`: it does, but perhaps not what was meant."""

    WRONG = "wrong"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing about one rule; `rule` counts from 0 in the document, and so does `above`: the one that it had better
    stand above, where that is the remedy."""

    rule: int
    weight: Weight
    text: str
    above: int | None = None


def lint(document: Document, roster: RosterSpec, *, city_known: bool = True, only: int | None = None) -> list[Remark]:
    """What is remarkable about each active rule, in order, or about that at one place alone.

    `city_known`: whether visitors' regions are looked up.
    """
    rules = [(place, rule) for place, rule in enumerate(document["rules"]) if rule.get("active") is not False]
    slugs = {agent.slug: agent for agent in roster.agents.values()}
    remarks: list[Remark] = []
    groups = [groups_of(rule.get("when")) for _place, rule in rules]
    for number, (place, rule) in enumerate(rules):
        if only not in (None, place):
            continue
        above = next((other for other in range(number) if groups_imply(groups[number], groups[other])), None)
        remarks += _reached(place, rule, None if above is None else rules[above], roster)
        found = [*_conditions(rule, document, city_known), *_people(rule, roster, slugs)]
        remarks += [Remark(place, weight, text) for weight, text in found]
    return remarks


Found = Iterator[tuple[Weight, str]]


def _reached(place: int, rule: Document, covering: tuple[int, Document] | None, roster: RosterSpec) -> Iterator[Remark]:
    """Whether the rule above that holds wherever this one does, if there is one, leaves it any lead."""
    if not can_hold(rule.get("when")):
        yield Remark(place, Weight.WRONG, _("This never holds: its conditions exclude each other."))
    elif covering is not None:
        above, other = covering
        said = {"number": above + 1, "rule": other["name"]}
        if _keeps_everything(other, roster):
            text = _("This is never reached: rule %(number)d “%(rule)s” takes every such lead first.")
            yield Remark(place, Weight.WRONG, text % said, above)
        else:
            text = _("Rule %(number)d “%(rule)s” gets every such lead first; this one only what it finds nobody for.")
            yield Remark(place, Weight.NOTE, text % said, above)


def _keeps_everything(rule: Document, roster: RosterSpec) -> bool:
    """Whether the rule hands no lead on to those below it."""
    route = rule["route"]
    if route["to"] == "queue" or route["if_nobody"] == "queue":
        return True
    fallback = roster.agents.get(roster.fallback or 0)
    return bool(route["if_nobody"] == "fallback" and fallback and fallback.active)


def _conditions(rule: Document, document: Document, city_known: bool) -> Found:
    fields = {condition["field"] for condition in conditions_of(rule.get("when"))}
    if not city_known and fields & {"region", "city"}:
        yield (
            Weight.NOTE,
            _("No city database is set: a visitor's region and city are known only where your own systems say them."),
        )
    if fields & {"score", "intent"} and not document["scoring"]:
        yield Weight.NOTE, _("Nothing gives points yet, so every lead is cold: add scoring.")


# What is said of a team, and of one person.
_SAID: Mapping[str, tuple[Any, Any]] = {
    "gone": (
        gettext_lazy("Nobody of %(name)s takes leads: it is empty, archived, or all in it are inactive."),
        gettext_lazy("%(name)s is not active, so this rule finds nobody."),
    ),
    "shifts": (
        gettext_lazy("Nobody of %(name)s has shifts, so nobody is ever there. Enter their hours."),
        gettext_lazy("%(name)s has no shifts, so is never there. Enter their hours."),
    ),
    "on_call": (
        gettext_lazy("Nobody of %(name)s is ever on call, so it goes on to the next rule."),
        gettext_lazy("%(name)s is never on call, so it goes on to the next rule."),
    ),
    "channel": (
        gettext_lazy("Nobody of %(name)s can be reached on %(what)s."),
        gettext_lazy("%(name)s cannot be reached on %(what)s."),
    ),
    "language": (
        gettext_lazy("Nobody of %(name)s speaks %(what)s."),
        gettext_lazy("%(name)s does not speak %(what)s."),
    ),
    "country": (
        gettext_lazy("Nobody of %(name)s is for %(what)s."),
        gettext_lazy("%(name)s is not for %(what)s."),
    ),
    "tag": (
        gettext_lazy("Nobody of %(name)s has the tag “%(what)s”."),
        gettext_lazy("%(name)s has not the tag “%(what)s”."),
    ),
}


def _people(rule: Document, roster: RosterSpec, slugs: Mapping[str, AgentSpec]) -> Found:
    """Whether the rule's people can do what it asks of them."""
    route = rule["route"]
    if route["to"] == "queue":
        return
    ((kind, slug),) = route["to"].items()
    is_team = kind == "team"
    people, name = _team(slug, roster) if is_team else _one(slug, slugs)
    named = _("team %(name)s") % {"name": name} if is_team else name

    def say(what: str, value: Any = "") -> str:
        return str(_SAID[what][0 if is_team else 1]) % {"name": named, "what": value}

    if not people:
        yield Weight.WRONG, say("gone")
        return
    if not any(shift.kind is Kind.REGULAR for agent in people for shift in agent.shifts):
        yield Weight.WRONG, say("shifts")
    if route["if_nobody"] == "on_call" and not any(s.kind is Kind.ON_CALL for agent in people for s in agent.shifts):
        yield Weight.NOTE, say("on_call")
    if route["if_nobody"] == "fallback" and not _fallback_is_there(roster):
        yield (
            Weight.WRONG,
            _("There is no active fallback agent, so it goes on to the next rule. Choose one in the settings."),
        )
    for what, value in _missing(rule, people):
        yield Weight.WRONG, say(what, value)


def _missing(rule: Document, people: Collection[AgentSpec]) -> Iterator[tuple[str, Any]]:
    """What the rule asks for and nobody of these has."""
    when, require = rule.get("when"), rule["route"]["require"]
    for channel in _named(when, "channel"):
        if CHANNELS[channel].needs_handle and not any(channel in agent.channels for agent in people):
            yield "channel", CHANNELS[channel].label
    if "language" in require:
        for tag in _named(when, "language"):
            if not any(_speaks(agent, tag) for agent in people):
                yield "language", languages.language_name(tag)
    if "territory" in require:
        for country in _named(when, "country"):
            if not any(_covers(agent, country) for agent in people):
                yield "country", places.country_name(country)
    for wish in require:
        tag = wish.removeprefix("tags:")
        if tag != wish and not any(tag.casefold() in {own.casefold() for own in agent.tags} for agent in people):
            yield "tag", tag


def _named(when: Document | None, field: str) -> Iterator[str]:
    """The values of a field that a lead must have one of, for any set of conditions that says so."""
    seen: dict[str, None] = {}
    for condition in conditions_of(when):
        if condition["field"] == field and condition["op"] in ("is", "in"):
            value = condition["value"]
            seen |= dict.fromkeys(value if isinstance(value, list | tuple) else [value])
    yield from seen


def _team(slug: str, roster: RosterSpec) -> tuple[list[AgentSpec], str]:
    team = next((team for team in roster.teams.values() if team.slug == slug), None)
    if team is None or team.archived:
        return [], team.name if team and team.name else slug
    members = [
        roster.agents[member.agent] for member in team.members if member.weight and member.agent in roster.agents
    ]
    return [agent for agent in members if agent.active], team.name or slug


def _one(slug: str, slugs: Mapping[str, AgentSpec]) -> tuple[list[AgentSpec], str]:
    agent = slugs.get(slug)
    return ([agent] if agent and agent.active else []), (agent.name if agent and agent.name else slug)


def _fallback_is_there(roster: RosterSpec) -> bool:
    fallback = roster.agents.get(roster.fallback or 0)
    return bool(fallback and fallback.active)


def _speaks(agent: AgentSpec, tag: str) -> bool:
    wanted = language_tag(tag)
    return any((own.language, own.script) == (wanted.language, wanted.script) for own in agent.languages)


def _covers(agent: AgentSpec, country: str) -> bool:
    return not agent.territories or any(own == country or own.startswith(f"{country}-") for own in agent.territories)
