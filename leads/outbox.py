"""Telling agents what came their way. Each row is claimed by a conditional UPDATE and sent outside any transaction."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db.models import F
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from agents.models import Agent
from leads.models import Lead, Outbox, Status

MOST_TRIES = 8
_FIRST_RETRY = timedelta(seconds=30)
_CONSOLE = "django.core.mail.backends.console.EmailBackend"

log = logging.getLogger(__name__)


def drain(*, at: datetime, limit: int = 200) -> int:
    """Send what is due. Released leads of one agent are one message. Returns how many rows are done.

    Any number of these may run at once. What fails is tried again later, at growing distances; a repeat carries the
    same message id. After the last try the row stays, with its error.
    """
    rows = Outbox.objects.filter(next_try_at__lte=at)
    # While held leads are being released, their agents' digest is not complete.
    rows = rows.exclude(kind="released", workspace__held_queue__claimed_until__gt=at)
    claimed = [row for row in rows.order_by("next_try_at", "pk")[:limit] if _claim(row, at)]
    if not claimed:
        return 0
    if not _can_send():
        return _finish(claimed, at)
    done = 0
    agents = Agent.objects.in_bulk({row.payload["agent"] for row in claimed})
    leads = Lead.objects.in_bulk({row.payload["lead"] for row in claimed})
    leads_by_id = {str(pk): lead for pk, lead in leads.items()}
    with get_connection() as mail:
        for batch in _messages(claimed):
            try:
                message = _message(batch, agents.get(batch[0].payload["agent"]), leads_by_id)
                if message is not None:
                    message.connection = mail
                    message.send()
            except Exception as problem:
                _fail(batch, problem)
            else:
                done += _finish(batch, at)
    return done


def _claim(row: Outbox, at: datetime) -> bool:
    if row.tries >= MOST_TRIES:
        Outbox.objects.filter(pk=row.pk, next_try_at=row.next_try_at).update(next_try_at=None)
        return False
    next_try_at = at + _FIRST_RETRY * 2**row.tries
    claimed = Outbox.objects.filter(pk=row.pk, next_try_at=row.next_try_at)
    return bool(claimed.update(next_try_at=next_try_at, tries=F("tries") + 1))


def _messages(rows: Iterable[Outbox]) -> list[list[Outbox]]:
    """What goes into one message: a row each, but all released leads of one agent together."""
    digests: dict[int, list[Outbox]] = defaultdict(list)
    single = []
    for row in rows:
        if row.kind == "released":
            digests[row.payload["agent"]].append(row)
        else:
            single.append([row])
    return [*single, *digests.values()]


def _message(rows: list[Outbox], agent: Agent | None, leads: dict[str, Lead]) -> EmailMessage | None:
    """The mail about these rows; None where there is nobody to tell any more, or nothing."""
    if agent is None or not agent.is_active or not agent.email:
        return None
    found = [leads[row.payload["lead"]] for row in rows if row.payload["lead"] in leads]
    offered = rows[0].kind == "offered"
    current = [lead for lead in found if lead.status != Status.CLOSED and (offered or lead.agent_id == agent.pk)]
    if not current or (offered and current[0].agent_id is not None):
        return None
    if offered:
        subject = _("A lead to take: %(code)s") % {"code": current[0].reference}
    else:
        subject = ngettext("A new lead: %(code)s", "%(count)s new leads", len(current)) % {
            "code": current[0].reference,
            "count": len(current),
        }
    body = "\n\n".join(_about(lead) for lead in current)
    message_id = f"<{rows[0].message_id}@{urlsplit(settings.PUBLIC_URL).hostname}>"
    return EmailMessage(subject, body, to=[agent.email], headers={"Message-ID": message_id})


def _about(lead: Lead) -> str:
    lines = [
        (_("Reference"), lead.reference),
        (_("Name"), lead.name),
        (_("Channel"), lead.channel),
        (_("E-mail"), lead.email),
        (_("Phone"), lead.phone),
        (_("Message"), lead.message),
    ]
    return "\n".join(f"{label}: {text}" for label, text in lines if text)


def _can_send() -> bool:
    """Without EMAIL_URL mail would be printed; people's data do not belong in a log."""
    return settings.EMAIL_BACKEND != _CONSOLE


def _finish(rows: list[Outbox], at: datetime) -> int:
    ids = [row.pk for row in rows]
    return Outbox.objects.filter(pk__in=ids).update(done_at=at, next_try_at=None, last_error="")


def _fail(rows: list[Outbox], problem: Exception) -> None:
    log.warning("Sending a message failed: %s", type(problem).__name__)
    failed = Outbox.objects.filter(pk__in=[row.pk for row in rows])
    failed.update(last_error=type(problem).__name__)
    failed.filter(tries__gte=MOST_TRIES).update(next_try_at=None)
