"""What a visitor is told about when somebody answers.

Kinds: `now` (an agent has the lead), `opens_at` (held, nobody of those it waits for is on shift: `at` is when the
first of them is again, in UTC), `soon` (held while somebody of them is on shift: they are busy, or it was offered to
them), `queue` (the nurture queue: no time is promised).
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from agents.languages import likely_script
from leads.answer import Promise
from leads.models import Lead
from routing.engine import Outcome, Roster, Target
from routing.engine.covered import next_on_shift
from routing.engine.holding import OPENING_HORIZON, people_of
from routing.engine.hours import Kind

# Those that `config/locale` has the texts for visitors in.
VISITOR_LANGUAGES = frozenset(
    "en es fr de pt it nl pl ru uk tr ar he fa ja ko zh-hans zh-hant".split()  # noqa: SIM905 - words
)

NOW = "now"
OPENS_AT = "opens_at"
SOON = "soon"
QUEUE = "queue"


def promise_to(lead: Lead, *, agent_name: str = "", at: datetime) -> Promise:
    """What this lead's visitor may expect, in their language where we speak it."""
    with translation.override(spoken(lead.language)):
        if lead.agent_id is not None and agent_name:
            return Promise(NOW, None, _("%(name)s takes care of you now.") % {"name": agent_name})
        if lead.agent_id is not None:
            return Promise(NOW, None, _("Somebody takes care of you now."))
        if lead.outcome == Outcome.QUEUED:
            return Promise(QUEUE, None, _("We have your message and will come back to you."))
        if lead.opens_at is not None and lead.opens_at > at:
            return Promise(OPENS_AT, lead.opens_at, _("Nobody is here right now. We answer as soon as we open."))
        return Promise(SOON, None, _("Somebody will answer you soon."))


def spoken(language: str) -> str:
    """The language of ours that comes nearest to a visitor's: more are written for them than for those who log in."""
    base = language.partition("-")[0].lower()
    if base == "zh":  # one language in two scripts, each with words of its own
        base = f"zh-{(likely_script(language) or 'Hans').lower()}"
    return base if base in VISITOR_LANGUAGES else settings.LANGUAGE_CODE


def opening_of(roster: Roster, target: Target, at: datetime) -> datetime | None:
    """When somebody of a held lead's target is on regular shift again. None where somebody is now, or nobody within
    a month.

    Whose caps are reached by then nobody can say, so they do not matter here; a pause may end any minute, too.
    """
    minute = at.replace(second=0, microsecond=0)
    opens = _first_shift(roster, target, minute)
    return opens if opens is not None and opens > at else None


# On the first busy evening minute every held lead asks the same, of everybody.
@lru_cache(maxsize=64)
def _first_shift(roster: Roster, target: Target, at: datetime) -> datetime | None:
    people = roster.members(people_of(roster, target) & roster.active)
    first = None
    for agent in people:
        starts = next_on_shift(roster.schedule(agent), at=at, kind=Kind.REGULAR, horizon=OPENING_HORIZON)
        if starts == at:
            return None
        if starts is not None and (first is None or starts < first):
            first = starts
    return first
