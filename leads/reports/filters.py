"""What a report is asked for: a period on some zone's clock, which leads, and by which clock answers are timed.

All of it stands in the address, so that a report can be kept, sent and opened again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

DAY = timedelta(days=1)
LONGEST = timedelta(days=731)
FIRST_DAY = date(2000, 1, 1)
WALL, COVERED = "wall", "covered"
PERIODS: dict[str, Any] = {
    "today": gettext_lazy("Today"),
    "yesterday": gettext_lazy("Yesterday"),
    "7d": gettext_lazy("Last 7 days"),
    "30d": gettext_lazy("Last 30 days"),
    "month": gettext_lazy("This month"),
    "last_month": gettext_lazy("Last month"),
    "90d": gettext_lazy("Last 90 days"),
    "365d": gettext_lazy("Last 365 days"),
    "custom": gettext_lazy("From … to …"),
}
DEFAULT_PERIOD = "30d"
# Which leads: the columns of the same names.
NARROWING = ("team", "agent", "rule", "channel", "country", "source")


class BadFilter(ValueError):
    """What is asked for makes no report; says what to change."""


@dataclass(frozen=True, slots=True)
class Filters:
    """`first` and `last` are whole local days of `zone`, both included. `narrowed` are the wanted words by column:
    ids of agents and teams (0: none), else texts."""

    zone: str
    first: date
    last: date
    period: str = DEFAULT_PERIOD
    compare: bool = False
    clock: str = WALL
    narrowed: tuple[tuple[str, Any], ...] = ()

    @property
    def start(self) -> datetime:
        return _midnight(self.first, self.zone)

    @property
    def end(self) -> datetime:
        """Excluded."""
        return _midnight(self.last + DAY, self.zone)

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    def before(self) -> Filters:
        """The same for as many days right before."""
        length = timedelta(days=self.days)
        return replace(self, first=self.first - length, last=self.last - length, period="custom")

    def only(self, **narrowed: Any) -> Filters:
        """Narrowed further."""
        return replace(self, narrowed=tuple({**dict(self.narrowed), **narrowed}.items()))

    def within(self, names: Iterable[str]) -> Filters:
        """Narrowed by nothing but these."""
        return replace(self, narrowed=tuple(each for each in self.narrowed if each[0] in names))

    def query(self, **more: Any) -> str:
        """The address's query that asks for this. A period that moves with time keeps its name."""
        given: dict[str, Any] = {"period": self.period}
        if self.period == "custom":
            given |= {"from": self.first.isoformat(), "to": self.last.isoformat()}
        given |= {"zone": self.zone}
        for name, word in self.narrowed:
            given[name] = word if word or name in ("agent", "team") else NONE
        given |= {"clock": self.clock} if self.clock != WALL else {}
        given |= {"compare": "1"} if self.compare else {}
        return urlencode(given | more)

    def fixed(self) -> Filters:
        """With the days written out, so that the same link is the same leads tomorrow."""
        return replace(self, period="custom", compare=False)


def read(given: Mapping[str, str], *, zone: str, zones: Iterable[str], at: datetime) -> Filters:
    """`zone` is the workspace's; `zones` those that may be asked for. Raises BadFilter."""
    asked_zone = given.get("zone") or zone
    if asked_zone not in {zone, *zones}:
        raise BadFilter(_("“%(zone)s” is no zone of this workspace. Choose one of the list.") % {"zone": asked_zone})
    today = at.astimezone(ZoneInfo(asked_zone)).date()
    period = given.get("period") or ("custom" if given.get("from") or given.get("to") else DEFAULT_PERIOD)
    if period not in PERIODS:
        raise BadFilter(_("“%(period)s” is no period. Choose one of the list.") % {"period": period})
    first, last = _span(period, given, today)
    clock = given.get("clock") or WALL
    if clock not in (WALL, COVERED):
        raise BadFilter(_("“%(clock)s” is no clock. Choose wall time or covered hours.") % {"clock": clock})
    narrowed: dict[str, Any] = {}
    for name in NARROWING:
        if word := given.get(name):
            if name not in ("team", "agent"):
                narrowed[name] = "" if word == NONE else word
            elif word.isdecimal() and len(word) < 19:
                narrowed[name] = int(word)
            else:
                raise BadFilter(_("“%(word)s” is not on the list. Choose from it.") % {"word": word})
    return Filters(asked_zone, first, last, period, given.get("compare") == "1", clock, tuple(narrowed.items()))


# Stands for leads that have no rule, country or the like.
NONE = "-"


def _span(period: str, given: Mapping[str, str], today: date) -> tuple[date, date]:
    this_month = today.replace(day=1)
    if period == "custom":
        return _custom(given, today)
    if period == "yesterday":
        return today - DAY, today - DAY
    if period == "month":
        return this_month, today
    if period == "last_month":
        return (this_month - DAY).replace(day=1), this_month - DAY
    days = 1 if period == "today" else int(period.removesuffix("d"))
    return today - (days - 1) * DAY, today


def _custom(given: Mapping[str, str], today: date) -> tuple[date, date]:
    last = _day(given.get("to"), default=today)
    first = _day(given.get("from"), default=last - 29 * DAY)
    if first > last:
        raise BadFilter(
            _("The period ends on %(last)s, before it begins on %(first)s. Exchange the two.")
            % {"first": first, "last": last}
        )
    if last - first >= LONGEST:
        raise BadFilter(_("That is longer than two years. Choose a shorter period."))
    if first < FIRST_DAY or last.year > 9_000:
        raise BadFilter(_("Choose days from %(day)s on.") % {"day": FIRST_DAY})
    return first, last


def _day(text: str | None, *, default: date) -> date:
    if not text:
        return default
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadFilter(_("“%(text)s” is no date. Write one such as 2026-03-02.") % {"text": text}) from None


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)
