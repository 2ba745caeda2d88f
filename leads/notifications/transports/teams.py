"""Microsoft Teams, through the webhook of a workflow: an Adaptive Card in a room."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from leads.notifications.message import Message
from leads.notifications.outcomes import Outcome
from leads.notifications.transports._exchange import JSON, as_json, cut, exchange
from leads.notifications.transports._webhook_url import read_url


def read(values: Mapping[str, str]) -> str:
    """`url`. Raises ValueError."""
    return read_url(values)


def send(message: Message, url: str, *, at: datetime) -> Outcome:
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": cut(message.title, 150),
        "body": [
            _text(cut(message.title, 150), size="Large", weight="Bolder"),
            *(_text(line) for line in cut(message.text, 3_000).splitlines() if line),
        ],
    }
    if message.url:
        card["actions"] = [{"type": "Action.OpenUrl", "title": message.url_label, "url": message.url}]
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return exchange(
        "Microsoft Teams",
        url,
        body=as_json({"type": "message", "attachments": [attachment]}),
        headers=JSON,
        at=at,
    )


def _text(text: str, **style: str) -> dict[str, Any]:
    """A run of text, not a TextBlock: those read Markdown, and a visitor's message would dress up links."""
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **style}]}
