"""The policy as managers edit it. Nothing here routes a lead until it is published."""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from agents import plans
from agents.scoping import TenantQuerySet
from agents.tenancy import SameWorkspace
from routing import rulebook
from routing.rulebook import Findings

Document = dict[str, Any]


class Target(models.TextChoices):
    TEAM = "team", _("A team")
    AGENT = "agent", _("One agent")
    QUEUE = "queue", _("The nurture queue")


class Strategy(models.TextChoices):
    ROUND_ROBIN = "round_robin", _("Taking turns")
    LEAST_BUSY = "least_busy", _("The least busy first")
    PRIORITY = "priority", _("By priority (tiers)")
    CLAIM = "claim", _("Whoever claims it first")


class IfNobody(models.TextChoices):
    NEXT_RULE = "next_rule", _("Go on to the next rule")
    ON_CALL = "on_call", _("Ask whoever is on call")
    HOLD = "hold", _("Hold until somebody is there")
    QUEUE = "queue", _("Put it into the nurture queue")
    FALLBACK = "fallback", _("Give it to the fallback agent")


class Rule(models.Model):
    """A rule of the draft. `when`, `require`, `prefer` and `sla` are parts of the rulebook's normal form."""

    workspace = models.ForeignKey("agents.Workspace", models.CASCADE, related_name="rules")
    position = models.PositiveIntegerField(_("position"), default=0, help_text=_("Rules are tried in this order."))
    name = models.CharField(_("name"), max_length=rulebook.MAX_NAME)
    is_active = models.BooleanField(_("active"), default=True)
    when = models.JSONField(_("conditions"), null=True, blank=True, help_text=_("Empty: holds for every lead."))
    to_kind = models.CharField(_("send to"), max_length=5, choices=Target, default=Target.TEAM)
    team = models.ForeignKey(
        "agents.Team", models.PROTECT, null=True, blank=True, related_name="rules", verbose_name=_("team")
    )
    agent = models.ForeignKey(
        "agents.Agent", models.PROTECT, null=True, blank=True, related_name="rules", verbose_name=_("agent")
    )
    by = models.CharField(
        _("choose by"),
        max_length=11,
        choices=Strategy,
        default=Strategy.ROUND_ROBIN,
        help_text=_("Among the members of a team."),
    )
    require = models.JSONField(
        _("require"), default=list, blank=True, help_text=_("Any of language, channel, territory, tags:NAME.")
    )
    prefer = models.JSONField(_("prefer"), default=list, blank=True, help_text=_("As above; the first matters most."))
    if_nobody = models.CharField(_("if nobody is there"), max_length=9, choices=IfNobody, default=IfNobody.NEXT_RULE)
    sla = models.JSONField(_("SLA"), null=True, blank=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name = _("rule")
        verbose_name_plural = _("rules")
        ordering = ["position", "id"]
        constraints = [
            SameWorkspace(field="team", name="rule_has_own_team"),
            SameWorkspace(field="agent", name="rule_has_own_agent"),
            models.UniqueConstraint(
                fields=["workspace", "name"],
                name="rule_name_once_per_workspace",
                violation_error_message=_("There is a rule with this name already. Choose another."),
            ),
            models.CheckConstraint(
                condition=Q(to_kind="team", team__isnull=False, agent=None)
                | Q(to_kind="agent", agent__isnull=False, team=None)
                | Q(to_kind="queue", team=None, agent=None),
                name="rule_has_the_target_it_says",
                violation_error_message=_("Choose the team or the agent that the rule sends leads to."),
            ),
        ]
        indexes = [models.Index(fields=["workspace", "position"], name="rules_in_order")]

    def __str__(self) -> str:
        return self.name

    @property
    def document(self) -> Document:
        """The rule as it stands in a policy document."""
        target = {"team": self.team, "agent": self.agent}.get(self.to_kind)
        route: Document = {"to": {self.to_kind: target.slug if target else ""}}
        if self.to_kind == Target.QUEUE:
            route = {"to": "queue"}
        else:
            if self.to_kind == Target.TEAM:
                route["by"] = self.by
            route |= {"require": self.require, "prefer": self.prefer, "if_nobody": self.if_nobody}
        document: Document = {"name": self.name, "route": route}
        if not self.is_active:
            document["active"] = False
        if self.when:
            document["when"] = self.when
        if self.sla:
            document["sla"] = self.sla
        return document

    @classmethod
    def of(cls, document: Document, *, position: int, workspace: Any, teams: Any, agents: Any) -> "Rule":
        """An unsaved row from a normal-form rule; `teams` and `agents` are ids by slug."""
        route = document["route"]
        to = route["to"]
        kind = to if isinstance(to, str) else next(iter(to))
        return cls(
            workspace=workspace,
            position=position,
            name=document["name"],
            is_active=document.get("active", True),
            when=document.get("when"),
            to_kind=kind,
            team_id=teams[to["team"]] if kind == Target.TEAM else None,
            agent_id=agents[to["agent"]] if kind == Target.AGENT else None,
            by=route.get("by", Strategy.ROUND_ROBIN),
            require=route.get("require", []),
            prefer=route.get("prefer", []),
            if_nobody=route.get("if_nobody", IfNobody.NEXT_RULE),
            sla=document.get("sla"),
        )

    def clean(self) -> None:
        """Bring the values into normal form, or say at each field what is wrong with it."""
        self._forget_what_means_nothing()
        errors = _errors_of(
            lambda findings: rulebook.normalise_rule(self.document, path=(), findings=findings), _RULE_FIELDS
        )
        if self.to_kind in (Target.TEAM, Target.AGENT) and not (self.team_id or self.agent_id):
            # The rulebook misses the slug, people the choice.
            errors.pop("to_kind", None)
            errors[self.to_kind] = [_("Choose where the rule sends leads.")]
        if not self.name.strip():
            errors.pop("__all__", None)  # that the name is missing, which its field says
        if not errors:
            self._take(rulebook.normalise_rule(self.document, path=(), findings=Findings()) or {})
            if self.workspace_id is not None:
                errors = _refusals(self.workspace, rulebook.features_of_rule(self.document), _RULE_FIELDS)
        if errors:
            raise ValidationError(errors)

    def _forget_what_means_nothing(self) -> None:
        """A form keeps the fields that it hides: what the target gives no meaning goes back to its default."""
        if self.to_kind != Target.TEAM:
            self.team = None
            self.by = Strategy.ROUND_ROBIN
        if self.to_kind != Target.AGENT:
            self.agent = None
        if self.to_kind == Target.QUEUE:
            self.require, self.prefer, self.if_nobody = [], [], IfNobody.NEXT_RULE
        self.require = self.require or []
        self.prefer = self.prefer or []

    def _take(self, document: Document) -> None:
        route = document["route"]
        self.name = document["name"]
        self.when, self.sla = document.get("when"), document.get("sla")
        self.require, self.prefer = route.get("require", []), route.get("prefer", [])


class ScoringRule(models.Model):
    """Points for leads that fulfil conditions."""

    workspace = models.ForeignKey("agents.Workspace", models.CASCADE, related_name="scoring_rules")
    position = models.PositiveIntegerField(_("position"), default=0)
    when = models.JSONField(_("conditions"), null=True, blank=True, help_text=_("Empty: every lead gets the points."))
    points = models.IntegerField(
        _("points"), validators=[MinValueValidator(-1_000), MaxValueValidator(1_000)], help_text=_("May be negative.")
    )

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name = _("scoring rule")
        verbose_name_plural = _("scoring rules")
        ordering = ["position", "id"]
        indexes = [models.Index(fields=["workspace", "position"], name="scoring_rules_in_order")]

    def __str__(self) -> str:
        return f"{self.points:+}"

    @property
    def document(self) -> Document:
        document: Document = {"points": self.points}
        return {"when": self.when, **document} if self.when else document

    def clean(self) -> None:
        """Bring the conditions into normal form, or say what is wrong with them."""
        fields = {"when": "when", "points": "points"}
        errors = _errors_of(
            lambda findings: rulebook.normalise_scoring_rule(self.document, path=(), findings=findings), fields
        )
        if not errors:
            read = rulebook.normalise_scoring_rule(self.document, path=(), findings=Findings()) or {}
            self.when = read.get("when")
            if self.workspace_id is not None:
                used = rulebook.features_used({"scoring": [read], "rules": []})
                errors = _refusals(self.workspace, ((feature, path[2:]) for feature, path in used), fields)
        if errors:
            raise ValidationError(errors)


class Draft(models.Model):
    """What a policy says beside its rules. One a workspace, made with it."""

    class Returning(models.TextChoices):
        SAME_AGENT = "same_agent", _("The agent they had")
        ROTATE = "rotate", _("Whoever's turn it is")

    workspace = models.OneToOneField("agents.Workspace", models.CASCADE, related_name="draft")
    returning = models.CharField(
        _("returning contacts go to"), max_length=10, choices=Returning, default=rulebook.DEFAULTS["returning"]
    )
    join_window_s = models.PositiveIntegerField(
        _("join window"),
        default=rulebook.DEFAULTS["join_window"],
        validators=[MaxValueValidator(rulebook.LONGEST)],
        help_text=_("Seconds in which a submission joins the person's open lead. 0: never."),
    )
    hot = models.IntegerField(_("hot from"), default=rulebook.DEFAULTS["intent"]["hot"])
    warm = models.IntegerField(_("warm from"), default=rulebook.DEFAULTS["intent"]["warm"])
    sla = models.JSONField(_("SLA"), null=True, blank=True, help_text=_("Of leads whose rule promises nothing itself."))
    acknowledge_within_s = models.PositiveIntegerField(
        _("acknowledged within"),
        default=rulebook.ACKNOWLEDGE_WITHIN,
        validators=[MinValueValidator(1), MaxValueValidator(rulebook.LONGEST)],
        help_text=_("Seconds within which somebody on call says that they have a lead."),
    )

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name = _("draft policy")
        verbose_name_plural = _("draft policies")
        constraints = [
            models.CheckConstraint(
                condition=Q(hot__gte=models.F("warm")),
                name="draft_hot_is_not_below_warm",
                violation_error_message=_("Hot must not be below warm: raise hot or lower warm."),
            )
        ]

    def __str__(self) -> str:
        return str(_("Draft policy"))

    @property
    def document(self) -> Document:
        document: Document = {
            "returning": str(self.returning),
            "join_window": self.join_window_s,
            "intent": {"hot": self.hot, "warm": self.warm},
        }
        if self.sla:
            document["sla"] = self.sla
        if self.acknowledge_within_s != rulebook.ACKNOWLEDGE_WITHIN:
            document["acknowledge_within"] = self.acknowledge_within_s
        return document

    def clean(self) -> None:
        """Bring the SLA into normal form, or say what is wrong with it."""
        findings = Findings()
        self.sla = rulebook.normalise_sla(self.sla, path=(), findings=findings)
        errors: dict[str, list[Any]] = {"sla": [message for _path, message in findings.errors]}
        if self.sla and not findings.errors and self.workspace_id is not None:
            errors = _refusals(self.workspace, [("sla", ("sla",))], {"sla": "sla"})
        if any(errors.values()):
            raise ValidationError(errors)


# Where in a form a fault belongs, by the beginning of its path.
_RULE_FIELDS = {
    "name": "name",
    "active": "is_active",
    "when": "when",
    "sla": "sla",
    "to": "to_kind",
    "by": "by",
    "require": "require",
    "prefer": "prefer",
    "if_nobody": "if_nobody",
}


def _errors_of(check: Callable[[Findings], object], fields: dict[str, str]) -> dict[str, list[Any]]:
    findings = Findings()
    check(findings)
    errors: dict[str, list[Any]] = {}
    for path, message in findings.errors:
        errors.setdefault(_field(path, fields), []).append(_placed(path, message))
    return errors


def _field(path: tuple[str | int, ...], fields: dict[str, str]) -> str:
    steps = path[1:] if path[:1] == ("route",) else path
    return fields.get(str(steps[0]), "__all__") if steps else "__all__"


def _placed(path: tuple[str | int, ...], message: str) -> str:
    """Conditions are many in one field: say which."""
    places = [str(step + 1) for step in path if isinstance(step, int)] if path[:1] == ("when",) else []
    if not places:
        return message
    return _now("Condition %(place)s: %(message)s") % {"place": ".".join(places), "message": message}


def _refusals(workspace: Any, used: Any, fields: dict[str, str]) -> dict[str, list[Any]]:
    errors: dict[str, list[Any]] = {}
    for feature, path in used:
        if not plans.allows(workspace.plan, feature):
            errors.setdefault(_field(path, fields), []).append(plans.refusal(workspace.plan, feature))
    return errors
