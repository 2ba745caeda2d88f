"""The list of leads: what it can be narrowed to, and its pages, which cost the same however many leads there are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from unfold.views import ChangeList

from agents import places
from agents.channels import CHANNELS
from agents.models import Agent, Team
from leads.models import ClosedAs, Lead, Status
from leads.models.reasons import OUTCOMES
from leads.selectors import BadCursor, cursor_of, newer_than, older_than
from leads.sla.selectors import is_overdue, overdue_at, trouble_at
from routing.forms.choices import channel_icon, option_groups
from routing.publishing import draft_document, version_document

OLDER, NEWER = "older", "newer"
_OFFERED = 50  # people in a select
_SUGGESTED = 12


class LeadFilter(SimpleListFilter):
    """One select of the list's form. `field` is what it narrows."""

    field = ""

    def queryset(self, request: Any, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        known = {str(choice) for choice, _label in self.lookup_choices}
        return queryset.filter(**{self.field: value}) if value in known else queryset

    def has_output(self) -> bool:
        return True

    @property
    def options(self) -> list[tuple[str, Any]]:
        return [(str(value), label) for value, label in self.lookup_choices]


class AttentionFilter(LeadFilter):
    title = _("Attention")
    parameter_name = "attention"

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("open", _("Not answered yet")),
            ("trouble", _("In trouble")),
            ("overdue", _("Overdue")),
            ("flagged", _("Flagged")),
            ("held", _("Held now")),
        ]

    def queryset(self, request: Any, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "trouble":
                return queryset.filter(trouble_at(timezone.now())).exclude(status=Status.CLOSED)
            case "overdue":
                return queryset.filter(overdue_at(timezone.now()))
            case "flagged":
                return queryset.exclude(flagged="")
            case "held":
                return queryset.filter(outcome="held").exclude(status=Status.CLOSED)
            case "open":
                return queryset.filter(status=Status.OPEN)
        return queryset


class StatusFilter(LeadFilter):
    """Whether somebody must still do something, or how it ended."""

    title = _("Status")
    parameter_name = "status"

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, Any]]:
        ends = [(f"closed-{value}", _now("Closed: %(end)s") % {"end": label}) for value, label in ClosedAs.choices]
        return [*Status.choices, *ends]

    def queryset(self, request: Any, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = str(self.value() or "")
        if value in Status.values:
            return queryset.filter(status=value)
        end = value.removeprefix("closed-")
        return queryset.filter(closed_as=end) if end in ClosedAs.values else queryset


class OutcomeFilter(LeadFilter):
    title = _("Outcome")
    parameter_name = field = "outcome"

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, Any]]:
        return list(OUTCOMES)


class AgentFilter(LeadFilter):
    """A select; a field for a name, or a part of one, where there are more people than anybody looks through.

    Its page costs the same however many they are. `problem` says that nobody is called what was typed.
    """

    title = _("Agent")
    parameter_name = field = "agent"
    is_typed = False
    problem = typed = ""

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[Any, Any]]:
        people = Agent.objects.for_workspace(request.workspace).order_by("name", "id")
        offered = list(people.values_list("pk", "name")[: _OFFERED + 1])
        self.is_typed = len(offered) > _OFFERED
        return [] if self.is_typed else offered

    def queryset(self, request: Any, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.is_typed:
            return super().queryset(request, queryset)
        self.typed = _words(str(self.value() or ""))
        if not self.typed:
            return queryset
        people = Agent.objects.for_workspace(request.workspace)
        for called in ("name__iexact", "name__icontains"):
            named = people.filter(**{called: self.typed})
            if named.exists():
                return queryset.filter(agent__in=named)
        # An address that was kept from when there was a select holds a number; a name that holds it comes first.
        if self.typed.isdecimal() and (agent := people.filter(pk=self.typed).first()):
            self.typed = agent.name
            return queryset.filter(agent=agent)
        self.problem = _now("Nobody is called that.")
        return queryset.none()


def _words(typed: str) -> str:
    """PostgreSQL refuses a NUL."""
    return typed.replace("\0", "").strip()


def suggested_agents(workspace: Any, typed: str) -> list[str]:
    """Names that hold what was typed, by name, without repeats; as many as fit under a field."""
    people = Agent.objects.for_workspace(workspace).filter(name__icontains=_words(typed))
    return list(people.order_by("name").values_list("name", flat=True).distinct()[:_SUGGESTED])


class TeamFilter(LeadFilter):
    title = _("Team")
    parameter_name = field = "team"

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[Any, Any]]:
        teams = Team.objects.for_workspace(request.workspace).order_by("name", "id")
        return list(teams.values_list("pk", "name"))


class RuleFilter(LeadFilter):
    """The rules that are published or drafted; older ones by their name in the address."""

    title = _("Rule")
    parameter_name = field = "rule"

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, Any]]:
        workspace = request.workspace
        published = version_document(workspace.pk, workspace.policy_version)
        names = [rule["name"] for document in (published, draft_document(workspace)) for rule in document["rules"]]
        return [(name, name) for name in dict.fromkeys(names)]

    def queryset(self, request: Any, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(rule=self.value()) if self.value() else queryset


class ChannelFilter(LeadFilter):
    title = _("Channel")
    parameter_name = field = "channel"

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, Any]]:
        return [(channel.id, channel.label) for channel in CHANNELS.values()]


