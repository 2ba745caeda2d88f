"""How people want to be told, and which machines are."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from agents.models.hours import clock
from agents.scoping import TenantQuerySet
from agents.tenancy import SameWorkspace
from leads.models.event import EventKind
from leads.notifications.message import Kind
from leads.notifications.transports import TRANSPORTS, webhook


class WayQuerySet(TenantQuerySet):
    def usable(self) -> WayQuerySet:
        return self.filter(is_active=True)


class NotificationWay(models.Model):
    """A way to reach an agent, or a member of the workspace who manages it, in their order of preference.

    `address` is what the transport reads: it may hold secrets, and is shown only masked. `muted` are the kinds of
    message that do not go this way; `places` says for those with an order of their own which place this way has there.
    One whose address is gone is switched off, with the reason in `last_error`. `trial_row` is the outbox row of the
    last trial, which may be gone.
    """

    workspace = models.ForeignKey("agents.Workspace", models.CASCADE, related_name="+", db_index=False)
    agent = models.ForeignKey(
        "agents.Agent",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="notification_ways",
        verbose_name=_("agent"),
        db_constraint=False,
    )
    user = models.ForeignKey(
        "agents.User", models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("member")
    )
    transport = models.CharField(
        _("way"), max_length=20, choices=[(transport.id, transport.label) for transport in TRANSPORTS.values()]
    )
    address = models.JSONField(default=dict)
    position = models.PositiveSmallIntegerField(_("order"), default=1, help_text=_("1 is tried first."))
    muted = models.JSONField(default=list, blank=True)
    places = models.JSONField(default=dict, blank=True, editable=False)
    is_active = models.BooleanField(_("active"), default=True)
    last_error = models.CharField(_("last error"), max_length=200, blank=True, editable=False)
    trial_row = models.BigIntegerField(null=True, editable=False)

    objects = WayQuerySet.as_manager()

    class Meta:
        verbose_name = _("notification way")
        verbose_name_plural = _("notification ways")
        constraints = [
            SameWorkspace(field="agent", name="way_has_own_agent"),
            models.CheckConstraint(
                condition=Q(agent=None, user__isnull=False) | Q(agent__isnull=False, user=None),
                name="way_is_of_an_agent_or_a_member",
                violation_error_message=_("Choose either an agent or a member."),
            ),
        ]
        indexes = [models.Index(fields=["workspace", "user"], name="way_by_user")]

    def __str__(self) -> str:
        return f"{TRANSPORTS[self.transport].label}: {self.masked}" if self.transport in TRANSPORTS else self.transport

    def clean(self) -> None:
        if self.transport in TRANSPORTS:
            try:
                TRANSPORTS[self.transport].read(self.address)
            except ValueError as refusal:
                raise ValidationError({"address": str(refusal)}) from None
        self.muted = [kind for kind in Kind if kind in self.muted]

    @property
    def masked(self) -> str:
        """Enough of the address to recognise it, and too little to use it."""
        shown = next((self.address.get(field, "") for field in TRANSPORTS[self.transport].fields), "")
        return mask(str(shown))


def mask(address: str) -> str:
    """`marta@example.com` as `m…@example.com`, a URL by its host, anything else by its last three characters."""
    if "://" in address:
        return address.split("/", 3)[2].rpartition("@")[2] + "/…"
    name, at, domain = address.rpartition("@")
    if at:
        return f"{name[:1]}…@{domain}"
    return f"…{address[-3:]}" if len(address) > 5 else "…" * bool(address)


class QuietHours(models.Model):
    """When an agent's phone stays silent, by the clock of their zone: `[start, end)`; an end before the start is on the
    next morning. What cannot wait comes through."""

    workspace = models.ForeignKey("agents.Workspace", models.CASCADE, related_name="+", db_index=False)
    agent = models.OneToOneField(
        "agents.Agent", models.CASCADE, related_name="quiet_hours", verbose_name=_("agent"), db_constraint=False
    )
    start_minute = models.PositiveSmallIntegerField(_("from"))
    end_minute = models.PositiveSmallIntegerField(_("to"))

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name = _("quiet hours")
        verbose_name_plural = _("quiet hours")
        constraints = [
            SameWorkspace(field="agent", name="quiet_hours_have_own_agent"),
            models.CheckConstraint(
                condition=Q(start_minute__lt=1440, end_minute__lte=1440), name="quiet_hours_are_minutes_of_a_day"
            ),
        ]

    def __str__(self) -> str:
        return f"{clock(self.start_minute)}–{clock(self.end_minute)}"

    def clean(self) -> None:
        if (
            self.start_minute is not None
            and self.end_minute is not None
            and self.start_minute % 1440 == self.end_minute % 1440
        ):
            raise ValidationError({"end_minute": _("Quiet hours end at another time than they start.")})


# What agents do among themselves stays in the house.
PRIVATE_EVENTS = frozenset({EventKind.NOTE, EventKind.SEEN})


def event_types() -> list[tuple[str, str]]:
    """What an endpoint can be told, with what that means."""
    kinds = [kind for kind in EventKind if kind not in PRIVATE_EVENTS]
    return [(f"lead.{kind.value}", f"{kind.label} (lead.{kind.value})") for kind in kinds]


class WebhookEndpoint(models.Model):
    """A server of the customer's that is told what happens to leads, signed as Standard Webhooks.

    `events` empty: everything. It hears of events after `after_event`, the last one when it was made. While a secret
    is being replaced, `old_secret` signs too. One that answers 410 is switched off.
    """

    workspace = models.ForeignKey("agents.Workspace", models.CASCADE, related_name="+")
    url = models.CharField(_("address"), max_length=2_048)
    secret = models.CharField(max_length=100, editable=False, default=webhook.new_secret)
    old_secret = models.CharField(max_length=100, blank=True, editable=False)
    events = models.JSONField(_("events"), default=list, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    last_error = models.CharField(_("last error"), max_length=200, blank=True, editable=False)
    after_event = models.BigIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(_("made"), editable=False)

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")

    def __str__(self) -> str:
        return mask(self.url)

    def clean(self) -> None:
        try:
            webhook.read({"url": self.url, "secret": self.secret})
        except ValueError as refusal:
            raise ValidationError({"url": str(refusal)}) from None

    @property
    def address(self) -> dict[str, str]:
        return {"url": self.url, "secret": self.secret, "old_secret": self.old_secret}


class EventCursor(models.Model):
    """How far the events have been read: one row for deliveries to webhooks, one for the sums of `leads.speed`.

    `missing` are numbers below `event_id` that were not there yet, [number, seconds since the epoch when that was
    noticed]: numbers are given out before transactions commit, so a later one may be seen first.
    """

    event_id = models.BigIntegerField(default=0)
    missing = models.JSONField(default=list)

    class Meta:
        verbose_name = _("event cursor")
        verbose_name_plural = _("event cursors")

    def __str__(self) -> str:
        return str(self.event_id)
