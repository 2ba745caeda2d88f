"""The policy, drafted and published, and the counters that turns and caps are kept in."""

from routing.models.counters import Ledger, Load
from routing.models.draft import Draft, Rule, ScoringRule
from routing.models.version import PolicyVersion

__all__ = ["Draft", "Ledger", "Load", "PolicyVersion", "Rule", "ScoringRule"]