class CountryFilter(LeadFilter):
    title = _("Country")
    parameter_name = field = "country"

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, Any]]:
        return [option[:2] for group in option_groups("country") for option in group.options]


class DayFilter(LeadFilter):
    """A day of the workspace's calendar. `problem` says what is wrong with what was typed; then nothing is narrowed."""

    is_day = True
    problem = ""

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, Any]]:
        return []

    def choices(self, changelist: Any) -> Iterator[Any]:
        return iter(())

    def instant(self, request: Any, days: int) -> datetime | None:
        """The beginning of the day that was typed, so many days later."""
        if not self.value():
            return None
        try:
            day = date.fromisoformat(str(self.value())) + timedelta(days=days)
            midnight = datetime.combine(day, time(), ZoneInfo(request.workspace.timezone))
            return midnight.astimezone(UTC)
        except (ValueError, OverflowError):
            self.problem = _now("Write a day such as 2026-03-02.")
            return None


class FromFilter(DayFilter):
    title = _("From")
    parameter_name = "from"

    def queryset(self, request: Any, queryset: QuerySet[Any]) -> QuerySet[Any]:
        start = self.instant(request, 0)
        return queryset.filter(received_at__gte=start) if start else queryset


class UntilFilter(DayFilter):
    title = _("Until")
    parameter_name = "until"

    def queryset(self, request: Any, queryset: QuerySet[Any]) -> QuerySet[Any]:
        end = self.instant(request, 1)
        return queryset.filter(received_at__lt=end) if end else queryset


FILTERS = (
    AttentionFilter,
    AgentFilter,
    StatusFilter,
    OutcomeFilter,
    TeamFilter,
    RuleFilter,
    ChannelFilter,
    CountryFilter,
    FromFilter,
    UntilFilter,
)
_MAIN = 2  # so many are always in sight


class LeadList(ChangeList):
    """Pages by the place of the lead they begin after, not by counting: the thousandth costs what the first does."""

    def get_filters_params(self, params: Any = None) -> dict[str, Any]:
        said: dict[str, Any] = super().get_filters_params(params)
        return {name: value for name, value in said.items() if name not in (OLDER, NEWER)}

    def get_results(self, request: Any) -> None:
        self.older = self.newer = ""
        older, newer = request.GET.get(OLDER), request.GET.get(NEWER)
        rows = self.queryset
        try:
            if newer:
                found = list(rows.filter(newer_than(newer)).order_by("received_at", "id")[: self.list_per_page + 1])
            else:
                found = list((rows.filter(older_than(older)) if older else rows)[: self.list_per_page + 1])
        except BadCursor:
            older = newer = None
            found = list(rows[: self.list_per_page + 1])
        has_more = len(found) > self.list_per_page
        page = found[: self.list_per_page]
        if newer:
            page.reverse()
        if page:
            self.older = cursor_of(page[-1]) if has_more or newer else ""
            self.newer = cursor_of(page[0]) if (has_more if newer else older) else ""
        now = timezone.now()
        for lead in page:
            _prepare(lead, now)
        self.result_list = page
        self.result_count = self.full_result_count = len(page)
        self.show_full_result_count = self.show_admin_actions = self.can_show_all = self.multi_page = False
        self.paginator = self.model_admin.get_paginator(request, page, self.list_per_page)
        self.is_narrowed = bool(self.query or any(spec.value() for spec in self.filter_specs))
        self.main_filters, self.more_filters = self.filter_specs[:_MAIN], self.filter_specs[_MAIN:]
        self.more_are_used = any(spec.value() for spec in self.more_filters)

    @property
    def older_link(self) -> str:
        return str(self.get_query_string({OLDER: self.older}, [NEWER]))

    @property
    def newer_link(self) -> str:
        return str(self.get_query_string({NEWER: self.newer}, [OLDER]))


def _prepare(lead: Any, now: datetime) -> None:
    """What the row says beside the lead's own values."""
    contact = lead.email or lead.phone
    lead.first_line = lead.name or contact or lead.reference
    lead.second_line = contact if lead.name else ""
    lead.age = timesince(lead.received_at, now, depth=1)
    lead.channel_name = channel_label(lead.channel)
    lead.channel_symbol = channel_icon(lead.channel)
    lead.flag = lead.country.lower() if lead.country and places.is_country(lead.country) else ""
    lead.place = places.country_name(lead.country) if lead.country else ""
    lead.state, lead.state_tone = state_of(lead, at=now)


def state_of(lead: Lead, *, at: datetime) -> tuple[Any, str]:
    """How the lead stands in a word or two, and the tone of it."""
    if lead.status == Status.CLOSED:
        return (lead.get_closed_as_display() or lead.get_status_display()), "moved" if lead.closed_as == "won" else ""
    if lead.status == Status.ANSWERED:
        return lead.get_status_display(), "added"
    if lead.outcome in ("held", "queued", "rejected"):
        return lead.get_outcome_display(), "changed"
    if is_overdue(lead, at=at):
        return _("Overdue"), "removed"
    return _("Not answered"), "changed"


def channel_label(channel: str) -> str:
    return str(CHANNELS[channel].label) if channel in CHANNELS else channel
