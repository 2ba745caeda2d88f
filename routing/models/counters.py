"""What routing counts: a team's turns, an agent's load. These rows exist as soon as their team or agent does."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from agents.scoping import TenantQuerySet
from agents.tenancy import SameWorkspace
from routing import engine


class Ledger(models.Model):
    """A team's due-share ledger; without a team, the workspace's own for people on call.

    `entries` is `{"AGENT ID": [credit, last turn, owed]}`, as `routing.engine.ledger` has it. Whoever takes a turn
    locks the row, and writes it in the transaction that writes the assignment.
    """

    workspace = models.ForeignKey("agents.Workspace", models.CASCADE, related_name="ledgers")
    team = models.ForeignKey("agents.Team", models.CASCADE, null=True, related_name="ledgers")
    entries = models.JSONField(default=dict)
    turns = models.BigIntegerField(default=0)

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name = _("ledger")
        verbose_name_plural = _("ledgers")
        constraints = [
            SameWorkspace(field="team", name="ledger_has_own_team"),
            models.UniqueConstraint(fields=["team"], name="one_ledger_per_team"),
            models.UniqueConstraint(
                fields=["workspace"], condition=Q(team=None), name="one_on_call_ledger_per_workspace"
            ),
        ]

    def __str__(self) -> str:
        return f"Ledger of {self.team or self.workspace}"

    @property
    def standing(self) -> engine.Ledger:
        """The ledger as the engine reads it."""
        entries = {int(agent): engine.Entry(*entry) for agent, entry in self.entries.items()}
        return engine.Ledger(entries, self.turns)

    @standing.setter
    def standing(self, ledger: engine.Ledger) -> None:
        self.entries = {str(agent): list(entry) for agent, entry in ledger.entries.items()}
        self.turns = ledger.turns


class Load(models.Model):
    """An agent's open leads, and what they were given in the clock hour, local date and ISO week of each key."""

    agent = models.OneToOneField("agents.Agent", models.CASCADE, primary_key=True, related_name="load")
    workspace = models.ForeignKey("agents.Workspace", models.CASCADE, related_name="loads")
    open = models.PositiveIntegerField(default=0)
    hour_key = models.CharField(max_length=13, default="", blank=True)
    hour = models.PositiveIntegerField(default=0)
    day_key = models.CharField(max_length=10, default="", blank=True)
    day = models.PositiveIntegerField(default=0)
    week_key = models.CharField(max_length=8, default="", blank=True)
    week = models.PositiveIntegerField(default=0)
    last_assigned_at = models.DateTimeField(null=True, blank=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name = _("load")
        verbose_name_plural = _("loads")
        constraints = [SameWorkspace(field="agent", name="load_has_own_agent")]

    def __str__(self) -> str:
        return f"Load of {self.agent}"

    @property
    def carried(self) -> engine.Load:
        """The load as the engine reads it."""
        return engine.Load(
            self.open,
            self.hour_key,
            self.hour,
            self.day_key,
            self.day,
            self.week_key,
            self.week,
            self.last_assigned_at,
        )
