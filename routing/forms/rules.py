"""Forms for the draft: rules, scoring rules, settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget

from agents import plans
from agents.forms.fields import RankedField
from agents.forms.workspace_form import WorkspaceForm
from agents.models import Agent, Team
from routing.drafting import fingerprint, place_of_next
from routing.forms.choices import NOTHING, Offers
from routing.forms.conditions import BaseConditionFormSet, condition_formset
from routing.forms.fields import DurationField, RemindersField
from routing.models import Draft, Rule, ScoringRule
from routing.models.draft import IfNobody, Strategy, Target
from routing.policy_changes import rule_in_words, target_names
from routing.rulebook import Findings
from routing.rulebook.routes import normalise_sla

_WISHES = {"language": _("the lead's language"), "channel": _("the lead's channel"), "territory": _("the territory")}
_TAG = "tags:"
_SLA = ("respond_within", "remind_at", "reroute_after", "max_reroutes", "escalate_after", "clock")


class Explained(str):
    """A choice with a sentence about what it means, and the plan that it needs where the workspace's has it not."""

    explained: Any
    plan: str

    def __new__(cls, label: Any, explained: Any = "", plan: str = "") -> Explained:
        made = super().__new__(cls, label)
        made.explained, made.plan = explained, plan
        return made


class _SeenInput(forms.HiddenInput):
    """Says what is stored now, also where an older state was sent: the reader of the page is told of this one."""

    stored = ""

    def format_value(self, value: Any) -> str:
        return self.stored


