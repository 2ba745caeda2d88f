"""What is kept at the door for an hour or a day, so that a repeat is a repeat and nobody harvests the agents."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from agents.scoping import TenantQuerySet
from agents.tenancy import SameWorkspace


class Idempotency(models.Model):
    """An Idempotency-Key of a site or API key (`owner`), the hash of its body, and the answer, for 24 hours.

    The row is the lock: it is written first in the lead's own transaction, so a second request waits for the first.
    """

    workspace = models.ForeignKey("agents.Workspace", models.CASCADE, related_name="+", db_index=False)
    owner = models.CharField(max_length=24)
    key = models.CharField(max_length=255)
    body_hash = models.CharField(max_length=64)
    answer = models.JSONField(null=True)
    lead = models.ForeignKey(
        "leads.Lead", models.CASCADE, null=True, related_name="+", db_index=False, db_constraint=False
    )
    created_at = models.DateTimeField(db_index=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name = _("idempotency key")
        verbose_name_plural = _("idempotency keys")
        constraints = [models.UniqueConstraint(fields=["owner", "key"], name="idempotency_key_once_per_owner")]

    def __str__(self) -> str:
        return f"{self.owner}: {self.key}"


class ShownAgent(models.Model):
    """An agent whom one public client address was shown. The address itself is not kept, only its keyed hash."""

    workspace = models.ForeignKey("agents.Workspace", models.CASCADE, related_name="+", db_index=False)
    address_hash = models.CharField(max_length=32)
    agent = models.ForeignKey("agents.Agent", models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    shown_at = models.DateTimeField(db_index=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name = _("shown agent")
        verbose_name_plural = _("shown agents")
        constraints = [
            SameWorkspace(field="agent", name="shown_agent_is_own"),
            models.UniqueConstraint(fields=["workspace", "address_hash", "agent"], name="shown_agent_once_per_address"),
        ]

    def __str__(self) -> str:
        return f"{self.address_hash}: agent {self.agent_id}"
