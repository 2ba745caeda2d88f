"""The engine: facts + snapshot + loads + ledgers + instant -> decision.

Pure: it imports nothing of ours outside itself, knows no Django, no clock, no randomness and no I/O.
"""

from routing.engine.choosing import Shortlist
from routing.engine.crowd import AgentSpec
from routing.engine.decide import Match, decide, match
from routing.engine.decision import (
    ANYBODY,
    Asked,
    Candidate,
    Decision,
    Outcome,
    Pool,
    Reason,
    Target,
    Verdict,
)
from routing.engine.facts import Facts, LanguageTag
from routing.engine.ledger import EVEN, Entry, Ledger, Turn, U
from routing.engine.loads import IDLE, Caps, Load, PeriodKeys
from routing.engine.policy import Policy, compile_policy
from routing.engine.request import STRANGER, Known, Request, Snapshot
from routing.engine.roster import ON_CALL_LEDGER, Member, Roster, RosterSpec, TeamSpec

__all__ = [
    "ANYBODY",
    "EVEN",
    "IDLE",
    "ON_CALL_LEDGER",
    "STRANGER",
    "AgentSpec",
    "Asked",
    "Candidate",
    "Caps",
    "Decision",
    "Entry",
    "Facts",
    "Known",
    "LanguageTag",
    "Ledger",
    "Load",
    "Match",
    "Member",
    "Outcome",
    "PeriodKeys",
    "Policy",
    "Pool",
    "Reason",
    "Request",
    "Roster",
    "RosterSpec",
    "Shortlist",
    "Snapshot",
    "Target",
    "TeamSpec",
    "Turn",
    "U",
    "Verdict",
    "compile_policy",
    "decide",
    "match",
]
