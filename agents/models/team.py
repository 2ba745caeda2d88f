"""Agents who share turns."""

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from agents import plans
from agents.roster import RosterModel
from agents.tenancy import SameWorkspace
from agents.validators import validate_one_line, validate_slug


class Team(RosterModel):
    """Agents who share turns. Archived rather than deleted once anything names it."""

    fixed_fields = ("slug",)

    workspace = models.ForeignKey("agents.Workspace", models.PROTECT, related_name="teams")
    slug = models.CharField(_("slug"), max_length=50, validators=[validate_slug], help_text=_("Stays as it is."))
    name = models.CharField(_("name"), max_length=120, validators=[validate_one_line])
    catch_up = models.PositiveIntegerField(
        _("catch up"),
        default=0,
        validators=[MaxValueValidator(1_000)],
        help_text=_("Leads that somebody back from a pause or time off may be given in addition, at most. 0: none."),
    )
    archived_at = models.DateTimeField(_("archived"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("team")
        verbose_name_plural = _("teams")
        constraints = [
            models.UniqueConstraint(fields=["workspace", "id"], name="team_of_workspace"),
            models.UniqueConstraint(
                fields=["workspace", "slug"],
                name="team_slug_once_per_workspace",
                violation_error_message=_("There is a team with this slug already, perhaps archived. Choose another."),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        errors: dict[str, Any] = {}
        stored = type(self).objects.filter(pk=self.pk).values("slug", "archived_at").first() if self.pk else None
        if stored and stored["slug"] != self.slug:
            errors["slug"] = _("Rules name teams by their slug, so it stays. Make a new team instead.")
        if self.workspace_id is not None and self.archived_at is None:
            is_new = stored is None or stored["archived_at"] is not None
            try:
                plans.check_teams(self.workspace, extra=int(is_new))
            except ValidationError as error:
                if is_new:
                    errors["__all__"] = error
            if self.catch_up:
                try:
                    plans.check_feature(self.workspace.plan, "catch_up")
                except ValidationError as error:
                    errors["catch_up"] = error
        if errors:
            raise ValidationError(errors)


class TeamMember(RosterModel):
    """An agent's place in a team: a share of the turns (`weight`) and a rank for `priority` (`tier`, 1 goes first)."""

    # Set by a form that checks the weights of the whole team together, some of which are not stored yet.
    weights_are_checked_together = False

    workspace = models.ForeignKey("agents.Workspace", models.PROTECT, related_name="team_members")
    team = models.ForeignKey(Team, models.PROTECT, related_name="members")
    agent = models.ForeignKey("agents.Agent", models.PROTECT, related_name="team_members", verbose_name=_("agent"))
    weight = models.PositiveIntegerField(
        _("weight"),
        default=1,
        validators=[MaxValueValidator(1_000_000)],
        help_text=_("The share of the turns. 0: none."),
    )
    tier = models.PositiveIntegerField(
        _("tier"),
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(1_000)],
        help_text=_("Where a rule chooses by priority, tier 1 goes first."),
    )

    class Meta:
        verbose_name = _("team member")
        verbose_name_plural = _("team members")
        constraints = [
            SameWorkspace(field="team", name="member_has_own_team"),
            SameWorkspace(field="agent", name="member_has_own_agent"),
            models.UniqueConstraint(
                fields=["team", "agent"],
                name="one_place_per_team_and_agent",
                violation_error_message=_("This agent is in this team already. Change the weight instead."),
            ),
            models.CheckConstraint(condition=models.Q(tier__gte=1), name="member_tier_is_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.team}: {self.agent}"

    def clean(self) -> None:
        if self.team_id is None or self.weight is None or self.weights_are_checked_together:
            return
        others = type(self).objects.filter(team_id=self.team_id).exclude(pk=self.pk)
        try:
            check_weights([self.weight, *others.values_list("weight", flat=True)])
        except ValidationError as error:
            raise ValidationError({"weight": error}) from error


def check_weights(weights: Iterable[int]) -> None:
    """Raise a ValidationError where a team has members and none of them any turns."""
    weights = list(weights)
    if weights and not any(weights):
        raise ValidationError(
            _("All weights of this team are 0, so nobody would ever get a lead. Give at least one member a weight."),
            code="weights",
        )
