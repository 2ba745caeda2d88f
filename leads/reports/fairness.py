"""Fairness: what the ledgers owed people and what they got, and why people did not get leads.

Read from stored decisions: what was due is what their turns gave, whoever's rules changed since. Turns that were given
back count for nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from leads.reports import charts, turns
from leads.reports.filters import Filters
from leads.reports.frame import load
from leads.reports.names import Names
from leads.reports.page import (
    COUNT,
    NUMBER,
    SHARE,
    TEXT,
    Cell,
    Panel,
    Report,
    Row,
    Scope,
    Table,
    counted,
    share_of,
    tile,
)
from leads.speed import turn_sums
from leads.speed.turn_sums import PARTS
from leads.templatetags.reports import count
from leads.watchdog import FALLBACK_SHARE
from routing.engine import U

# Above these shares of all decisions somebody should look.
ALARMS = {"fallback": FALLBACK_SHARE, "held": 0.25, "queued": 0.5}
_LINES = 4


def build(scope: Scope, filters: Filters) -> Report:
    names = Names(scope.workspace)
    by_day = _by_day(scope, filters)
    whole = turn_sums.join(sums for _day, sums in by_day)
    asked = dict(filters.narrowed)
    ledgers, shares = _standing(whole, filters)
    before = None
    if filters.compare:
        then = turn_sums.join(sums for _day, sums in _by_day(scope, filters.before()))
        before = _figures(then, *_standing(then, filters))
    wanted = None
    if "agent" in asked:
        wanted = {str(asked["agent"])}
    elif "team" in asked:
        wanted = {agent for _ledger, agent, _due, _got in shares}
    shown = _shown_ledger(ledgers, shares)
    is_part = bool(turns.words_of(filters))
    # How leads were decided is nobody's and no team's: where it is asked for one of these, it is not said.
    is_everybodys = not {"team", "agent"} & asked.keys()
    panels = [
        _shares(shares, ledgers, names, scope, filters),
        *([_deviation(shown, ledgers[shown], by_day, names, wanted, is_part=is_part)] if shown is not None else []),
        _eligible(whole, names, wanted, scope, filters),
        _missed(whole, names, wanted, scope, filters),
        *([_outcomes(whole, scope, filters)] if is_everybodys else []),
    ]
    words = load(workspace_id=scope.workspace.pk, start=filters.start, end=filters.end, names=PARTS).words
    return Report(
        title=_("Fairness"),
        tiles=_tiles(_figures(whole, ledgers, shares), before, scope, filters),
        panels=panels if whole["asked"] or whole["outcomes"] else [],
        filters=filters,
        at=scope.at,
        options={name: words[name] for name in PARTS},
        empty=_("Nothing was decided in this period. Choose a longer one."),
    )


def _by_day(scope: Scope, filters: Filters) -> list[tuple[date, dict[str, Any]]]:
    words = turns.words_of(filters)
    found = turns.load(
        workspace_id=scope.workspace.pk, start=filters.start, end=filters.end, at=scope.at, words=words
    )  # fmt: skip
    return list(found)


_Share = tuple[str, str, float, int]


def _standing(whole: dict[str, Any], filters: Filters) -> tuple[dict[str, Any], list[_Share]]:
    """The ledgers that are asked for; and (ledger, agent, due, got) in leads, of whom is asked for."""
    asked = dict(filters.narrowed)
    ledgers = {
        name: sums for name, sums in whole["ledgers"].items() if "team" not in asked or name == str(asked["team"])
    }
    shares = [
        (name, agent, sums["due"].get(agent, 0) / U, sums["got"].get(agent, 0))
        for name, sums in ledgers.items()
        for agent in sorted({*sums["due"], *sums["got"]}, key=int)
        if "agent" not in asked or agent == str(asked["agent"])
    ]
    return ledgers, shares


@dataclass(frozen=True, slots=True)
class _Figures:
    """What the tiles say, and are compared by."""

    decided: int
    turns: int
    due: float
    got: int
    worst: float | None
    parts: dict[str, float | None]


def _figures(whole: dict[str, Any], ledgers: dict[str, Any], shares: Sequence[_Share]) -> _Figures:
    decided = sum(whole["outcomes"].values())
    return _Figures(
        decided=decided,
        turns=sum(sums["turns"] for sums in ledgers.values()),
        due=round(sum(due for _l, _a, due, _got in shares), 2),
        got=sum(got for _l, _a, _due, got in shares),
        worst=max((abs(got - due) for _l, _a, due, got in shares), default=None),
        parts={outcome: share_of(whole["outcomes"].get(outcome, 0), decided) for outcome in ALARMS},
    )


def _shown_ledger(ledgers: dict[str, Any], shares: Sequence[tuple[str, str, float, int]]) -> str | None:
    """The one whose course is drawn: where somebody is furthest from their share."""
    if not shares:
        return None
    return max(shares, key=lambda each: (abs(each[3] - each[2]), each[0]))[0]


def _tiles(now: _Figures, before: _Figures | None, scope: Scope, filters: Filters) -> list[Any]:
    asked, link = dict(filters.narrowed), scope.link_to_decisions
    was = before or now
    common: dict[str, Any] = {"compares": before is not None}
    of_team = {"ledger": asked["team"]} if "team" in asked else {}
    if "agent" in asked:
        to_whom = (_("Turns due to you"), _("Turns you got")) if scope.agent else (_("Turns due"), _("Turns got"))
        differences = round(now.got - now.due, 2), round(was.got - was.due, 2)
        return [
            tile(to_whom[0], NUMBER, now.due, was.due, **common),
            tile(to_whom[1], COUNT, now.got, was.got, link=link(filters, "got", **of_team), **common),
            tile(_("Difference"), NUMBER, *differences, **common),
        ]
    found = [
        tile(_("By turns"), COUNT, now.turns, was.turns, link=link(filters, "turns", **of_team), **common),
        tile(
            _("Furthest from a share"),
            NUMBER,
            now.worst,
            was.worst,
            hint=_("leads, of anybody"),
            link="#shares",
            **common,
        ),
    ]
    if "team" in asked:
        return found
    found.insert(0, tile(_("Leads decided"), COUNT, now.decided, was.decided, link=link(filters, "decided"), **common))
    for outcome, label in (("fallback", _("To the fallback")), ("held", _("Held")), ("queued", _("Queued"))):
        part, level = now.parts[outcome], ALARMS[outcome]
        is_high = part is not None and part > level
        hint = _("above the alarm of %d %%") if is_high else _("alarm above %d %%")
        found.append(
            tile(
                label, SHARE, part, was.parts[outcome], hint=hint % round(level * 100), is_bad=is_high,
                less_is_better=True, link=link(filters, "decided", outcome=outcome), **common,
            )
        )  # fmt: skip
    return found


def _shares(
    shares: Sequence[tuple[str, str, float, int]], ledgers: dict[str, Any], names: Names, scope: Scope, filters: Filters
) -> Panel:
    rows = [
        Row(
            names.of("agent", int(agent)),
            [
                Cell(turns.ledger_name(name, names), TEXT),
                Cell(round(due, 2), NUMBER),
                Cell(got, COUNT, behind),
                Cell(round(got - due, 2), NUMBER, is_bad=abs(got - due) >= 3),
                Cell(share_of(got, ledgers[name]["turns"]), SHARE, behind, behind=got),
            ],
        )
        for name, agent, due, got in sorted(shares, key=lambda each: (-abs(each[3] - each[2]), each[0], int(each[1])))
        for behind in [scope.link_to_decisions(filters.only(agent=int(agent)), "got", ledger=name)]
    ]
    columns = [_("Agent"), _("Team"), _("Due"), _("Received"), _("Difference"), _("Of the team's turns")]
    note = _("In leads. Only who could take a lead was due a part of it; above zero somebody had more than their part.")
    table = Table(columns, rows, empty=_("Nothing went by turns in this period."))
    return Panel("shares", _("Due and received"), table, note=note, is_wide=True)


def _deviation(
    ledger: str, sums: dict[str, Any], by_day: Sequence[tuple[date, dict[str, Any]]], names: Names, wanted: Any,
    *, is_part: bool,
) -> Panel:  # fmt: skip
    course: dict[str, list[float]] = {}
    standing: dict[str, float] = {}
    labels = []
    people = sorted({*sums["due"], *sums["got"]}, key=int)
    for day, of in by_day:
        here = of.get("ledgers", {}).get(ledger)
        if here is not None:
            for agent in {*here["due"], *here["got"]}:
                change = here["got"].get(agent, 0) - here["due"].get(agent, 0) / U
                standing[agent] = standing.get(agent, 0.0) + change
        labels.append(date_format(day, "j M"))
        for agent in people:
            course.setdefault(agent, []).append(round(standing.get(agent, 0.0), 3))
    drawn = [agent for agent in people if wanted is None or agent in wanted]
    drawn.sort(key=lambda agent: -max(map(abs, course[agent])))
    styles = ("first", "second", "third", "fourth")
    lines = [
        (
            names.of("agent", int(agent)) if place < _LINES else "",
            styles[place] if place < _LINES else "other",
            [0.0, *course[agent]],
        )
        for place, agent in enumerate(drawn)
    ]
    is_bound = sums["even"] and sums["takers"] is not None and not is_part
    chart = charts.linear_trend(
        _("Distance from the share of turns"),
        _("Leads received less leads due, at the end of each day, of each member of %s.")
        % turns.ledger_name(ledger, names),
        [_("start"), *labels],
        lines,
        band=1.0 if is_bound else None,
    )
    rows = [
        Row(
            names.of("agent", int(agent)),
            [Cell(max(course[agent]), NUMBER), Cell(min(course[agent]), NUMBER), Cell(course[agent][-1], NUMBER)],
        )
        for agent in drawn
    ]
    if is_bound:
        note = _(
            "The ledger started even and the same people could take every lead, so everybody stays less than one lead"
            " from their share: the band."
        )
    elif is_part:
        note = _(
            "No bound is drawn: these are a part of the leads, and turns come out even over all of a team's. Who had"
            " less of these may have had more of the others."
        )
    else:
        note = _(
            "No bound is drawn: the ledger did not start even here, or not the same people could take every lead. No"
            " rule has a constant bound then; random teams of 10 to 12 had a median worst distance of 1.5 leads, at"
            " most 2.1."
        )
    columns = [_("Agent"), _("Highest"), _("Lowest"), _("Now")]
    title = _("Distance from the share, %s") % turns.ledger_name(ledger, names)
    return Panel("deviation", title, Table(columns, rows), chart, note=note, is_wide=True)


def _eligible(whole: dict[str, Any], names: Names, wanted: set[str] | None, scope: Scope, filters: Filters) -> Panel:
    rows = []
    people = {*whole["asked"], *whole["otherwise"]}
    for agent in sorted(people, key=lambda agent: (-whole["asked"].get(agent, 0), int(agent))):
        if wanted is not None and agent not in wanted:
            continue
        theirs = filters.only(agent=int(agent))
        looked_at = whole["asked"].get(agent, 0)
        could = looked_at - sum(whole["missed"].get(agent, {}).values())
        taken, otherwise = whole["taken"].get(agent, 0), whole["otherwise"].get(agent, 0)
        rows.append(
            Row(
                names.of("agent", int(agent)),
                [
                    Cell(looked_at, COUNT, scope.link_to_decisions(theirs, "asked")),
                    Cell(could, COUNT, scope.link_to_decisions(theirs, "could")),
                    Cell(share_of(could, looked_at), SHARE, scope.link_to_decisions(theirs, "could"), behind=could),
                    *counted(taken, could, scope.link_to_decisions(theirs, "taken")),
                    Cell(otherwise, COUNT, scope.link_to_decisions(theirs, "otherwise")),
                ],
            )
        )
    columns = [_("Agent"), _("Looked at"), _("Could take"), _("Share"), _("Got"), _("Of those"), _("Otherwise")]
    note = _(
        "How often somebody was looked at for a lead, could take it, and got it. Otherwise: by hand, or as the fallback"
        " agent."
    )
    return Panel("eligible", _("Share of leads by eligibility"), Table(columns, rows), note=_of_teams(note, filters))


def _missed(whole: dict[str, Any], names: Names, wanted: set[str] | None, scope: Scope, filters: Filters) -> Panel:
    rows = []
    for agent, reasons in sorted(whole["missed"].items(), key=lambda item: (-sum(item[1].values()), int(item[0]))):
        if wanted is not None and agent not in wanted:
            continue
        theirs = filters.only(agent=int(agent))
        said = [
            (
                f"{count(number)} {turns.REASONS.get(reason, reason)}",
                scope.link_to_decisions(theirs, "missed", reason=reason),
            )
            for reason, number in sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
        ]
        cells = [
            Cell(sum(reasons.values()), COUNT, scope.link_to_decisions(theirs, "missed")),
            Cell(", ".join(words for words, _link in said), TEXT, parts=said),
        ]
        rows.append(Row(names.of("agent", int(agent)), cells))
    table = Table([_("Agent"), _("Missed"), _("Because of")], rows, empty=_("Nobody missed a lead."))
    note = _("How often somebody was looked at for a lead and could not take it, by the first reason.")
    return Panel("missed", _("Why people missed leads"), table, note=_of_teams(note, filters))


def _of_teams(note: str, filters: Filters) -> str:
    """Verdicts are counted by agent alone."""
    return f"{note} {_('Over all of their teams.')}" if "team" in dict(filters.narrowed) else note


def _outcomes(whole: dict[str, Any], scope: Scope, filters: Filters) -> Panel:
    decided = sum(whole["outcomes"].values())
    labels = {
        "assigned": _("Assigned"), "fallback": _("To the fallback agent"), "held": _("Held"), "queued": _("Queued"),
    }  # fmt: skip
    rows = []
    for outcome, label in labels.items():
        number = whole["outcomes"].get(outcome, 0)
        level = ALARMS.get(outcome)
        leads, part = counted(number, decided, scope.link_to_decisions(filters, "decided", outcome=outcome))
        is_high = level is not None and part.value is not None and part.value > level
        rows.append(Row(label, [leads, replace(part, is_bad=is_high), Cell(level, SHARE)]))
    note = _("As leads were first decided; held ones may have been given to somebody since.")
    return Panel(
        "outcomes",
        _("How leads were decided"),
        Table([_("Outcome"), _("Leads"), _("Share"), _("Alarm above")], rows),
        note=note,
    )
