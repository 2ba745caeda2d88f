"""Fairness: what the ledgers owed people and what they got, and why people did not get leads.

Read from stored decisions: what was due is what their turns gave, whoever's rules changed since. Turns that were given
back count for nobody.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

from django.db.models import Q
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from leads.models import Decision, TurnDay
from leads.reports import charts
from leads.reports.filters import Filters
from leads.reports.names import Names
from leads.reports.page import COUNT, NUMBER, SHARE, TEXT, Cell, Panel, Report, Row, Scope, Table, share_of, tile
from leads.speed import days, turn_sums
from leads.speed.days import DAY
from leads.watchdog import FALLBACK_SHARE
from routing.engine import U

# Above these shares of all decisions somebody should look.
ALARMS = {"fallback": FALLBACK_SHARE, "held": 0.25, "queued": 0.5}
REASONS: dict[str, Any] = {
    "off_shift": gettext_lazy("off shift"),
    "paused": gettext_lazy("paused"),
    "time_off": gettext_lazy("time off"),
    "holiday": gettext_lazy("holiday"),
    "at_cap": gettext_lazy("at a cap"),
    "language": gettext_lazy("language"),
    "channel": gettext_lazy("channel"),
    "territory": gettext_lazy("territory"),
    "tags": gettext_lazy("tags"),
    "not_preferred": gettext_lazy("others fitted better"),
    "lower_tier": gettext_lazy("an earlier tier was there"),
    "weight_zero": gettext_lazy("no turns in the team"),
    "already_tried": gettext_lazy("had it before"),
    "inactive": gettext_lazy("inactive"),
}
_LINES = 4


def build(scope: Scope, filters: Filters) -> Report:
    names = Names(scope.workspace)
    by_day = list(load_turns(workspace_id=scope.workspace.pk, start=filters.start, end=filters.end))
    whole = turn_sums.join(sums for _day, sums in by_day)
    asked = dict(filters.narrowed)
    wanted = {str(asked["agent"])} if "agent" in asked else None
    ledgers = {
        name: sums for name, sums in whole["ledgers"].items() if "team" not in asked or name == str(asked["team"])
    }
    shares = _standing(ledgers)
    if wanted is not None:
        shares = [each for each in shares if each[1] in wanted]
    shown = _shown_ledger(ledgers, shares)
    panels = [
        _shares(shares, ledgers, names),
        *([_deviation(shown, ledgers[shown], by_day, names, wanted)] if shown is not None else []),
        _eligible(whole, names, wanted),
        _missed(whole, names, wanted),
        *([] if scope.agent else [_outcomes(whole)]),
    ]
    return Report(
        title=_("Fairness"),
        tiles=_tiles(whole, ledgers, shares, own=scope.agent is not None),
        panels=panels if whole["asked"] or whole["outcomes"] else [],
        filters=filters,
        at=scope.at,
        empty=_("Nothing was decided in this period. Choose a longer one."),
    )


def load_turns(*, workspace_id: int, start: datetime, end: datetime) -> Iterator[tuple[date, dict[str, Any]]]:
    """The sums of the decisions of `[start, end)`, day by day (UTC); the first and the last may be parts of one. Days
    that are not packed are added up from their decisions, by one statement."""
    first, last = days.day_of(start), days.day_of(end - timedelta(microseconds=1))
    stale = days.changed_since_noted(workspace_id)
    rows = TurnDay.objects.filter(workspace_id=workspace_id, day__gte=first, day__lte=last)
    stored = {
        day: sums
        for day, sums in rows.values_list("day", "sums")
        if day not in stale and start <= days.begin_of(day) and days.begin_of(day) + DAY <= end
    }
    found = dict(stored)
    spans, day, since = Q(), first, None
    while day <= last + DAY:
        is_missing = day <= last and day not in stored
        if is_missing and since is None:
            since = day
        elif not is_missing and since is not None:
            spans |= Q(at__gte=max(start, days.begin_of(since)), at__lt=min(end, days.begin_of(day)))
            since = None
        day += DAY
    if spans:
        decisions = Decision.objects.filter(spans, workspace_id=workspace_id).order_by("at", "pk")
        read = decisions.values_list("at", *turn_sums.READ).iterator(chunk_size=2_000)
        for on, of in groupby(read, key=lambda row: days.day_of(row[0])):
            found[on] = turn_sums.add_up(row[1:] for row in of)
    for on in sorted(found):
        yield on, found[on]


def _standing(ledgers: dict[str, Any]) -> list[tuple[str, str, float, int]]:
    """(ledger, agent, due, got) in leads."""
    return [
        (name, agent, sums["due"].get(agent, 0) / U, sums["got"].get(agent, 0))
        for name, sums in ledgers.items()
        for agent in sorted({*sums["due"], *sums["got"]}, key=int)
    ]


def _shown_ledger(ledgers: dict[str, Any], shares: Sequence[tuple[str, str, float, int]]) -> str | None:
    """The one whose course is drawn: where somebody is furthest from their share."""
    if not shares:
        return None
    return max(shares, key=lambda each: (abs(each[3] - each[2]), each[0]))[0]


def _ledger_name(name: str, names: Names) -> str:
    return names.of("team", int(name)) if name not in ("0", "None") else _("On call, all teams")


def _tiles(whole: dict[str, Any], ledgers: dict[str, Any], shares: Sequence[Any], *, own: bool) -> list[Any]:
    worst = max((abs(got - due) for _l, _a, due, got in shares), default=None)
    turns = sum(sums["turns"] for sums in ledgers.values())
    if own:
        due, got = sum(each[2] for each in shares), sum(each[3] for each in shares)
        return [tile(_("Turns due to you"), NUMBER, due), tile(_("Turns you got"), COUNT, got)]
    decided = sum(whole["outcomes"].values())
    found = [
        tile(_("Leads decided"), COUNT, decided),
        tile(_("By turns"), COUNT, turns),
        tile(_("Furthest from a share"), NUMBER, worst, hint=_("leads, of anybody")),
    ]
    for outcome, label in (("fallback", _("To the fallback")), ("held", _("Held")), ("queued", _("Queued"))):
        part = share_of(whole["outcomes"].get(outcome, 0), decided)
        level = ALARMS[outcome]
        is_high = part is not None and part > level
        hint = _("above the alarm of %d %%") if is_high else _("alarm above %d %%")
        found.append(tile(label, SHARE, part, hint=hint % round(level * 100)))
    return found


def _shares(shares: Sequence[tuple[str, str, float, int]], ledgers: dict[str, Any], names: Names) -> Panel:
    rows = [
        Row(
            names.of("agent", int(agent)),
            [
                Cell(_ledger_name(name, names), TEXT),
                Cell(round(due, 2), NUMBER),
                Cell(got),
                Cell(round(got - due, 2), NUMBER, is_bad=abs(got - due) >= 3),
                Cell(share_of(got, ledgers[name]["turns"]), SHARE),
            ],
        )
        for name, agent, due, got in sorted(shares, key=lambda each: (-abs(each[3] - each[2]), each[0], int(each[1])))
    ]
    columns = [_("Agent"), _("Team"), _("Due"), _("Received"), _("Difference"), _("Of the team's turns")]
    note = _("In leads. Only who could take a lead was due a part of it; above zero somebody had more than their part.")
    table = Table(columns, rows, empty=_("Nothing went by turns in this period."))
    return Panel("shares", _("Due and received"), table, note=note, is_wide=True)


def _deviation(
    ledger: str, sums: dict[str, Any], by_day: Sequence[tuple[date, dict[str, Any]]], names: Names, wanted: Any
) -> Panel:
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
            course[agent],
        )
        for place, agent in enumerate(drawn)
    ]
    is_bound = sums["even"] and sums["takers"] is not None
    chart = charts.linear_trend(
        _("Distance from the share of turns"),
        _("Leads received less leads due, at the end of each day, of each member of %s.") % _ledger_name(ledger, names),
        labels,
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
    else:
        note = _(
            "No bound is drawn: the ledger did not start even here, or not the same people could take every lead. No"
            " rule has a constant bound then; random teams of 10 to 12 had a median worst distance of 1.5 leads, at"
            " most 2.1."
        )
    columns = [_("Agent"), _("Highest"), _("Lowest"), _("Now")]
    title = _("Distance from the share, %s") % _ledger_name(ledger, names)
    return Panel("deviation", title, Table(columns, rows), chart, note=note, is_wide=True)


def _eligible(whole: dict[str, Any], names: Names, wanted: Any) -> Panel:
    rows = []
    for agent, looked_at in sorted(whole["asked"].items(), key=lambda item: -item[1]):
        if wanted is not None and agent not in wanted:
            continue
        could = looked_at - sum(whole["missed"].get(agent, {}).values())
        taken = whole["taken"].get(agent, 0)
        rows.append(
            Row(
                names.of("agent", int(agent)),
                [
                    Cell(looked_at),
                    Cell(could),
                    Cell(share_of(could, looked_at), SHARE),
                    Cell(taken),
                    Cell(share_of(taken, could), SHARE),
                ],
            )
        )
    columns = [_("Agent"), _("Looked at"), _("Could take"), _("Share"), _("Got"), _("Of those")]
    note = _("For how many leads somebody was looked at, how many they could take, and how many they got in any way.")
    return Panel("eligible", _("Share of leads by eligibility"), Table(columns, rows), note=note)


def _missed(whole: dict[str, Any], names: Names, wanted: Any) -> Panel:
    rows = []
    for agent, reasons in sorted(whole["missed"].items(), key=lambda item: -sum(item[1].values())):
        if wanted is not None and agent not in wanted:
            continue
        ordered = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
        said = ", ".join(f"{number} {REASONS.get(reason, reason)}" for reason, number in ordered)
        rows.append(Row(names.of("agent", int(agent)), [Cell(sum(reasons.values())), Cell(said, TEXT)]))
    table = Table([_("Agent"), _("Missed"), _("Because of")], rows, empty=_("Nobody missed a lead."))
    note = _("Leads for which somebody was looked at and could not take them, by the first reason.")
    return Panel("missed", _("Why people missed leads"), table, note=note)


def _outcomes(whole: dict[str, Any]) -> Panel:
    decided = sum(whole["outcomes"].values())
    labels = {
        "assigned": _("Assigned"), "fallback": _("To the fallback agent"), "held": _("Held"), "queued": _("Queued"),
    }  # fmt: skip
    rows = []
    for outcome, label in labels.items():
        number = whole["outcomes"].get(outcome, 0)
        part = share_of(number, decided)
        level = ALARMS.get(outcome)
        rows.append(
            Row(
                label,
                [
                    Cell(number),
                    Cell(part, SHARE, is_bad=level is not None and part is not None and part > level),
                    Cell(level, SHARE),
                ],
            )
        )
    note = _("As leads were first decided; held ones may have been given to somebody since.")
    return Panel(
        "outcomes",
        _("How leads were decided"),
        Table([_("Outcome"), _("Leads"), _("Share"), _("Alarm above")], rows),
        note=note,
    )
