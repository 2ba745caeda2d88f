"""How an agent is told: their ways, in which order they are tried for what, quiet hours, and a trial of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agents.models import Agent
from agents.models.hours import clock
from leads.inbox.access import AgentView
from leads.inbox.forms import QuietForm, WayForm
from leads.models import NotificationWay, Outbox, QuietHours
from leads.notifications.message import Kind
from leads.notifications.transports import TRANSPORTS, web_push
from leads.notifying import ways
from leads.notifying.forms import KIND_LABELS
from leads.notifying.recipients import is_set_up

# What agents are told of, the most frequent first.
TOLD_OF = (Kind.ASSIGNED, Kind.DIGEST, Kind.OFFER, Kind.REMINDER, Kind.REROUTED_AWAY, Kind.PAGE)


@dataclass(frozen=True, slots=True)
class Shown:
    """A way as its owner reads it. `trial`: how the last one went, `is_waiting`: it has not ended yet."""

    way: NotificationWay
    label: Any
    works: bool
    state: str
    trial: str
    is_waiting: bool
    is_first: bool
    is_last: bool


class Ways(AgentView):
    """All of it on one page."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show(request)

    def show(self, request: HttpRequest, quiet: QuietForm | None = None) -> HttpResponse:
        hours = QuietHours.objects.filter(agent=self.agent).first()
        given = {"start": clock(hours.start_minute), "end": clock(hours.end_minute % 1440)} if hours else None
        context = {
            **listed(self.agent),
            "hours": hours,
            "quiet": quiet or QuietForm(initial=given),
            "addable": [each for each in TRANSPORTS.values() if each.id != "web_push" and is_set_up(each.id)],
            "push_key": web_push.application_server_key(),
            "here": "me",
        }
        return self.page(request, "inbox/ways.html", context, status=400 if quiet else 200)


