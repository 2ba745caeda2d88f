"""What people are told, rendered for everything that carries it.

Each kind has a template, `notifications/KIND.txt`. Its first line is the title; what follows is the text for chats and
phones, whose first paragraph is the gist. Mail shows title and gist in `mail.html`, or in a `KIND.html` made from it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.template import Context
from django.template.loader import select_template
from django.utils import timezone, translation
from django.utils.translation import get_language_bidi
from django.utils.translation import gettext as _

MAX_TITLE = 150  # characters; Slack takes no longer header
MAX_QUOTE = 500  # of what a visitor wrote
MAX_TEXT = 2_000  # of any other value
MAX_LEADS = 20  # that a digest shows one by one

_LINKS = ("https://", "http://", "mailto:", "tel:", "sms:", "viber://", "slack://")
# What turns the direction of text around can make one address look like another.
_TURNING = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class Kind(StrEnum):
    """What happened, from the recipient's side. Their own keys of the context, beyond those `render` lists:

    assigned           lead, `respond_by` (datetime, absent: no limit)
    digest             leads, released as a shift started: oldest first; `total` (int) where not all are listed;
                       `storm` (bool): they came in one after another instead
    reminder           lead, `left_s` (int; 0 and below: the time is over)
    escalation         lead, `holder` (name of the agent who has it, '' for nobody); for managers
    offer              lead, `until_at` (datetime): the first to take it has it
    rerouted_away      lead, `taker` (name, '' where it waits): it went to somebody else after silence
    page               lead, `acknowledge_by` (datetime): wakes whoever is on call
    coverage_warning   gaps: [{starts_at, ends_at (datetimes), leads (float: how many usually fall there), why (a short
                       text such as a holiday's name, may be '')}]; for managers
    trouble            lead, `why` (a sentence): it has no agent; for managers
    promise_late       lead, `holder`: the visitor was promised an answer at an opening that passed; for managers
    trial              nothing of its own: the recipient tries how they are told
    """

    ASSIGNED = "assigned"
    DIGEST = "digest"
    REMINDER = "reminder"
    ESCALATION = "escalation"
    OFFER = "offer"
    REROUTED_AWAY = "rerouted_away"
    PAGE = "page"
    COVERAGE_WARNING = "coverage_warning"
    TROUBLE = "trouble"
    PROMISE_LATE = "promise_late"
    TRIAL = "trial"


# They wake people: what they ask for cannot wait, and who tries a way is awake.
URGENT = frozenset({Kind.PAGE, Kind.TRIAL})


@dataclass(frozen=True, slots=True)
class Action:
    """A button. `url` may act on behalf of the recipient, so it goes to them alone, never into a shared room."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Message:
    """`id` is the outbox row's, the same however often it is sent. `text` holds no links; `url` needs a login, and is
    safe to show anywhere; `actions` are not. Their first answers the visitor, where that can be done by a link."""

    id: UUID
    kind: Kind
    title: str
    text: str
    html: str
    url: str
    url_label: str
    actions: tuple[Action, ...]
    language: str
    created_at: datetime

    @property
    def gist(self) -> str:
        """The first paragraph of the text, on one line: for phones."""
        return _gist(self.text)


def render(
    *, message_id: UUID, kind: Kind, context: Mapping[str, Any], language: str, zone: str, at: datetime
) -> Message:
    """The message in the recipient's language, with times on their wall clock.

    `context`, for all kinds (strings may be absent or ''):
      workspace      {name}
      url            the page to open: the lead in the inbox, or the managers' start page
      settings_url   where the recipient chooses what they are sent
      actions        [{label, url}]: one-click links, for the recipient alone
      lead / leads   {reference, name, contact (for people to read), channel, language, country (as words), page,
                     message, received_at (datetime), waited_s (int), url (its page in the inbox),
                     reply_url (opens the conversation with the visitor), reply_on (the channel it opens, where that
                     is not the lead's own)}
    and what `Kind` lists. Values are plain text, whoever wrote them; nothing in them is trusted. Keys that end in `_s`
    are seconds, and the templates see them in words under the name without that ending.

    Raises ValueError for a link that is none.
    """
    with translation.override(language), timezone.override(ZoneInfo(zone)):
        seen = {"url": "", "url_label": _url_label(kind)} | _prepared(context)
        actions = [Action(action["label"], action["url"]) for action in seen.get("actions", ())]
        if reply_url := seen.get("lead", {}).get("reply_url"):
            channel = seen["lead"].get("reply_on") or seen["lead"].get("channel")
            label = _("Reply on %(channel)s") % {"channel": channel} if channel else _("Reply")
            actions.insert(0, Action(label, reply_url))
        seen["actions"] = actions
        if leads := seen.get("leads"):
            seen["total"] = total = max(context.get("total", 0), len(leads))
            seen["leads"] = leads[:MAX_LEADS]
            seen["more"] = total - len(seen["leads"])
        seen |= {"language": language, "direction": "rtl" if get_language_bidi() else "ltr"}
        title, text = _rendered([f"{kind}.txt"], seen, autoescape=False).strip().split("\n", 1)
        title = _cut(" ".join(title.split()), MAX_TITLE)
        text = re.sub(r"\n{3,}", "\n\n", text).strip()
        gist = _gist(text)
        html = _rendered([f"{kind}.html", "mail.html"], seen | {"title": title, "gist": gist}, autoescape=True)
    return Message(
        id=message_id,
        kind=kind,
        title=title,
        text=text,
        html=html,
        url=seen["url"],
        url_label=seen["url_label"],
        actions=tuple(actions),
        language=language,
        created_at=at,
    )


def in_words(seconds: int) -> str:
    """About how long: 45 s, 4 min, 2 h 5 min, 3 d 4 h. Cut, never rounded up: nobody has less time than this."""
    seconds = abs(seconds)
    days, hours, minutes = seconds // 86_400, seconds // 3_600 % 24, seconds // 60 % 60
    if days:
        return _("%(days)d d %(hours)d h") % {"days": days, "hours": hours} if hours else _("%d d") % days
    if hours:
        return _("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": minutes} if minutes else _("%d h") % hours
    return _("%d min") % minutes if minutes else _("%d s") % seconds


def _rendered(names: list[str], seen: Mapping[str, Any], *, autoescape: bool) -> str:
    template = select_template([f"notifications/{name}" for name in names]).template
    return template.render(Context(dict(seen), autoescape=autoescape))


def _gist(text: str) -> str:
    return " ".join(text.split("\n\n", 1)[0].split())


def _prepared(values: Mapping[str, Any]) -> dict[str, Any]:
    """Text without what could deceive, links checked, seconds in words, and each lead with somebody's name."""
    prepared: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            value = _prepared(value)
        elif isinstance(value, (list, tuple)):
            value = [_prepared(item) for item in value]
        elif key.endswith("url"):
            value = _checked_link(value)
        elif isinstance(value, str):
            value = _plain(value)
            value = _cut(value, MAX_QUOTE) if key == "message" else _cut(" ".join(value.split()), MAX_TEXT)
        elif key.endswith("_s"):
            prepared[key.removesuffix("_s")] = in_words(value)
        prepared[key] = value
    if "reference" in prepared:
        prepared["who"] = prepared.get("name") or prepared.get("contact") or _("Somebody")
    return prepared


def _url_label(kind: Kind) -> str:
    if kind in (Kind.DIGEST, Kind.TRIAL):
        return _("Open the inbox")
    if kind is Kind.COVERAGE_WARNING:
        return _("See the hours")
    return _("Open the lead")


def _plain(text: str) -> str:
    """Without control characters, line breaks apart, and without marks that turn the direction of what follows."""
    text = _TURNING.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return "".join(c if c == "\n" or unicodedata.category(c) not in {"Cc", "Cs"} else " " for c in text).strip()


def _cut(text: str, characters: int) -> str:
    return text if len(text) <= characters else text[: characters - 1].rstrip() + "…"


def _checked_link(url: str) -> str:
    if url and (not url.startswith(_LINKS) or re.search(r"[\s<>\"\\]", url)):
        raise ValueError(f"no link that a message may carry: {url[:40]!r}")
    return url
