"""The pages of reports. All of them only read; what is asked for stands in the address."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views import View

from agents.models import Agent
from agents.scoping import activate, workspaces_of
from agents.zones import zone
from leads.models import Decision, Every, Lead, ReportMail
from leads.notifying.recipients import is_set_up
from leads.reports import decisions, drill, mailing
from leads.reports.access import ReportView
from leads.reports.filters import PERIODS, WALL, BadFilter, Filters, read
from leads.reports.kinds import KINDS, Kind
from leads.reports.names import Names
from leads.reports.page import NUMBER, Cell, Report, Scope, as_csv
from leads.reports.scopes import filters_for, zones_of

LEADS_A_PAGE = 50


class Page(ReportView):
    """One report: as a page, as the part of it that changes (htmx), or as a file."""

    for_agents = True
    kind: Kind = KINDS["speed"]

    def get(self, request: HttpRequest) -> HttpResponse:
        if self.scope.agent is not None and not self.kind.for_agents:
            return self.page(request, "reports/refused.html", {"is_agent": True}, status=403)
        try:
            filters = filters_for(self.scope, request.GET).within(self.kind.narrowing)
        except BadFilter as problem:
            return self.refuse(request, str(problem))
        scope = replace(self.scope, report=self.kind.name)
        report: Report = import_module(self.kind.module).build(scope, filters, **self.kind.chosen(request.GET))
        if request.GET.get("format") == "csv":
            return _file(report, self.kind.name)
        with timezone.override(zone(filters.zone)):
            template = "reports/_changed.html" if _wants_part(request) else "reports/report.html"
            return self.page(request, template, self.context(report, filters))

    def refuse(self, request: HttpRequest, problem: str) -> HttpResponse:
        """With what was asked for still in the form."""
        if _wants_part(request):
            return self.page(request, "reports/_problem.html", {"problem": problem}, status=400)
        filters = read({}, zone=self.scope.workspace.timezone, zones=(), at=self.scope.at)
        context = {**self.bar(filters, {}, typed=request.GET), "problem": problem, "kinds": self.kinds(filters)}
        return self.page(request, "reports/report.html", context, status=400)

    def context(self, report: Report, filters: Filters) -> dict[str, Any]:
        return {
            **self.bar(filters, report.options),
            "more_fields": report.extra.get("fields", ()),
            "report": report,
            "begins": self.begins(report),
            "narrowed": _in_words(filters, self.scope),
            "kinds": self.kinds(filters),
            "csv": f"?{report.query}&format=csv",
            "mail_query": urlencode({"report": self.kind.name, "query": report.query}),
        }

    def begins(self, report: Report) -> str:
        """What the report will say, where there is nothing to say because no lead has ever come in."""
        if report.panels or not self.kind.begins or Lead.objects.for_workspace(self.scope.workspace).exists():
            return ""
        return str(self.kind.begins)

    def kinds(self, filters: Filters) -> list[dict[str, Any]]:
        return kinds_shown(self, self.kind, filters)

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
            "zones": sorted({self.scope.workspace.timezone, filters.zone, *zones_of(self.scope.workspace)}),
            "typed_from": typed.get("from", filters.first.isoformat()),
            "typed_to": typed.get("to", filters.last.isoformat()),
        }


class Behind(ReportView):
    """What is behind a number."""

    for_agents = True

    def refuse(self, request: HttpRequest, problem: BadFilter) -> HttpResponse:
        context = {"problem": str(problem), "kinds": kinds_shown(self, None, None)}
        return self.page(request, "reports/leads.html", context, status=400)


class Leads(Behind):
    """The leads behind a number, as they stood when it was taken."""

    @drill.not_compiled()
    def get(self, request: HttpRequest) -> HttpResponse:
        what = request.GET.get("what", "all")
        try:
            filters = filters_for(self.scope, request.GET)
            at = _moment(request.GET.get("at"), self.scope.at)
            leads = drill.leads_of(
                workspace=self.scope.workspace, filters=filters, what=what, at=at, asked=request.GET.dict()
            )
        except BadFilter as problem:
            return self.refuse(request, problem)
        kind = KINDS.get(request.GET.get("report", ""), KINDS["speed"])
        shown = leads.select_related("agent", "team", "answered_by").defer("facts", "known", "response_schedule")
        paginator = Paginator(shown.order_by("-received_at", "-pk"), LEADS_A_PAGE)
        names = Names(self.scope.workspace)
        page_of = paginator.get_page(request.GET.get("page"))
        narrowed = [names.of(name, word) for name, word in filters.narrowed]
        with timezone.override(zone(filters.zone)):
            context: dict[str, Any] = {
                "page_of": page_of,
                "rows": [(lead, names.of("channel", lead.channel), _took(lead, filters, at)) for lead in page_of],
                "what": drill.WHAT[what],
                "filters": filters,
                "narrowed": narrowed,
                "bounds": drill.in_words(request.GET),
                "told": _other_number(request.GET.get("n", ""), page_of.paginator.count),
                "at": at,
                "query": _without_page(request.GET),
                "kind": kind,
                "back": reverse(f"reports:{kind.name}") + (f"?{filters.query()}" if kind.has_period else ""),
                "kinds": kinds_shown(self, kind, filters),
            }
            return self.page(request, "reports/leads.html", context)


def _other_number(told: str, found: int) -> int | None:
    """The number that led here, where it is another one."""
    return int(told) if told.isdecimal() and told.isascii() and len(told) < 10 and int(told) != found else None


def _in_words(filters: Filters, scope: Scope) -> list[str]:
    """What the leads are narrowed to; of an agent's own, what else."""
    wanted = [each for each in filters.narrowed if scope.agent is None or each[0] != "agent"]
    names = Names(scope.workspace) if wanted else None
    return [names.of(name, word) for name, word in wanted] if names else []


