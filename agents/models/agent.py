"""People who take leads, and how they are reached."""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, URLValidator
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from agents import channels, holiday_dates, languages, places, plans, zones
from agents.contacts import region_of_zone
from agents.roster import RosterModel
from agents.tenancy import SameWorkspace
from agents.validators import canonical_tags, check_texts, validate_one_line, validate_slug

CAPS = ("cap_open", "cap_hour", "cap_day", "cap_week")


def _cap_field(name: Any) -> "models.PositiveIntegerField[int | None, int | None]":
    return models.PositiveIntegerField(
        name,
        null=True,
        blank=True,
        validators=[
            MinValueValidator(
                1, _("A cap is at least 1. For no leads at all, pause the agent; for no cap, leave it empty.")
            ),
            MaxValueValidator(1_000_000),
        ],
    )


class Agent(RosterModel):
    """A person of one workspace who takes leads. Deactivated rather than deleted once anything names them."""

    fixed_fields = ("slug",)

    workspace = models.ForeignKey("agents.Workspace", models.PROTECT, related_name="agents")
    slug = models.CharField(_("slug"), max_length=50, validators=[validate_slug], help_text=_("Stays as it is."))
    name = models.CharField(_("name"), max_length=120, validators=[validate_one_line])
    title = models.CharField(_("title"), max_length=120, blank=True, validators=[validate_one_line])
    photo_url = models.CharField(_("photo"), max_length=500, blank=True, validators=[URLValidator(schemes=["https"])])
    email = models.EmailField(_("e-mail"), blank=True, help_text=_("Where notifications go."))
    user = models.ForeignKey(
        "agents.User",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="agents",
        verbose_name=_("user"),
        help_text=_("Who logs in as this agent."),
    )
    timezone = models.CharField(_("time zone"), max_length=64, blank=True, help_text=_("Empty: the workspace's."))
    languages = models.JSONField(_("languages"), default=list, blank=True)
    territories = models.JSONField(
        _("territories"), default=list, blank=True, help_text=_("Countries and regions (ES, US-CA). Empty: everywhere.")
    )
    tags = models.JSONField(_("tags"), default=list, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    is_paused = models.BooleanField(_("paused"), default=False)
    pause_ends_at = models.DateTimeField(
        _("paused until"), null=True, blank=True, help_text=_("Empty: until somebody ends the pause.")
    )
    cap_open = _cap_field(_("open leads, at most"))
    cap_hour = _cap_field(_("leads an hour, at most"))
    cap_day = _cap_field(_("leads a day, at most"))
    cap_week = _cap_field(_("leads a week, at most"))
    holiday_calendar = models.CharField(
        _("holidays"), max_length=8, blank=True, help_text=_("A country or region (ES, ES-MD). Empty: none.")
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("agent")
        verbose_name_plural = _("agents")
        indexes = [
            models.Index(
                fields=["pause_ends_at"],
                condition=models.Q(is_paused=True, pause_ends_at__isnull=False),
                name="agent_by_end_of_pause",
            )
        ]
        constraints = [
            models.UniqueConstraint(fields=["workspace", "id"], name="agent_of_workspace"),
            models.UniqueConstraint(
                fields=["workspace", "slug"],
                name="agent_slug_once_per_workspace",
                violation_error_message=_("There is an agent with this slug already. Choose another."),
            ),
            models.UniqueConstraint(
                fields=["workspace", "user"],
                name="one_agent_per_user_and_workspace",
                violation_error_message=_("This user is another agent of this workspace already."),
            ),
            models.CheckConstraint(
                condition=models.Q(*((f"{cap}__gte", 1) for cap in CAPS)), name="agent_caps_are_positive"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def zone_name(self) -> str:
        """The agent's own zone or the workspace's."""
        return self.timezone or self.workspace.timezone

    def clean(self) -> None:
        errors: dict[str, Any] = {}
        if not self.is_paused:
            self.pause_ends_at = None  # what stays would end the next pause
        canonical: dict[str, Callable[[list[str]], list[str]]] = {
            "languages": languages.canonical_tags,
            "territories": lambda texts: list(dict.fromkeys(map(places.canonical_territory, texts))),
            "tags": canonical_tags,
        }
        for name, make_canonical in canonical.items():
            try:
                setattr(self, name, make_canonical(check_texts(getattr(self, name))))
            except ValidationError as error:
                errors[name] = error
            except ValueError as error:
                errors[name] = str(error)
        if self.timezone:
            try:
                zones.zone(self.timezone)
            except ValueError as error:
                errors["timezone"] = str(error)
        if self.holiday_calendar and not holiday_dates.is_calendar(self.holiday_calendar):
            errors["holiday_calendar"] = _now(
                "There is no holiday calendar “%(code)s”. Write a country or one of its regions, such as ES or ES-MD."
            ) % {"code": self.holiday_calendar}
        stored = type(self).objects.filter(pk=self.pk).values("slug", "is_active").first() if self.pk else None
        if stored and stored["slug"] != self.slug:
            errors["slug"] = _("Rules name agents by their slug, so it stays. Make a new agent instead.")
        if self.workspace_id is not None and self.is_active:
            if not (stored and stored["is_active"]):
                _collect(errors, "is_active", lambda: plans.check_active_agents(self.workspace, extra=1))
            for cap in CAPS:
                if getattr(self, cap) is not None:
                    _collect(errors, cap, lambda: plans.check_feature(self.workspace.plan, "caps"))
        if errors:
            raise ValidationError(errors)


class Handle(RosterModel):
    """An agent's address on one channel, in its normal form."""

    workspace = models.ForeignKey("agents.Workspace", models.PROTECT, related_name="handles")
    agent = models.ForeignKey(Agent, models.PROTECT, related_name="handles")
    channel = models.CharField(_("channel"), max_length=20)
    value = models.CharField(_("handle"), max_length=300)

    class Meta:
        verbose_name = _("handle")
        verbose_name_plural = _("handles")
        constraints = [
            SameWorkspace(field="agent", name="handle_has_own_agent"),
            models.UniqueConstraint(
                fields=["agent", "channel"],
                name="one_handle_per_channel",
                violation_error_message=_("This agent has a handle on this channel already. Change that one."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel}: {self.value}"

    def clean(self) -> None:
        try:
            channel = channels.channel_named(self.channel)
        except ValueError as error:
            raise ValidationError({"channel": str(error)}) from error
        if not channel.needs_handle:
            raise ValidationError({"channel": _("This channel needs no handle. Remove this one.")})
        region = region_of_zone(self.workspace.timezone) if self.workspace_id is not None else None
        try:
            self.value = channel.normalise(self.value, region=region)
        except ValueError as error:
            raise ValidationError({"value": str(error)}) from error


def _collect(errors: dict[str, Any], name: str, check: Callable[[], None]) -> None:
    try:
        check()
    except ValidationError as error:
        errors[name] = error
