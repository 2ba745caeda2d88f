"""Who had a lead, from when to when."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from agents.scoping import TenantQuerySet
from agents.tenancy import SameWorkspace
from leads.models.reasons import REASONS


class AssignmentQuerySet(TenantQuerySet):
    def open(self) -> "AssignmentQuerySet":
        return self.filter(closed_at=None)


class Assignment(models.Model):
    """A lead in one agent's hands. Closed when it moves on or the lead is closed, never rewritten."""

    workspace = models.ForeignKey(
        "agents.Workspace", models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    lead = models.ForeignKey("leads.Lead", models.CASCADE, related_name="assignments", db_constraint=False)
    agent = models.ForeignKey(
        "agents.Agent", models.PROTECT, related_name="assignments", db_index=False, db_constraint=False
    )
    reason = models.CharField(_("reason"), max_length=20, choices=REASONS)
    assigned_at = models.DateTimeField(_("assigned"))
    closed_at = models.DateTimeField(_("until"), null=True, blank=True)

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("assignment")
        verbose_name_plural = _("assignments")
        constraints = [
            SameWorkspace(field="lead", name="assignment_has_own_lead"),
            SameWorkspace(field="agent", name="assignment_has_own_agent"),
            models.UniqueConstraint(fields=["lead"], condition=Q(closed_at=None), name="one_open_assignment_per_lead"),
        ]
        indexes = [models.Index(fields=["agent", "-assigned_at"], name="assignment_by_agent")]

    def __str__(self) -> str:
        return f"#{self.pk}: lead {self.lead_id} → agent {self.agent_id}"
