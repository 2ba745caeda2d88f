"""JSON for the inbox's service worker. Logged in, with the CSRF token of the page.

GET key → {key}: what PushManager.subscribe() takes as applicationServerKey. POST subscribe ← what
PushSubscription.toJSON() gives, POST unsubscribe ← {endpoint}; both → {subscribed}. Errors: {detail}.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from agents.models import Agent
from leads.notifications.transports import web_push
from leads.notifying import browsers

_MOST_BYTES = 8_192

View = Callable[..., JsonResponse]


def _for_agents(view: View) -> View:
    """Hands the view the agent that the user is in the active workspace."""

    def answer(request: Any) -> JsonResponse:
        if not request.user.is_authenticated:
            return _problem(_("Log in first."), 401)
        workspace = request.workspace
        agent = Agent.objects.filter(workspace=workspace.pk, user=request.user).first() if workspace else None
        if agent is None or not agent.is_active:
            return _problem(_("Only active agents are told about leads."), 403)
        return view(request, agent)

    return answer


@require_GET
@never_cache
@_for_agents
def key(request: HttpRequest, agent: Agent) -> JsonResponse:
    return JsonResponse({"key": web_push.application_server_key()})


@require_POST
@never_cache
@_for_agents
def subscribe(request: HttpRequest, agent: Agent) -> JsonResponse:
    given = _given(request)
    keys = given.get("keys")
    values = {"endpoint": given.get("endpoint"), **(keys if isinstance(keys, dict) else {})}
    address = {name: value for name in ("endpoint", "p256dh", "auth") if isinstance(value := values.get(name), str)}
    try:
        web_push.read(address)
    except ValueError as refusal:
        return _problem(str(refusal), 400)
    try:
        browsers.subscribe(agent=agent, address=address)
    except ValidationError as refusal:
        return _problem(" ".join(refusal.messages), 400)
    return JsonResponse({"subscribed": True})


@require_POST
@never_cache
@_for_agents
def unsubscribe(request: HttpRequest, agent: Agent) -> JsonResponse:
    endpoint = _given(request).get("endpoint")
    if not isinstance(endpoint, str):
        return _problem(_("Say which endpoint."), 400)
    browsers.unsubscribe(agent=agent, endpoint=endpoint)
    return JsonResponse({"subscribed": False})


def _given(request: HttpRequest) -> dict[str, Any]:
    """The JSON object that was sent, {} where it is none."""
    try:
        given = json.loads(request.body) if len(request.body) <= _MOST_BYTES else None
    except (ValueError, RecursionError):
        given = None
    return given if isinstance(given, dict) else {}


def _problem(sentence: str, status: int) -> JsonResponse:
    return JsonResponse({"detail": sentence}, status=status)
