"""A rule as it stands in its form, looked at before it is saved: its sentence, and what is remarkable about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from agents.models import Workspace
from routing.covered_promises import never_due
from routing.forms.rules import RuleForm
from routing.lint import Remark, Weight, lint
from routing.policy_changes import RuleWords, rule_parts
from routing.publishing import draft_document
from routing.trying import roster_now

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Advice:
    """A remark; `above` is the id of the rule that this one had better stand above, where that is the remedy."""

    remark: Remark
    above: int | None


@dataclass(frozen=True, slots=True)
class Look:
    """`document` is the whole draft with the rule in its place; None, as the words, where the rule is not sound."""

    words: RuleWords | None = None
    advice: tuple[Advice, ...] = ()
    document: Document | None = None
    number: int = 0


def lint_of(document: Document, workspace: Workspace, *, only: int | None = None) -> list[Remark]:
    return lint(document, roster_now(workspace).spec, city_known=bool(settings.GEOIP_CITY_DB), only=only)


def remarks_on(document: Document, workspace: Workspace, *, at: datetime, only: int | None = None) -> list[Remark]:
    """What is remarkable about each rule of a document (or the one at this place), by today's roster and this
    installation's data."""
    remarks = lint_of(document, workspace, only=only)
    looked_at = document if only is None else {**document, "rules": [document["rules"][only]]}
    without_hours = never_due(workspace=workspace, document=looked_at, at=at)
    text = _(
        "Its promise never falls due: it counts covered hours, and nobody of them has a regular shift within 366 days."
    )
    remarks += [
        Remark(place, Weight.WRONG, text)
        for place, rule in enumerate(document["rules"])
        if rule["name"] in without_hours and only in (None, place)
    ]
    return remarks


def names_on_roster(workspace: Workspace) -> dict[str, str]:
    """The names of teams and agents as `routing.policy_changes.target_names` has them, without a statement."""
    roster = roster_now(workspace).spec
    names = {f"team:{team.slug}": team.name or team.slug for team in roster.teams.values()}
    return names | {f"agent:{agent.slug}": agent.name or agent.slug for agent in roster.agents.values()}


def look_at(form: RuleForm, workspace: Workspace, *, at: datetime) -> Look:
    """The rule of a form, bound or not. One that is added is looked at once something is said about it."""
    if form.errors or (form.instance._state.adding and not form.is_bound):
        return Look()
    document, place, ids = _draft_with(form, workspace)
    own = remarks_on(document, workspace, at=at, only=place)
    return Look(
        words=rule_parts(document["rules"][place], names_on_roster(workspace)),
        advice=tuple(Advice(remark, None if remark.above is None else ids[remark.above]) for remark in own),
        document=document,
        number=place + 1,
    )


def _draft_with(form: RuleForm, workspace: Workspace) -> tuple[Document, int, list[int | None]]:
    """The draft as it would be with this rule saved, the rule's place in it, and the ids of all rules."""
    document = draft_document(workspace)
    ids: list[int | None] = [*form.ids]
    rules = document["rules"]
    own = ids.index(form.instance.pk) if form.instance.pk in ids else None
    if own is not None:
        del ids[own], rules[own]
    place = len(ids) if own is None else own
    if form.is_bound:
        place = ids.index(form.above) if form.above in ids else len(ids)
    ids.insert(place, form.instance.pk)
    rules.insert(place, form.instance.document)
    return document, place, ids
