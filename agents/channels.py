"""Channels: how an agent's handle becomes a link that a visitor taps.

The table is data: adding a channel is one entry here, one icon, one test row.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any
from urllib.parse import quote, urlencode

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agents.contacts import display_phone, normalise_email, normalise_phone

MAX_TEXT = 1_000  # characters of a prefilled message
_MAX_START = 64  # what Telegram takes as a start parameter


@dataclass(frozen=True, slots=True)
class Prefill:
    """What the visitor finds filled in. `ref` is the lead's reference code; the message should carry it, too."""

    text: str = ""
    subject: str = ""
    ref: str = ""
    name: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class Channel:
    """One row of the table.

    `pattern` is what a normal handle matches as a whole; `make_link` takes such a handle. `prefill` names what the link
    carries. `shows_handle`: the link needs an app that may be missing, so the page shows the handle, too.
    """

    id: str
    label: Any
    example: str
    pattern: re.Pattern[str] | None
    make_link: Callable[[str, Prefill], str | None]
    prefill: frozenset[str] = frozenset()
    form: Callable[[str, str | None], str] = lambda raw, region: raw
    is_allowed: Callable[[str], bool] = lambda handle: True
    show: Callable[[str], str] = lambda handle: handle
    shows_handle: bool = False

    @property
    def needs_handle(self) -> bool:
        """Whether it opens on the agent's own handle."""
        return self.pattern is not None

    def normalise(self, raw: str, region: str | None = None) -> str:
        """The handle in its normal form; phone numbers without + are dialled from `region`.

        Raises ValueError with a sentence for what this channel does not take.
        """
        raw = raw.strip(" ")
        # What cannot be seen is refused before anything is trimmed: nobody typed it on purpose.
        handle = self.form(raw, region) if len(raw) <= 300 and raw.isprintable() else ""
        if self.pattern is None or not self.pattern.fullmatch(handle) or not self.is_allowed(handle):
            raise ValueError(
                _("This is not a handle for %(channel)s. Write it like %(example)s.")
                % {"channel": self.label, "example": self.example}
            )
        return handle

    def link(
        self, handle: str, *, text: str = "", subject: str = "", ref: str = "", name: str = "", email: str = ""
    ) -> str | None:
        """The address to open, None where there is nothing to open. Texts are cut and encoded here.

        Raises ValueError for a handle that is not in its normal form: nothing unchecked gets into a link.
        """
        if self.pattern is not None and not (self.pattern.fullmatch(handle) and self.is_allowed(handle)):
            raise ValueError(f"not a normal {self.id} handle")
        subject = " ".join(subject.split())
        return self.make_link(handle, Prefill(*map(_clean, (text, subject, ref, name, email))))

    def display(self, handle: str) -> str:
        """The handle as people read it."""
        return self.show(handle)


def channel_named(name: str) -> Channel:
    """Raises ValueError with a sentence: what it may have meant, or why it is gone."""
    if name in CHANNELS:
        return CHANNELS[name]
    word = name.strip().lower().replace("-", "_").replace(" ", "_")
    if word in _RETIRED:
        raise ValueError(_RETIRED[word])
    near = get_close_matches(word, CHANNELS, n=1)
    hint = " " + _("Did you mean %(id)s?") % {"id": near[0]} if near else ""
    raise ValueError(_("There is no channel “%(name)s”.%(hint)s") % {"name": name, "hint": hint})


def _clean(text: str) -> str:
    """Cut to what a link may carry, without what cannot be encoded."""
    return text[:MAX_TEXT].encode("utf-8", "ignore").decode().replace("\x00", "")


def _encoded(text: str) -> str:
    return quote(text, safe="")


def _digits(handle: str) -> str:
    return handle.removeprefix("+")


def _with(url: str, **query: str) -> str:
    """The address with those parameters that have a value; spaces as %20, which apps read where they show a +."""
    given = {name: value for name, value in query.items() if value}
    separator = "&" if "?" in url else "?"
    return url + (separator + urlencode(given, quote_via=quote, safe="") if given else "")


def _start(ref: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "", ref)[:_MAX_START]


def _phone(raw: str, region: str | None) -> str:
    if not re.fullmatch(r"[+0-9 ().\-/]{3,40}", raw):
        return ""
    return normalise_phone(raw, region) or ""


def _phone_or_token(raw: str, region: str | None) -> str:
    return raw if _SIGNAL_TOKEN.fullmatch(raw) else _phone(raw, region)


def _without_at(raw: str, region: str | None) -> str:
    return raw.removeprefix("@")


def _lower(raw: str, region: str | None) -> str:
    return raw.lower()


def _email(raw: str, region: str | None) -> str:
    return normalise_email(raw) or ""


