"""What each plan allows. Over the limit is refused with one sentence, the same in admin, file and API."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

if TYPE_CHECKING:
    from agents.models import Workspace


class Plan(models.TextChoices):
    """The cheapest first."""

    FREE = "free", gettext_lazy("Free")
    PRO = "pro", gettext_lazy("Pro")
    SCALE = "scale", gettext_lazy("Scale")


# What a plan has beyond the free one's turns, shifts, leave, holidays, on call, hold, returning contacts and fallback.
FEATURES = {
    "conditions": gettext_lazy("Conditions in rules"),
    "require_prefer": gettext_lazy("Requiring or preferring languages, channels, territories and tags"),
    "geo": gettext_lazy("Conditions on country, region and city"),
    "caps": gettext_lazy("Caps"),
    "priority": gettext_lazy("Choosing by priority"),
    "least_busy": gettext_lazy("Choosing the least busy"),
    "scoring": gettext_lazy("Scoring rules"),
    "score_intent": gettext_lazy("Conditions on score and intent"),
    "claim": gettext_lazy("Claiming"),
    "catch_up": gettext_lazy("Catching up after an absence"),
    "sla": gettext_lazy("SLA ladders"),
}
_PRO = frozenset({"conditions", "require_prefer", "geo", "caps", "priority", "least_busy"})


@dataclass(frozen=True, slots=True)
class Limits:
    """None: no limit."""

    active_agents: int | None
    teams: int | None
    features: frozenset[str]


LIMITS: dict[str, Limits] = {
    Plan.FREE: Limits(active_agents=2, teams=1, features=frozenset()),
    Plan.PRO: Limits(active_agents=None, teams=None, features=_PRO),
    Plan.SCALE: Limits(active_agents=None, teams=None, features=frozenset(FEATURES)),
}


@dataclass(frozen=True, slots=True)
class Usage:
    """What a workspace uses, or would after a change: `features` by name, with the places that use them."""

    active_agents: int = 0
    teams: int = 0
    features: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


# (workspace) -> [(feature, where it is used)], from those who keep more than the roster.
_reporters: list[Callable[[Workspace], Iterable[tuple[str, str]]]] = []


def also_uses(reporter: Callable[[Workspace], Iterable[tuple[str, str]]]) -> None:
    """Ask `reporter`, too, which features a workspace uses: it answers pairs of a feature and the place, for people."""
    if reporter not in _reporters:
        _reporters.append(reporter)


def allows(plan: str, feature: str) -> bool:
    """Raises KeyError for a feature that does not exist."""
    FEATURES[feature]
    return feature in LIMITS[plan].features


def refusal(plan: str, feature: str) -> str:
    """Names what the plan does not have, and the cheapest one that has it."""
    needed = _cheapest_with(feature)
    return _("%(feature)s: not in the %(plan)s plan. The %(needed)s plan has this.") % {
        "feature": FEATURES[feature],
        "plan": Plan(plan).label,
        "needed": needed.label,
    }


def needed_for(plan: str, feature: str) -> str:
    """The name of the cheapest plan that has a feature which this one has not; empty where nothing is missing."""
    return "" if feature in LIMITS[plan].features or feature not in FEATURES else str(_cheapest_with(feature).label)


def _cheapest_with(feature: str) -> Plan:
    return next(plan for plan in Plan if feature in LIMITS[plan].features)


def check_feature(plan: str, feature: str) -> None:
    """Raise a ValidationError where the plan does not have it."""
    if not allows(plan, feature):
        raise ValidationError(refusal(plan, feature), code="plan")


def check_active_agents(workspace: Workspace, extra: int = 0) -> None:
    """Raise a ValidationError where this many more active agents are over the plan's limit."""
    _check_count(_too_many_agents(workspace.plan, _active_agents(workspace) + extra))


def check_teams(workspace: Workspace, extra: int = 0) -> None:
    """Raise a ValidationError where this many more teams are over the plan's limit. Archived ones do not count."""
    _check_count(_too_many_teams(workspace.plan, _teams(workspace) + extra))


