"""How fast leads are answered, added up by the hour."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from agents.scoping import TenantQuerySet
from agents.tenancy import SameWorkspace


class SpeedHour(models.Model):
    """The leads that came in within one hour (UTC) and have the same agent, team, rule, channel and country.

    `agent` is who answered first, or has the lead while nobody did. `leads` are those that count: all but bots, what
    was closed as no lead (`not_leads`) and clicks that nobody confirmed (`unconfirmed`). `breaches` are of all of them,
    as on the leads themselves. Sums are microseconds, so that they are exact; `within_S` and `covered_within_S` count
    the answers within so many seconds of the wall and of the covered clock.
    """

    workspace = models.ForeignKey("agents.Workspace", models.CASCADE, related_name="+", db_index=False)
    hour = models.DateTimeField(_("hour"))
    agent = models.ForeignKey(
        "agents.Agent", models.PROTECT, null=True, related_name="+", db_index=False, db_constraint=False
    )
    team = models.ForeignKey(
        "agents.Team", models.PROTECT, null=True, related_name="+", db_index=False, db_constraint=False
    )
    rule = models.CharField(_("rule"), max_length=200, blank=True)
    channel = models.CharField(_("channel"), max_length=20, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True)

    leads = models.PositiveIntegerField(_("leads"), default=0)
    not_leads = models.PositiveIntegerField(_("no leads"), default=0)
    unconfirmed = models.PositiveIntegerField(_("unconfirmed clicks"), default=0)
    answered = models.PositiveIntegerField(_("answered"), default=0)
    breaches = models.PositiveIntegerField(_("overdue"), default=0)
    wall_us = models.BigIntegerField(default=0)
    covered_us = models.BigIntegerField(default=0)
    within_60 = models.PositiveIntegerField(default=0)
    within_300 = models.PositiveIntegerField(default=0)
    within_900 = models.PositiveIntegerField(default=0)
    within_3600 = models.PositiveIntegerField(default=0)
    within_86400 = models.PositiveIntegerField(default=0)
    covered_within_60 = models.PositiveIntegerField(default=0)
    covered_within_300 = models.PositiveIntegerField(default=0)
    covered_within_900 = models.PositiveIntegerField(default=0)
    covered_within_3600 = models.PositiveIntegerField(default=0)
    covered_within_86400 = models.PositiveIntegerField(default=0)

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name = _("hour of leads")
        verbose_name_plural = _("hours of leads")
        constraints = [
            SameWorkspace(field="agent", name="speed_hour_has_own_agent"),
            SameWorkspace(field="team", name="speed_hour_has_own_team"),
        ]
        indexes = [models.Index(fields=["workspace", "hour"], name="speed_hour_by_hour")]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H:00} of workspace {self.workspace_id}"


class DirtyHour(models.Model):
    """An hour that is to be added up again at `due_at`: something happened to one of its leads."""

    workspace = models.ForeignKey("agents.Workspace", models.CASCADE, related_name="+", db_index=False)
    hour = models.DateTimeField()
    due_at = models.DateTimeField(db_index=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name = _("hour to add up")
        verbose_name_plural = _("hours to add up")
        constraints = [models.UniqueConstraint(fields=["workspace", "hour"], name="dirty_hour_once")]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H:00} of workspace {self.workspace_id}"
