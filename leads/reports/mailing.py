"""Reports by mail: what is due becomes a message in the outbox, which sends it as all others, once.

The figures are those of the instant at which the report was due, however late the mail leaves; whoever may not see the
report any more gets none.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from email.utils import format_datetime
from importlib import import_module
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.http import QueryDict
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from agents.models import User, Workspace
from leads.faults import log_fault
from leads.models import Every, Outbox, ReportMail
from leads.notifications.outcomes import Outcome
from leads.notifications.transports import email
from leads.notifying.delivery import Delivery
from leads.notifying.recipients import OWN_ADDRESS, is_set_up, translated
from leads.outbox import REPORT
from leads.reports.filters import BadFilter
from leads.reports.kinds import KINDS, Kind
from leads.reports.page import Report, as_csv
from leads.reports.scopes import filters_for, scope_of

DAY = timedelta(days=1)
# Rows of a table that stand in the mail; all are in the file.
ROWS_IN_MAIL = 15

log = logging.getLogger(__name__)


def schedule(
    *, workspace: Workspace, user: User, kind: Kind, query: str, every: str, hour: int, at: datetime
) -> ReportMail:
    """Send this report from now on. `query` as in its address. Raises BadFilter where it makes no report, or always the
    same one."""
    scope = scope_of(user, workspace, at=at)
    if scope is None or not (kind.for_agents or scope.agent is None):
        raise BadFilter(_("This report is not for you."))
    filters = filters_for(scope, QueryDict(query))
    if filters.period == "custom":
        raise BadFilter(
            _("These days stay the same, and so would the report. Choose a period that moves, such as last 7 days.")
        )
    return ReportMail.objects.create(
        workspace=workspace,
        user=user,
        report=kind.name,
        query=query,
        every=every,
        hour=hour,
        zone=filters.zone,
        next_at=next_after(at, every=every, hour=hour, zone=filters.zone),
    )


def next_after(at: datetime, *, every: str, hour: int, zone: str) -> datetime:
    """The first instant after `at` at which a report is due: that hour of a day, a Monday, or the first of a month, on
    the zone's clock."""
    day = at.astimezone(ZoneInfo(zone)).date()
    while True:
        is_due = (
            every == Every.DAY
            or (every == Every.WEEK and day.weekday() == 0)
            or (every == Every.MONTH and day.day == 1)
        )
        due_at = datetime.combine(day, time(hour), ZoneInfo(zone)).astimezone(UTC)
        if is_due and due_at > at:
            return due_at
        day += DAY


def send_due(*, at: datetime, limit: int = 200) -> int:
    """Put what is due into the outbox. Returns how many; any number of these may run at once."""
    due = ReportMail.objects.filter(next_at__lte=at).order_by("next_at", "pk")
    return sum(_put(mail, at) for mail in list(due[:limit]))


def send_now(mail: ReportMail, *, at: datetime) -> None:
    """Once more, beside its times."""
    _outbox_row(mail, at)


def _put(mail: ReportMail, at: datetime) -> bool:
    following = next_after(at, every=mail.every, hour=mail.hour, zone=mail.zone)
    with transaction.atomic():
        claimed = ReportMail.objects.filter(pk=mail.pk, next_at=mail.next_at).update(next_at=following)
        if claimed:
            _outbox_row(mail, at)
    return bool(claimed)


def _outbox_row(mail: ReportMail, at: datetime) -> None:
    payload = {"user": mail.user_id, "report": mail.report, "query": mail.query, "as_of": at.isoformat()}
    Outbox.objects.create(workspace_id=mail.workspace_id, kind=REPORT, payload=payload, created_at=at, next_try_at=at)


# Sending


def deliveries(rows: Iterable[Outbox]) -> tuple[list[Delivery], list[Outbox], list[Outbox]]:
    """How these rows go out; those that nobody is to be sent any more; those whose report could not be made."""
    found: list[Delivery] = []
    gone, failed = [], []
    for row in rows:
        try:
            mail = _mail(row)
        except Exception as problem:
            # One report that cannot be made must not keep others from being told.
            log_fault(log, f"Report {row.payload['report']} of workspace {row.workspace_id} failed", problem)
            failed.append(row)
            continue
        if mail is None:
            gone.append(row)
        else:
            found.append(_delivery(row, mail))
    return found, gone, failed


def _delivery(row: Outbox, mail: EmailMultiAlternatives) -> Delivery:
    def attempt(at: datetime) -> Outcome:
        return email.hand_over(mail)

    return Delivery(rows=(row,), transport="email", lane="mail", attempt=attempt, way=OWN_ADDRESS)


def _mail(row: Outbox) -> EmailMultiAlternatives | None:
    user = User.objects.filter(pk=row.payload["user"], is_active=True).first()
    if user is None or not user.email or not is_set_up("email"):
        return None
    workspace = Workspace.objects.get(pk=row.workspace_id)
    at = datetime.fromisoformat(row.payload["as_of"])
    scope, kind = scope_of(user, workspace, at=at), KINDS.get(row.payload["report"])
    if scope is None or kind is None or not (kind.for_agents or scope.agent is None):
        return None
    language = translated(workspace.languages)
    with translation.override(language):
        given = QueryDict(row.payload["query"])
        try:
            filters = filters_for(scope, given).within(kind.narrowing)
        except BadFilter:
            return None  # what it was narrowed by is gone
        with timezone.override(ZoneInfo(filters.zone)):
            report: Report = import_module(kind.module).build(scope, filters, **kind.chosen(given))
            return _written(report, kind, workspace, user, row, language)


def _written(
    report: Report, kind: Kind, workspace: Workspace, user: User, row: Outbox, language: str
) -> EmailMultiAlternatives:
    days = " – ".join(dict.fromkeys(report.days))
    context = {
        "report": report,
        "kind": kind,
        "days": days,
        "workspace": workspace,
        "language": language,
        "rows_shown": f":{ROWS_IN_MAIL}",
        "title": f"{report.title}, {days}",
        "gist": "",
        "direction": "rtl" if translation.get_language_bidi() else "ltr",
        "url_label": _("Open the report"),
        "url": f"{settings.PUBLIC_URL}{reverse(f'reports:{kind.name}')}?{report.fixed_query}",
        "settings_url": settings.PUBLIC_URL + reverse("reports:mails"),
    }
    subject = _("%(report)s, %(days)s: %(workspace)s") % {
        "report": report.title, "days": days, "workspace": " ".join(workspace.name.split()),
    }  # fmt: skip
    mail = EmailMultiAlternatives(
        subject=subject,
        body=render_to_string("notifications/report.txt", context),
        to=[user.email],
        headers={
            "Message-ID": email.id_of(row.message_id),
            "Date": format_datetime(row.created_at),
            "Auto-Submitted": "auto-generated",
            "Content-Language": language,
        },
    )
    mail.attach_alternative(render_to_string("notifications/report.html", context), "text/html")
    mail.attach(f"{'-'.join([kind.name, *report.days])}.csv", "\ufeff" + as_csv(report), "text/csv")
    return mail
