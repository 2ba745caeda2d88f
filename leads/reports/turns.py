"""The decisions of a period as they stood at an instant: their sums, day by day, and the decisions behind one sum.

A year of decisions is never read for a list: the days' sums say on which days those of a page lie, and only these are
read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

from django.db.models import Case, CharField, F, Q, QuerySet, TextField, Value, When
from django.db.models.functions import Cast
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from leads.models import Decision, GivenBack, TurnDay
from leads.reports.filters import BadFilter, Filters
from leads.reports.names import Names
from leads.speed import days, turn_sums
from leads.speed.days import DAY
from leads.speed.turn_sums import FIRST, NO_GAP, PAID, PARTS, last_verdicts
from routing.engine import Outcome

WHAT: dict[str, Any] = {
    "decided": gettext_lazy("Leads decided"),
    "turns": gettext_lazy("Given by turns"),
    "got": gettext_lazy("Got by turns"),
    "asked": gettext_lazy("Looked at"),
    "could": gettext_lazy("Could take"),
    "missed": gettext_lazy("Missed"),
    "taken": gettext_lazy("Got of those they could take"),
    "otherwise": gettext_lazy("Got otherwise: by hand, or as the fallback"),
}
REASONS: dict[str, Any] = {
    "chosen": gettext_lazy("got it"),
    "not_their_turn": gettext_lazy("not their turn"),
    "offered": gettext_lazy("it was offered to them"),
    "off_shift": gettext_lazy("off shift"),
    "paused": gettext_lazy("paused"),
    "time_off": gettext_lazy("time off"),
    "holiday": gettext_lazy("holiday"),
    "at_cap": gettext_lazy("at a cap"),
    "language": gettext_lazy("language"),
    "channel": gettext_lazy("channel"),
    "territory": gettext_lazy("territory"),
    "tags": gettext_lazy("tags"),
    "not_preferred": gettext_lazy("others fitted better"),
    "lower_tier": gettext_lazy("an earlier tier was there"),
    "weight_zero": gettext_lazy("no turns in the team"),
    "already_tried": gettext_lazy("had it before"),
    "inactive": gettext_lazy("inactive"),
}
# Of an agent; the others are of everybody.
OF_AN_AGENT = ("got", "asked", "could", "missed", "taken", "otherwise")


Words = tuple[tuple[str, Any], ...]


def words_of(filters: Filters) -> Words:
    """The rule, channel, country and source that the decisions are narrowed to."""
    return tuple(each for each in filters.narrowed if each[0] in PARTS)


def load(
    *, workspace_id: int, start: datetime, end: datetime, at: datetime, words: Words = ()
) -> Iterator[tuple[date, dict[str, Any]]]:
    """The sums of the decisions of `[start, end)` until `at` that have these words, day by day (UTC); the first and the
    last may be parts of one. Days that are not packed, and those with turns given back since `at`, are added up from
    their decisions; so are all where more than one word is asked for."""
    end = min(end, at + timedelta(microseconds=1))
    if end <= start:
        return
    first, last = days.day_of(start), days.day_of(end - timedelta(microseconds=1))
    since = Decision.objects.filter(workspace_id=workspace_id, given_back_at__gt=at, at__gte=start, at__lt=end)
    stale = days.changed_since_noted(workspace_id) | {days.day_of(on) for on in since.values_list("at", flat=True)}
    rows = TurnDay.objects.filter(workspace_id=workspace_id, day__gte=first, day__lte=last)
    found = {
        day: sums
        for day, sums in _packed(rows, words)
        if day not in stale and start <= days.begin_of(day) and days.begin_of(day) + DAY <= end
    }
    missing = [day for day in _days(first, last) if day not in found]
    if missing:
        these = _on(missing, workspace_id=workspace_id, start=start, end=end, at=at, words=words)
        decisions = these.order_by("at", "pk")
        read = decisions.values_list("at", *_READ).iterator(chunk_size=2_000)
        for on, of in groupby(read, key=lambda row: days.day_of(row[0])):
            found[on] = turn_sums.add_up(row[1:] for row in of)
    for on in sorted(found):
        yield on, found[on]


def _packed(rows: QuerySet[TurnDay], words: Words) -> Iterable[tuple[date, dict[str, Any]]]:
    if not words:
        return rows.filter(part="").values_list("day", "sums")
    if len(words) > 1:
        return ()
    of = dict(rows.filter(part=turn_sums.part_of(*words[0])).values_list("day", "sums"))
    # A day that is packed without the word had none of it.
    return [(day, of.get(day) or turn_sums.add_up(())) for day in rows.filter(part="").values_list("day", flat=True)]


@dataclass(frozen=True, slots=True)
class Behind:
    """Decisions that one number counts. `outcome`: of those decided; `ledger`: of turns; `reason`: of those missed;
    '' for all. `agent`: of whom, where it is about one."""

    what: str
    agent: int | None = None
    outcome: str = ""
    ledger: str = ""
    reason: str = ""

    def number(self, sums: Mapping[str, Any]) -> int:
        """How many there are in these sums."""
        agent = str(self.agent)
        if self.what == "decided":
            return int(sums["outcomes"].get(self.outcome, 0) if self.outcome else sum(sums["outcomes"].values()))
        if self.what in ("turns", "got"):
            ledgers = [of for name, of in sums["ledgers"].items() if self.ledger in ("", name)]
            return sum(of["turns"] if self.what == "turns" else of["got"].get(agent, 0) for of in ledgers)
        missed = sums["missed"].get(agent, {})
        if self.what == "missed":
            return int(missed.get(self.reason, 0) if self.reason else sum(missed.values()))
        if self.what == "could":
            return int(sums["asked"].get(agent, 0) - sum(missed.values()))
        return int(sums[self.what].get(agent, 0))

    def holds(self, row: tuple[Any, ...]) -> bool:
        """Whether this decision (as `turn_sums.READ`) is one of them."""
        decision, _ledger, moved, given_back, outcome, agent, trigger = row
        if self.what == "decided":
            return trigger in FIRST and self.outcome in ("", outcome)
        if self.what in ("turns", "got"):
            if not moved or given_back == PAID or decision is None:
                return False
            is_its = self.ledger in ("", str(decision["ledger"]))
            return is_its and (self.what == "turns" or decision["turn"][0] == self.agent)
        verdict = last_verdicts(decision).get(self.agent) if self.agent is not None else None
        if self.what in ("taken", "otherwise"):
            return agent == self.agent and (verdict in NO_GAP) == (self.what == "taken")
        if verdict is None:
            return False
        if self.what == "missed":
            return verdict not in NO_GAP and self.reason in ("", verdict)
        return self.what == "asked" or verdict in NO_GAP

    def narrow(self, decisions: QuerySet[Decision]) -> QuerySet[Decision]:
        """Without most of those that it does not count, so that they need not be read."""
        if self.what == "decided":
            decisions = decisions.filter(trigger__in=FIRST)
            return decisions.filter(outcome=self.outcome) if self.outcome else decisions
        if self.what in ("turns", "got"):
            decisions = decisions.filter(moved_ledger=True)
            return decisions if self.what == "turns" else _naming(decisions, f'"turn": [{self.agent}, ')
        if self.what in ("taken", "otherwise"):
            return decisions.filter(agent=self.agent)
        # As a candidate stands in the stored text.
        return _naming(decisions, f'[{self.agent}, "{self.reason}"' if self.reason else f'[{self.agent}, "')


def behind(what: str, *, agent: int | None, asked: Mapping[str, str], is_own: bool) -> Behind:
    """What a link asks for. `is_own`: by an agent, who sees what is about them only. Raises BadFilter."""
    is_theirs = what in OF_AN_AGENT and agent is not None
    if what not in WHAT or (what in OF_AN_AGENT and agent is None) or (is_own and not is_theirs):
        raise BadFilter(_("“%(what)s” is no list of decisions. Follow a link of a report.") % {"what": what})
    outcome, reason, ledger = (asked.get(name, "") for name in ("outcome", "reason", "ledger"))
    if outcome not in ("", *Outcome) or not (reason.replace("_", "").isalpha() or not reason) or len(ledger) > 20:
        raise BadFilter(_("That is no list of decisions. Follow a link of a report."))
    return Behind(what, agent if what in OF_AN_AGENT else None, outcome, ledger, reason)


@dataclass(frozen=True, slots=True)
class Found:
    """The decisions behind a number, the newest first. `by_day`: how many of them each day has."""

    wanted: Behind
    workspace_id: int
    start: datetime
    end: datetime
    at: datetime
    words: Words
    by_day: Mapping[date, int]

    def count(self) -> int:
        return sum(self.by_day.values())

    def __len__(self) -> int:
        return self.count()

    def __getitem__(self, part: slice) -> list[Decision]:
        before, skipped, on = 0, 0, []
        for day in sorted(self.by_day, reverse=True):
            ends = before + self.by_day[day]
            if ends <= part.start:
                skipped = ends
            elif before < part.stop and self.by_day[day]:
                on.append(day)
            before = ends
        if not on:
            return []
        end = min(self.end, self.at + timedelta(microseconds=1))
        decisions = _on(on, workspace_id=self.workspace_id, start=self.start, end=end, at=self.at, words=self.words)
        rows = self.wanted.narrow(decisions).order_by("-at", "-pk").values_list("pk", *_READ)
        wanted = []
        for row in rows.iterator(chunk_size=500):
            if self.wanted.holds(row[1:]):
                wanted.append(row[0])
                if len(wanted) == part.stop - skipped:
                    break
        shown = Decision.objects.select_related("lead", "agent").defer("request", "loads", "ledger")
        of = shown.in_bulk(wanted[part.start - skipped :])
        return [of[pk] for pk in wanted[part.start - skipped :] if pk in of]


def find(*, workspace_id: int, filters: Filters, at: datetime, wanted: Behind) -> Found:
    start, end, words = filters.start, filters.end, words_of(filters)
    sums = load(workspace_id=workspace_id, start=start, end=end, at=at, words=words)
    return Found(wanted, workspace_id, start, end, at, words, {day: wanted.number(of) for day, of in sums})


def in_words(wanted: Behind, names: Names) -> list[str]:
    """What else the link asked for, for people."""
    found = []
    if wanted.outcome:
        found.append(str(Decision(outcome=wanted.outcome).get_outcome_display()))
    if wanted.reason:
        found.append(str(REASONS.get(wanted.reason, wanted.reason)))
    if wanted.ledger:
        found.append(ledger_name(wanted.ledger, names))
    return found


def verdict_in_words(decision: Decision, agent: int | None) -> str:
    """Why this agent did not get the lead, or that they did; '' where they were not looked at."""
    verdict = last_verdicts(decision.decision).get(agent) if agent is not None else None
    return "" if verdict is None else str(REASONS.get(verdict, verdict))


def ledger_name(name: str, names: Names) -> str:
    """Of the team whose it is."""
    return names.of("team", int(name)) if name.isdecimal() and name != "0" else _("On call, all teams")


# As it stood at the instant that decisions are annotated with: what was given back since was not yet.
_READ = tuple("stood" if name == "given_back" else name for name in turn_sums.READ)


def _on(
    on: Iterable[date], *, workspace_id: int, start: datetime, end: datetime, at: datetime, words: Words
) -> QuerySet[Decision]:
    """The decisions of these days (UTC) within `[start, end)` that have these words."""
    spans = Q()
    for _place, stretch in groupby(enumerate(sorted(on)), key=lambda each: each[1].toordinal() - each[0]):
        days_on = [day for _number, day in stretch]
        begins, ends = days.begin_of(days_on[0]), days.begin_of(days_on[-1] + DAY)
        spans |= Q(at__gte=max(start, begins), at__lt=min(end, ends))
    not_yet = When(given_back_at__gt=at, then=Value(""))
    stood = Case(not_yet, default=F("given_back"), output_field=CharField(choices=GivenBack.choices))
    found = Decision.objects.filter(spans, workspace_id=workspace_id).annotate(stood=stood)
    for name, word in words:
        if name != "rule":
            found = found.filter(**{f"lead__{name}": word})
        else:
            none = Q(decision__rule=None) | Q(decision__isnull=True)
            found = found.filter(Q(decision__rule=word) if word else none)
    return found


def _days(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += DAY


def _naming(decisions: QuerySet[Decision], text: str) -> QuerySet[Decision]:
    return decisions.annotate(text=Cast("decision", TextField())).filter(text__contains=text)
