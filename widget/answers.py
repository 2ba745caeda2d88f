"""What the API answers."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import reverse
from rest_framework import serializers

from leads.intake import Accepted, AgentCard, ChannelLink, Promise


class AgentShown(serializers.Serializer):
    """An agent as a visitor sees them."""

    name = serializers.CharField()
    title = serializers.CharField()
    photo_url = serializers.CharField(allow_null=True)


class AgentNamed(AgentShown):
    """An agent as the customer's server sees them."""

    slug = serializers.CharField()


class ChannelShown(serializers.Serializer):
    """Where to go on. `url` opens the chosen agent's own chat; null where there is nothing to open."""

    id = serializers.CharField()
    url = serializers.CharField(allow_null=True)
    display = serializers.CharField()


class PromiseShown(serializers.Serializer):
    """When somebody answers; `at` only where a time can be named."""

    kind = serializers.CharField()
    at = serializers.DateTimeField(allow_null=True)
    text = serializers.CharField()


class VisitorAnswer(serializers.Serializer):
    """What became of a lead, for the visitor who handed it in."""

    id = serializers.UUIDField()
    outcome = serializers.CharField()
    agent = AgentShown(allow_null=True)
    channel = ChannelShown(allow_null=True)
    reference = serializers.CharField()
    promise = PromiseShown()
    status_url = serializers.URLField(allow_null=True)


class ServerAnswer(VisitorAnswer):
    """The same, with the rule that decided and why. `status_url` is null where the workspace has no site."""

    agent = AgentNamed(allow_null=True)
    rule = serializers.CharField(allow_blank=True)
    reason = serializers.CharField()


class ChannelOffered(serializers.Serializer):
    """A way to talk. `online`: somebody who has it is there now."""

    id = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    online = serializers.BooleanField()


class TeamShown(serializers.Serializer):
    """Who is there, without saying who: how many are on shift, which languages, how fast they usually answer."""

    on_shift = serializers.IntegerField()
    languages = serializers.ListField(child=serializers.CharField())
    typical_reply_s = serializers.IntegerField(allow_null=True)


class SiteConfig(serializers.Serializer):
    """What the widget shows before anybody uses it. `opens_at`: when somebody is there next, null while somebody is.

    `language`: that of labels and texts. `fallback`: the link to show where a lead cannot be handed in.
    """

    name = serializers.CharField()
    language = serializers.CharField()
    languages = serializers.ListField(child=serializers.CharField())
    channels = ChannelOffered(many=True)
    online = serializers.BooleanField()
    opens_at = serializers.DateTimeField(allow_null=True)
    team = TeamShown()
    texts = serializers.DictField(child=serializers.CharField())
    theme = serializers.DictField(child=serializers.CharField())
    consent = serializers.DictField(child=serializers.CharField(), allow_null=True)
    fallback = serializers.CharField(allow_null=True)
    page_url = serializers.URLField(allow_null=True)


class VisitorStatus(serializers.Serializer):
    """How a lead stands. Nothing that the visitor typed, and nothing that leads to the agent."""

    outcome = serializers.CharField()
    agent = serializers.CharField(allow_null=True, help_text="The agent's display name.")
    promise = PromiseShown()


def answer_to_visitor(accepted: Accepted, *, site_key: str) -> dict[str, Any]:
    return {
        "id": str(accepted.lead_id),
        "outcome": accepted.outcome,
        "agent": _card(accepted.agent),
        "channel": _link(accepted.channel),
        "reference": accepted.reference,
        "promise": promise_shown(accepted.promise),
        "status_url": status_url(site_key, accepted.status_token),
    }


def answer_to_server(accepted: Accepted, *, site_key: str | None) -> dict[str, Any]:
    answer = answer_to_visitor(accepted, site_key=site_key or "")
    if not site_key:
        answer["status_url"] = None
    if accepted.agent is not None:
        answer["agent"]["slug"] = accepted.agent.slug
    return {**answer, "rule": accepted.rule, "reason": accepted.reason}


def status_url(site_key: str, token: str) -> str:
    return settings.PUBLIC_URL + reverse("widget-lead", kwargs={"key": site_key or "-", "token": token})


def promise_shown(promise: Promise) -> dict[str, Any]:
    return {"kind": promise.kind, "at": promise.at, "text": promise.text}


def _card(agent: AgentCard | None) -> dict[str, Any] | None:
    if agent is None:
        return None
    return {"name": agent.name, "title": agent.title, "photo_url": agent.photo_url or None}


def _link(channel: ChannelLink | None) -> dict[str, Any] | None:
    if channel is None:
        return None
    return {"id": channel.id, "url": channel.url, "display": channel.display}