def _at(handle: str) -> str:
    return f"@{handle}"


def _is_telegram_name(handle: str) -> bool:
    return "__" not in handle and not handle.endswith("_") and handle.lower() not in _TELEGRAM_PATHS


def _is_telegram_bot(handle: str) -> bool:
    return _is_telegram_name(handle) and handle.lower().endswith("bot")


def _is_instagram_name(handle: str) -> bool:
    return not (handle.startswith(".") or handle.endswith(".") or ".." in handle)


def _signal_link(handle: str, prefill: Prefill) -> str:
    return f"https://signal.me/#p/{handle}" if handle.startswith("+") else f"https://signal.me/#eu/{handle}"


def _wechat_link(handle: str, prefill: Prefill) -> str | None:
    # An id opens nothing: it is scanned or copied. WeCom's service ids begin with kfc, or are no WeChat ids at all.
    is_wecom = re.fullmatch(r"kfc[A-Za-z0-9]{7,61}", handle) or not _WECHAT_ID.fullmatch(handle)
    return f"https://work.weixin.qq.com/kfid/{handle}" if is_wecom else None


def _slack_link(handle: str, prefill: Prefill) -> str:
    team, user = handle.split("/")
    return f"slack://user?team={team}&id={user}"


def _line_link(handle: str, prefill: Prefill) -> str:
    return f"https://line.me/R/oaMessage/{_encoded(handle)}/?{_encoded(prefill.text)}"


_TELEGRAM_PATHS = frozenset(
    """joinchat addstickers addemoji addtheme proxy socks login share msg bg setlanguage confirmphone invoice boost
    giftcode""".split()  # noqa: SIM905 - words
)
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_TELEGRAM = re.compile(r"[A-Za-z][A-Za-z0-9_]{3,31}")
_SIGNAL_TOKEN = re.compile(r"[A-Za-z0-9_-]{40,100}")
_WECHAT_ID = re.compile(r"[A-Za-z][A-Za-z0-9_-]{5,19}")
# What a domain allows, and of a local part what needs no quotes, without the slash: it could look like a host.
_EMAIL = re.compile(r"(?=.{3,254}\Z)[a-z0-9.!#$%&'*+=?^_`{|}~-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+")
_BOOKING = re.compile(r"[A-Za-z0-9_-]{1,64}(?:/[A-Za-z0-9_-]{1,64}){0,2}")

