"""The pages of the inbox. What changes something is a POST; a GET only writes down that a lead was seen."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.http import parse_etags
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import View
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from agents import languages, places, rostering
from agents.models import Agent
from agents.scoping import activate, workspaces_of
from leads import selectors, touches
from leads.inbox import board as boards
from leads.inbox import why
from leads.inbox.access import AgentView, desks_of
from leads.inbox.acts import ACTS, Pressed
from leads.inbox.board import card_of, find, stamp_of_lead, was_for
from leads.inbox.forms import NoteForm, PassOnForm
from leads.inbox.reaching import ways_to
from leads.models import Event, Lead
from leads.speed.clicks import is_click


class Tab(NamedTuple):
    """A list of leads."""

    name: str
    rows: Callable[[Agent], QuerySet[Lead]]
    title: Any
    part: str


OWN = Tab("home", boards.own, gettext_lazy("My leads"), "inbox/_own.html")
QUEUE = Tab("queue", boards.queue, gettext_lazy("Nurture queue"), "inbox/_queue.html")


class List(AgentView):
    """A page with a list that keeps itself up to date."""

    tab: Tab = OWN

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.page(request, "inbox/list.html", {**self.about(timezone.now()), "here": self.tab.name})

    def about(self, at: datetime) -> dict[str, Any]:
        """The stamp is read first: what changes between the two is told at the next beat."""
        rows = self.tab.rows(self.agent)
        stamp = boards.stamp(rows, self.agent, at=at)
        return {"tab": self.tab, "stamp": stamp, "board": boards.board(rows, self.agent, at=at)}


class ListNews(List):
    """The list of a page anew, or 304 where it is still as its page has it (If-None-Match)."""

    def get(self, request: HttpRequest) -> HttpResponse:
        at = timezone.now()
        if _is_known(request, boards.stamp(self.tab.rows(self.agent), self.agent, at=at)):
            return HttpResponseNotModified()
        context = self.about(at)
        response = self.page(request, "inbox/_live.html", context)
        response["ETag"] = _etag(context["stamp"])
        return response


class Closed(AgentView):
    def get(self, request: HttpRequest) -> HttpResponse:
        board = boards.board(boards.closed(self.agent), self.agent, at=timezone.now())
        return self.page(request, "inbox/closed.html", {"board": board, "here": "closed"})


class LeadPage(AgentView):
    """A lead that is the agent's, on offer to them, or in the queue. Any other does not exist here."""

    def get(self, request: HttpRequest, lead_id: UUID) -> HttpResponse:
        lead = _found(self.agent, lead_id)
        return self.show(request, lead)

    def show(self, request: HttpRequest, lead: Lead) -> HttpResponse:
        at = timezone.now()
        if lead.agent_id == self.agent.pk and not touches.has_seen(lead, self.agent):
            touches.see(lead=lead, agent=self.agent, at=at, by=self.by())
        context = self.about(lead)
        if lead.agent_id == self.agent.pk:
            context |= {"note_form": NoteForm(), "pass_on_form": PassOnForm(agent=self.agent)}
        return self.page(request, "inbox/lead.html", context)

    def about(self, lead: Lead) -> dict[str, Any]:
        at = timezone.now()
        is_mine = lead.agent_id == self.agent.pk
        return {
            "card": card_of(lead, self.agent, at=at),
            "is_click": is_click(lead),
            "lead": lead,
            "speaks": languages.language_name(lead.language) if lead.language else "",
            "country": places.country_name(lead.country) if lead.country else "",
            "ways": ways_to(lead, zone=self.agent.zone_name()) if is_mine else [],
            "events": [_told(event) for event in selectors.timeline(lead)] if is_mine else [],
            "stamp": stamp_of_lead(lead, self.agent, at=at),
        }


class LeadNews(LeadPage):
    """What changes on the page of a lead; that it is gone, where somebody else has it now."""

    def get(self, request: HttpRequest, lead_id: UUID) -> HttpResponse:
        lead = find(self.agent, lead_id)
        if lead is None:
            return self.page(request, "inbox/_gone.html", {})
        stamp = stamp_of_lead(lead, self.agent, at=timezone.now())
        if _is_known(request, stamp):
            return HttpResponseNotModified()
        response = self.page(request, "inbox/_lead.html", self.about(lead))
        response["ETag"] = _etag(stamp)
        return response