class WaysNews(AgentView):
    """The list alone, while a trial is on its way."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.page(request, "inbox/_ways.html", listed(self.agent))


class Add(AgentView):
    """A new way, by its transport."""

    def get(self, request: HttpRequest, transport: str) -> HttpResponse:
        chosen = _typed(transport)
        return self.show(request, WayForm(transport=chosen))

    def post(self, request: HttpRequest, transport: str) -> HttpResponse:
        form = WayForm(request.POST, transport=_typed(transport))
        if form.is_valid():
            address = form.address_of(form.cleaned_data["to"])
            try:
                ways.put_first(agent=self.agent, transport=transport, address=address)
            except ValidationError as refusal:
                form.add_error("to", refusal)
            else:
                messages.success(request, _("Added. It is tried before your other ways."))
                return self.done(request, address)
        return self.show(request, form)

    def show(self, request: HttpRequest, form: WayForm, way: NotificationWay | None = None) -> HttpResponse:
        context = {"form": form, "way": way, "transport": form.transport, "here": "me"}
        return self.page(request, "inbox/way.html", context, status=400 if form.errors else 200)

    def done(self, request: HttpRequest, address: dict[str, str]) -> HttpResponse:
        if secret := address.get("secret"):
            return self.page(request, "inbox/secret.html", {"secret": secret, "here": "me"})
        return redirect("inbox:ways")


class Change(Add):
    """Another address for a way; switching it off, and removing it."""

    def get(self, request: HttpRequest, way_id: int) -> HttpResponse:
        way = _own(self.agent, way_id)
        return self.show(request, WayForm(transport=TRANSPORTS[way.transport], stored=way.masked), way)

    def post(self, request: HttpRequest, way_id: int) -> HttpResponse:
        way = _own(self.agent, way_id)
        if way.transport == "web_push":
            raise Http404  # browsers give their address themselves
        form = WayForm(request.POST, transport=TRANSPORTS[way.transport], stored=way.masked)
        if not form.is_valid():
            return self.show(request, form, way)
        if not form.cleaned_data["to"]:
            return redirect("inbox:ways")
        way.address = form.address_of(form.cleaned_data["to"])
        way.last_error, way.is_active, way.trial_row = "", True, None
        way.save()
        messages.success(request, _("Saved."))
        return self.done(request, way.address)


class Act(AgentView):
    """A button beside a way."""

    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, way_id: int, act: str) -> HttpResponse:
        way = _own(self.agent, way_id)
        if act not in ACTS:
            raise Http404
        do, done = ACTS[act]
        try:
            do(self.agent, way)
        except ValidationError as refusal:
            messages.error(request, " ".join(refusal.messages))
        else:
            if done:
                messages.success(request, str(done))
        return redirect("inbox:ways")


class Try(AgentView):
    """A trial of the way that holds where none was chosen."""

    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest) -> HttpResponse:
        try:
            ways.try_out(agent=self.agent, way=None, at=timezone.now())
        except ValidationError as refusal:
            messages.error(request, " ".join(refusal.messages))
        return redirect("inbox:ways")


class OfKind(AgentView):
    """Which ways one kind of message goes, the first to be tried first."""

    def get(self, request: HttpRequest, kind: str) -> HttpResponse:
        return self.page(request, "inbox/ways_of.html", self.about(kind))

    def about(self, kind: str) -> dict[str, Any]:
        if kind not in TOLD_OF:
            raise Http404
        own = ways.ways_of(self.agent)
        chosen = [way.pk for way in ways.in_order(own, kind)]
        places = range(1, len(own) + 1)
        rows = [
            {
                "way": way,
                "label": TRANSPORTS[way.transport].label,
                "place": chosen.index(way.pk) + 1 if way.pk in chosen else 0,
            }
            for way in own
        ]
        return {"kind": kind, "title": KIND_LABELS[kind], "rows": rows, "places": places, "here": "me"}

    def post(self, request: HttpRequest, kind: str) -> HttpResponse:
        if kind not in TOLD_OF:
            raise Http404
        ways.keep_mail(self.agent)
        wanted = []
        for way in ways.ways_of(self.agent):
            # Who had chosen none saw the one that holds by default, which had no number yet.
            place = request.POST.get(f"way-{way.pk}", request.POST.get("way-None", "0"))
            if place.isascii() and place.isdigit() and 0 < int(place) < 1_000:
                wanted.append((int(place), way))
        order = [way for _place, way in sorted(wanted, key=lambda one: one[0])]
        ways.arrange(agent=self.agent, kind=kind, order=order)
        if order:
            messages.success(request, _("Saved."))
        else:
            messages.warning(request, _("Saved. You are not told of this any more."))
        return redirect("inbox:ways")


class Quiet(Ways):
    """Quiet hours: from when until when, or none."""

    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest) -> HttpResponse:
        if "none" in request.POST:
            QuietHours.objects.filter(agent=self.agent).delete()
            messages.success(request, _("You have no quiet hours."))
            return redirect("inbox:ways")
        form = QuietForm(request.POST)
        if not form.is_valid():
            return self.show(request, quiet=form)
        QuietHours.objects.update_or_create(
            agent=self.agent,
            defaults={
                "workspace_id": self.agent.workspace_id,
                "start_minute": form.cleaned_data["start"] % 1440,
                "end_minute": form.cleaned_data["end"],
            },
        )
        messages.success(request, _("Saved. What wakes people waits until the quiet hours are over; pages do not."))
        return redirect("inbox:ways")


def listed(agent: Agent) -> dict[str, Any]:
    """The ways with how their trials went, and what goes which way."""
    own = ways.ways_of(agent)
    trials = ways.trials(own)
    shown = [
        _shown(way, trials.get(way.pk), is_first=place == 0, is_last=place == len(own) - 1)
        for place, way in enumerate(own)
    ]
    told_of = [
        {
            "kind": kind,
            "label": KIND_LABELS[kind],
            "by": [TRANSPORTS[way.transport].label for way in ways.in_order(own, kind)],
        }
        for kind in TOLD_OF
    ]
    return {
        "ways": shown,
        "told_of": told_of,
        "is_waiting": any(each.is_waiting for each in shown),
        "all_off": bool(own) and not any(way.is_active for way in own),
        "known_browsers": [_digest(way.address["endpoint"]) for way in own if way.transport == "web_push"],
    }


def _digest(endpoint: str) -> str:
    """By which a browser recognises its own subscription, without the page holding its address."""
    return sha256(endpoint.encode()).hexdigest()[:16]


def _shown(way: NotificationWay, trial: Outbox | None, *, is_first: bool, is_last: bool) -> Shown:
    if not way.is_active:
        state = _("Switched off: %(why)s") % {"why": way.last_error} if way.last_error else _("Switched off")
    elif not is_set_up(way.transport):
        state = _("Not set up on this installation: whoever runs it can do that.")
    else:
        state = way.last_error
    went = _went(trial) if trial else ""
    if trial is not None and state and trial.last_error == state:
        state, went = went, ""  # the same is said once
    return Shown(
        way=way,
        label=TRANSPORTS[way.transport].label,
        works=not state,
        state=state,
        trial=went,
        is_waiting=trial is not None and trial.next_try_at is not None,
        is_first=is_first,
        is_last=is_last,
    )


def _went(trial: Outbox) -> str:
    if trial.next_try_at is not None:
        return _("A trial is on its way …")
    if trial.sent_by and trial.done_at:
        at = timezone.localtime(trial.done_at)
        return _("A trial was sent at %(time)s. Did you get it?") % {"time": f"{at:%H:%M:%S}"}
    return _("The trial did not work: %(why)s") % {"why": trial.last_error}


def _typed(transport: str) -> Any:
    """A transport whose address people type. Http404: there is none, or it is not set up here."""
    if transport == "web_push" or not is_set_up(transport):
        raise Http404
    return TRANSPORTS[transport]


def _own(agent: Agent, way_id: int) -> NotificationWay:
    way = NotificationWay.objects.filter(workspace_id=agent.workspace_id, agent=agent, pk=way_id).first()
    if way is None or way.transport not in TRANSPORTS:
        raise Http404
    return way


def _switch(agent: Agent, way: NotificationWay, *, on: bool) -> None:
    way.is_active, way.last_error = on, ""
    way.save(update_fields=["is_active", "last_error"])


ACTS: dict[str, tuple[Callable[[Agent, NotificationWay], object], Any]] = {
    "up": (lambda agent, way: ways.move(agent=agent, way=way, up=True), gettext_lazy("The order is changed.")),
    "down": (lambda agent, way: ways.move(agent=agent, way=way, up=False), gettext_lazy("The order is changed.")),
    "off": (lambda agent, way: _switch(agent, way, on=False), gettext_lazy("Switched off.")),
    "on": (lambda agent, way: _switch(agent, way, on=True), gettext_lazy("Switched on.")),
    "remove": (lambda agent, way: way.delete(), gettext_lazy("Removed.")),
    "try": (
        lambda agent, way: ways.try_out(agent=agent, way=way, at=timezone.now()),
        "",  # the way itself says how it goes
    ),
}
