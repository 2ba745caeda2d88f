"""Leads and turns by the day, packed for reports. What they say stands on the leads and decisions themselves."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from agents.scoping import TenantQuerySet


class LeadDay(models.Model):
    """The leads that came in on one day (UTC), bots apart: a column each, as `leads.speed.days` packs them.

    A year of a million leads is read from here in a moment, where their rows take minutes. There is no row for a day
    to whose leads something happened lately: those are read themselves.
    """

    workspace = models.ForeignKey("agents.Workspace", models.CASCADE, related_name="+", db_index=False)
    day = models.DateField(_("day"))
    words = models.JSONField(default=dict)
    received = models.BinaryField(default=b"")
    response = models.BinaryField(default=b"")
    covered = models.BinaryField(default=b"")
    due = models.BinaryField(default=b"")
    closed = models.BinaryField(default=b"")
    agent = models.BinaryField(default=b"")
    team = models.BinaryField(default=b"")
    rule = models.BinaryField(default=b"")
    channel = models.BinaryField(default=b"")
    country = models.BinaryField(default=b"")
    language = models.BinaryField(default=b"")
    source = models.BinaryField(default=b"")
    ended = models.BinaryField(default=b"")
    marks = models.BinaryField(default=b"")
    steps = models.BinaryField(default=b"")

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name = _("day of leads")
        verbose_name_plural = _("days of leads")
        constraints = [models.UniqueConstraint(fields=["workspace", "day"], name="lead_day_once")]

    def __str__(self) -> str:
        return f"{self.day} of workspace {self.workspace_id}"


class TurnDay(models.Model):
    """The decisions of one day (UTC), as `leads.speed.turn_columns` packs them: a column each, and the sets that they
    name by number. There is no row for a day where `LeadDay` has none."""

    workspace = models.ForeignKey("agents.Workspace", models.CASCADE, related_name="+", db_index=False)
    day = models.DateField(_("day"))
    words = models.JSONField(default=dict)
    decision = models.BinaryField(default=b"")
    at = models.BinaryField(default=b"")
    undone = models.BinaryField(default=b"")
    rule = models.BinaryField(default=b"")
    channel = models.BinaryField(default=b"")
    country = models.BinaryField(default=b"")
    source = models.BinaryField(default=b"")
    outcome = models.BinaryField(default=b"")
    agent = models.BinaryField(default=b"")
    chosen = models.BinaryField(default=b"")
    marks = models.BinaryField(default=b"")
    verdicts = models.BinaryField(default=b"")
    shares = models.BinaryField(default=b"")
    verdict_sizes = models.BinaryField(default=b"")
    verdict_agents = models.BinaryField(default=b"")
    verdict_reasons = models.BinaryField(default=b"")
    share_sizes = models.BinaryField(default=b"")
    share_seats = models.BinaryField(default=b"")
    share_units = models.BinaryField(default=b"")

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name = _("day of turns")
        verbose_name_plural = _("days of turns")
        constraints = [models.UniqueConstraint(fields=["workspace", "day"], name="turn_day_once")]

    def __str__(self) -> str:
        return f"{self.day} of workspace {self.workspace_id}"


class DirtyDay(models.Model):
    """A day that is to be packed again at `due_at`: something happened to one of its leads."""

    workspace = models.ForeignKey("agents.Workspace", models.CASCADE, related_name="+", db_index=False)
    day = models.DateField()
    due_at = models.DateTimeField(db_index=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name = _("day to pack")
        verbose_name_plural = _("days to pack")
        constraints = [models.UniqueConstraint(fields=["workspace", "day"], name="dirty_day_once")]

    def __str__(self) -> str:
        return f"{self.day} of workspace {self.workspace_id}"
