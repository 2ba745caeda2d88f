"""A lead as the customer's server reads it."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from agents.models import Agent
from leads.models import ClosedAs, Lead
from leads.models.lead import Status
from widget.answers import AgentNamed


class LeadShown(serializers.Serializer):
    """A lead. What is unknown is null. `flagged` says why a manager should look."""

    id = serializers.UUIDField()
    reference = serializers.CharField()
    status = serializers.ChoiceField(choices=Status.values)
    outcome = serializers.CharField()
    reason = serializers.CharField()
    rule = serializers.CharField(allow_null=True)
    agent = AgentNamed(allow_null=True)
    team = serializers.CharField(allow_null=True, help_text="The team's slug.")
    channel = serializers.CharField(help_text="What the person chose.")
    reached_on = serializers.CharField(allow_null=True, help_text="The channel on which the agent is reached.")
    source = serializers.CharField()  # type: ignore[assignment]
    received_at = serializers.DateTimeField()
    assigned_at = serializers.DateTimeField(allow_null=True)
    first_response_at = serializers.DateTimeField(allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)
    closed_as = serializers.ChoiceField(choices=ClosedAs.values, allow_null=True)
    flagged = serializers.CharField(allow_null=True)
    visitor_id = serializers.CharField(allow_null=True)
    name = serializers.CharField(allow_null=True)
    email = serializers.CharField(allow_null=True)
    phone = serializers.CharField(allow_null=True)
    message = serializers.CharField(allow_null=True)
    language = serializers.CharField(allow_null=True)
    country = serializers.CharField(allow_null=True)
    region = serializers.CharField(allow_null=True)
    city = serializers.CharField(allow_null=True)
    page_url = serializers.CharField(allow_null=True)
    referrer = serializers.CharField(allow_null=True)
    attributes = serializers.DictField()
    consent = serializers.JSONField(allow_null=True)
    score = serializers.IntegerField(allow_null=True)
    intent = serializers.CharField(allow_null=True)
    joined_count = serializers.IntegerField(help_text="How many later submissions of the person joined this lead.")


class LeadsPage(serializers.Serializer):
    """Up to 50 leads. `next` is the address of the page after this one, null on the last."""

    results = LeadShown(many=True)
    next = serializers.URLField(allow_null=True)


class DecisionShown(serializers.Serializer):
    """Why a lead is where it is, reached again from what was stored with its latest decision.

    `rules` are all rules in order, each with the first condition of every group that failed and the value seen, and
    the people it asked with what stood in the way of each; null where a person decided. `turn` is the ledger before
    and after.
    """

    lead = serializers.UUIDField()
    at = serializers.DateTimeField(allow_null=True)
    outcome = serializers.CharField()
    reason = serializers.CharField()
    reason_text = serializers.CharField()
    trigger = serializers.CharField(allow_null=True)
    rule = serializers.CharField(allow_null=True)
    agent = serializers.DictField(child=serializers.CharField(), allow_null=True)
    channel = serializers.CharField(allow_null=True)
    waits_for = serializers.DictField(child=serializers.CharField(allow_null=True), allow_null=True)
    facts = serializers.DictField()
    rules = serializers.ListField(child=serializers.DictField(), allow_null=True)
    outside_the_rules = serializers.ListField(child=serializers.DictField())
    turn = serializers.DictField(allow_null=True)
    given_back = serializers.CharField(allow_null=True)
    policy_version = serializers.IntegerField(allow_null=True)
    roster_version = serializers.IntegerField(allow_null=True)


# Shown as they are; blank text as null.
_PLAIN = (
    "reference",
    "status",
    "outcome",
    "reason",
    "rule",
    "channel",
    "reached_on",
    "source",
    "received_at",
    "assigned_at",
    "first_response_at",
    "closed_at",
    "closed_as",
    "flagged",
    "visitor_id",
    "name",
    "email",
    "phone",
    "message",
    "language",
    "country",
    "region",
    "city",
    "page_url",
    "referrer",
    "consent",
    "score",
    "intent",
)


def lead_shown(lead: Lead) -> dict[str, Any]:
    """The resource of a lead that came with its agent and its team."""
    plain = {name: getattr(lead, name) for name in _PLAIN}
    return {
        "id": str(lead.pk),
        **{name: None if value == "" else value for name, value in plain.items()},
        "agent": _named(lead.agent),
        "team": lead.team.slug if lead.team else None,
        "attributes": lead.attributes,
        "joined_count": lead.joined_count,
    }


def _named(agent: Agent | None) -> dict[str, Any] | None:
    if agent is None:
        return None
    return {
        "slug": agent.slug,
        "name": agent.name,
        "title": agent.title,
        "photo_url": agent.photo_url or None,
    }
