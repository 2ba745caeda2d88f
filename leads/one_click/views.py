"""The page behind a link in a message. Opening it changes nothing: mail programs open links by themselves."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.cache import never_cache

from agents.models import Agent
from leads.models import Lead, Status
from leads.notifications import links
from leads.notifying import pages
from leads.notifying.recipients import translated
from leads.one_click.acts import ACTS, PURPOSE, Act


class _Refused(Exception):
    """The text is a sentence for whoever followed the link."""

    def __init__(self, sentence: str, status: int) -> None:
        super().__init__(sentence)
        self.status = status


@method_decorator(never_cache, name="dispatch")
class OneClick(View):
    """GET and HEAD show what the button would do; POST, which the button sends, does it."""

    http_method_names = ["get", "head", "options", "post"]

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        return self._answer(request, token, press=False)

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        return self._answer(request, token, press=True)

    def _answer(self, request: HttpRequest, token: str, *, press: bool) -> HttpResponse:
        at = timezone.now()
        try:
            act, lead, agent = self._read(token, at)
        except _Refused as refusal:
            return _page(request, {"refused": str(refusal)}, status=refusal.status)
        with translation.override(translated([*agent.languages, *agent.workspace.languages])):
            return self._about(request, act, lead, agent, at=at, press=press)

    def _read(self, token: str, at: datetime) -> tuple[Act, Lead, Agent]:
        try:
            link = links.read(token, purpose=PURPOSE, at=at)
        except links.LinkRefused as refusal:
            raise _Refused(str(refusal), 410) from None
        lead = Lead.objects.select_related("agent").filter(pk=link.lead).first()
        agents = Agent.objects.select_related("workspace", "user").filter(slug=link.agent, is_active=True)
        agent = None if lead is None else agents.filter(workspace=lead.workspace_id).first()
        if lead is None or agent is None or link.action not in ACTS:
            raise _Refused(_("What this link was for is not there any more."), 410)
        return ACTS[link.action], lead, agent

    def _about(
        self, request: HttpRequest, act: Act, lead: Lead, agent: Agent, *, at: datetime, press: bool
    ) -> HttpResponse:
        context: dict[str, Any] = {"lead": lead, "agent": agent, "act": act, "inbox": pages.inbox()}
        if act.is_done(lead, agent):
            return _page(request, {**context, "done": act.done})
        if lead.status == Status.CLOSED:
            return _page(request, {**context, "refused": _("This lead is closed.")}, status=409)
        if act.is_for_holder and lead.agent_id != agent.pk:
            sentence = _("This lead is with somebody else now, so there is nothing for you to do.")
            return _page(request, {**context, "refused": sentence}, status=409)
        if not press:
            return _page(request, context)
        try:
            act.do(lead=lead, agent=agent, at=at)
        except ValidationError as error:
            return _page(request, {**context, "refused": " ".join(error.messages)}, status=409)
        return _page(request, {**context, "done": act.done})


def _page(request: HttpRequest, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    response = render(request, "notifications/one_click.html", context, status=status)
    # The address holds the right to act: it goes to no other page, and into no index.
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response
