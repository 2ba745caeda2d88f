"""The decisions behind a number of the fairness report: which, as they stood when it was taken, and how each reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from numpy.typing import NDArray

from leads.models import Decision
from leads.reports import turns
from leads.reports.filters import BadFilter, Filters
from leads.reports.names import Names
from leads.reports.turns import OF_SHARES, OF_VERDICTS, Turns
from leads.speed.turn_columns import COULD_TAKE, IS_FIRST, last_verdicts
from routing.engine import Outcome, U

WHAT: dict[str, Any] = {
    "decided": gettext_lazy("Leads decided"),
    "turns": gettext_lazy("Given by turns"),
    "got": gettext_lazy("Got by turns"),
    "due": gettext_lazy("Due a part by turns"),
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
OF_AN_AGENT = ("got", "due", "asked", "could", "missed", "taken", "otherwise")


@dataclass(frozen=True, slots=True)
class Behind:
    """Decisions that one number counts. `outcome`: of those decided; `ledger`: of turns; `reason`: of those missed;
    '' for all. `agent`: of whom, where it is about one."""

    what: str
    agent: int = 0
    outcome: str = ""
    ledger: str = ""
    reason: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """What must be read of decisions to tell."""
        if self.what in ("decided", "taken", "otherwise"):
            return ("marks", "outcome" if self.what == "decided" else "agent")
        if self.what in ("turns", "got", "due"):
            return ("marks", "undone", "chosen", *(OF_SHARES if self.what == "due" else ()))
        return OF_VERDICTS

    def among(self, found: Turns) -> NDArray[np.bool_]:
        """Which of these are counted."""
        match self.what:
            case "decided":
                first = found.marked(IS_FIRST)
                return first & found.are("outcome", self.outcome) if self.outcome else first
            case "turns" | "got" | "due":
                wanted = found.gave(self.agent) if self.what == "due" else found.are_turns
                if self.what == "got":
                    wanted = wanted & found.were_given_to(self.agent)
                return wanted & found.of_ledgers([int(self.ledger)]) if self.ledger else wanted
            case "taken" | "otherwise":
                could = found.marked(COULD_TAKE)
                return found.are("agent", self.agent) & (could if self.what == "taken" else ~could)
            case "could":
                return found.found(self.agent, "")
            case "missed" if self.reason:
                return found.found(self.agent, self.reason)
            case "missed":
                return found.found(self.agent) & ~found.found(self.agent, "")
        return found.found(self.agent)


def behind(what: str, *, agent: int | None, asked: Mapping[str, str], is_own: bool) -> Behind:
    """What a link asks for. `is_own`: by an agent, who sees what is about them only. Raises BadFilter."""
    is_theirs = what in OF_AN_AGENT and bool(agent)
    if what not in WHAT or (what in OF_AN_AGENT and not agent) or (is_own and not is_theirs):
        raise BadFilter(_("“%(what)s” is no list of decisions. Follow a link of a report.") % {"what": what})
    outcome, reason, ledger = (asked.get(name, "") for name in ("outcome", "reason", "ledger"))
    is_ledger = not ledger or (ledger.isdecimal() and ledger.isascii() and len(ledger) < 19)
    if outcome not in ("", *Outcome) or not (reason.replace("_", "").isalpha() or not reason) or not is_ledger:
        raise BadFilter(_("That is no list of decisions. Follow a link of a report."))
    return Behind(what, agent or 0 if what in OF_AN_AGENT else 0, outcome, ledger, reason)


@dataclass(frozen=True, slots=True)
class Found:
    """The decisions behind a number, the newest first. `due`: the leads that their turns gave the agent."""

    keys: NDArray[np.int64]
    due: float

    def count(self) -> int:
        return len(self.keys)

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, part: slice) -> list[Decision]:
        wanted = self.keys[part].tolist()
        of = Decision.objects.select_related("lead", "agent").defer("request", "loads", "ledger").in_bulk(wanted)
        return [of[key] for key in wanted if key in of]


def find(*, workspace_id: int, filters: Filters, at: datetime, wanted: Behind) -> Found:
    """The decisions of a link, as they stood at `at`."""
    words = turns.words_of(filters)
    names = {"decision", *wanted.columns, *(name for name, _word in words)}
    span: dict[str, Any] = {"start": filters.start, "end": filters.end, "at": at}
    found = turns.load(workspace_id=workspace_id, names=names, **span).having(words)
    found = found.where(wanted.among(found))
    due = 0
    if wanted.what == "due":
        due = sum(standing.due for seat, standing in found.standings().items() if seat.agent == wanted.agent)
    return Found(found["decision"][::-1], due / U)


def in_words(wanted: Behind, names: Names) -> list[str]:
    """What else the link asked for, for people."""
    found = []
    if wanted.outcome:
        found.append(str(Decision(outcome=wanted.outcome).get_outcome_display()))
    if wanted.reason:
        found.append(str(REASONS.get(wanted.reason, wanted.reason)))
    if wanted.ledger:
        found.append(ledger_name(int(wanted.ledger), names))
    return found


def verdict_in_words(decision: Decision, agent: int | None) -> str:
    """Why this agent did not get the lead, or that they did; '' where they were not looked at."""
    verdict = last_verdicts(decision.decision).get(agent) if agent is not None else None
    return "" if verdict is None else str(REASONS.get(verdict, verdict))


def part_due(decision: Decision, agent: int) -> float | None:
    """What its turn gave this agent, in leads; None where it gave them nothing."""
    turn = (decision.decision or {}).get("turn")
    return next((units / U for taker, units in turn[1] if taker == agent), None) if turn else None


def ledger_name(ledger: int, names: Names) -> str:
    """Of the team whose it is."""
    return names.of("team", ledger) if ledger else _("On call, all teams")
