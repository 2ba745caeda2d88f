"""WhatsApp, through Meta's Cloud API and a template approved there: nothing else may open a conversation."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.conf import settings
from django.utils.translation import gettext as _

from agents.contacts import normalise_phone
from leads.notifications.guarded_http import Answer
from leads.notifications.message import Message
from leads.notifications.outcomes import Dead, Outcome, Retry, asked_wait
from leads.notifications.transports._exchange import JSON, as_json, cut, exchange, from_json

API = "https://graph.facebook.com/v23.0"
# Meta reports most trouble with 400. These pass: its own faults, and its limits on how much we send.
_PASSING = {1, 2, 4, 80007, 130429, 131000, 131016, 131048, 131056, 131057, 133004, 133016}


def read(values: Mapping[str, str]) -> str:
    """`phone`, with its country's prefix. Raises ValueError."""
    phone = normalise_phone(values.get("phone", ""), None)
    if phone is None:
        raise ValueError(_("Write a phone number with its country's prefix, such as +34600111222."))
    return phone


def is_configured() -> bool:
    """Whether this installation has an account; without one, mail carries a link that opens the conversation."""
    return bool(settings.WHATSAPP_TOKEN)


def send(message: Message, phone: str, *, at: datetime) -> Outcome:
    if not is_configured():
        return Dead(_("WhatsApp is not set up here"))
    texts = [_one_line(message.title, 150), _one_line(message.gist, 500), message.url or "–"]
    template = {
        "name": settings.WHATSAPP_TEMPLATE,
        "language": {"code": message.language.replace("-", "_")},
        "components": [{"type": "body", "parameters": [{"type": "text", "text": text} for text in texts]}],
    }
    return exchange(
        "WhatsApp",
        f"{API}/{settings.WHATSAPP_PHONE_NUMBER_ID}/messages",
        body=as_json(
            {
                "messaging_product": "whatsapp",
                "recipient_type": "individual",
                "to": phone.removeprefix("+"),
                "type": "template",
                "template": template,
                "biz_opaque_callback_data": str(message.id),
            }
        ),
        headers=JSON | {"Authorization": f"Bearer {settings.WHATSAPP_TOKEN}"},
        at=at,
        judge=lambda answer: _judged(answer, at=at),
    )


def _judged(answer: Answer, *, at: datetime) -> Outcome | None:
    error = from_json(answer).get("error")
    number = error.get("code") if isinstance(error, dict) else None
    if answer.status < 300 or not isinstance(number, int):
        return None
    reason = _("WhatsApp answered %(status)d (error %(number)d)") % {"status": answer.status, "number": number}
    if number in _PASSING or answer.status == 429 or answer.status >= 500:
        return Retry(reason, asked_wait(answer.retry_after, at=at))
    return Dead(reason)


def _one_line(text: str, characters: int) -> str:
    """A template takes no line breaks, no tabs, no run of spaces, and nothing empty."""
    return cut(" ".join(text.split()), characters) or "–"
