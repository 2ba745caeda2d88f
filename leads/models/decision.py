"""Why a lead went where it went."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from agents.scoping import TenantQuerySet
from agents.tenancy import SameWorkspace
from leads.models.reasons import OUTCOMES, REASONS


class Trigger(models.TextChoices):
    """What made somebody decide."""

    INTAKE = "intake", _("It came in")
    JOIN = "join", _("The visitor wrote again")
    RELEASE = "release", _("Somebody became available")
    CLAIM_OVER = "claim_over", _("Nobody took the offer")
    RETRY = "retry", _("Tried again after a failure")
    REROUTE = "reroute", _("Routed on to somebody else")
    MANUAL = "manual", _("By hand")
    TAKEN = "taken", _("Somebody took it")
    RESCUE = "rescue", _("Routing failed")
    ADDRESS_LIMIT = "address_limit", _("Many leads from one address")
    FLAGGED = "flagged", _("Set aside for a manager")


class GivenBack(models.TextChoices):
    """What became of a turn that was to be given back."""

    PAID = "paid", _("Given back")
    RECORDED = "recorded", _("Recorded, not paid: it would be more than one lead in credit")


class Decision(models.Model):
    """One decision about a lead, with everything it took to make it: enough to make it again, bit for bit.

    `request` is facts, what was known of the person, the site's channels, who was tried; `loads` and `ledger` are
    what was read of them (`ledger` null: none was). `decision` is the engine's, as `routing.explaining` writes it;
    null where the rules were not asked, or routing had failed. `moved_ledger`: its turn was taken, not only looked at.
    """

    workspace = models.ForeignKey(
        "agents.Workspace", models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    lead = models.ForeignKey("leads.Lead", models.CASCADE, related_name="decisions", db_constraint=False)
    at = models.DateTimeField(_("decided"))
    trigger = models.CharField(_("trigger"), max_length=20, choices=Trigger)
    policy_version = models.IntegerField(_("policy version"))
    roster_version = models.BigIntegerField(_("roster version"))
    zone_data = models.CharField(max_length=20)
    holiday_data = models.CharField(max_length=20)
    request = models.JSONField()
    loads = models.JSONField(default=dict)
    ledger = models.JSONField(null=True)
    decision = models.JSONField(null=True)
    outcome = models.CharField(_("outcome"), max_length=10, choices=OUTCOMES)
    reason = models.CharField(_("reason"), max_length=20, choices=REASONS)
    agent = models.ForeignKey(
        "agents.Agent", models.PROTECT, null=True, related_name="+", db_index=False, db_constraint=False
    )
    moved_ledger = models.BooleanField(default=False)
    given_back = models.CharField(_("turn given back"), max_length=10, choices=GivenBack, blank=True)
    given_back_at = models.DateTimeField(null=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        constraints = [
            SameWorkspace(field="lead", name="decision_has_own_lead"),
            SameWorkspace(field="agent", name="decision_has_own_agent"),
        ]
        indexes = [
            models.Index(fields=["workspace", "at"], name="decision_by_instant"),
            models.Index(
                fields=["workspace", "given_back_at"],
                condition=Q(given_back_at__isnull=False),
                name="decision_given_back",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}: lead {self.lead_id}, {self.outcome} ({self.reason})"
