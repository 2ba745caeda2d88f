"""One customer."""

from collections.abc import Collection
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from agents import languages, plans, zones
from agents.roster import RosterModel, one_change
from agents.tenancy import SameWorkspace
from agents.validators import check_texts, validate_attribute_name, validate_one_line, validate_slug


def default_languages() -> list[str]:
    return ["en"]


class Workspace(RosterModel):
    """One customer: a zone, a plan, a roster, a policy.

    `policy_version` is the number of the published policy, 0 before the first; `roster_version` rises with every
    change of the roster, and only there.
    """

    bookkeeping_fields = ("created_at", "roster_version", "policy_version")

    slug = models.CharField(
        _("slug"),
        max_length=50,
        unique=True,
        validators=[validate_slug],
        error_messages={"unique": _("There is a workspace with this slug already. Choose another.")},
    )
    name = models.CharField(_("name"), max_length=120, validators=[validate_one_line])
    timezone = models.CharField(_("time zone"), max_length=64, default="UTC")
    plan = models.CharField(_("plan"), max_length=10, choices=plans.Plan, default=plans.Plan.FREE)
    languages = models.JSONField(
        _("languages"), default=default_languages, help_text=_("Offered to visitors; the first is the default.")
    )
    fallback_agent = models.ForeignKey(
        "agents.Agent",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="fallback_of",
        verbose_name=_("fallback agent"),
        help_text=_("Takes what nobody else can, at any hour and over any cap."),
    )
    public_attributes = models.JSONField(
        _("public attributes"),
        default=list,
        blank=True,
        help_text=_("Names of attributes that a visitor may set without a signature."),
    )
    roster_version = models.BigIntegerField(default=0, editable=False)
    policy_version = models.IntegerField(default=0, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("workspace")
        verbose_name_plural = _("workspaces")
        constraints = [
            SameWorkspace(field="fallback_agent", workspace="id", name="workspace_has_own_fallback_agent"),
            models.CheckConstraint(condition=models.Q(plan__in=plans.Plan.values), name="workspace_plan_is_known"),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        errors: dict[str, Any] = {}
        try:
            zones.zone(self.timezone)
        except ValueError as error:
            errors["timezone"] = str(error)
        try:
            self.languages = languages.canonical_tags(check_texts(self.languages))
            if not self.languages:
                errors["languages"] = _("Offer at least one language, such as en.")
        except (ValueError, ValidationError) as error:
            errors["languages"] = _message(error)
        try:
            for name in check_texts(self.public_attributes):
                validate_attribute_name(name)
            self.public_attributes = list(dict.fromkeys(self.public_attributes))
        except ValidationError as error:
            errors["public_attributes"] = error
        if self.plan in plans.LIMITS and self.pk is not None:
            before = type(self).objects.filter(pk=self.pk).values_list("plan", flat=True).first()
            if before != self.plan and (over := plans.violations(self.plan, plans.usage_of(self))):
                errors["plan"] = over
        if errors:
            raise ValidationError(errors)

    def _save_table(
        self,
        raw: bool = False,
        cls: Any = None,
        force_insert: bool = False,
        force_update: bool = False,
        using: str | None = None,
        update_fields: Collection[str] | None = None,
    ) -> bool:
        with one_change(using=using) as change:
            self._keep_versions(change, raw=raw, using=using, update_fields=update_fields)
            change.workspaces.append(self)
            return super()._save_table(raw, cls, force_insert, force_update, using, update_fields)

    def _keep_versions(self, change: Any, *, raw: bool, using: str | None, update_fields: Any) -> None:
        """What was read before somebody else changed the roster or published must not set their versions back."""
        if self.pk is None:
            return
        change.lock({self.pk})
        stored = type(self)._base_manager.using(using).filter(pk=self.pk)
        for roster_version, policy_version in stored.values_list("roster_version", "policy_version"):
            self.roster_version = max(self.roster_version, roster_version) if raw else roster_version
            if not raw and "policy_version" not in (update_fields or ()):
                self.policy_version = policy_version


def _message(error: Exception) -> Any:
    return error if isinstance(error, ValidationError) else str(error)
