"""What watches over the installation: the coming hours of each workspace, and what must never happen."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from agents.scoping import TenantQuerySet
from agents.tenancy import SameWorkspace


class CoverageWatch(models.Model):
    """When a workspace's coming hours are looked at next (null: now), and the gaps that managers were told of.

    `told` are `[from, until]` in ISO 8601, those that are not over yet.
    """

    workspace = models.OneToOneField(
        "agents.Workspace", models.CASCADE, primary_key=True, related_name="coverage_watch"
    )
    due_at = models.DateTimeField(null=True, db_index=True)
    told = models.JSONField(default=list)

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name = _("coverage watch")
        verbose_name_plural = _("coverage watches")

    def __str__(self) -> str:
        return f"Coming hours of workspace {self.workspace_id}"


class FindingKind(models.TextChoices):
    """What the watchdog barks at."""

    OUTCOME = "outcome", _("A lead is outside the five outcomes")
    ASSIGNMENT = "assignment", _("A lead does not have exactly one assignment")
    UNWATCHED = "unwatched", _("Nobody looks at a held lead")
    FALLBACK = "fallback", _("More and more leads go to the fallback, or wait")


class Finding(models.Model):
    """Something that must not be, since when, and until when (`gone_at` null: still)."""

    workspace = models.ForeignKey("agents.Workspace", models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(_("what"), max_length=12, choices=FindingKind)
    lead = models.ForeignKey(
        "leads.Lead", models.CASCADE, null=True, related_name="+", db_index=False, db_constraint=False
    )
    detail = models.CharField(_("detail"), max_length=300, blank=True)
    found_at = models.DateTimeField(_("since"))
    gone_at = models.DateTimeField(_("until"), null=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name = _("finding")
        verbose_name_plural = _("findings")
        constraints = [
            SameWorkspace(field="lead", name="finding_has_own_lead"),
            models.UniqueConstraint(
                fields=["workspace", "kind", "lead"],
                condition=Q(gone_at=None, lead__isnull=False),
                name="one_open_finding_per_lead",
            ),
            models.UniqueConstraint(
                fields=["workspace", "kind"],
                condition=Q(gone_at=None, lead=None),
                name="one_open_finding_per_workspace",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}: {self.kind}"


class Watchdog(models.Model):
    """When the watchdog last looked. One row."""

    looked_at = models.DateTimeField()

    class Meta:
        verbose_name = _("watchdog")
        verbose_name_plural = _("watchdogs")

    def __str__(self) -> str:
        return f"{self.looked_at:%Y-%m-%d %H:%M:%S}"
