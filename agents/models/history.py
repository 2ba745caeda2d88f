"""What became of the roster, version by version."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from agents.scoping import TenantQuerySet


class RosterChange(models.Model):
    """A roster row's new values under one version of its workspace's roster; null values: the row is gone.

    Written by `agents.roster` and by nobody else. `kind` is the model's name, `changed_at` the database's clock.
    """

    workspace = models.ForeignKey("agents.Workspace", models.CASCADE, related_name="roster_changes")
    version = models.BigIntegerField()
    kind = models.CharField(max_length=20)
    row_id = models.BigIntegerField()
    values = models.JSONField(null=True)
    changed_at = models.DateTimeField(db_default=Now())
    actor = models.ForeignKey("agents.User", models.SET_NULL, null=True, related_name="roster_changes")

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name = _("roster change")
        verbose_name_plural = _("roster changes")
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "kind", "row_id", "version"], name="one_roster_change_per_row_and_version"
            ),
        ]
        indexes = [models.Index(fields=["workspace", "version"], name="roster_change_by_version")]

    def __str__(self) -> str:
        return f"{self.version}: {self.kind} {self.row_id}"
