"""The pages of reports. All of them only read; what is asked for stands in the address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib import import_module
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import View

from agents.models import Agent, Team
from agents.scoping import activate, workspaces_of
from agents.zones import zone
from leads.reports import drill
from leads.reports.access import ReportView
from leads.reports.filters import NARROWING, PERIODS, BadFilter, Filters, read
from leads.reports.names import Names
from leads.reports.page import Report, as_csv

LEADS_A_PAGE = 50


@dataclass(frozen=True, slots=True)
class Kind:
    """A report. `module` has its `build`, and is imported by whoever asks for it. `narrowing`: what it can be narrowed
    by."""

    name: str
    title: Any
    module: str
    for_agents: bool = True
    narrowing: tuple[str, ...] = NARROWING
    has_clock: bool = True
    has_period: bool = True
    compares: bool = True
    refresh_s: int = 0  # a page that is left open asks anew after so long
    options: Mapping[str, tuple[str, ...]] = field(
        default_factory=dict
    )  # what else may be asked for, first the default


KINDS = {
    kind.name: kind
    for kind in (
        Kind("speed", gettext_lazy("Speed"), "leads.reports.speed"),
        Kind("sla", gettext_lazy("SLA"), "leads.reports.sla", has_clock=False),
        Kind(
            "coverage", gettext_lazy("Coverage"), "leads.reports.coverage", for_agents=False, narrowing=(),
            has_clock=False, has_period=False, options={"by": ("team", "language", "channel", "country")},
        ),
        Kind(
            "fairness", gettext_lazy("Fairness"), "leads.reports.fairness", narrowing=("team", "agent"),
            has_clock=False, compares=False,
        ),
        Kind("outcomes", gettext_lazy("Outcomes"), "leads.reports.outcomes"),
        Kind(
            "board", gettext_lazy("Live board"), "leads.reports.board", for_agents=False, narrowing=(),
            has_clock=False, has_period=False, refresh_s=15,
        ),
    )
}  # fmt: skip


class Page(ReportView):
    """One report: as a page, as the part of it that changes (htmx), or as a file."""

    for_agents = True
    kind: Kind = KINDS["speed"]

    def get(self, request: HttpRequest) -> HttpResponse:
        if self.scope.agent is not None and not self.kind.for_agents:
            return self.page(request, "reports/refused.html", {"is_agent": True}, status=403)
        try:
            filters = read_filters(self, request)
        except BadFilter as problem:
            return self.refuse(request, str(problem))
        chosen = {name: _chosen(request.GET.get(name), words) for name, words in self.kind.options.items()}
        report: Report = import_module(self.kind.module).build(self.scope, filters, **chosen)
        if request.GET.get("format") == "csv":
            return _file(report, self.kind.name)
        with timezone.override(zone(filters.zone)):
            template = "reports/_report.html" if request.htmx else "reports/report.html"  # type: ignore[attr-defined]
            return self.page(request, template, self.context(report, filters))

    def refuse(self, request: HttpRequest, problem: str) -> HttpResponse:
        """With what was asked for still in the form."""
        filters = read({}, zone=self.scope.workspace.timezone, zones=(), at=self.scope.at)
        context = {**self.bar(filters, {}, typed=request.GET), "problem": problem, "kinds": self.kinds(filters)}
        return self.page(request, "reports/report.html", context, status=400)

    def context(self, report: Report, filters: Filters) -> dict[str, Any]:
        csv_query = filters.query(
            format="csv", **{each["name"]: each["selected"] for each in report.extra.get("fields", ())}
        )
        return {
            **self.bar(filters, report.options),
            "more_fields": report.extra.get("fields", ()),
            "report": report,
            "kinds": self.kinds(filters),
            "csv": f"?{csv_query}",
            "here_url": f"{reverse(f'reports:{self.kind.name}')}?{filters.query()}",
        }

    def kinds(self, filters: Filters) -> list[dict[str, Any]]:
        """The other reports of the same period."""
        return [
            {
                "kind": kind,
                "url": reverse(f"reports:{kind.name}") + (f"?{filters.query()}" if kind.has_period else ""),
                "is_here": kind is self.kind,
            }
            for kind in KINDS.values()
            if self.scope.agent is None or kind.for_agents
        ]

    def bar(self, filters: Filters, options: Any, *, typed: Any = None) -> dict[str, Any]:
        """What the filter bar offers, and what of it is chosen."""
        names = Names(self.scope.workspace) if self.kind.narrowing else None
        labels = {
            "team": _("Team"), "agent": _("Agent"), "rule": _("Rule"), "channel": _("Channel"),
            "country": _("Country"), "source": _("Source"),
        }  # fmt: skip
        chosen = dict(filters.narrowed)
        fields = []
        for name in self.kind.narrowing:
            if names is None or (name == "agent" and self.scope.agent is not None):
                continue
            words = {"agent": names.agents, "team": names.teams}.get(name) or options.get(name, ())
            words = [*words, *([chosen[name]] if name in chosen and chosen[name] not in words else [])]
            selected = names.choices(name, [chosen[name]])[0][0] if name in chosen else ""
            fields.append(
                {"name": name, "label": labels[name], "choices": names.choices(name, words), "selected": selected}
            )
        typed = typed or {}
        return {
            "kind": self.kind,
            "filters": filters,
            "fields": fields,
            "periods": PERIODS.items(),
            "zones": sorted({self.scope.workspace.timezone, filters.zone, *zones_of(self)}),
            "typed_from": typed.get("from", filters.first.isoformat()),
            "typed_to": typed.get("to", filters.last.isoformat()),
            "narrowed_count": len([name for name in chosen if name != "agent" or self.scope.agent is None]),
        }


class Leads(ReportView):
    """The leads behind a number, as they stood when it was taken."""

    for_agents = True

    def get(self, request: HttpRequest) -> HttpResponse:
        what = request.GET.get("what", "all")
        try:
            filters = read_filters(self, request)
            at = _moment(request.GET.get("at"), self.scope.at)
            leads = drill.leads_of(
                workspace=self.scope.workspace, filters=filters, what=what, at=at, asked=request.GET.dict()
            )
        except BadFilter as problem:
            return self.page(request, "reports/leads.html", {"problem": str(problem)}, status=400)
        shown = leads.select_related("agent", "team", "answered_by").defer("facts", "known", "response_schedule")
        paginator = Paginator(shown.order_by("-received_at", "-pk"), LEADS_A_PAGE)
        query = request.GET.copy()
        query.pop("page", None)
        names = Names(self.scope.workspace)
        narrowed = [names.of(name, word) for name, word in filters.narrowed]
        with timezone.override(zone(filters.zone)):
            context = {
                "page_of": paginator.get_page(request.GET.get("page")),
                "what": drill.WHAT[what],
                "filters": filters,
                "narrowed": narrowed,
                "bounds": drill.in_words(request.GET),
                "at": at,
                "query": query.urlencode(),
                "back": f"{reverse('reports:speed')}?{filters.query()}",
                "opens_in_admin": self.scope.manages,
            }
            return self.page(request, "reports/leads.html", context)


class Switch(View):
    """Read the reports of another workspace of the user's."""

    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect("reports:login")
        chosen = request.POST.get("to", "")
        activate(request, get_object_or_404(workspaces_of(request.user), pk=chosen if chosen.isdecimal() else 0))
        return redirect("reports:speed")


