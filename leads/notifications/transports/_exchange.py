"""One request to whoever carries a message, and what its answer means."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from leads.notifications import guarded_http
from leads.notifications.guarded_http import Answer
from leads.notifications.outcomes import Dead, Delivered, Outcome, Retry, asked_wait

# Too early, too slow, too many: the same request may do better later.
_PASSING = {408, 409, 425, 429}
_GONE = {404, 410}

Judge = Callable[[Answer], Outcome | None]


def exchange(
    who: str, url: str, *, body: bytes, headers: Mapping[str, str], at: datetime, judge: Judge = lambda answer: None
) -> Outcome:
    """Post, and say how it ended. `who` names the other side in reasons, which never hold the URL: it may be a secret.

    `judge` knows what is peculiar to the other side, and answers None where the status says it all.
    """
    try:
        answer = guarded_http.post(url, body=body, headers=headers)
    except guarded_http.Refused as refusal:
        return Dead(str(refusal))
    except guarded_http.Unreachable as problem:
        return Retry(f"{who}: {problem}")
    return judge(answer) or judged(who, answer, at=at)


def judged(who: str, answer: Answer, *, at: datetime, said: str = "") -> Outcome:
    """What the status means anywhere. `said`: a short code of the other side's, for the reason."""
    status = answer.status
    if 200 <= status < 300:
        return Delivered()
    reason = _("%(who)s answered %(status)d") % {"who": who, "status": status}
    reason += f" ({said})" if said else ""
    if status in _PASSING or status >= 500:
        return Retry(reason, asked_wait(answer.retry_after, at=at))
    return Dead(reason, address_gone=status in _GONE)


def as_json(values: Any) -> bytes:
    """The same bytes every time, so that a signature over them stays right."""
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode()


JSON = {"Content-Type": "application/json; charset=utf-8"}


def from_json(answer: Answer) -> dict[str, Any]:
    """The answer's object, {} where it is none."""
    try:
        values = json.loads(answer.body_excerpt)
    except (ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}


def code(text: object) -> str:
    """A short code or sentence of the other side's; '' for anything that could be more than that."""
    return text if isinstance(text, str) and re.fullmatch(r"[A-Za-z0-9 _:.,'#()-]{1,100}", text) else ""


def cut(text: str, units: int) -> str:
    """At most so many UTF-16 code units, which is what chats count, without cutting a character in two."""
    if len(text.encode("utf-16-le")) <= 2 * units:
        return text
    return text.encode("utf-16-le")[: 2 * (units - 1)].decode("utf-16-le", errors="ignore").rstrip() + "…"
