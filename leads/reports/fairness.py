"""Fairness: what the ledgers owed people and what they got, and why people did not get leads.

Read from stored decisions: what was due is what their turns gave, whoever's rules changed since. Turns that were given
back count for nobody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from leads.reports import charts, decisions, turns
from leads.reports.filters import Filters
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
from leads.reports.turns import Looked, Seat, Standing, Turns
from leads.speed.turn_columns import PARTS
from leads.templatetags.reports import count
from leads.watchdog import FALLBACK_SHARE
from routing.engine import U

# Above these shares of all decisions somebody should look.
ALARMS = {"fallback": FALLBACK_SHARE, "held": 0.25, "queued": 0.5}
_LINES = 4


def build(scope: Scope, filters: Filters) -> Report:
    names = Names(scope.workspace)
    everything = _load(scope, filters)
    whole = everything.having(turns.words_of(filters))
    asked = dict(filters.narrowed)
    outcomes, looked_at, gave = whole.outcomes(), whole.looked_at(), whole.turns()
    shares = _shares_of(whole, filters)
    before = None
    if filters.compare:
        then = _load(scope, filters.before()).having(turns.words_of(filters))
        before = _figures(then.outcomes(), then.turns(), _shares_of(then, filters), filters)
    wanted = None
    if "agent" in asked:
        wanted = {asked["agent"]}
    elif "team" in asked:
        wanted = {seat.agent for seat, _standing in shares}
    shown = _shown_ledger(shares)
    # How leads were decided is nobody's and no team's: where it is asked for one of these, it is not said.
    is_everybodys = not {"team", "agent"} & asked.keys()
    panels = [
        _shares(shares, gave, names, scope, filters),
        *([_deviation(shown, whole, dict(shares), names, scope, filters)] if shown is not None else []),
        _eligible(looked_at, names, wanted, scope, filters),
        _missed(looked_at, names, wanted, scope, filters),
        *([_outcomes(outcomes, scope, filters)] if is_everybodys else []),
    ]
    return Report(
        title=_("Fairness"),
        tiles=_tiles(_figures(outcomes, gave, shares, filters), before, scope, filters),
        panels=panels if looked_at or outcomes else [],
        filters=filters,
        at=scope.at,
        options={name: everything.used(name) for name in PARTS},
        empty=_("Nothing was decided in this period. Choose a longer one."),
    )


def _load(scope: Scope, filters: Filters) -> Turns:
    return turns.load(workspace_id=scope.workspace.pk, start=filters.start, end=filters.end, at=scope.at)


_Shares = Sequence[tuple[Seat, Standing]]


def _shares_of(found: Turns, filters: Filters) -> _Shares:
    """Who was due what and got what, of the ledgers and the people that are asked for."""
    asked = dict(filters.narrowed)
    return [
        (seat, standing)
        for seat, standing in sorted(found.standings().items())
        if asked.get("team", seat.ledger) == seat.ledger and asked.get("agent", seat.agent) == seat.agent
    ]


@dataclass(frozen=True, slots=True)
class _Figures:
    """What the tiles say, and are compared by."""

    decided: int
    turns: int
    due: float
    got: int
    could: int
    worst: float | None
    parts: dict[str, float | None]
    outcomes: Mapping[str, int]


def _figures(outcomes: Mapping[str, int], gave: Mapping[int, int], shares: _Shares, filters: Filters) -> _Figures:
    decided, asked = sum(outcomes.values()), dict(filters.narrowed)
    return _Figures(
        decided=decided,
        turns=sum(number for ledger, number in gave.items() if asked.get("team", ledger) == ledger),
        due=round(sum(of.due for _seat, of in shares) / U, 2),
        got=sum(of.got for _seat, of in shares),
        could=sum(of.could for _seat, of in shares),
        worst=max((abs(of.difference) for _seat, of in shares), default=None),
        parts={outcome: share_of(outcomes.get(outcome, 0), decided) for outcome in ALARMS},
        outcomes=outcomes,
    )


def _shown_ledger(shares: _Shares) -> int | None:
    """The one whose course is drawn: where somebody is furthest from their share."""
    if not shares:
        return None
    return max(shares, key=lambda each: (abs(each[1].difference), each[0]))[0].ledger


def _tiles(now: _Figures, before: _Figures | None, scope: Scope, filters: Filters) -> list[Any]:
    asked, link = dict(filters.narrowed), scope.link_to_decisions
    was = before or now
    common: dict[str, Any] = {"compares": before is not None}
    of_team = {"ledger": asked["team"]} if "team" in asked else {}
    if "agent" in asked:
        to_whom = (_("Turns due to you"), _("Turns you got")) if scope.agent else (_("Turns due"), _("Turns got"))
        differences = round(now.got - now.due, 2), round(was.got - was.due, 2)
        due: dict[str, Any] = {"link": link(filters, "due", **of_team), "behind": now.could, **common}
        return [
            tile(to_whom[0], NUMBER, now.due, was.due, **due),
            tile(to_whom[1], COUNT, now.got, was.got, link=link(filters, "got", **of_team), **common),
            tile(_("Difference"), NUMBER, *differences, **due),
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
                less_is_better=True, link=link(filters, "decided", outcome=outcome),
                behind=now.outcomes.get(outcome, 0), **common,
            )
        )  # fmt: skip
    return found


def _shares(shares: _Shares, gave: Mapping[int, int], names: Names, scope: Scope, filters: Filters) -> Panel:
    rows = []
    for seat, of in sorted(shares, key=lambda each: (-abs(each[1].difference), each[0])):
        theirs = filters.only(agent=seat.agent)
        got = scope.link_to_decisions(theirs, "got", ledger=seat.ledger)
        due = scope.link_to_decisions(theirs, "due", ledger=seat.ledger)
        cells = [
            Cell(decisions.ledger_name(seat.ledger, names), TEXT),
            Cell(round(of.due / U, 2), NUMBER, due, behind=of.could),
            Cell(of.got, COUNT, got),
            Cell(round(of.difference, 2), NUMBER, due, is_bad=abs(of.difference) >= 3, behind=of.could),
            Cell(share_of(of.got, gave[seat.ledger]), SHARE, got, behind=of.got),
        ]
        rows.append(Row(names.of("agent", seat.agent), cells))
    columns = [_("Agent"), _("Team"), _("Due"), _("Received"), _("Difference"), _("Of the team's turns")]
    note = _(
        "In leads. Only who could take a lead was due a part of it; above zero somebody had more than their part. What"
        " was due leads to the decisions that gave a part, each with how much."
    )
    table = Table(columns, rows, empty=_("Nothing went by turns in this period."))
    return Panel("shares", _("Due and received"), table, note=note, is_wide=True)


def _deviation(
    ledger: int, found: Turns, shares: Mapping[Seat, Standing], names: Names, scope: Scope, filters: Filters
) -> Panel:
    is_part = bool(turns.words_of(filters))
    days, standing = found.course(ledger)
    course = {
        agent: [round(number, 3) for number in of]
        for agent, of in sorted(standing.items())
        if Seat(ledger, agent) in shares
    }
    labels = [date_format(day, "j M") for day in days]
    drawn = sorted(course, key=lambda agent: -max(map(abs, course[agent])))
    styles = ("first", "second", "third", "fourth")
    lines = [
        (
            names.of("agent", agent) if place < _LINES else "",
            styles[place] if place < _LINES else "other",
            [0.0, *course[agent]],
        )
        for place, agent in enumerate(drawn)
    ]
    is_bound = not is_part and found.is_bound(ledger)
    chart = charts.linear_trend(
        _("Distance from the share of turns"),
        _("Leads received less leads due, at the end of each day, of each member of %s.")
        % decisions.ledger_name(ledger, names),
        [_("start"), *labels],
        lines,
        band=1.0 if is_bound else None,
    )
    rows = [
        Row(
            names.of("agent", agent),
            [Cell(number, NUMBER, link, behind=could) for number in (max(of), min(of), of[-1])],
        )
        for agent in drawn
        for of in [course[agent]]
        for could in [shares[Seat(ledger, agent)].could]
        for link in [scope.link_to_decisions(filters.only(agent=agent), "due", ledger=ledger)]
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
    note = _("%s Highest, lowest and now are distances; they lead to the turns that they are figured from.") % note
    columns = [_("Agent"), _("Highest"), _("Lowest"), _("Now")]
    title = _("Distance from the share, %s") % decisions.ledger_name(ledger, names)
    return Panel("deviation", title, Table(columns, rows), chart, note=note, is_wide=True)


def _eligible(
    found: Mapping[int, Looked], names: Names, wanted: set[int] | None, scope: Scope, filters: Filters
) -> Panel:
    rows = []
    for agent, of in sorted(found.items(), key=lambda each: (-each[1].asked, each[0])):
        if wanted is not None and agent not in wanted:
            continue
        theirs = filters.only(agent=agent)
        could = of.asked - sum(of.missed.values())
        rows.append(
            Row(
                names.of("agent", agent),
                [
                    Cell(of.asked, COUNT, scope.link_to_decisions(theirs, "asked")),
                    Cell(could, COUNT, scope.link_to_decisions(theirs, "could")),
                    Cell(share_of(could, of.asked), SHARE, scope.link_to_decisions(theirs, "could"), behind=could),
                    *counted(of.taken, could, scope.link_to_decisions(theirs, "taken")),
                    Cell(of.otherwise, COUNT, scope.link_to_decisions(theirs, "otherwise")),
                ],
            )
        )
    columns = [_("Agent"), _("Looked at"), _("Could take"), _("Share"), _("Got"), _("Of those"), _("Otherwise")]
    note = _(
        "How often somebody was looked at for a lead, could take it, and got it. Otherwise: by hand, or as the fallback"
        " agent."
    )
    return Panel("eligible", _("Share of leads by eligibility"), Table(columns, rows), note=_of_teams(note, filters))


def _missed(
    found: Mapping[int, Looked], names: Names, wanted: set[int] | None, scope: Scope, filters: Filters
) -> Panel:
    rows = []
    missed = {agent: of.missed for agent, of in found.items() if of.missed}
    for agent, reasons in sorted(missed.items(), key=lambda each: (-sum(each[1].values()), each[0])):
        if wanted is not None and agent not in wanted:
            continue
        theirs = filters.only(agent=agent)
        said = [
            (
                f"{count(number)} {decisions.REASONS.get(reason, reason)}",
                scope.link_to_decisions(theirs, "missed", reason=reason),
            )
            for reason, number in sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
        ]
        cells = [
            Cell(sum(reasons.values()), COUNT, scope.link_to_decisions(theirs, "missed")),
            Cell(", ".join(words for words, _link in said), TEXT, parts=said),
        ]
        rows.append(Row(names.of("agent", agent), cells))
    table = Table([_("Agent"), _("Missed"), _("Because of")], rows, empty=_("Nobody missed a lead."))
    note = _("How often somebody was looked at for a lead and could not take it, by the first reason.")
    return Panel("missed", _("Why people missed leads"), table, note=_of_teams(note, filters))


def _of_teams(note: str, filters: Filters) -> str:
    """Verdicts are counted by agent alone."""
    return f"{note} {_('Over all of their teams.')}" if "team" in dict(filters.narrowed) else note


def _outcomes(outcomes: Mapping[str, int], scope: Scope, filters: Filters) -> Panel:
    decided = sum(outcomes.values())
    labels = {
        "assigned": _("Assigned"), "fallback": _("To the fallback agent"), "held": _("Held"), "queued": _("Queued"),
    }  # fmt: skip
    rows = []
    for outcome, label in labels.items():
        number = outcomes.get(outcome, 0)
        level = ALARMS.get(outcome)
        leads, part = counted(number, decided, scope.link_to_decisions(filters, "decided", outcome=outcome))
        is_high = level is not None and part.value is not None and part.value > level
        rows.append(Row(label, [leads, replace(part, is_bad=is_high), Cell(level, SHARE)]))
    note = _(
        "As leads were first decided; held ones may have been given to somebody since. The alarms are levels above"
        " which somebody should look, not numbers of leads."
    )
    return Panel(
        "outcomes",
        _("How leads were decided"),
        Table([_("Outcome"), _("Leads"), _("Share"), _("Alarm above")], rows),
        note=note,
    )