_ALL = (
    Channel(
        "whatsapp", "WhatsApp", "+34600111222", _E164,
        lambda h, p: _with(f"https://wa.me/{_digits(h)}", text=p.text),
        frozenset({"text"}), form=_phone, show=display_phone,
    ),
    Channel(
        "telegram", "Telegram", "marta_acme", _TELEGRAM,
        lambda h, p: _with(f"https://t.me/{h}", text=p.text),
        frozenset({"text"}), form=_without_at, is_allowed=_is_telegram_name, show=_at,
    ),
    Channel(
        "telegram_bot", gettext_lazy("Telegram bot"), "acme_bot", _TELEGRAM,
        lambda h, p: _with(f"https://t.me/{h}", start=_start(p.ref)),
        frozenset({"ref"}), form=_without_at, is_allowed=_is_telegram_bot, show=_at,
    ),
    Channel(
        "phone", gettext_lazy("Phone"), "+34600111222", _E164,
        lambda h, p: f"tel:{h}",
        form=_phone, show=display_phone, shows_handle=True,
    ),
    Channel(
        "sms", "SMS", "+34600111222", _E164,
        lambda h, p: _with(f"sms:{h}", body=p.text),
        frozenset({"text"}), form=_phone, show=display_phone, shows_handle=True,
    ),
    Channel(
        "email", gettext_lazy("E-mail"), "marta@example.com", _EMAIL,
        lambda h, p: _with(f"mailto:{quote(h, safe='@')}", subject=p.subject, body=p.text),
        frozenset({"text", "subject"}), form=_email, shows_handle=True,
    ),
    Channel(
        "messenger", "Messenger", "acme.page", re.compile(r"[A-Za-z0-9.]{5,50}|[0-9]{1,20}"),
        lambda h, p: _with(f"https://m.me/{h}", ref=p.ref),
        frozenset({"ref"}),
    ),
    Channel(
        "instagram", "Instagram", "acme.es", re.compile(r"[A-Za-z0-9._]{1,30}"),
        lambda h, p: _with(f"https://ig.me/m/{h}", ref=p.ref),
        frozenset({"ref"}), form=_without_at, is_allowed=_is_instagram_name, show=_at,
    ),
    Channel(
        "viber", "Viber", "+34600111222", _E164,
        lambda h, p: f"viber://chat?number=%2B{_digits(h)}",
        form=_phone, show=display_phone, shows_handle=True,
    ),
    Channel(
        "viber_bot", gettext_lazy("Viber bot"), "acme", re.compile(r"[A-Za-z0-9_-]{1,64}"),
        lambda h, p: _with(f"viber://pa?chatURI={h}", text=p.text),
        frozenset({"text"}), form=_without_at, shows_handle=True,
    ),
    Channel(
        "signal", "Signal", "+34600111222", re.compile(rf"{_E164.pattern}|{_SIGNAL_TOKEN.pattern}"),
        _signal_link,
        form=_phone_or_token, show=lambda h: display_phone(h) if h.startswith("+") else h,
    ),
    Channel(
        "line", "LINE", "@acme", re.compile(r"@[a-z0-9._-]{2,20}"),
        _line_link,
        frozenset({"text"}),
    ),
    Channel(
        "wechat", "WeChat", "acme_es", re.compile(rf"{_WECHAT_ID.pattern}|[A-Za-z0-9]{{10,64}}"),
        _wechat_link,
        shows_handle=True,
    ),
    Channel(
        "discord", "Discord", "acme-es", re.compile(r"[A-Za-z0-9-]{2,32}"),
        lambda h, p: f"https://discord.gg/{h}",
    ),
    Channel(
        "slack", "Slack", "T012345678/U012345678", re.compile(r"T[A-Z0-9]{8,12}/[UW][A-Z0-9]{8,12}"),
        _slack_link,
        shows_handle=True,
    ),
    Channel(
        "teams", "Microsoft Teams", "marta@example.com", _EMAIL,
        lambda h, p: _with("https://teams.microsoft.com/l/chat/0/0", users=h, message=p.text),
        frozenset({"text"}), form=_email,
    ),
    Channel(
        "vk", "VK", "acme_es", re.compile(r"[A-Za-z][A-Za-z0-9_.]{3,31}"),
        lambda h, p: _with(f"https://vk.me/{h}", ref=p.ref),
        frozenset({"ref"}),
    ),
    Channel(
        "x", "X", "2244994945", re.compile(r"[0-9]{1,20}"),
        lambda h, p: _with("https://twitter.com/messages/compose", recipient_id=h, text=p.text),
        frozenset({"text"}),
    ),
    Channel(
        "kakaotalk", "KakaoTalk", "_xkaAbC", re.compile(r"_[A-Za-z]{3,20}"),
        lambda h, p: f"https://pf.kakao.com/{h}/chat",
    ),
    Channel(
        "zalo", "Zalo", "2134567890123", re.compile(r"[0-9]{8,20}"),
        lambda h, p: f"https://zalo.me/{h}",
    ),
    Channel(
        "snapchat", "Snapchat", "acme_es", re.compile(r"[A-Za-z][A-Za-z0-9._-]{2,14}"),
        lambda h, p: f"https://www.snapchat.com/add/{h}",
        form=_without_at, show=_at,
    ),
    Channel(
        "apple_messages", gettext_lazy("Apple Messages"), "5d3e2a10-8c1f-4b5e-9d27-0a6b7c8d9e0f",
        re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
        lambda h, p: _with(f"https://bcrw.apple.com/urn:biz:{h}", body=p.text),
        frozenset({"text"}), form=_lower,
    ),
    Channel(
        "calendly", "Calendly", "marta/30min", _BOOKING,
        lambda h, p: _with(f"https://calendly.com/{h}", name=p.name, email=p.email),
        frozenset({"name", "email"}),
    ),
    Channel(
        "calcom", "Cal.com", "marta/30min", _BOOKING,
        lambda h, p: _with(f"https://cal.com/{h}", name=p.name, email=p.email),
        frozenset({"name", "email"}),
    ),
    Channel(
        "matrix", "Matrix", "@marta:example.com",
        re.compile(r"(?=.{4,255}\Z)@[a-z0-9._=/+-]+:[a-z0-9-]+(?:\.[a-z0-9-]+)*(?::[0-9]{1,5})?"),
        lambda h, p: f"https://matrix.to/#/{quote(h, safe='@:')}",
    ),
    Channel("form", gettext_lazy("Form"), "", None, lambda h, p: None),
)  # fmt: skip
CHANNELS: dict[str, Channel] = {channel.id: channel for channel in _ALL}

_SKYPE = gettext_lazy("Skype closed in May 2025. Use teams with the agent's Microsoft address instead.")
_GOOGLE = gettext_lazy("Google Business Messages closed in July 2024. Use whatsapp, sms or phone instead.")
_RETIRED = {
    "skype": _SKYPE,
    "google_business_messages": _GOOGLE,
    "google_business": _GOOGLE,
    "google_messages": _GOOGLE,
    "business_messages": _GOOGLE,
}
