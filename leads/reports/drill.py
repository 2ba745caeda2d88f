"""The leads behind a number. A link says which, and the instant the number was taken at, so that later it still finds
as many: what happened since is left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Subquery, TextField, Value, When
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Coalesce, ExtractHour, ExtractIsoWeekDay, NullIf
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from agents import languages
from agents.models import Workspace
from agents.models.hours import Weekday
from leads.models import Assignment, Decision, Event, EventKind, Lead
from leads.models.lead import NOT_A_LEAD, ClosedAs, LeadQuerySet
from leads.reports.filters import BadFilter, Filters
from leads.speed.days import OPENS_AN_APP
from leads.templatetags.reports import duration
from routing.engine import Outcome, Reason
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
    "dropped": gettext_lazy("Closed in time without an answer"),
    "reminded": gettext_lazy("Their agents were reminded"),
    "reassigned": gettext_lazy("Given to somebody else after silence"),
    "escalated": gettext_lazy("Managers were told"),
    "paged": gettext_lazy("Given to people on call"),
    "won": gettext_lazy("Won"),
    "won_unanswered": gettext_lazy("Won without an answer"),
    "lost": gettext_lazy("Lost"),
    "unclosed": gettext_lazy("Not closed yet"),
    "came": gettext_lazy("Came in"),
    "open": gettext_lazy("Open, whether or not answered"),
    "waiting": gettext_lazy("Waiting for an answer"),
    "clicks": gettext_lazy("Opened an app"),
    "conversations": gettext_lazy("Clicks that became a conversation"),
    "unsure": gettext_lazy("Clicks of which is not known what became"),
    "unconfirmed": gettext_lazy("Clicks that nobody confirmed"),
    "no_leads": gettext_lazy("Closed as no lead"),
}


# Lists in which clicks that nobody confirmed, or what was no lead, have a place.
_WITH_CLICKS = (
    "no_leads", "unconfirmed", "clicks", "conversations", "unsure", "came", "open",
)  # fmt: skip


@contextmanager
def not_compiled() -> Iterator[None]:
    """PostgreSQL compiles what it expects to be long: for conditions such as these that takes a second, over leads that
    are read in a quarter of one."""
    if connection.vendor != "postgresql":
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL jit = off")
        yield


def leads_of(
    *, workspace: Workspace, filters: Filters, what: str, at: datetime, asked: Mapping[str, str]
) -> LeadQuerySet:
    """The leads of a link as they stood at `at`. `asked`: `over` and `most` bound the response (seconds, over < it <=
    most), `weekday` (1: Monday) and `hour` the local hour they came in, `hours` those of the week (`22-32,166-168`,
    from Monday 0:00, ends excluded), `language` theirs or a variant of it, `last` how long before `at` at most
    (seconds), `lead` a reference. What is not kept for every instant, such as what a reopened lead had been closed as,
    is as it is now.
    Raises BadFilter."""
    if what not in WHAT:
        raise BadFilter(_("“%(what)s” is no list of leads. Follow a link of a report.") % {"what": what})
    leads = Lead.objects.for_workspace(workspace).exclude(outcome=Outcome.REJECTED.value)
    leads = leads.filter(received_at__gte=filters.start, received_at__lt=filters.end, created_at__lte=at)
    for name, word in filters.narrowed:
        if name == "agent":
            leads = _held_by(leads, word, at) if what == "open" else _of_agent(leads, word, at)
        elif name in ("team", "rule"):
            leads = _of_then(leads, name, word, at)
        else:
            leads = leads.filter(**{name: word})
    if what not in _WITH_CLICKS:
        leads = leads.exclude(_no_lead(at)).exclude(_apart(at))
    leads = leads.filter(_condition(what, at))
    return _bounded(leads, filters, at, asked)


def _bounded(leads: LeadQuerySet, filters: Filters, at: datetime, asked: Mapping[str, str]) -> LeadQuerySet:
    took = "response_us" if filters.clock == "wall" else "covered_response_us"
    for name, lookup in (("over", "gt"), ("most", "lte")):
        if asked.get(name):
            leads = leads.filter(_answered(at), **{f"{took}__{lookup}": _number(asked[name]) * SECOND})
    zone = ZoneInfo(filters.zone)
    if asked.get("lead"):
        leads = leads.filter(reference=asked["lead"])
    if asked.get("last"):
        leads = leads.filter(received_at__gte=at - timedelta(seconds=_number(asked["last"])), received_at__lt=at)
    if asked.get("weekday"):
        weekday = ExtractIsoWeekDay("received_at", tzinfo=zone)
        leads = leads.annotate(weekday=weekday).filter(weekday=_number(asked["weekday"]))
    if asked.get("hour"):
        leads = leads.annotate(hour=ExtractHour("received_at", tzinfo=zone)).filter(hour=_number(asked["hour"]))
    if asked.get("hours"):
        within = Q()
        for begins, ends in _stretches(asked["hours"]):
            within |= Q(hour_of_week__gte=begins, hour_of_week__lt=ends)
        day, hour = ExtractIsoWeekDay("received_at", tzinfo=zone), ExtractHour("received_at", tzinfo=zone)
        leads = leads.annotate(hour_of_week=(day - 1) * 24 + hour).filter(within)
    if language := asked.get("language"):
        leads = leads.filter(Q(language__iexact=language) | Q(language__istartswith=f"{language}-"))
    return leads


def _stretches(text: str) -> list[tuple[int, int]]:
    """Hours of the week as an address has them; as many as there can be with others between them."""
    parts = text.split(",")[:84]
    return [(_number(part.partition("-")[0]), _number(part.partition("-")[2])) for part in parts]


def _number(text: str) -> int:
    if not (text.isdecimal() and text.isascii() and len(text) < 10):
        raise BadFilter(_("“%(text)s” is no number. Follow a link of a report.") % {"text": text})
    return int(text)


def _condition(what: str, at: datetime) -> Q:
    answered, breached = _answered(at), _breached(at)
    promised = Q(respond_by__isnull=False)
    closed = Q(closed_at__isnull=False, closed_at__lte=at)
    is_click = Q(reached_on__in=sorted(OPENS_AN_APP)) & ~_no_lead(at)
    became = answered | Q(confirmed_at__isnull=False, confirmed_at__lte=at)
    waits = ~answered & ~closed
    conditions: dict[str, Any] = {
        "all": Q(),
        "answered": answered,
        "unanswered": ~answered,
        "overdue": waits & Q(respond_by__lte=at),
        "promised": promised,
        "attained": promised & answered & ~breached,
        "breached": breached,
        "running": promised & waits & Q(respond_by__gt=at),
        "dropped": promised & ~answered & closed & ~breached,
        "reminded": promised & Exists(_events(EventKind.REMINDED, at)),
        "reassigned": promised & Exists(_events(EventKind.ASSIGNED, at).filter(data__why="not_answered")),
        "escalated": promised & Q(escalated_at__lte=at),
        "paged": promised & Q(reason=Reason.ON_CALL, first_assigned_at__lte=at),
        "won": closed & Q(closed_as=ClosedAs.WON),
        "won_unanswered": closed & ~answered & Q(closed_as=ClosedAs.WON),
        "lost": closed & Q(closed_as=ClosedAs.LOST),
        "unclosed": ~closed,
        "came": Q(),
        "open": ~closed,
        "waiting": waits,
        "clicks": is_click,
        "conversations": is_click & became,
        "unsure": is_click & ~became & ~_apart(at),
        "unconfirmed": _apart(at) & ~_no_lead(at),
        "no_leads": _no_lead(at),
    }
    return Q(conditions[what])


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


def _events(kind: EventKind, at: datetime) -> QuerySet[Event]:
    return Event.objects.filter(lead=OuterRef("pk"), kind=kind, at__lte=at)


def _of_agent(leads: LeadQuerySet, agent: int, at: datetime) -> LeadQuerySet:
    """Whoever answered first; while nobody has, whoever had the lead (0: nobody)."""
    whose = agent or None
    return _with_holder(leads, at).filter((_answered(at) & Q(answered_by=whose)) | (~_answered(at) & Q(holder=whose)))


def _held_by(leads: LeadQuerySet, agent: int, at: datetime) -> LeadQuerySet:
    return _with_holder(leads, at).filter(holder=agent or None)


def _with_holder(leads: LeadQuerySet, at: datetime) -> LeadQuerySet:
    held = Assignment.objects.filter(lead=OuterRef("pk"), assigned_at__lte=at)
    # Closing a lead ends its assignment, and leaves it with its agent.
    held = held.filter(Q(closed_at=None) | Q(closed_at__gt=at) | Q(closed_at=OuterRef("closed_at")))
    return leads.annotate(holder=Subquery(held.order_by("-assigned_at", "-pk").values("agent_id")[:1]))


def _of_then(leads: LeadQuerySet, name: str, word: Any, at: datetime) -> LeadQuerySet:
    """Whose team or rule it was. Of leads that were given to somebody else since, or taken away, as the decision before
    said; of all others it is what it is."""
    moved = Q(assigned_at__isnull=True) | Q(assigned_at__gt=at)
    before = Decision.objects.filter(lead=OuterRef("pk"), at__lte=at).order_by("-at", "-pk")
    if name == "rule":
        # Who is chosen by hand leaves the rule as it was.
        then = Subquery(before.filter(decision__isnull=False).values_list(_text("decision__rule"))[:1])
        was = Q(rule_then=word) if word else Q(rule_then__isnull=True) | Q(rule_then="")
        return leads.annotate(rule_then=then).filter((Q(assigned_at__lte=at) & Q(rule=word)) | (moved & was))
    of_target = Case(When(decision__target__0="team", then=_text("decision__target__1")), output_field=TextField())
    team = Coalesce(NullIf(_text("decision__ledger"), Value("0")), of_target, output_field=TextField())
    then = Subquery(before.annotate(of=team).values("of")[:1])
    was = Q(team_then=str(word)) if word else Q(team_then__isnull=True)
    return leads.annotate(team_then=then).filter((Q(assigned_at__lte=at) & Q(team_id=word or None)) | (moved & was))


def _text(path: str) -> NullIf:
    """What stands there in a JSON column, as a text. SQLite calls nothing “null”, and numbers numbers."""
    return NullIf(Cast(KT(path), TextField()), Value("null"), output_field=TextField())


def in_words(asked: Mapping[str, str]) -> list[str]:
    """The bounds of a link, for people."""
    found = []
    if asked.get("over"):
        found.append(_("in more than %s") % duration(float(_number(asked["over"]))))
    if asked.get("most"):
        found.append(_("within %s") % duration(float(_number(asked["most"]))))
    if asked.get("lead"):
        found.append(asked["lead"])
    if asked.get("last"):
        found.append(_("in the last %s") % duration(float(_number(asked["last"]))))
    if asked.get("weekday"):
        found.append(str(Weekday((_number(asked["weekday"]) - 1) % 7).label))
    if asked.get("hour"):
        found.append(_("%(hour)02d:00–%(hour)02d:59") % {"hour": _number(asked["hour"])})
    if asked.get("hours"):
        number = sum(ends - begins for begins, ends in _stretches(asked["hours"]))
        found.append(ngettext("in %d hour of the week", "in %d hours of the week", number) % number)
    if asked.get("language"):
        found.append(languages.language_name(asked["language"]))
    return found
