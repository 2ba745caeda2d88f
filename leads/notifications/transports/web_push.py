"""Notifications that a browser shows, encrypted for it alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parseaddr
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from leads.notifications import guarded_http
from leads.notifications.message import URGENT, Message
from leads.notifications.outcomes import Outcome
from leads.notifications.transports import _push_encryption as push
from leads.notifications.transports._exchange import as_json, cut, exchange

KEPT_FOR_S = 4 * 3_600  # while the phone is off; later it would be old news


@dataclass(frozen=True, slots=True)
class Subscription:
    """What the browser made: where to push, its public key, and the secret it shares with us."""

    endpoint: str
    key: bytes
    secret: bytes


def read(values: Mapping[str, str]) -> Subscription:
    """`endpoint`, `p256dh` and `auth`, as PushSubscription.toJSON() names them. Raises ValueError."""
    try:
        guarded_http.check(values.get("endpoint", ""))
        key, secret = (push.from_base64(values.get(name, "")) for name in ("p256dh", "auth"))
        push.public_key(key)
    except (guarded_http.Refused, ValueError):
        raise ValueError(_("This is not a subscription that a browser made.")) from None
    if len(key) != 65 or len(secret) != 16:
        raise ValueError(_("This is not a subscription that a browser made."))
    return Subscription(values["endpoint"], key, secret)


def application_server_key() -> str:
    """What a page hands to PushManager.subscribe()."""
    return push.to_base64(push.public_bytes(_key()))


def send(message: Message, subscription: Subscription, *, at: datetime) -> Outcome:
    """The service worker gets {id, kind, title, body, url, actions: [{label, url}]}. A repeat replaces the first."""
    parts = urlsplit(subscription.endpoint)
    contact = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    return exchange(
        _("The push service"),
        subscription.endpoint,
        body=push.encrypted(_payload(message), browser_key=subscription.key, browser_secret=subscription.secret),
        headers={
            "Authorization": push.authorization(
                audience=f"{parts.scheme}://{parts.netloc}", contact=f"mailto:{contact}", key=_key(), at=at
            ),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(KEPT_FOR_S),
            "Topic": push.to_base64(message.id.bytes),
            "Urgency": "high" if message.kind in URGENT else "normal",
        },
        at=at,
    )


def _payload(message: Message) -> bytes:
    """Cut until it fits: first the text, then the links that act."""
    values = {
        "id": str(message.id),
        "kind": message.kind,
        "title": message.title,
        "body": cut(message.gist, 300),
        "url": message.url,
        "actions": [{"label": action.label, "url": action.url} for action in message.actions],
    }
    if len(as_json(values)) > push.MAX_BYTES:
        values["actions"] = []
    return as_json(values)


def _key() -> push.ec.EllipticCurvePrivateKey:
    return push.private_key(settings.VAPID_PRIVATE_KEY, secret=settings.SECRET_KEY)