class Do(AgentView):
    """A button. Where somebody else was faster, a sentence says so."""

    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, lead_id: UUID, act: str) -> HttpResponse:
        if act not in ACTS:
            raise Http404
        asked = ACTS[act]
        lead = find(self.agent, lead_id)
        if lead is None and asked.for_anybody and was_for(self.agent, lead_id):
            messages.error(request, _("Somebody else was faster: this lead is taken."))
            return redirect("inbox:home")
        if lead is None or not (asked.for_anybody or lead.agent_id == self.agent.pk):
            raise Http404
        try:
            asked.do(Pressed(lead, self.agent, self.by(), timezone.now(), request.POST))
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        else:
            messages.success(request, str(asked.done))
        if request.POST.get("back") == "list" or find(self.agent, lead_id) is None:
            return redirect("inbox:home")
        return redirect("inbox:lead", lead_id)


class Why(AgentView):
    def get(self, request: HttpRequest) -> HttpResponse:
        context = {"standings": why.standings(self.agent), "rows": why.latest(self.agent), "here": "why"}
        return self.page(request, "inbox/why.html", {**context, "looked_at": why.LOOKED_AT})


class Me(AgentView):
    """Pause and come back, notifications on this device, other workspaces, log out."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.page(request, "inbox/me.html", {"desks": desks_of(request), "here": "me"})


class Pause(AgentView):
    """Acts at once, as every change of the roster."""

    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest) -> HttpResponse:
        paused = request.POST.get("paused") == "1"
        rostering.set_paused(agents=Agent.objects.filter(pk=self.agent.pk), paused=paused)
        if paused:
            messages.success(request, _("You are paused: no new leads until you come back."))
        else:
            messages.success(request, _("You are back: new leads come to you again."))
        return redirect("inbox:me" if request.POST.get("back") == "me" else "inbox:home")


class Switch(View):
    """Work in another workspace where the user is an agent."""

    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect("inbox:login")
        chosen = request.POST.get("to", "")
        mine = workspaces_of(request.user).filter(agents__user=request.user)
        activate(request, get_object_or_404(mine, pk=chosen if chosen.isdecimal() else 0))
        return redirect("inbox:home")


@require_safe
@cache_control(public=True, max_age=300)
def manifest(request: HttpRequest) -> HttpResponse:
    """What a phone needs to install the inbox."""
    icons = [
        {"src": static(f"inbox/icon-{size}.png"), "sizes": f"{size}x{size}", "type": "image/png", "purpose": purpose}
        for size in (192, 512)
        for purpose in ("any", "maskable")
    ]
    response = JsonResponse(
        {
            "id": "/inbox/",
            "name": _("Switchyard inbox"),
            "short_name": _("Inbox"),
            "start_url": reverse("inbox:home"),
            "scope": reverse("inbox:home"),
            "display": "standalone",
            "background_color": "#f3f5f8",
            "theme_color": "#0369a1",
            "icons": icons,
        }
    )
    response["Content-Type"] = "application/manifest+json"
    return response


@method_decorator(cache_control(no_cache=True), name="dispatch")
class ServiceWorker(View):
    """At an address above the pages that it serves: a worker's own folder is its reach."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return render(request, "inbox/sw.js", content_type="text/javascript")


def _found(agent: Agent, lead_id: UUID) -> Lead:
    lead = find(agent, lead_id)
    if lead is None:
        raise Http404
    return lead


def _told(event: Event) -> dict[str, Any]:
    """An event as an agent reads it: what, by whom, and what was said with it."""
    said = [event.data.get(name, "") for name in ("why", "note", "message")]
    who = event.actor_text or (event.actor.get_full_name() or event.actor.email if event.actor else "")
    return {
        "kind": event.kind,
        "label": event.get_kind_display(),
        "at": event.at,
        "who": who,
        "said": [text for text in said if isinstance(text, str) and text],
    }


def _etag(stamp: str) -> str:
    return f'"{stamp}"'


def _is_known(request: HttpRequest, stamp: str) -> bool:
    return _etag(stamp) in parse_etags(request.headers.get("If-None-Match", ""))
