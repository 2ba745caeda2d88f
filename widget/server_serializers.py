"""What bodies and queries of servers may hold, beside a new lead."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from leads.models import ClosedAs
from leads.models.lead import Status
from widget.fields import PastInstant, Text, Word

RESPONSE_KINDS = ("human", "automatic")
_SLUG = 50


class Moment(serializers.Field):
    """ISO 8601 with an offset; a bare date is its midnight in the workspace's zone."""

    default_error_messages = {
        "invalid": _("Write a time with its offset, such as 2026-03-02T10:00:00Z, or a date such as 2026-03-02.")
    }

    def to_internal_value(self, data: Any) -> datetime:
        text = str(data).replace(" ", "+")  # a plus sign that nobody encoded
        at: datetime | None
        try:
            if len(text) == len("2026-03-02"):
                at = datetime.combine(date.fromisoformat(text), time(), ZoneInfo(self.context["timezone"]))
            else:
                at = parse_datetime(text)
        except ValueError:
            at = None
        if at is None or timezone.is_naive(at) or not 1970 <= at.year <= 9000:
            self.fail("invalid")
        return at


class Cursor(Text):
    """What `next` holds: its address whole, or the cursor in it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=2_000, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if "://" in text:
            return parse_qs(urlsplit(text).query).get("cursor", [""])[0]
        return text


class LeadsWanted(serializers.Serializer):
    status = Word(choices=Status.values, required=False)
    agent = Text(max_length=_SLUG)
    to = Moment(required=False)
    cursor = Cursor()

    def get_fields(self) -> dict[str, serializers.Field]:
        return {**super().get_fields(), "from": Moment(required=False)}


class NewResponse(serializers.Serializer):
    """An answer to the person. The first human one ends the wait."""

    at = PastInstant(required=False, allow_null=True, help_text=_("Default: now."))
    kind = Word(choices=RESPONSE_KINDS)
    note = Text(max_length=2_000)


class Reassignment(serializers.Serializer):
    """Hand the lead to `to`, or to whom the rules give it, those in `exclude` left out."""

    to = Text(max_length=_SLUG, help_text=_("The agent's slug."))
    exclude = serializers.ListField(
        child=Text(max_length=_SLUG, required=True), required=False, max_length=100, help_text=_("Agents' slugs.")
    )
    reason = Text(max_length=500, required=True, help_text=_("Why, for whoever reads the lead's history."))


class Closing(serializers.Serializer):
    def get_fields(self) -> dict[str, serializers.Field]:
        return {"as": Word(choices=ClosedAs.values)}
