"""What the API answers."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.conf import settings
from django.urls import reverse
from rest_framework import serializers

from agents.models import Scheme, Side
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


class IconShown(serializers.Serializer):
    """`path`: the `d` of an SVG path in a box of 24 × 24, drawn in the colour `ink` on a tile of the colour `fill`."""

    path = serializers.CharField()
    fill = serializers.CharField()
    ink = serializers.CharField()


class ChannelOffered(serializers.Serializer):
    """A way to talk, in the site's order. `online`: somebody who has it is there now."""

    id = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    online = serializers.BooleanField()
    icon = IconShown()


class TeamShown(serializers.Serializer):
    """Who is there, without saying who: how many are on shift, which languages, how fast they usually answer."""

    on_shift = serializers.IntegerField()
    languages = serializers.ListField(child=serializers.CharField())
    speakers = serializers.DictField(
        child=serializers.IntegerField(), help_text="How many on shift speak each language, without regions."
    )
    typical_reply_s = serializers.IntegerField(allow_null=True)


class OwnWords(serializers.Serializer):
    """What the site says in words of its own; what it leaves out, the widget says in its."""

    launcher = serializers.CharField(required=False)
    title = serializers.CharField(required=False)
    intro = serializers.CharField(required=False)
    away = serializers.CharField(required=False)
    thanks = serializers.CharField(required=False)


class ThemeShown(serializers.Serializer):
    """Colours as #rrggbb; words in `on_accent` can be read on `accent` (WCAG AA)."""

    accent = serializers.CharField()
    on_accent = serializers.CharField()
    side = serializers.ChoiceField(Side.choices)
    scheme = serializers.ChoiceField(Scheme.choices)
    offset = serializers.CharField(help_text="Pixels from the edges of the page.")


class ConsentAsked(serializers.Serializer):
    """What a visitor agrees to before a message is sent, and where they read more."""

    text = serializers.CharField()
    url = serializers.CharField(allow_null=True)


class SiteConfig(serializers.Serializer):
    """What the widget shows before anybody uses it, in one `language` of those that the workspace offers.

    `opens_at`: when somebody is there next; null while somebody is, and where the site does not tell (`hours_shown`).
    `page_url`: the site's own page, the same choice in plain HTML. `fallback`: where to send a visitor when nothing
    answers here.
    """

    name = serializers.CharField()
    language = serializers.CharField()
    languages = serializers.ListField(child=serializers.CharField())
    channels = ChannelOffered(many=True)
    online = serializers.BooleanField()
    opens_at = serializers.DateTimeField(allow_null=True)
    hours_shown = serializers.BooleanField()
    team = TeamShown()
    texts = OwnWords()
    theme = ThemeShown()
    consent = ConsentAsked(allow_null=True)
    fallback = serializers.CharField(allow_null=True)
    page_url = serializers.URLField()


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
    return f"{settings.PUBLIC_URL}{_leads_of(site_key or '-')}/{token}"


@lru_cache(maxsize=1024)
def _leads_of(site_key: str) -> str:
    return reverse("widget-leads", kwargs={"key": site_key})


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
