"""The ways a message can travel. Adding one is a module with `read` and `send`, and an entry here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from leads.notifications.message import Message
from leads.notifications.outcomes import Dead, Outcome
from leads.notifications.transports import email, slack, teams, telegram, web_push, webhook, whatsapp


@dataclass(frozen=True, slots=True)
class Transport:
    """`read` makes the address out of what was typed (`fields`, all strings) and raises ValueError with a sentence.

    `send` says how it ended and raises nothing that could be foreseen. `is_room`: others read along. `wakes`: phones
    make a sound, unless told otherwise.
    """

    id: str
    label: Any
    fields: tuple[str, ...]
    read: Callable[[Mapping[str, str]], Any]
    send: Callable[..., Outcome]
    is_configured: Callable[[], bool] = lambda: True
    is_room: bool = False
    wakes: bool = True


_ALL = (
    Transport("email", _("E-mail"), ("address",), email.read, email.send, wakes=False),
    Transport("web_push", _("Browser notification"), ("endpoint", "p256dh", "auth"), web_push.read, web_push.send),
    Transport("whatsapp", _("WhatsApp"), ("phone",), whatsapp.read, whatsapp.send, whatsapp.is_configured),
    Transport("telegram", _("Telegram"), ("chat_id",), telegram.read, telegram.send, telegram.is_configured),
    Transport("slack", _("Slack"), ("url",), slack.read, slack.send, is_room=True, wakes=False),
    Transport("teams", _("Microsoft Teams"), ("url",), teams.read, teams.send, is_room=True, wakes=False),
    Transport(
        "webhook", _("Webhook"), ("url", "secret", "old_secret"), webhook.read, webhook.send, is_room=True, wakes=False
    ),
)
TRANSPORTS: dict[str, Transport] = {transport.id: transport for transport in _ALL}


def send(message: Message, *, transport: str, address: Mapping[str, str], at: datetime) -> Outcome:
    """Send by the transport of that id to an address as it is stored. KeyError: there is no such transport."""
    chosen = TRANSPORTS[transport]
    try:
        target = chosen.read(address)
    except ValueError as refusal:
        return Dead(str(refusal))
    return chosen.send(message, target, at=at)
