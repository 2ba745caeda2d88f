"""Mail: text and HTML, with the links that act for the recipient."""

from __future__ import annotations

import smtplib
from collections.abc import Mapping
from datetime import datetime
from email.utils import format_datetime, parseaddr
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from leads.notifications.message import Message
from leads.notifications.outcomes import Dead, Delivered, Outcome, Retry


def read(values: Mapping[str, str]) -> str:
    """`address`. Raises ValueError."""
    address = values.get("address", "").strip()
    try:
        validate_email(address)
    except ValidationError:
        raise ValueError(_("Write one e-mail address, such as name@example.com.")) from None
    return address


def send(message: Message, address: str, *, at: datetime) -> Outcome:
    """Hand it to the mail server. A repeat carries the same Message-ID, by which mailboxes know it."""
    mail = EmailMultiAlternatives(
        subject=message.title,
        body=_with_links(message),
        to=[address],
        headers={
            "Message-ID": message_id(message),
            "Date": format_datetime(at),
            "Auto-Submitted": "auto-generated",  # asks absence notes to stay quiet (RFC 3834)
            "Content-Language": message.language,
        },
    )
    mail.attach_alternative(message.html, "text/html")
    return hand_over(mail)


def hand_over(mail: EmailMultiAlternatives) -> Outcome:
    """Give a mail to the mail server."""
    try:
        mail.send()
    except smtplib.SMTPRecipientsRefused as refusal:
        status = max(status for status, _text in refusal.recipients.values())
        return _refused(_("The mail server does not take this address (%d)") % status, status)
    except smtplib.SMTPDataError as refusal:
        return _refused(_("The mail server did not take this mail (%d)") % refusal.smtp_code, refusal.smtp_code)
    except smtplib.SMTPResponseException as problem:
        # It refuses us, not them: our login or our sender. Somebody will put that right.
        return Retry(_("The mail server refused us (%d)") % problem.smtp_code)
    except (smtplib.SMTPException, OSError) as problem:
        return Retry(_("No mail server: %s") % type(problem).__name__)
    return Delivered()


def message_id(message: Message) -> str:
    return id_of(message.id)


def id_of(row: UUID) -> str:
    """The Message-ID of the mail of a row of the outbox, the same however often it is sent."""
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
    return f"<{row}@{domain}>"


def _refused(reason: str, status: int) -> Outcome:
    return Dead(reason) if status >= 500 else Retry(reason)


def _with_links(message: Message) -> str:
    links = [f"{action.label}: {action.url}" for action in message.actions]
    if message.url:
        links.append(f"{message.url_label}: {message.url}")
    return "\n\n".join([message.title, message.text, *links])
