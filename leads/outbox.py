"""Telling people and servers what happened. Rows are claimed by a conditional UPDATE and sent outside any transaction.

A repeat carries the same message id, so that whoever was told already knows it for one.
"""

from __future__ import annotations

import logging
import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Case, F, QuerySet, When
from django.utils.translation import gettext as _

from leads.faults import log_fault
from leads.models import Lead, Outbox
from leads.notifications import transports
from leads.notifications.message import URGENT, Kind, Message
from leads.notifications.outcomes import WAITS, Outcome
from leads.notifications.quiet import choose
from leads.notifying import webhooks
from leads.notifying.delivery import Delivery, Source
from leads.notifying.messages import kind_of, message_of
from leads.notifying.recipients import Reach, Recipient, Recipients
from leads.notifying.sending import Round
from leads.notifying.settling import settle

BATCH = 500
MOST_TRIES = len(WAITS) + 1
# Who ends the process that sends them, so many times in a row, is given up; and the more often it has, the fewer
# others it takes with it.
MOST_LOST = 5
_TOGETHER_AFTER_LOSS = (BATCH, 100, 10, 1)
# For so long a row is with whoever claimed it; if they were killed, somebody else takes it then.
LEASE = timedelta(seconds=60)
# So many leads given to one agent at once are one message.
STORM = 3
KEPT_FOR = timedelta(days=30)
REPORT = "report"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Unsent:
    """No message is to be sent. `why` is for whoever looks, '' where it is no longer true. `is_done` False: somebody
    should look."""

    why: str = ""
    is_done: bool = True


def drain(*, at: datetime, limit: int = BATCH, patience_s: float | None = None) -> int:
    """Send what is due. Returns how many rows are done.

    Any number of these may run at once. Whoever has not answered after `patience_s` (None: everybody is waited for)
    is left to their thread, which writes down how it ended.
    """
    rows = _claim(at, limit)
    if not rows:
        return 0
    deliveries, unsent = _prepared(rows, at)
    done = sum(_finish(of, unsent_as, at) for unsent_as, of in unsent.items())
    sending = Round(at=at, settle=settle)
    sending.send(deliveries)
    return done + sending.finish(patience_s=patience_s)


def resend(rows: QuerySet[Any], *, at: datetime) -> int:
    """Send again what was given up or is done, from the first way on. What is still due is left alone."""
    return rows.filter(next_try_at=None).update(
        next_try_at=at, tries=0, lost_tries=0, done_at=None, last_error="", failed_ways=[], sent_by="", claim=None
    )


def forget_past(*, at: datetime, limit: int = 5_000) -> int:
    """Delete what has been settled for a month: the oldest rows, so many at a time."""
    oldest = Outbox.objects.order_by("pk").values_list("pk", "created_at")[:limit]
    past = [pk for pk, created_at in oldest if created_at < at - KEPT_FOR]
    return Outbox.objects.filter(pk__in=past, next_try_at=None).delete()[0] if past else 0


def _claim(at: datetime, limit: int) -> list[Outbox]:
    """The rows that are due and now ours until the lease ends, oldest first. Who tried too often is given up."""
    due = Outbox.objects.filter(next_try_at__lte=at)
    # While held leads are being released, their agents' digest is not complete.
    due = due.exclude(kind="released", workspace__held_queue__claimed_until__gt=at)
    mark = uuid.uuid4()
    with transaction.atomic():
        locked = due.select_for_update(skip_locked=True, of=("self",)).order_by("next_try_at", "pk")
        found = list(locked.values_list("pk", "lost_tries")[:limit])
        most = _TOGETHER_AFTER_LOSS[min(found[0][1], len(_TOGETHER_AFTER_LOSS) - 1)] if found else 0
        ids = [pk for pk, _lost in found[:most]]
        claimed = Outbox.objects.filter(pk__in=ids, next_try_at__lte=at)
        lost = Case(When(claim__isnull=False, then=F("lost_tries") + 1), default=0)
        if not ids or not claimed.update(claim=mark, next_try_at=at + LEASE, tries=F("tries") + 1, lost_tries=lost):
            return []
    rows = list(Outbox.objects.filter(pk__in=ids, claim=mark).order_by("pk"))
    worn = {row.pk for row in rows if row.tries > MOST_TRIES or row.lost_tries >= MOST_LOST}
    if worn:
        Outbox.objects.filter(pk__in=worn).update(next_try_at=None, last_error=_("No try came to an end"), claim=None)
    return [row for row in rows if row.pk not in worn]