def usage_of(workspace: Workspace) -> Usage:
    """What the workspace uses as it is stored now, the drafts and published rules that others report included."""
    features: dict[str, list[str]] = {}
    capped = ~Q(cap_open=None, cap_hour=None, cap_day=None, cap_week=None)
    for name in workspace.agents.filter(capped, is_active=True).order_by("name").values_list("name", flat=True):
        features.setdefault("caps", []).append(name)
    catching_up = workspace.teams.filter(catch_up__gt=0, archived_at=None)
    for name in catching_up.order_by("name").values_list("name", flat=True):
        features.setdefault("catch_up", []).append(name)
    for reporter in _reporters:
        for feature, place in reporter(workspace):
            features.setdefault(feature, []).append(place)
    return Usage(
        active_agents=_active_agents(workspace),
        teams=_teams(workspace),
        features={feature: tuple(dict.fromkeys(places)) for feature, places in features.items()},
    )


def violations(plan: str, usage: Usage) -> list[str]:
    """One sentence for each thing that is over the plan's limit, in a fixed order; empty where all is well."""
    found = [_too_many_agents(plan, usage.active_agents), _too_many_teams(plan, usage.teams)]
    for feature in FEATURES:
        places = usage.features.get(feature)
        if places is None or allows(plan, feature):
            continue
        sentence = refusal(plan, feature)
        if places:
            shown = ", ".join(places[:3]) + (" …" if len(places) > 3 else "")
            sentence += " " + _("Used by: %(places)s.") % {"places": shown}
        found.append(sentence)
    return [sentence for sentence in found if sentence]


def _active_agents(workspace: Workspace) -> int:
    return workspace.agents.filter(is_active=True).count() if workspace.pk else 0


def _teams(workspace: Workspace) -> int:
    return workspace.teams.filter(archived_at=None).count() if workspace.pk else 0


def _check_count(sentence: str | None) -> None:
    if sentence:
        raise ValidationError(sentence, code="plan")


def _too_many_agents(plan: str, count: int) -> str | None:
    limit = LIMITS[plan].active_agents
    if limit is None or count <= limit:
        return None
    return ngettext(
        "The %(plan)s plan has %(limit)d active agent, not %(count)d. Deactivate some, or move to %(next)s.",
        "The %(plan)s plan has %(limit)d active agents, not %(count)d. Deactivate some, or move to %(next)s.",
        limit,
    ) % {"plan": Plan(plan).label, "limit": limit, "count": count, "next": Plan.PRO.label}


def _too_many_teams(plan: str, count: int) -> str | None:
    limit = LIMITS[plan].teams
    if limit is None or count <= limit:
        return None
    return ngettext(
        "The %(plan)s plan has %(limit)d team, not %(count)d. Archive some, or move to %(next)s.",
        "The %(plan)s plan has %(limit)d teams, not %(count)d. Archive some, or move to %(next)s.",
        limit,
    ) % {"plan": Plan(plan).label, "limit": limit, "count": count, "next": Plan.PRO.label}


@dataclass(frozen=True, slots=True)
class Used:
    """One thing that plans limit, for people: what it is, how much of it is used (`limit` None: as much as wanted).

    For a feature `used` is the number of places that use it, which `places` names.
    """

    what: object
    used: int
    limit: int | None
    is_included: bool
    places: tuple[str, ...] = ()


def overview(workspace: Workspace) -> list[Used]:
    """What the workspace has by its plan, and what of that it uses."""
    usage, limits = usage_of(workspace), LIMITS[workspace.plan]
    counted = [
        Used(_("Active agents"), usage.active_agents, limits.active_agents, True),
        Used(_("Teams"), usage.teams, limits.teams, True),
    ]
    features = []
    for feature, label in FEATURES.items():
        places = usage.features.get(feature, ())
        features.append(Used(label, len(places), None, feature in limits.features, places))
    return counted + features
