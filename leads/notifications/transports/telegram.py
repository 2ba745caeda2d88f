"""Telegram: our bot writes to an agent, or to a group, that started it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.utils.translation import gettext as _

from leads.notifications.guarded_http import Answer
from leads.notifications.message import Action, Message
from leads.notifications.outcomes import LONGEST_WAIT, Dead, Outcome, Retry
from leads.notifications.transports._exchange import JSON, as_json, code, cut, exchange, from_json, judged

API = "https://api.telegram.org"


def read(values: Mapping[str, str]) -> int:
    """`chat_id`, a number; groups have negative ones. Raises ValueError."""
    text = values.get("chat_id", "").strip()
    if not re.fullmatch("-?[1-9][0-9]{0,15}", text):
        raise ValueError(_("The id of a Telegram chat is a number: the bot shows it when it is started."))
    return int(text)


def is_configured() -> bool:
    return bool(settings.TELEGRAM_BOT_TOKEN)


def send(message: Message, chat_id: int, *, at: datetime) -> Outcome:
    if not is_configured():
        return Dead(_("Telegram is not set up here"))
    # Ids below zero are groups: everybody there would act in the recipient's name.
    links = [*(message.actions if chat_id > 0 else ()), Action(message.url_label, message.url)]
    # Telegram takes no buttons for names that only this network knows, nor for anything but the web.
    buttons = [link for link in links if re.match(r"https://[^/:]+\.", link.url)]
    others = [f"{link.label}: {link.url}" for link in links if link.url and link not in buttons]
    title = cut(message.title, 150)
    values = {
        "chat_id": chat_id,
        "text": cut("\n\n".join([title, message.text, *others]), 4_000),
        # Bold by position, never by markup: what a visitor wrote is no markup.
        "entities": [{"type": "bold", "offset": 0, "length": len(title.encode("utf-16-le")) // 2}],
        "link_preview_options": {"is_disabled": True},
        "reply_markup": {"inline_keyboard": [[{"text": link.label, "url": link.url}] for link in buttons]},
    }
    return exchange(
        "Telegram",
        f"{API}/bot{settings.TELEGRAM_BOT_TOKEN}/sendMessage",
        body=as_json(values),
        headers=JSON,
        at=at,
        judge=lambda answer: _judged(answer, at=at),
    )


def _judged(answer: Answer, *, at: datetime) -> Outcome | None:
    values = from_json(answer)
    said = code(values.get("description"))
    parameters = values.get("parameters")
    wait_s = parameters.get("retry_after") if isinstance(parameters, dict) else None
    if answer.status == 429 and isinstance(wait_s, int) and 0 <= wait_s <= LONGEST_WAIT.total_seconds():
        return Retry(_("Telegram takes no more for now"), timedelta(seconds=wait_s))
    if answer.status == 403 or (answer.status == 400 and "chat not found" in said):
        return Dead(f"Telegram: {said}", address_gone=True)  # blocked, left, deleted
    if answer.status in {401, 404}:
        return Dead(_("Telegram does not know our bot: TELEGRAM_BOT_TOKEN is wrong"))
    return judged("Telegram", answer, at=at, said=said)
