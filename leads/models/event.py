"""What happened to a lead, in order."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from agents.scoping import TenantQuerySet
from agents.tenancy import SameWorkspace


class EventKind(models.TextChoices):
    RECEIVED = "received", _("Received")
    JOINED = "joined", _("The visitor wrote again")
    ASSIGNED = "assigned", _("Assigned")
    HELD = "held", _("Held")
    OFFERED = "offered", _("Offered")
    QUEUED = "queued", _("Put into the nurture queue")
    SEEN = "seen", _("Seen by the agent")
    ATTEMPTED = "attempted", _("Tried to reach")
    NOTE = "note", _("Note")
    RESPONDED = "responded", _("Answered")
    CLOSED = "closed", _("Closed")
    REOPENED = "reopened", _("Reopened")
    FLAGGED = "flagged", _("Flagged")
    REMINDED = "reminded", _("Agent reminded")
    OVERDUE = "overdue", _("Not answered in time")
    ESCALATED = "escalated", _("Managers told")
    ACKNOWLEDGED = "acknowledged", _("Acknowledged")
    CONFIRMED = "confirmed", _("Confirmed as a conversation")
    UNCONFIRMED = "unconfirmed", _("Not confirmed as a conversation")
    GIVEN_BACK = "given_back", _("Turn given back")


class Event(models.Model):
    """One thing that happened. `actor` is the user who did it, `actor_text` who or what else did."""

    workspace = models.ForeignKey(
        "agents.Workspace", models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    lead = models.ForeignKey("leads.Lead", models.CASCADE, related_name="events", db_constraint=False)
    kind = models.CharField(_("what"), max_length=20, choices=EventKind)
    at = models.DateTimeField(_("when"))
    actor = models.ForeignKey("agents.User", models.SET_NULL, null=True, blank=True, related_name="+", db_index=False)
    actor_text = models.CharField(_("by"), max_length=120, blank=True)
    data = models.JSONField(default=dict, blank=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        constraints = [SameWorkspace(field="lead", name="event_has_own_lead")]

    def __str__(self) -> str:
        return f"#{self.pk}: {self.kind}"
