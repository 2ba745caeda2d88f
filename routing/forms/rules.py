"""Forms for the draft: rules, scoring rules, settings."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
)

from agents.forms.fields import RankedField
from agents.forms.workspace_form import WorkspaceForm
from agents.models import Agent, Team
from routing.drafting import place_of_next
from routing.forms.conditions import BaseConditionFormSet, condition_formset
from routing.forms.fields import DurationField, RemindersField
from routing.models import Draft, Rule, ScoringRule
from routing.rulebook import Findings
from routing.rulebook.routes import normalise_sla

_WISHES = {"language": _("the lead's language"), "channel": _("the lead's channel"), "territory": _("the territory")}
_TAG = "tags:"
_SLA = ("respond_within", "remind_at", "reroute_after", "max_reroutes", "escalate_after", "clock")


class _ConditionedForm(WorkspaceForm):
    """A form with rows of conditions, which are valid only together."""

    refused_fields: dict[str, Any] = {}
    places = {"when": "__all__"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conditions: BaseConditionFormSet = condition_formset(
            attributes=self.workspace.public_attributes if self.workspace else (),
            data=self.data if self.is_bound else None,
            when=self.instance.when,
            refused_fields=self.refused_fields,
        )

    @property
    def media(self) -> forms.Media:
        return super().media + self.conditions.media

    def has_changed(self) -> bool:
        return super().has_changed() or self.conditions.has_changed()

    def full_clean(self) -> None:
        if self.is_bound:
            self.conditions.full_clean()
            if self.conditions.is_valid():
                self.instance.when = self.conditions.when
        super().full_clean()
        if self.is_bound and not self.conditions.is_valid():
            self.add_error(None, _now("There is something wrong with the conditions; see there."))


class _PromiseForm(WorkspaceForm):
    """A form with the fields of an SLA, which is kept as one document."""

    places = {"sla": "sla_respond_within"}

    sla_respond_within = DurationField(
        label=_("Answer within"), required=False, help_text=_("Such as 5m. Empty: no promise.")
    )
    sla_remind_at = RemindersField(
        label=_("Remind at"), required=False, help_text=_("Shares of that time, or lengths such as 2m.")
    )
    sla_reroute_after = DurationField(label=_("Give to somebody else after"), required=False)
    sla_max_reroutes = forms.IntegerField(
        label=_("At most so many times"),
        required=False,
        min_value=1,
        max_value=20,
        widget=UnfoldAdminIntegerFieldWidget,
    )
    sla_escalate_after = DurationField(label=_("Tell the manager after"), required=False)
    sla_clock = forms.ChoiceField(
        label=_("The clock runs"),
        required=False,
        choices=[("wall", _("day and night")), ("covered", _("in the team's covered hours"))],
        widget=UnfoldAdminSelectWidget,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for key, value in (self.instance.sla or {}).items():
            self.initial.setdefault(f"sla_{key}", value)

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if cleaned is None or "sla_respond_within" not in self.fields:
            return cleaned
        sla = {key: cleaned.get(f"sla_{key}") for key in _SLA}
        said = {key: value for key, value in sla.items() if value and key != "clock"}
        findings = Findings()
        self.instance.sla = normalise_sla(
            {**said, "clock": sla["clock"] or "wall"} if said else None, path=(), findings=findings
        )
        for path, message in findings.errors:
            self.add_error(f"sla_{path[0]}" if path else "sla_respond_within", message)
        return cleaned


class RuleForm(_PromiseForm, _ConditionedForm):
    require = forms.MultipleChoiceField(
        label=_("Only who has"),
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("Leads that nobody fulfils this for go on as “if nobody is there” says."),
    )
    prefer = RankedField(
        label=_("Rather who has"), required=False, help_text=_("The first matters most. Nobody is left out by this.")
    )
    places = {"when": "__all__", "sla": "sla_respond_within"}

    class Meta:
        model = Rule
        fields = ("name", "is_active", "to_kind", "team", "agent", "by", "require", "prefer", "if_nobody")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        wishes = self._wishes()
        for name in ("require", "prefer"):
            if name in self.fields:
                self.fields[name].choices = wishes  # type: ignore[attr-defined]
        if "team" in self.fields:
            teams = Team.objects.for_workspace(self.workspace)
            self.fields["team"].queryset = (  # type: ignore[attr-defined]
                teams.filter(archived_at=None) | teams.filter(pk=self.instance.team_id)
            ).order_by("name", "id")

    def save(self, commit: bool = True) -> Any:
        if self.instance._state.adding:
            self.instance.position = place_of_next(Rule, workspace=self.instance.workspace)
        return super().save(commit)

    def _wishes(self) -> list[tuple[str, Any]]:
        """What rules may ask of people: the three that leads bring, and the tags in use."""
        tags = {
            f"{_TAG}{tag}"
            for found in Agent.objects.for_workspace(self.workspace).exclude(tags=[]).values_list("tags", flat=True)
            for tag in found
        }
        tags.update(wish for wish in (*self.instance.require, *self.instance.prefer) if wish.startswith(_TAG))
        named = [(wish, _now("the tag %(tag)s") % {"tag": wish.removeprefix(_TAG)}) for wish in sorted(tags)]
        return [*_WISHES.items(), *named]


class ScoringRuleForm(_ConditionedForm):
    refused_fields = {
        name: _("scoring makes score and intent, so it cannot look at them: choose another field")
        for name in ("score", "intent")
    }

    class Meta:
        model = ScoringRule
        fields = ("points",)

    def save(self, commit: bool = True) -> Any:
        if self.instance._state.adding:
            self.instance.position = place_of_next(ScoringRule, workspace=self.instance.workspace)
        return super().save(commit)


class DraftForm(_PromiseForm):
    acknowledge_within_s = DurationField(
        label=_("Acknowledged within"),
        help_text=_("Whoever is on call says so within this time, or the next in line is paged. Such as 5m."),
    )
    join_window_s = DurationField(
        label=_("Join window"),
        least=0,
        help_text=_("Within this time a new message of a person joins their open lead. Such as 24h; 0: never."),
    )

    class Meta:
        model = Draft
        fields = ("returning", "join_window_s", "hot", "warm", "acknowledge_within_s")
        help_texts = {
            "hot": _("Leads with at least so many points are hot."),
            "warm": _("With at least so many, warm; below, cold."),
        }
