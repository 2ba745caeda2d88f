"""Packing leads by the day, so that reports read a year of them in a moment.

Whoever changes a lead writes an event. The days of the leads that events tell of are unpacked at once, and packed anew
when they have been quiet for a while, each as a whole, from the leads themselves. So packing twice, or after a crash,
packs the same; and whoever reads finds the day as it is, or reads its leads.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import TruncDate

from agents.channels import CHANNELS
from leads.models import Decision, DirtyDay, Event, EventCursor, EventKind, Lead, LeadDay, TurnDay
from leads.models.lead import NOT_A_LEAD
from leads.notifying.webhooks import next_events, take_cursor
from leads.speed import turn_columns
from routing.engine import Outcome, Reason
from routing.engine.hours import microseconds

DAY = timedelta(days=1)
# A day is packed when nothing has happened to its leads for so long, and it is over.
DELAY = timedelta(minutes=2)

# Instants and lengths in microseconds, -1 for none; instants count from 1970.
NUMBERS = ("received", "response", "covered", "due", "closed")
# Codes: places in the list of the day's `words` of this name.
CODED = ("agent", "team", "rule", "channel", "country", "language", "source", "ended")
# Bits of `marks`.
NO_LEAD, APART, CLICK, CONFIRMED, ESCALATED, PAGED = 1, 2, 4, 8, 16, 32
COLUMNS = (*NUMBERS, *CODED, "marks", "steps")

_CURSOR = 2
OPENS_AN_APP = frozenset(channel.id for channel in CHANNELS.values() if channel.needs_handle)
_READ = (
    "pk", "received_at", "response_us", "covered_response_us", "respond_by", "closed_at", "first_response_at",
    "answered_by_id", "agent_id", "team_id", "rule", "channel", "country", "language", "source", "closed_as",
    "unconfirmed_at", "confirmed_at", "reached_on", "reroutes", "escalated_at", "reason", "sla",
)  # fmt: skip
_EMPTY: dict[str, Sequence[Any]] = dict.fromkeys(_READ, ())


def catch_up(*, at: datetime, delay: timedelta = DELAY) -> int:
    """Unpack the days that changed, and pack those that are due. Returns how many were packed."""
    note_changes(at=at, delay=delay)
    return pack_due(at=at)


def note_changes(*, at: datetime, delay: timedelta = DELAY) -> None:
    """Days whose leads something happened to since the last time are read from the leads until they are packed."""
    is_more = True
    while is_more:
        with transaction.atomic():
            cursor = take_cursor(_CURSOR)
            if cursor is None:
                return
            is_more, events = next_events(cursor, first=0, at=at)
            changed = {event.lead_id for event in events}
            moments = set(Lead.objects.filter(pk__in=changed).values_list("workspace_id", "received_at"))
            moments |= {(event.workspace_id, event.at) for event in events}
            if any(event.kind == EventKind.GIVEN_BACK for event in events):
                moments |= set(Decision.objects.filter(lead__in=changed).values_list("workspace_id", "at"))
            unpack({(workspace, day_of(moment)) for workspace, moment in moments}, at=at, delay=delay)
            cursor.save()


def changed_since_noted(workspace_id: int) -> set[date]:
    """The days to which something happened that nobody has noted yet: they may be packed still."""
    cursor = EventCursor.objects.filter(pk=_CURSOR).first()
    fresh = Event.objects.filter(workspace_id=workspace_id).order_by()
    if cursor is not None:
        fresh = fresh.filter(Q(pk__gt=cursor.event_id) | Q(pk__in=[number for number, _since in cursor.missing]))
    on = {name: TruncDate(name, tzinfo=UTC) for name in ("at", "lead__received_at")}
    pairs = fresh.annotate(happened=on["at"], received=on["lead__received_at"]).values_list("happened", "received")
    return {day for pair in pairs.distinct() for day in pair}


def pack_due(*, at: datetime, limit: int = 20) -> int:
    """Pack the days that are due, the longest due first. Any number of these may run at once."""
    due = DirtyDay.objects.filter(due_at__lte=at).order_by("due_at", "pk").values_list("workspace_id", "day")
    return sum(_pack(workspace_id, day) for workspace_id, day in list(due[:limit]))


def rebuild(*, workspace_id: int, since: date | None = None, until: date | None = None, at: datetime) -> int:
    """Pack anew every day of `[since, until)` (UTC), from the leads; None: no limit. Returns how many."""
    days: set[date] = set(LeadDay.objects.filter(workspace_id=workspace_id).values_list("day", flat=True))
    days |= set(TurnDay.objects.filter(workspace_id=workspace_id).values_list("day", flat=True))
    for rows, moment in ((Lead.objects.all(), "received_at"), (Decision.objects.all(), "at")):
        own = rows.filter(workspace_id=workspace_id).annotate(on=TruncDate(moment, tzinfo=UTC)).order_by()
        days |= set(own.values_list("on", flat=True).distinct())
    wanted = sorted(day for day in days if (since is None or day >= since) and (until is None or day < until))
    for day in wanted:
        with transaction.atomic():
            # Through the same row as everybody else, so that no two pack one day at once.
            unpack([(workspace_id, day)], at=at, delay=timedelta(0))
            _pack(workspace_id, day)
    return len(wanted)


def day_of(at: datetime) -> date:
    """The day (UTC) that an instant lies in."""
    return at.astimezone(UTC).date()


def begin_of(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def unpack(days: Iterable[tuple[int, date]], *, at: datetime, delay: timedelta) -> None:
    """From now on these are read from their leads, until they are packed again."""
    found = sorted(days)
    if not found:
        return
    DirtyDay.objects.bulk_create(
        [
            DirtyDay(workspace_id=workspace, day=day, due_at=max(at, begin_of(day) + DAY) + delay)
            for workspace, day in found
        ],
        update_conflicts=True,
        unique_fields=["workspace", "day"],
        update_fields=["due_at"],
    )
    these = Q()
    for workspace in {workspace for workspace, _day in found}:
        these |= Q(workspace_id=workspace, day__in=[day for other, day in found if other == workspace])
    for packed in (LeadDay, TurnDay):
        packed._default_manager.filter(these).delete()


def _pack(workspace_id: int, day: date) -> bool:
    """Pack one day, if it is dirty still: whoever deletes that row packs, and what changes meanwhile unpacks it."""
    start, end = begin_of(day), begin_of(day) + DAY
    with transaction.atomic():
        if not DirtyDay.objects.filter(workspace_id=workspace_id, day=day).delete()[0]:
            return False
        spans: dict[str, Any] = {"workspace_id": workspace_id, "start": start, "end": end}
        of_day: dict[str, Any] = {"workspace_id": workspace_id, "day": day}
        rows = (
            LeadDay(**of_day, **packed(leads_between(**spans))),
            TurnDay(**of_day, **turn_columns.packed(turn_columns.decisions_between(**spans))),
        )
        for row in rows:
            type(row)._default_manager.filter(**of_day).delete()
            row.save(force_insert=True)
    return True


def leads_between(*, workspace_id: int, start: datetime, end: datetime) -> Any:
    """The rows that `packed` takes, of the leads received in `[start, end)`."""
    return rows_of(Lead.objects.filter(workspace_id=workspace_id, received_at__gte=start, received_at__lt=end))


def rows_of(leads: Any) -> Any:
    people = leads.exclude(outcome=Outcome.REJECTED.value)
    return people.order_by("received_at", "pk").values_list(*_READ)


def packed(rows: Any) -> dict[str, Any]:
    """Columns of these leads, in their order, and `words`, what their codes mean."""
    found = list(rows)
    # Column by column: row by row, a million leads would take minutes.
    of: dict[str, Sequence[Any]] = dict(zip(_READ, zip(*found, strict=True), strict=True)) if found else _EMPTY
    is_answered = [at is not None for at in of["first_response_at"]]
    is_no_lead = [ended in NOT_A_LEAD for ended in of["closed_as"]]
    numbers = {
        "received": map(microseconds, of["received_at"]),
        "response": _where(is_answered, of["response_us"]),
        "covered": _where(is_answered, of["covered_response_us"]),
        "due": map(_microseconds, of["respond_by"]),
        "closed": map(_microseconds, of["closed_at"]),
    }
    pairs = zip(is_answered, of["answered_by_id"], of["agent_id"], strict=True)
    coded: dict[str, Iterable[Any]] = {
        "agent": [(answered_by if answered else agent) or 0 for answered, answered_by, agent in pairs],
        "team": [team or 0 for team in of["team_id"]],
        "ended": of["closed_as"],
        **{name: of[name] for name in ("rule", "channel", "country", "language", "source")},
    }
    unsure = zip(is_answered, is_no_lead, of["unconfirmed_at"], of["confirmed_at"], strict=True)
    bits = {
        NO_LEAD: is_no_lead,
        APART: [u is not None and c is None and not (answered or none) for answered, none, u, c in unsure],
        CLICK: [channel in OPENS_AN_APP for channel in of["reached_on"]],
        CONFIRMED: [answered or at is not None for answered, at in zip(is_answered, of["confirmed_at"], strict=True)],
        ESCALATED: [at is not None for at in of["escalated_at"]],
        PAGED: [reason == Reason.ON_CALL.value for reason in of["reason"]],
    }
    reminders = _reminders([pk for pk, sla in zip(of["pk"], of["sla"], strict=True) if sla])
    rerouted = zip(of["pk"], of["reroutes"], strict=True)
    words: dict[str, dict[Any, int]] = {name: {} for name in CODED}
    columns = {name: array("q", values) for name, values in numbers.items()}
    for name, values in coded.items():
        known = words[name]
        columns[name] = array("H", [known.setdefault(word, len(known)) for word in values])
    columns["marks"] = array("B", map(sum, zip(*([bit * it for it in are] for bit, are in bits.items()), strict=True)))
    columns["steps"] = array("B", [min(15, moves) << 4 | min(15, reminders[pk]) for pk, moves in rerouted])
    named = {name: list(known) for name, known in words.items()}
    return {"words": named, **{name: column.tobytes() for name, column in columns.items()}}


def _where(answered: Iterable[bool], lengths: Iterable[int | None]) -> list[int]:
    pairs = zip(answered, lengths, strict=True)
    return [length if is_answered and length is not None else -1 for is_answered, length in pairs]


def _microseconds(at: datetime | None) -> int:
    return -1 if at is None else microseconds(at)


def _reminders(leads: list[Any]) -> Counter[Any]:
    """How often agents were reminded of each of these."""
    if not leads:
        return Counter()
    return Counter(
        Event.objects.filter(lead__in=leads, kind=EventKind.REMINDED).order_by().values_list("lead_id", flat=True)
    )
