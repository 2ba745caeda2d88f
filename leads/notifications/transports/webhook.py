"""Webhooks to whatever the customer runs, signed as the Standard Webhooks specification says."""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from standardwebhooks import Webhook

from leads.notifications.guarded_http import Answer
from leads.notifications.message import Message
from leads.notifications.outcomes import Dead, Delivered, Outcome, Retry, asked_wait
from leads.notifications.transports._exchange import JSON, as_json, exchange
from leads.notifications.transports._webhook_url import read_url


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`secrets`: the current one first, and while it is being replaced the one before it, too."""

    url: str
    secrets: tuple[str, ...]


def read(values: Mapping[str, str]) -> Endpoint:
    """`url`, `secret` and, while that is new, `old_secret`. Raises ValueError."""
    url = read_url(values)
    keys = tuple(key for name in ("secret", "old_secret") if (key := values.get(name, "").strip()))
    if not keys or not all(_is_secret(key) for key in keys):
        raise ValueError(_("The secret of a webhook begins with whsec_ and holds 24 to 64 bytes in Base64."))
    return Endpoint(url, keys)


def new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def send(message: Message, endpoint: Endpoint, *, at: datetime) -> Outcome:
    data = {"title": message.title, "text": message.text, "url": message.url, "language": message.language}
    return deliver(
        endpoint,
        message_id=message.id,
        event=f"notification.{message.kind}",
        data=data,
        happened_at=message.created_at,
        at=at,
    )


def deliver(
    endpoint: Endpoint, *, message_id: UUID, event: str, data: Mapping[str, Any], happened_at: datetime, at: datetime
) -> Outcome:
    """Post {type, timestamp, data}. A repeat has the same id and body, and is signed with its own time.

    Any answer but 2xx is tried again, a redirect too; 410 says that nobody listens any more.
    """
    timestamp = happened_at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    body = as_json({"type": event, "timestamp": timestamp, "data": data})
    name = f"msg_{message_id.hex}"
    at = at.astimezone(UTC)  # the library takes whatever zone it is given for UTC
    signatures = [Webhook(key).sign(name, at, body.decode()) for key in endpoint.secrets]
    return exchange(
        _("The webhook"),
        endpoint.url,
        body=body,
        headers=JSON
        | {
            "webhook-id": name,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": " ".join(signatures),
        },
        at=at,
        judge=lambda answer: _judged(answer, at=at),
    )


def _judged(answer: Answer, *, at: datetime) -> Outcome:
    if 200 <= answer.status < 300:
        return Delivered()
    reason = _("The webhook answered %d") % answer.status
    if answer.status == 410:
        return Dead(reason, address_gone=True)
    return Retry(reason, asked_wait(answer.retry_after, at=at))


def _is_secret(text: str) -> bool:
    try:
        key = base64.b64decode(text.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        return False
    return text.startswith("whsec_") and 24 <= len(key) <= 64
