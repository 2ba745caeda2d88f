"""The leads behind a number. A link says which, and the instant the number was taken at, so that later it still finds
as many: what happened since is left out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import F, OuterRef, Q, Subquery
from django.db.models.functions import ExtractHour, ExtractIsoWeekDay
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agents.models import Workspace
from agents.models.hours import Weekday
from leads.models import Assignment, Lead
from leads.models.lead import NOT_A_LEAD, ClosedAs, LeadQuerySet
from leads.reports.filters import BadFilter, Filters
from leads.speed.days import OPENS_AN_APP
from leads.templatetags.reports import duration
from routing.engine import Outcome
from routing.engine.hours import SECOND

WHAT: dict[str, Any] = {
    "all": gettext_lazy("All leads that count"),
    "answered": gettext_lazy("Answered"),
    "unanswered": gettext_lazy("Not answered"),
    "overdue": gettext_lazy("Open and overdue"),
    "promised": gettext_lazy("With a promise"),
    "attained": gettext_lazy("Answered as promised"),
    "breached": gettext_lazy("Not answered in time"),
    "running": gettext_lazy("The promise still runs"),
    "reassigned": gettext_lazy("Given to somebody else after silence"),
    "escalated": gettext_lazy("Managers were told"),
    "won": gettext_lazy("Won"),
    "lost": gettext_lazy("Lost"),
    "clicks": gettext_lazy("Opened an app"),
    "unconfirmed": gettext_lazy("Clicks that nobody confirmed"),
    "no_leads": gettext_lazy("Closed as no lead"),
}


def leads_of(
    *, workspace: Workspace, filters: Filters, what: str, at: datetime, asked: Mapping[str, str]
) -> LeadQuerySet:
    """The leads of a link as they stood at `at`. `asked`: `over` and `most` bound the response (seconds, over < it <=
    most), `weekday` (1: Monday) and `hour` the local hour they came in. Raises BadFilter."""
    if what not in WHAT:
        raise BadFilter(_("“%(what)s” is no list of leads. Follow a link of a report.") % {"what": what})
    leads = Lead.objects.for_workspace(workspace).exclude(outcome=Outcome.REJECTED.value)
    leads = leads.filter(received_at__gte=filters.start, received_at__lt=filters.end, created_at__lte=at)
    for name, word in filters.narrowed:
        if name == "agent":
            leads = _of_agent(leads, word, at)
        elif name == "team":
            leads = leads.filter(team_id=word or None)
        else:
            leads = leads.filter(**{name: word})
    if what not in ("no_leads", "unconfirmed", "clicks"):
        leads = leads.exclude(_no_lead(at)).exclude(_apart(at))
    leads = leads.filter(_condition(what, at))
    return _bounded(leads, filters, at, asked)


def _bounded(leads: LeadQuerySet, filters: Filters, at: datetime, asked: Mapping[str, str]) -> LeadQuerySet:
    took = "response_us" if filters.clock == "wall" else "covered_response_us"
    for name, lookup in (("over", "gt"), ("most", "lte")):
        if asked.get(name):
            leads = leads.filter(_answered(at), **{f"{took}__{lookup}": _number(asked[name]) * SECOND})
    zone = ZoneInfo(filters.zone)
    if asked.get("weekday"):
        weekday = ExtractIsoWeekDay("received_at", tzinfo=zone)
        leads = leads.annotate(weekday=weekday).filter(weekday=_number(asked["weekday"]))
    if asked.get("hour"):
        leads = leads.annotate(hour=ExtractHour("received_at", tzinfo=zone)).filter(hour=_number(asked["hour"]))
    return leads


def _number(text: str) -> int:
    if not (text.isdecimal() and text.isascii() and len(text) < 10):
        raise BadFilter(_("“%(text)s” is no number. Follow a link of a report.") % {"text": text})
    return int(text)


def _condition(what: str, at: datetime) -> Q:
    answered, breached = _answered(at), _breached(at)
    promised = Q(respond_by__isnull=False)
    closed = Q(closed_at__isnull=False, closed_at__lte=at)
    conditions = {
        "all": Q(),
        "answered": answered,
        "unanswered": ~answered,
        "overdue": ~answered & ~closed & Q(respond_by__lte=at),
        "promised": promised,
        "attained": promised & answered & ~breached,
        "breached": breached,
        "running": promised & ~answered & ~closed & Q(respond_by__gt=at),
        "reassigned": Q(reroutes__gt=0),
        "escalated": Q(escalated_at__lte=at),
        "won": closed & Q(closed_as=ClosedAs.WON),
        "lost": closed & Q(closed_as=ClosedAs.LOST),
        "clicks": Q(reached_on__in=sorted(OPENS_AN_APP)) & ~_no_lead(at),
        "unconfirmed": _apart(at) & ~_no_lead(at),
        "no_leads": _no_lead(at),
    }
    return conditions[what]


# Negated conditions must not be unknown to the database, which would leave out rows: each asks for a value first.


def _answered(at: datetime) -> Q:
    return Q(first_response_at__isnull=False, first_response_at__lte=at)


def _no_lead(at: datetime) -> Q:
    return Q(closed_at__isnull=False, closed_as__in=sorted(NOT_A_LEAD), closed_at__lte=at)


def _apart(at: datetime) -> Q:
    confirmed = Q(confirmed_at__isnull=False, confirmed_at__lte=at)
    return Q(unconfirmed_at__isnull=False, unconfirmed_at__lte=at) & ~confirmed & ~_answered(at)


def _breached(at: datetime) -> Q:
    """`leads.sla.ladder.breach_of`, for the database."""
    closed = Q(closed_at__isnull=False, closed_at__lte=at)
    late = (
        (_answered(at) & Q(first_response_at__gt=F("respond_by")))
        | (~_answered(at) & closed & Q(closed_at__gt=F("respond_by")))
        | (~_answered(at) & ~closed & Q(respond_by__lte=at))
    )
    return Q(respond_by__isnull=False) & late


def _of_agent(leads: LeadQuerySet, agent: int, at: datetime) -> LeadQuerySet:
    """Whoever answered first; while nobody has, whoever had the lead (0: nobody)."""
    held = Assignment.objects.filter(lead=OuterRef("pk"), assigned_at__lte=at)
    # Closing a lead ends its assignment, and leaves it with its agent.
    held = held.filter(Q(closed_at=None) | Q(closed_at__gt=at) | Q(closed_at=OuterRef("closed_at")))
    leads = leads.annotate(holder=Subquery(held.order_by("-assigned_at", "-pk").values("agent_id")[:1]))
    whose = agent or None
    return leads.filter((_answered(at) & Q(answered_by=whose)) | (~_answered(at) & Q(holder=whose)))


def in_words(asked: Mapping[str, str]) -> list[str]:
    """The bounds of a link, for people."""
    found = []
    if asked.get("over"):
        found.append(_("in more than %s") % duration(float(_number(asked["over"]))))
    if asked.get("most"):
        found.append(_("within %s") % duration(float(_number(asked["most"]))))
    if asked.get("weekday"):
        found.append(str(Weekday((_number(asked["weekday"]) - 1) % 7).label))
    if asked.get("hour"):
        found.append(_("%(hour)02d:00–%(hour)02d:59") % {"hour": _number(asked["hour"])})
    return found
