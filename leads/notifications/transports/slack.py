"""Slack, through an incoming webhook: a room, so no link in it acts on anybody's behalf."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from leads.notifications.message import Message
from leads.notifications.outcomes import Outcome
from leads.notifications.transports._exchange import JSON, as_json, code, cut, exchange, judged
from leads.notifications.transports._webhook_url import read_url


def read(values: Mapping[str, str]) -> str:
    """`url`. Raises ValueError."""
    return read_url(values)


def send(message: Message, url: str, *, at: datetime) -> Outcome:
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": _plain(message.title, 150)},
        {"type": "section", "text": _plain(message.text, 2_900)},
    ]
    if message.url:
        link = f"<{message.url}|{_escaped(message.url_label)}>"
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": link, "verbatim": True}})
    return exchange(
        "Slack",
        url,
        body=as_json({"text": _escaped(message.title), "blocks": blocks, "unfurl_links": False}),
        headers=JSON,
        at=at,
        judge=lambda answer: judged("Slack", answer, at=at, said=code(answer.body_excerpt)),
    )


def _plain(text: str, characters: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": cut(text, characters), "emoji": False}


def _escaped(text: str) -> str:
    """What a visitor wrote must not call the whole room (`<!channel>`) or dress up a link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
