"""A wall screen: who is there, who waits, and the last hour, as it is now."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from leads.models import Lead
from leads.reports.figures import overall
from leads.reports.filters import DAY, LONGEST, Filters
from leads.reports.frame import load
from leads.reports.names import Names
from leads.reports.page import COUNT, DURATION, TEXT, Cell, Panel, Report, Row, Scope, Table, tile
from leads.sla.selectors import WAITING, is_overdue, overdue_at
from routing.engine import Roster
from routing.engine.hours import microseconds
from routing.models import Load
from routing.snapshots import snapshot

HOUR = timedelta(hours=1)
_WAITING = 12


def build(scope: Scope, filters: Filters) -> Report:
    workspace, at = scope.workspace, scope.at
    names = Names(workspace)
    roster = snapshot(
        workspace_id=workspace.pk, policy_version=workspace.policy_version, roster_version=workspace.roster_version
    ).roster
    presence = roster.presence(at)
    there = roster.active & ~presence.time_off
    regular, on_call = there & presence.regular & ~presence.holiday, there & presence.on_call
    leads = Lead.objects.for_workspace(workspace)
    late = leads.filter(overdue_at(at)).count()
    waits = leads.filter(WAITING)
    shown = (
        "received_at", "respond_by", "agent_id", "channel", "reference", "status", "unconfirmed_at", "confirmed_at",
    )  # fmt: skip
    waiting = list(waits.order_by("received_at", "pk").only(*shown)[:_WAITING])
    last = load(workspace_id=workspace.pk, start=at - HOUR, end=at, names=("response", "due", "closed", "marks"))
    hour = overall(last.counting(), clock="wall", at=microseconds(at))
    oldest = waiting[0] if waiting else None
    today = at.astimezone(ZoneInfo(filters.zone)).date()
    since = oldest.received_at.astimezone(ZoneInfo(filters.zone)).date() if oldest else today
    ever = replace(filters, first=max(since, today - LONGEST + DAY), last=today)
    lately = replace(filters, first=today - DAY, last=today)
    paused = regular & roster.paused
    people = [
        *_people(roster, regular & ~roster.paused, _("on shift"), names),
        *_people(roster, on_call & ~regular & ~roster.paused, _("on call"), names),
        *_people(roster, paused, _("paused"), names),
    ]
    return Report(
        title=_("Now"),
        tiles=[
            tile(_("Waiting"), COUNT, waits.count(), link=scope.link(ever, "waiting")),
            tile(
                _("Longest wait"),
                DURATION,
                (at - oldest.received_at).total_seconds() if oldest else None,
                link=scope.link_to_lead(oldest, filters) if oldest else "",
            ),
            tile(_("Overdue"), COUNT, late, link=scope.link(ever, "overdue"), is_bad=late > 0),
            tile(_("On shift"), COUNT, (regular & ~roster.paused).bit_count(), link="#there"),
            tile(_("Came in, last hour"), COUNT, hour.n, link=scope.link(lately, "all", last=3_600)),
            tile(_("Answered of them"), COUNT, hour.answered, link=scope.link(lately, "answered", last=3_600)),
            tile(
                _("Median of them"),
                DURATION,
                hour.p50,
                link=scope.link(lately, "answered", last=3_600),
                behind=hour.answered,
            ),
        ],
        panels=[
            Panel(
                "waiting",
                _("Who waits longest"),
                Table(
                    [_("Lead"), _("Waits"), _("Overdue for"), _("With"), _("Channel")],
                    [_waits(lead, scope, filters, names) for lead in waiting],
                    empty=_("Nobody waits."),
                ),
            ),
            Panel(
                "there",
                _("Who is there"),
                Table(
                    [_("Agent"), _("State"), _("Open leads")],
                    _with_open(people, scope, replace(filters, first=today - LONGEST + DAY, last=today)),
                    empty=_("Nobody is there now."),
                ),
            ),
        ],
        filters=filters,
        at=at,
        has_period=False,
    )


def _waits(lead: Lead, scope: Scope, filters: Filters, names: Names) -> Row:
    is_late = is_overdue(lead, at=scope.at)
    late = (scope.at - lead.respond_by).total_seconds() if is_late and lead.respond_by else None
    return Row(
        lead.reference,
        [
            Cell((scope.at - lead.received_at).total_seconds(), DURATION),
            Cell(late, DURATION, is_bad=is_late),
            Cell(names.of("agent", lead.agent_id or 0), TEXT),
            Cell(names.of("channel", lead.channel), TEXT),
        ],
        link=scope.link_to_lead(lead, filters),
    )


def _people(roster: Roster, mask: int, state: str, names: Names) -> list[tuple[int, str, str]]:
    found = [(agent, names.of("agent", agent), state) for agent in roster.members(mask)]
    return sorted(found, key=lambda each: each[1].casefold())


def _with_open(people: list[tuple[int, str, str]], scope: Scope, ever: Filters) -> list[Row]:
    loads = Load.objects.for_workspace(scope.workspace).filter(agent__in=[agent for agent, _n, _s in people])
    opened = dict(loads.values_list("agent_id", "open"))
    return [
        Row(
            name,
            [Cell(state, TEXT), Cell(opened.get(agent, 0), COUNT, scope.link(ever.only(agent=agent), "open"))],
        )
        for agent, name, state in people
    ]
