"""What is due later. The row is the truth: whoever does it claims it by a conditional UPDATE first."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from agents.scoping import TenantQuerySet


class HeldQueue(models.Model):
    """Whether somebody must look at a workspace's held leads, and who is doing so.

    `due_at` null: nothing is held. A hold, a closing and whatever else may free somebody makes it due; so does a
    roster version other than the one seen last. `claimed_until` keeps others out while one releaser works.
    """

    workspace = models.OneToOneField("agents.Workspace", models.CASCADE, primary_key=True, related_name="held_queue")
    due_at = models.DateTimeField(null=True)
    claimed_until = models.DateTimeField(null=True)
    roster_version = models.BigIntegerField(default=0)

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name = _("held queue")
        verbose_name_plural = _("held queues")
        indexes = [models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="held_queue_by_due")]

    def __str__(self) -> str:
        return f"Held leads of workspace {self.workspace_id}"


class Outbox(models.Model):
    """Something to tell somebody, written together with what it tells.

    `payload` names what it is about and whom to tell. `next_try_at` null: done, or given up where `done_at` is null,
    too. Rows that were told in one message share its `message_id`. `claim` is the mark of who sends it until
    `next_try_at`; `lost_tries` counts those in a row whose process ended before they did. `failed_ways` are the ways
    that did not reach the recipient, `sent_by` the transport that did ('' and done: there was nothing to tell any more,
    or nobody).
    """

    workspace = models.ForeignKey("agents.Workspace", models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(_("kind"), max_length=20)
    payload = models.JSONField(default=dict)
    message_id = models.UUIDField(_("message id"), default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(_("written"))
    next_try_at = models.DateTimeField(_("next try"), null=True)
    tries = models.PositiveIntegerField(_("tries"), default=0)
    lost_tries = models.PositiveSmallIntegerField(default=0, editable=False)
    done_at = models.DateTimeField(_("done"), null=True)
    last_error = models.CharField(_("last error"), max_length=200, blank=True)
    claim = models.UUIDField(null=True, editable=False)
    failed_ways = models.JSONField(default=list, editable=False)
    sent_by = models.CharField(_("sent by"), max_length=20, blank=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name = _("message to send")
        verbose_name_plural = _("messages to send")
        indexes = [
            models.Index(fields=["next_try_at"], condition=Q(next_try_at__isnull=False), name="outbox_by_next_try"),
            models.Index(fields=["workspace", "-id"], condition=Q(done_at=None), name="outbox_not_done"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.message_id}"


class SweeperHeartbeat(models.Model):
    """When the sweeper last ran. One row."""

    beat_at = models.DateTimeField()

    class Meta:
        verbose_name = _("sweeper heartbeat")
        verbose_name_plural = _("sweeper heartbeats")

    def __str__(self) -> str:
        return f"{self.beat_at:%Y-%m-%d %H:%M:%S}"
