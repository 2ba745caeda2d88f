"""When agents work, by the wall clock of their zone."""

from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from agents.roster import RosterModel
from agents.tenancy import SameWorkspace
from agents.validators import validate_one_line

MINUTES_A_DAY = 1440


class Weekday(models.IntegerChoices):
    MON = 0, _("Monday")
    TUE = 1, _("Tuesday")
    WED = 2, _("Wednesday")
    THU = 3, _("Thursday")
    FRI = 4, _("Friday")
    SAT = 5, _("Saturday")
    SUN = 6, _("Sunday")


class ShiftKind(models.TextChoices):
    REGULAR = "regular", _("Regular")
    ON_CALL = "on_call", _("On call")


class Shift(RosterModel):
    """A window of one weekday, [start, end) in minutes of the agent's wall clock.

    An `end_minute` below the start lies on the next day; midnight at the end is 1440. Windows may overlap.
    """

    workspace = models.ForeignKey("agents.Workspace", models.PROTECT, related_name="shifts")
    agent = models.ForeignKey("agents.Agent", models.PROTECT, related_name="shifts")
    weekday = models.PositiveSmallIntegerField(_("weekday"), choices=Weekday)
    start_minute = models.PositiveSmallIntegerField(_("from"))
    end_minute = models.PositiveSmallIntegerField(_("to"))
    kind = models.CharField(_("kind"), max_length=10, choices=ShiftKind, default=ShiftKind.REGULAR)

    class Meta:
        verbose_name = _("shift")
        verbose_name_plural = _("shifts")
        constraints = [
            SameWorkspace(field="agent", name="shift_has_own_agent"),
            models.CheckConstraint(condition=Q(weekday__lte=6), name="shift_weekday_is_known"),
            models.CheckConstraint(
                condition=Q(start_minute__lt=MINUTES_A_DAY) & Q(end_minute__range=(1, MINUTES_A_DAY)),
                name="shift_lies_within_a_day",
            ),
            models.CheckConstraint(condition=~Q(start_minute=F("end_minute")), name="shift_is_not_empty"),
            models.CheckConstraint(condition=Q(kind__in=ShiftKind.values), name="shift_kind_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} {clock(self.start_minute)}–{clock(self.end_minute)}"

    def clean(self) -> None:
        start, end = self.start_minute, self.end_minute
        if start is None or end is None:
            return
        if end == 0:
            self.end_minute = end = MINUTES_A_DAY
        errors: dict[str, Any] = {}
        if not 0 <= start < MINUTES_A_DAY:
            errors["start_minute"] = _("A shift starts between 00:00 and 23:59.")
        if not 1 <= end <= MINUTES_A_DAY:
            errors["end_minute"] = _("A shift ends between 00:01 and 24:00.")
        if start == end:
            errors["end_minute"] = _(
                "A shift cannot end when it starts. For a whole day write 00:00 to 24:00, or delete this one."
            )
        if errors:
            raise ValidationError(errors)


validate_wall_clock = RegexValidator(
    r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}\Z",
    _("Write a date and a time like 2026-08-01T00:00."),
    code="clock",
)


class TimeOff(RosterModel):
    """An absence, [starts, ends) by the agent's wall clock: texts `YYYY-MM-DDTHH:MM`, whose order is that of time."""

    workspace = models.ForeignKey("agents.Workspace", models.PROTECT, related_name="time_off")
    agent = models.ForeignKey("agents.Agent", models.PROTECT, related_name="time_off")
    starts_local = models.CharField(_("from"), max_length=16, validators=[validate_wall_clock])
    ends_local = models.CharField(_("to"), max_length=16, validators=[validate_wall_clock])
    note = models.CharField(_("note"), max_length=200, blank=True, validators=[validate_one_line])

    class Meta:
        verbose_name = _("time off")
        verbose_name_plural = _("time off")
        constraints = [
            SameWorkspace(field="agent", name="time_off_has_own_agent"),
            models.CheckConstraint(condition=Q(starts_local__lt=F("ends_local")), name="time_off_is_not_empty"),
        ]

    def __str__(self) -> str:
        return f"{self.starts_local} – {self.ends_local}"

    def clean(self) -> None:
        errors: dict[str, Any] = {}
        for name in ("starts_local", "ends_local"):
            try:
                datetime.strptime(getattr(self, name), "%Y-%m-%dT%H:%M")  # noqa: DTZ007 - a wall clock has no zone
            except ValueError:
                errors[name] = _("There is no such date or time. Write it like 2026-08-01T00:00.")
        if not errors and self.starts_local >= self.ends_local:
            errors["ends_local"] = _("Time off ends after it starts.")
        if errors:
            raise ValidationError(errors)


def clock(minute: int) -> str:
    """540 as `09:00`, 1440 as `24:00`."""
    return f"{minute // 60:02d}:{minute % 60:02d}"