def read_filters(view: ReportView, request: HttpRequest) -> Filters:
    """Raises BadFilter. Agents get their own leads, whatever they ask for."""
    scope = view.scope
    filters = read(request.GET, zone=scope.workspace.timezone, zones=zones_of(view), at=scope.at)
    chosen = dict(filters.narrowed)
    for name, model in (("agent", Agent), ("team", Team)):
        if chosen.get(name) and not model.objects.for_workspace(scope.workspace).filter(pk=chosen[name]).exists():
            raise BadFilter(_("There is no such %s here. Choose one of the list.") % name)
    return filters if scope.agent is None else filters.only(agent=scope.agent.pk)


def _chosen(word: str | None, words: tuple[str, ...]) -> str:
    return word if word in words else words[0]


def zones_of(view: ReportView) -> set[str]:
    """The zones that a report can be read in: UTC, and those that people here live by."""
    zones = view.scope.workspace.agents.exclude(timezone="").order_by().values_list("timezone", flat=True).distinct()
    return {"UTC", *zones}


def _moment(text: str | None, default: datetime) -> datetime:
    if not text:
        return default
    try:
        at = parse_datetime(text.replace(" ", "+"))  # a plus sign that nobody encoded
    except ValueError:
        at = None
    if at is None or timezone.is_naive(at):
        raise BadFilter(_("“%(text)s” is no instant. Follow a link of a report.") % {"text": text})
    return at


def _file(report: Report, name: str) -> HttpResponse:
    response = HttpResponse("\ufeff" + as_csv(report), content_type="text/csv; charset=utf-8")
    filters = report.filters
    response["Content-Disposition"] = f'attachment; filename="{name}-{filters.first}-{filters.last}.csv"'
    return response