class _DraftPartForm(WorkspaceForm):
    """A part of the draft, which two people may edit at once.

    `seen` says which state the page showed. Where the part was changed since, saving is refused once, with what it
    says now; what was typed is kept, and saving again means it.
    """

    seen = forms.CharField(required=False, widget=_SeenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.is_new = self.instance._state.adding
        self.stored = fingerprint(self.instance.document) if self.instance.pk else ""
        self.was = self.instance.document if self.instance.pk else None
        seen: Any = self.fields["seen"].widget
        seen.stored = self.stored

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        seen = self.data.get(self.add_prefix("seen"), "")
        if self.stored and seen and seen != self.stored:
            self.add_error(None, self.changed_meanwhile())
        return cleaned

    def changed_meanwhile(self) -> str:
        return _now(
            "%(who)s changed this while you were editing. Nothing of yours was saved yet; save again to replace it."
        ) % {"who": self.who_changed()}

    def who_changed(self) -> str:
        """Who saved it last by a page of the admin."""
        kind = ContentType.objects.get_for_model(type(self.instance))
        entries = LogEntry.objects.filter(content_type=kind, object_id=str(self.instance.pk)).select_related("user")
        last: Any = entries.order_by("-action_time", "-pk").first()
        return (last.user.get_full_name() or last.user.email) if last else _now("Somebody")


class _ConditionedForm(_DraftPartForm):
    """A form with rows of conditions, which are valid only together."""

    refused_fields: dict[str, Any] = {}
    places = {"when": "__all__"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offers = Offers.of(self.workspace) if self.workspace else NOTHING
        self.conditions: BaseConditionFormSet = condition_formset(
            offers=self.offers,
            data=self.data if self.is_bound else None,
            when=self.instance.when,
            refused_fields=self.refused_fields,
        )

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


class _PromiseForm(_DraftPartForm):
    """A form with the fields of an SLA, which is kept as one document."""

    places = {"sla": "sla_respond_within"}

    sla_respond_within = DurationField(
        label=_("Answer within"),
        required=False,
        help_text=_("What is promised, counted until the first human answer. Such as 5m; empty: no promise."),
    )
    sla_remind_at = RemindersField(
        label=_("Remind at"), required=False, help_text=_("Shares of that time, or lengths such as 2m.")
    )
    sla_reroute_after = DurationField(
        label=_("Give to somebody else after"),
        required=False,
        help_text=_("Where nobody has answered by then, the rules choose again, without those who had it."),
    )
    sla_max_reroutes = forms.IntegerField(
        label=_("At most so many times"),
        required=False,
        help_text=_("Empty: three times. After the last it stays where it is."),
        min_value=1,
        max_value=20,
        widget=UnfoldAdminIntegerFieldWidget,
    )
    sla_escalate_after = DurationField(
        label=_("Tell the manager after"),
        required=False,
        help_text=_("Managers get a message, by the ways they chose under Notifications."),
    )
    sla_clock = forms.ChoiceField(
        label=_("The clock runs"),
        required=False,
        help_text=_("In covered hours it stands still while nobody of the team is on shift."),
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


TRYING = "_try"
_TARGETS: Mapping[str, tuple[Any, Any]] = {
    "team": (_("A team"), _("Its people share the leads.")),
    "agent": (_("One person"), _("Always the same one.")),
    "queue": (_("The nurture queue"), _("Nobody is told; whoever has time takes one from it.")),
}
_STRATEGIES: Mapping[str, tuple[Any, Any]] = {
    "round_robin": (_("Taking turns"), _("Fair to the lead, by the weights of the team.")),
    "priority": (_("By tiers"), _("Turns among the first tier that has anybody there; others only if it has nobody.")),
    "least_busy": (_("The least busy"), _("Whoever has the fewest open leads for what they may have.")),
    "claim": (_("Whoever takes it first"), _("Offered to all for five minutes. Only for leads of the form.")),
}
_IF_NOBODY: Mapping[str, tuple[Any, Any]] = {
    "next_rule": (_("Go on to the next rule"), _("As if this rule had not held.")),
    "on_call": (_("Ask who is on call"), _("The team's people on call; with none of them, the next rule.")),
    "hold": (_("Hold it until somebody is there"), _("The visitor is told when. It keeps its place by age.")),
    "queue": (_("Put it into the nurture queue"), _("It waits for whoever takes it.")),
    "fallback": (_("Give it to the fallback agent"), _("At any hour; over any cap.")),
}


class RuleForm(_PromiseForm, _ConditionedForm):
    to_kind = forms.ChoiceField(
        label=_("Send it to"), choices=Target.choices, initial=Target.TEAM, widget=forms.RadioSelect
    )
    by = forms.ChoiceField(
        label=_("Choose by"),
        required=False,
        choices=Strategy.choices,
        initial=Strategy.ROUND_ROBIN,
        widget=forms.RadioSelect,
    )
    if_nobody = forms.ChoiceField(
        label=_("If nobody is there"),
        required=False,
        choices=IfNobody.choices,
        initial=IfNobody.NEXT_RULE,
        widget=forms.RadioSelect,
    )
    require = forms.MultipleChoiceField(
        label=_("Only people who have"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Where nobody has it, the lead goes on as “If nobody is there” says."),
    )
    prefer = RankedField(
        label=_("Rather people who have"),
        required=False,
        help_text=_("The first matters most. Where nobody has it, everybody is asked all the same."),
    )
    place = forms.ChoiceField(
        label=_("Place"), required=False, help_text=_("Rules are tried from the first to the last.")
    )
    places = {"when": "__all__", "sla": "sla_respond_within"}

    class Meta:
        model = Rule
        fields = ("name", "is_active", "to_kind", "team", "agent", "by", "require", "prefer", "if_nobody")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        wishes = self._wishes()
        for name in ("require", "prefer"):
            fields[name].choices = wishes
        plan = self.workspace.plan if self.workspace else ""
        for name, choices in (("to_kind", _TARGETS), ("by", _STRATEGIES), ("if_nobody", _IF_NOBODY)):
            fields[name].choices = [
                (value, Explained(label, explained, plans.needed_for(plan, value) if plan else ""))
                for value, (label, explained) in choices.items()
            ]
        teams = Team.objects.for_workspace(self.workspace)
        fields["team"] = forms.ModelChoiceField(
            (teams.filter(archived_at=None) | teams.filter(pk=self.instance.team_id)).order_by("name", "id"),
            label=_("Team"),
            empty_label=_("Choose a team …"),
            required=False,
        )
        rules = list(Rule.objects.for_workspace(self.workspace).only("workspace_id", "name", "when", "is_active"))
        self.ids = [rule.pk for rule in rules]
        self.others = [rule for rule in rules if rule.pk != self.instance.pk]
        fields["place"].choices = [
            ("", _now("At the end")),
            *((str(rule.pk), _now("Above “%(rule)s”") % {"rule": rule.name}) for rule in self.others),
        ]
        self.initial.setdefault("place", self._place())
        agents = Agent.objects.for_workspace(self.workspace)
        fields["agent"] = forms.ModelChoiceField(
            (agents.filter(is_active=True) | agents.filter(pk=self.instance.agent_id)).order_by("name", "id"),
            label=_("Person"),
            empty_label=_("Choose somebody …"),
            required=False,
        )

    @property
    def is_tried(self) -> bool:
        """Whether this is only looked at, as it stands, and not to be saved."""
        return self.is_bound and TRYING in self.data

    def is_valid(self) -> bool:
        return super().is_valid() and not self.is_tried

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if cleaned is not None:
            cleaned["by"] = cleaned.get("by") or Strategy.ROUND_ROBIN
            cleaned["if_nobody"] = cleaned.get("if_nobody") or IfNobody.NEXT_RULE
        return cleaned

    def changed_meanwhile(self) -> str:
        names = target_names(self.instance.workspace)
        return _now(
            "%(who)s changed this rule while you were editing. It now says: “%(rule)s”. Nothing of yours was saved yet;"
            " save again to replace it."
        ) % {"who": self.who_changed(), "rule": rule_in_words(self.was, names) if self.was else ""}

    def save(self, commit: bool = True) -> Any:
        if self.instance._state.adding:
            self.instance.position = place_of_next(Rule, workspace=self.instance.workspace)
        return super().save(commit)

    @property
    def above(self) -> int | None:
        """The rule that this one is to stand right above."""
        place = self.cleaned_data.get("place") or ""
        return int(place) if place.isdecimal() else None

    @property
    def is_moved(self) -> bool:
        return "place" in self.data and (self.is_new or str(self.data["place"]) != self.initial["place"])

    def _place(self) -> str:
        """Where it stands; for a new one, above the first that takes every lead: below, it would get nothing."""
        if self.instance.pk in self.ids:
            below = self.ids[self.ids.index(self.instance.pk) + 1 :]
            return str(below[0]) if below else ""
        return next((str(rule.pk) for rule in self.others if rule.is_active and not rule.when), "")

    def _wishes(self) -> list[tuple[str, Any]]:
        """What rules may ask of people: the three that leads bring, and the tags in use."""
        tags = {f"{_TAG}{tag}" for tag in self.offers.tags}
        tags.update(wish for wish in (*self.instance.require, *self.instance.prefer) if wish.startswith(_TAG))
        named = [(wish, _now("the tag “%(tag)s”") % {"tag": wish.removeprefix(_TAG)}) for wish in sorted(tags)]
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
