"""What the page of an agent shows beside its fields: the week, the coming days, the clocks, the teams."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import suppress
from datetime import datetime
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError

from agents import zones
from agents.coming_days import coming_weeks
from agents.forms.roster import AgentForm, week_fields
from agents.models import Agent, TeamMember, Workspace
from agents.models.hours import MINUTES_A_DAY, Weekday
from agents.week import Window, bars, in_words, read_windows, windows_of


def context(
    *, workspace: Workspace, agent: Agent | None, form: AgentForm, at: datetime, suggested: Iterable[Window] = ()
) -> dict[str, Any]:
    """For an agent who is stored, and for one to be added (None). `suggested` are shifts that the form starts with,
    beside those that are stored."""
    added = _suggest(form, suggested)
    name = agent.zone_name() if agent else workspace.timezone
    theirs = at.astimezone(ZoneInfo(name if zones.is_zone(name) else workspace.timezone))
    found: dict[str, Any] = {
        "week": week_rows(form, now=theirs, added=added),
        "suggested": [
            f"{Weekday(day).label} {in_words((each.start, each.end) for each in of)}"
            for day, of in groupby(sorted(added), key=lambda window: window.weekday)
        ],
        "hours_of_day": range(0, 25, 6),
        "zone": name,
        # Without their zones: a template would turn both into the active one.
        "their_clock": theirs.replace(tzinfo=None),
        "own_clock": at.astimezone(ZoneInfo(workspace.timezone)).replace(tzinfo=None),
        "agent": agent,
    }
    if agent is not None:
        shifts = list(agent.shifts.order_by("weekday", "start_minute"))
        time_off = list(agent.time_off.order_by("starts_local"))
        weeks = coming_weeks(agent, today=theirs.date(), shifts=shifts, time_off=time_off)
        members = TeamMember.objects.for_workspace(workspace).filter(agent=agent, team__archived_at=None)
        found |= {
            "calendar": weeks,
            "coming_holidays": [day for week in weeks for day in week if day.holiday and not day.is_past],
            "weekdays": Weekday.labels,
            "places_in_teams": list(members.select_related("team").order_by("team__name", "id")),
        }
    return found


def suggested_by(texts: Iterable[str]) -> list[Window]:
    """The shifts that an address asks for, each as `5.22:00–06:00` (0: Monday). What is none is left out."""
    found = []
    for text in list(texts)[:7]:
        day, _dot, hours = text.partition(".")
        if day in map(str, Weekday.values):
            with suppress(ValidationError):
                found += [Window(int(day), start, end) for start, end in read_windows(hours)]
    return found


def _suggest(form: AgentForm, suggested: Iterable[Window]) -> list[Window]:
    """Type these into a form that nobody has sent yet. Returns those that were not there."""
    added = []
    for window in suggested if not form.is_bound else ():
        name = f"hours_{window.weekday}"
        stored = form.initial.get(name) or []
        if name in form.fields and (window.start, window.end) not in stored:
            form.initial[name] = sorted([*stored, (window.start, window.end)])
            added.append(window)
    return added


def week_rows(form: AgentForm, *, now: datetime, added: Collection[Window] = ()) -> list[dict[str, Any]]:
    """A row for each day: its fields and what is drawn; `now` marks this minute of it, in per cent of the day."""
    typed = form.week if form.is_bound else None
    drawn = bars({*_stored(form.instance), *added} if typed is None else typed)
    fields = {name: form[name] for name, _day, _kind in week_fields()}
    share = (now.hour * 60 + now.minute) * 100 / MINUTES_A_DAY
    return [
        {
            "name": Weekday(day).label,
            "day": day,
            "bars": drawn[day],
            "hours": fields[f"hours_{day}"],
            "on_call": fields[f"on_call_{day}"],
            "now": f"{share:.2f}" if now.weekday() == day else "",
            "is_suggested": any(window.weekday == day for window in added),
        }
        for day in Weekday.values
    ]


def _stored(agent: Agent) -> Iterable[Window]:
    return windows_of(agent.shifts.all()) if agent.pk else ()