def _took(lead: Lead, filters: Filters, at: datetime) -> int | None:
    """Until the answer, microseconds by the asked clock; None: it had none then."""
    if lead.first_response_at is None or lead.first_response_at > at:
        return None
    return lead.response_us if filters.clock == WALL else lead.covered_response_us


class Decisions(Behind):
    """The decisions behind a number, as they stood when it was taken. Agents are not shown whose leads those were that
    they did not get."""

    @drill.not_compiled()
    def get(self, request: HttpRequest) -> HttpResponse:
        workspace, own = self.scope.workspace, self.scope.agent
        given = request.GET
        try:
            filters = filters_for(self.scope, given)
            at = _moment(given.get("at"), self.scope.at)
            agent = dict(filters.narrowed).get("agent")
            wanted = decisions.behind(given.get("what", "decided"), agent=agent, asked=given, is_own=own is not None)
            found = decisions.find(workspace_id=workspace.pk, filters=filters, at=at, wanted=wanted)
        except BadFilter as problem:
            return self.refuse(request, problem)
        names = Names(workspace)
        pages: Any = Paginator(found, LEADS_A_PAGE)  # type: ignore[arg-type]
        page = pages.get_page(given.get("page"))
        kind = KINDS["fairness"]
        with timezone.override(zone(filters.zone)):
            context: dict[str, Any] = {
                "page_of": page,
                "rows": [_decision_row(decision, wanted, names, own) for decision in page],
                "what": decisions.WHAT[wanted.what],
                "bounds": decisions.in_words(wanted, names),
                "filters": filters,
                "narrowed": [names.of(name, word) for name, word in filters.narrowed],
                "whose": names.of("agent", wanted.agent) if wanted.agent else "",
                "due": Cell(found.due, NUMBER) if wanted.what == "due" else None,
                "at": at,
                "query": _without_page(given),
                "kinds": kinds_shown(self, kind, filters),
            }
            return self.page(request, "reports/decisions.html", context)


def _decision_row(decision: Decision, wanted: decisions.Behind, names: Names, own: Agent | None) -> dict[str, Any]:
    is_shown = own is None or own.pk in (decision.agent_id, decision.lead.agent_id, decision.lead.answered_by_id)
    return {
        "decision": decision,
        "is_shown": is_shown,
        "agent": names.of("agent", decision.agent_id or 0) if is_shown else "",
        "rule": (decision.decision or {}).get("rule") or "",
        "part": Cell(decisions.part_due(decision, wanted.agent), NUMBER) if wanted.what == "due" else None,
        "verdict": decisions.verdict_in_words(decision, wanted.agent),
    }


def _without_page(given: QueryDict) -> str:
    query = given.copy()
    query.pop("page", None)
    return query.urlencode()


class Shift(ReportView):
    """Who could work in hours in which nobody is there; each name leads to these hours in their week."""

    def get(self, request: HttpRequest) -> HttpResponse:
        from leads.reports import coverage, shift  # with numpy, as the reports

        kind, given = KINDS["coverage"], request.GET
        asked = kind.chosen(given)
        try:
            if not self.scope.manages:
                raise BadFilter(_("Managers and owners change shifts: send them the address of this page."))
            filters = filters_for(self.scope, given)
            opens, closes = (_moment(given.get(name), self.scope.at) for name in ("opens", "closes"))
            if not timedelta(0) < closes - opens <= shift.LONGEST:
                raise BadFilter(_("These are no hours to fill. Follow a link of the coverage report."))
        except BadFilter as problem:
            refused = {"problem": str(problem), "kinds": kinds_shown(self, kind, None)}
            return self.page(request, "reports/leads.html", refused, status=400 if self.scope.manages else 403)
        part = coverage.part_of(self.scope, asked["by"], asked["of"])
        table = shift.candidates(self.scope, part.people if part else None, opens, closes)
        more = {name: asked[name] for name in ("by", "of") if asked[name]}
        context: dict[str, Any] = {
            "opens": opens.astimezone(zone(filters.zone)),
            "closes": closes.astimezone(zone(filters.zone)),
            "part": part,
            "table": table,
            "filters": filters,
            "back": f"{reverse('reports:coverage')}?{filters.query(**more)}",
            "kind": kind,
            "kinds": kinds_shown(self, kind, filters),
        }
        with timezone.override(zone(filters.zone)):
            return self.page(request, "reports/shift.html", context)


