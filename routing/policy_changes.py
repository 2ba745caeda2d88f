"""What differs between two policies, in words."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from agents.models import Agent, Team, Workspace
from routing.rulebook import ACKNOWLEDGE_WITHIN, format_duration, in_words
from routing.rulebook.words import manner_in_words, target_in_words, when_in_words

Document = dict[str, Any]


class ChangeKind(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: what it is about, and the words before and after (empty where there is none)."""

    kind: ChangeKind
    about: str
    before: str = ""
    after: str = ""

    @property
    def spans(self) -> tuple[list[Span], list[Span]]:
        """Before and after, cut where they differ."""
        return changed_words(self.before, self.after)


class Span(NamedTuple):
    """A piece of a sentence, and whether it stands only on this side of a change."""

    text: str
    is_changed: bool


def changed_words(before: str, after: str) -> tuple[list[Span], list[Span]]:
    """Both sentences cut where they differ, by whole words."""
    old, new = (re.findall(r"\w+|\W", text) for text in (before, after))
    sides: tuple[list[Span], list[Span]] = ([], [])
    for tag, old_from, old_to, new_from, new_to in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        for side, text in ((sides[0], "".join(old[old_from:old_to])), (sides[1], "".join(new[new_from:new_to]))):
            if text:
                side.append(Span(text, tag != "equal"))
    return sides


def policy_changes(old: Document, new: Document, *, names: Mapping[str, str] | None = None) -> list[Change]:
    """What leads from one normal-form document to the other, settings first, then rules in the new order.

    `names` as `target_names` has them.
    """
    return [*_settings(old, new), *_scoring(old["scoring"], new["scoring"]), *_rules(old, new, names or {})]


def rule_states(old: Document, new: Document) -> dict[str, ChangeKind | None]:
    """For each rule of the new document by name, how it differs from the old; None where it does not."""
    before = {rule["name"]: rule for rule in old["rules"]}
    moved = _moved([rule["name"] for rule in old["rules"]], [rule["name"] for rule in new["rules"]])
    states: dict[str, ChangeKind | None] = {}
    for rule in new["rules"]:
        name = rule["name"]
        if name not in before:
            states[name] = ChangeKind.ADDED
        elif before[name] != rule:
            states[name] = ChangeKind.CHANGED
        else:
            states[name] = ChangeKind.MOVED if name in moved else None
    return states


def target_names(workspace: Workspace) -> dict[str, str]:
    """The names of a workspace's teams and agents, by `team:SLUG` and `agent:SLUG`."""
    teams = Team.objects.for_workspace(workspace).values_list("slug", "name")
    agents = Agent.objects.for_workspace(workspace).values_list("slug", "name")
    return {**{f"team:{slug}": name for slug, name in teams}, **{f"agent:{slug}": name for slug, name in agents}}


class RuleWords(NamedTuple):
    """A rule in the parts that people read: when it holds, to whom it sends a lead, how, and what is promised."""

    when: str
    target: str
    manner: str
    sla: str


def rule_parts(rule: Document, names: Mapping[str, str] | None = None) -> RuleWords:
    """The parts of a rule in words. `names` as `target_names` has them."""
    target, sla = _target_name(rule, names), rule.get("sla")
    return RuleWords(
        when_in_words(rule.get("when")),
        target_in_words(rule["route"], target=target),
        manner_in_words(rule["route"]),
        _sla_in_words(sla) if sla else "",
    )


def rule_in_words(rule: Document, names: Mapping[str, str] | None = None) -> str:
    """The whole rule as one sentence, with its promise and whether it is switched off."""
    sentence = in_words(rule, target=_target_name(rule, names))
    if sla := rule.get("sla"):
        sentence += "; " + _sla_in_words(sla)
    return _("Off: %(rule)s") % {"rule": sentence} if rule.get("active") is False else sentence


def _target_name(rule: Document, names: Mapping[str, str] | None) -> str | None:
    to = rule["route"]["to"]
    return None if to == "queue" else (names or {}).get(":".join(next(iter(to.items()))))


