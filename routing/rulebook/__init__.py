"""The rulebook: what a policy may say, and what is wrong with one that says something else."""

from routing.rulebook.conditions import normalise_when
from routing.rulebook.document import (
    ACKNOWLEDGE_WITHIN,
    DEFAULTS,
    MAX_NAME,
    normalise_policy,
    normalise_rule,
    normalise_scoring_rule,
)
from routing.rulebook.durations import LONGEST, format_duration, parse_duration
from routing.rulebook.errors import Findings, PolicyError, PolicyErrors, format_path
from routing.rulebook.limits import check_plan, features_of_rule, features_used
from routing.rulebook.routes import RosterNames, normalise_sla
from routing.rulebook.words import in_words

__all__ = [
    "ACKNOWLEDGE_WITHIN",
    "DEFAULTS",
    "LONGEST",
    "MAX_NAME",
    "Findings",
    "PolicyError",
    "PolicyErrors",
    "RosterNames",
    "check_plan",
    "features_of_rule",
    "features_used",
    "format_duration",
    "format_path",
    "in_words",
    "normalise_policy",
    "normalise_rule",
    "normalise_scoring_rule",
    "normalise_sla",
    "normalise_when",
    "parse_duration",
]