class Mails(ReportView):
    """The reports that the user is sent: a list, and a form for one more."""

    for_agents = True

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show(request, request.GET)

    def post(self, request: HttpRequest) -> HttpResponse:
        given = request.POST
        kind, hour = KINDS.get(given.get("report", "")), given.get("hour", "")
        try:
            if kind is None or given.get("every") not in Every.values or hour not in map(str, range(24)):
                raise BadFilter(_("Choose a report, how often, and an hour."))
            mailing.schedule(
                workspace=self.scope.workspace, user=self.user, kind=kind, query=given.get("query", "")[:1_000],
                every=given["every"], hour=int(hour), at=self.scope.at,
            )  # fmt: skip
        except BadFilter as problem:
            return self.show(request, given, problem=str(problem), status=400)
        messages.success(request, _("You will be sent this report, to %(address)s.") % {"address": request.user.email})
        return redirect("reports:mails")

    def show(self, request: HttpRequest, given: Any, *, problem: str = "", status: int = 200) -> HttpResponse:
        own = ReportMail.objects.for_workspace(self.scope.workspace).filter(user=request.user.pk)
        context = {
            "mails": [
                (mail, _asked_in_words(self, mail.query, KINDS.get(mail.report)))
                for mail in own.order_by("report", "pk")
            ],
            "choices": [kind for kind in KINDS.values() if self.scope.agent is None or kind.for_agents],
            "every": Every.choices,
            "hours": [(hour, f"{hour:02d}:00") for hour in range(24)],
            "given": given,
            "asked": _asked_in_words(self, given.get("query", ""), KINDS.get(given.get("report", ""))),
            "problem": problem,
            "sends_mail": is_set_up("email"),
            "kinds": kinds_shown(self, None, None),
        }
        return self.page(request, "reports/mails.html", context, status=status)


class ChangeMail(ReportView):
    """Send one of the user's own reports now, or no more."""

    for_agents = True
    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        mine = ReportMail.objects.for_workspace(self.scope.workspace).filter(user=request.user.pk)
        mail = get_object_or_404(mine, pk=pk)
        if request.POST.get("do") == "send":
            mailing.send_now(mail, at=self.scope.at)
            messages.success(request, _("It is on its way to %(address)s.") % {"address": request.user.email})
        else:
            mail.delete()
            messages.success(request, _("You will not be sent this report any more."))
        return redirect("reports:mails")


class Switch(View):
    """Read the reports of another workspace of the user's."""

    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect("reports:login")
        chosen = request.POST.get("to", "")
        activate(request, get_object_or_404(workspaces_of(request.user), pk=chosen if chosen.isdecimal() else 0))
        return redirect("reports:speed")


def kinds_shown(view: ReportView, here: Kind | None, filters: Filters | None) -> list[dict[str, Any]]:
    """The reports that the user may read, of the same period where one was chosen."""
    return [
        {
            "kind": kind,
            "url": reverse(f"reports:{kind.name}") + (f"?{filters.query()}" if filters and kind.has_period else ""),
            "is_here": kind is here,
        }
        for kind in KINDS.values()
        if view.scope.agent is None or kind.for_agents
    ]


def _wants_part(request: HttpRequest) -> bool:
    """Only what changes; a page that the browser goes back to is asked for whole."""
    htmx: Any = request.htmx  # type: ignore[attr-defined]
    return bool(htmx) and not htmx.history_restore_request


def _asked_in_words(view: ReportView, query: str, kind: Kind | None) -> str:
    """Period and narrowing, for people; what is wrong with them, where they make no report any more."""
    try:
        filters = filters_for(view.scope, QueryDict(query))
    except BadFilter as problem:
        return str(problem)
    names = Names(view.scope.workspace)
    period = str(PERIODS[filters.period]) if kind is None or kind.has_period else _("The day it is sent")
    return " · ".join([period, *(names.of(name, word) for name, word in filters.narrowed)])


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
    response["Content-Disposition"] = f'attachment; filename="{"-".join([name, *report.days])}.csv"'
    return response