def _sla_in_words(sla: Mapping[str, Any]) -> str:
    parts = []
    if "respond_within" in sla:
        parts.append(_("answer within %(time)s") % {"time": format_duration(sla["respond_within"])})
    if "remind_at" in sla:
        shares = [one if isinstance(one, str) else f"{one}%" for one in sla["remind_at"]]
        parts.append(_("remind at %(shares)s") % {"shares": ", ".join(shares)})
    if "reroute_after" in sla:
        parts.append(
            _("to somebody else after %(time)s, at most %(times)s times")
            % {"time": format_duration(sla["reroute_after"]), "times": sla.get("max_reroutes", 3)}
        )
    if "escalate_after" in sla:
        parts.append(_("tell the manager after %(time)s") % {"time": format_duration(sla["escalate_after"])})
    if sla.get("clock") == "covered":
        parts.append(_("in covered hours"))
    return ", ".join(parts)


def _settings(old: Document, new: Document) -> list[Change]:
    returning = {"same_agent": _("the agent they had"), "rotate": _("whoever's turn it is")}
    said = [
        (_("Returning contacts go to"), lambda d: returning.get(d["returning"], d["returning"])),
        (_("Join window"), lambda d: format_duration(d["join_window"]) if d["join_window"] else _("never")),
        (_("Hot from"), lambda d: str(d["intent"]["hot"])),
        (_("Warm from"), lambda d: str(d["intent"]["warm"])),
        (_("Promise where a rule has none"), lambda d: _sla_in_words(d["sla"]) if "sla" in d else _("none")),
        (
            _("On call, acknowledged within"),
            lambda d: format_duration(d.get("acknowledge_within", ACKNOWLEDGE_WITHIN)),
        ),
    ]
    return [Change(ChangeKind.CHANGED, about, read(old), read(new)) for about, read in said if read(old) != read(new)]


def _scoring(old: Sequence[Document], new: Sequence[Document]) -> list[Change]:
    """Scoring rules have neither names nor an order that matters: they come and go as wholes."""
    gone, come = list(old), []
    for rule in new:
        if rule in gone:
            gone.remove(rule)
        else:
            come.append(rule)
    return [
        *(Change(ChangeKind.REMOVED, _("Scoring"), before=scoring_in_words(rule)) for rule in gone),
        *(Change(ChangeKind.ADDED, _("Scoring"), after=scoring_in_words(rule)) for rule in come),
    ]


def scoring_in_words(rule: Document) -> str:
    points = f"{rule['points']:+d}"
    return _("%(when)s: %(points)s points") % {"when": when_in_words(rule.get("when")), "points": points}


def _rules(old: Document, new: Document, names: Mapping[str, str]) -> list[Change]:
    before = {rule["name"]: rule for rule in old["rules"]}
    after = {rule["name"] for rule in new["rules"]}
    places_before = {name: place for place, name in enumerate(before, start=1)}
    changes = [
        Change(ChangeKind.REMOVED, name, before=rule_in_words(rule, names))
        for name, rule in before.items()
        if name not in after
    ]
    states = rule_states(old, new)
    for place, rule in enumerate(new["rules"], start=1):
        name = rule["name"]
        match states[name]:
            case ChangeKind.ADDED:
                changes.append(Change(ChangeKind.ADDED, name, after=rule_in_words(rule, names)))
            case ChangeKind.CHANGED:
                words = rule_in_words(before[name], names), rule_in_words(rule, names)
                changes.append(Change(ChangeKind.CHANGED, name, *words))
            case ChangeKind.MOVED:
                places = (
                    _("place %(number)d") % {"number": places_before[name]},
                    _("place %(number)d") % {"number": place},
                )
                changes.append(Change(ChangeKind.MOVED, name, *places))
    return changes


def _moved(old: Sequence[str], new: Sequence[str]) -> frozenset[str]:
    """Who left the old order: all but the longest run of names that kept it."""
    place = {name: number for number, name in enumerate(old)}
    kept = [name for name in new if name in place]
    ends: list[int] = []  # ends[k]: the least place that a run of k + 1 names can end with
    ending: list[int] = []  # whose place that is, in `kept`
    before: list[int] = []
    for here, name in enumerate(kept):
        length = bisect_left(ends, place[name])
        before.append(ending[length - 1] if length else -1)
        if length == len(ends):
            ends.append(place[name])
            ending.append(here)
        else:
            ends[length], ending[length] = place[name], here
    stayed = set()
    here = ending[-1] if ending else -1
    while here >= 0:
        stayed.add(kept[here])
        here = before[here]
    return frozenset(kept) - stayed