def _prepared(rows: Sequence[Outbox], at: datetime) -> tuple[list[Delivery], dict[Unsent, list[Outbox]]]:
    """What goes out now, and what does not: rows by the reason why. What has to wait is put off here."""
    hooks = [row for row in rows if row.kind == webhooks.KIND]
    reports = [row for row in rows if row.kind == REPORT]
    told = [row for row in rows if row.kind not in (webhooks.KIND, REPORT)]
    unsent: dict[Unsent, list[Outbox]] = defaultdict(list)
    deliveries: list[Delivery] = []
    if hooks:
        deliveries, gone = webhooks.deliveries(hooks)
        unsent[Unsent(_("The webhook is switched off"), is_done=False)] += gone
    if reports:
        from leads.reports import mailing  # large, and rarely needed

        mails, gone, failed = mailing.deliveries(reports)
        deliveries += mails
        unsent[Unsent(_("Nobody may be sent this report any more, or mail is not set up"))] += gone
        unsent[Unsent(_("The report could not be made"), is_done=False)] += failed
    if told:
        recipients = Recipients(told)
        wanted = {row.payload["lead"] for row in told if row.payload.get("lead")}
        leads = {str(pk): lead for pk, lead in Lead.objects.select_related("agent").in_bulk(wanted).items()}
        postponed: dict[datetime, list[Outbox]] = defaultdict(list)
        for batch in _together(told):
            prepared = _prepare(batch, recipients.of(batch[0]), leads, at)
            if isinstance(prepared, Delivery):
                deliveries.append(prepared)
            elif isinstance(prepared, datetime):
                postponed[prepared] += batch
            else:
                unsent[prepared] += batch
        for until, waiting in postponed.items():
            ours = Outbox.objects.filter(pk__in=[row.pk for row in waiting], claim=waiting[0].claim)
            ours.update(next_try_at=until, tries=F("tries") - 1, claim=None)
    return deliveries, {why: of for why, of in unsent.items() if of}


def _together(rows: Sequence[Outbox]) -> list[list[Outbox]]:
    """What goes into one message. Leads released to one agent, or many given to them at once, share a message id from
    the first try on, so that a repeat is the same message again."""
    fresh: dict[tuple[str, Any], list[Outbox]] = defaultdict(list)
    for row in rows:
        if row.tries == 1 and row.kind in ("assigned", "released"):
            fresh[row.kind, row.payload.get("agent")].append(row)
    joined = []
    for (kind, _agent), together in fresh.items():
        if len(together) >= (STORM if kind == "assigned" else 2):
            for row in together[1:]:
                row.message_id = together[0].message_id
            joined += together[1:]
    if joined:
        Outbox.objects.bulk_update(joined, ["message_id"])
    messages: dict[tuple[Any, ...], list[Outbox]] = defaultdict(list)
    for row in rows:
        messages[row.message_id, row.workspace_id, row.payload.get("agent")].append(row)
    return list(messages.values())


def _prepare(
    rows: list[Outbox], recipient: Recipient | None, leads: dict[str, Lead], at: datetime
) -> Delivery | datetime | Unsent:
    """How these rows go out now; or when they may; or why they do not."""
    kind = kind_of(rows)
    if kind is None:
        return Unsent(_("Nothing is known about this kind of message"), is_done=False)
    if recipient is None:
        return Unsent(_("There is nobody to tell any more"))
    ways = recipient.ways_for(kind)
    if kind is Kind.TRIAL:
        ways = [reach for reach in ways if reach.way.id == rows[0].payload.get("way")]
    if not ways:
        return Unsent(_("No way to reach this person is set up"))
    failed = {way for row in rows for way in row.failed_ways}
    left = [reach for reach in ways if reach.way.id not in failed]
    choice = choose([reach.way for reach in left], at=at, quiet_hours=recipient.quiet_hours, is_urgent=kind in URGENT)
    if choice is None:
        return Unsent(_("No way to reach this person worked"), is_done=False)
    try:
        message = message_of(rows, kind, recipient, leads, at=at)
    except Exception as problem:
        # One lead that cannot be put into words must not keep the others from being told.
        log_fault(log, "A message could not be written", problem)
        why = _("It could not be put into words (%(problem)s)") % {"problem": type(problem).__name__}
        return Unsent(why, is_done=False)
    if message is None:
        return Unsent()
    if choice.at > at:
        return choice.at
    reach = next(reach for reach in left if reach.way.id == choice.way.id)
    return _delivery(rows, message, reach, has_other_ways=len(left) > 1)


def _delivery(rows: list[Outbox], message: Message, reach: Reach, *, has_other_ways: bool) -> Delivery:
    transport = reach.way.transport

    def attempt(at: datetime) -> Outcome:
        return transports.send(message, transport=transport, address=reach.address, at=at)

    return Delivery(
        rows=tuple(rows),
        transport=transport,
        lane="mail" if transport == "email" else f"{transport} {reach.row}",
        attempt=attempt,
        way=reach.way.id,
        origin=None if reach.row is None else (Source.WAY, reach.row),
        is_ailing=reach.is_ailing and transport != "email",
        has_other_ways=has_other_ways,
    )


def _finish(rows: Iterable[Outbox], unsent: Unsent, at: datetime) -> int:
    """Done, or given up, without a message. Returns how many are done."""
    done_at = at if unsent.is_done else None
    settled = Outbox.objects.filter(pk__in=[row.pk for row in rows]).update(
        done_at=done_at, next_try_at=None, last_error=unsent.why, claim=None
    )
    return settled if unsent.is_done else 0
