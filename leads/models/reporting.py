"""Reports that are sent by themselves."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from agents.scoping import TenantQuerySet


class Every(models.TextChoices):
    """How often. Weeks begin on Monday."""

    DAY = "day", _("Every day")
    WEEK = "week", _("Every Monday")
    MONTH = "month", _("On the first of the month")


class ReportMail(models.Model):
    """A report that a member is sent, to their own address. `query` is what is asked for, as in the report's address;
    `hour` is of the clock of `zone`. Due at `next_at`."""

    workspace = models.ForeignKey("agents.Workspace", models.CASCADE, related_name="+")
    user = models.ForeignKey("agents.User", models.CASCADE, related_name="+")
    report = models.CharField(_("report"), max_length=20)
    query = models.CharField(_("narrowing"), max_length=1_000, blank=True)
    every = models.CharField(_("how often"), max_length=10, choices=Every)
    hour = models.PositiveSmallIntegerField(_("hour"))
    zone = models.CharField(_("time zone"), max_length=64)
    next_at = models.DateTimeField(_("next"), db_index=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name = _("report by mail")
        verbose_name_plural = _("reports by mail")
        constraints = [models.CheckConstraint(condition=Q(hour__lt=24), name="report_mail_hour_is_of_a_day")]

    def __str__(self) -> str:
        return f"{self.report}, {self.get_every_display()}"
