"""What bodies and queries may hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from agents.channels import CHANNELS
from widget.fields import Attributes, Country, Email, Language, Number, PastInstant, Phone, Region, Text, Word
from widget.json_bodies import MOST_BYTES
from widget.submissions import FORM

SOURCES = ("form", "phone", "whatsapp", "telegram", "email", "api")


class NewLead(serializers.Serializer):
    """What anybody may say who hands in a lead. Every field is in `validated_data`, None where it is absent.

    Fields that are not named here are ignored.
    """

    channel = Text(max_length=20, help_text=_("How the person wants to talk. Default: form."))
    visitor_id = Text(max_length=128, help_text=_("The same person's later submissions carry the same."))
    language = Language(help_text=_("BCP 47. Default: what Accept-Language asks for and the workspace offers."))
    page_url = Text(max_length=8_000)
    referrer = Text(max_length=8_000)
    message = Text(max_length=20_000, trim_whitespace=False)
    name = Text(max_length=200)
    email = Email()
    phone = Phone(help_text=_("Best with its country code, such as +34 600 111 222."))
    attributes = Attributes(required=False, allow_null=True)
    consent = serializers.JSONField(required=False, allow_null=True, help_text=_("What the person agreed to."))

    def to_internal_value(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """As any serializer does; but those that are absent, none of which is required, are not even asked."""
        values, errors = {}, {}
        for name, field in self.fields.fields.items():
            if name in data:
                try:
                    value = field.run_validation(data[name])
                    check = getattr(self, f"validate_{name}", None)
                    values[name] = check(value) if check is not None else value
                except serializers.ValidationError as problem:
                    errors[name] = problem.detail
        if errors:
            raise serializers.ValidationError(errors)
        return values

    def validate(self, attrs: Mapping[str, Any]) -> dict[str, Any]:
        fields = {name: attrs.get(name) for name in self.fields.fields}
        fields["attributes"] = fields["attributes"] or {}
        return fields


class VisitorLead(NewLead):
    hp = Text(max_length=MOST_BYTES, help_text=_("Left empty: a field that no human sees."))
    ms = Number(required=False, allow_null=True, help_text=_("Milliseconds since the widget was opened."))
    signed = Text(
        max_length=8_000,
        help_text=_(
            "Attributes that the customer's server vouches for: a JSON object of them and `exp` (seconds since 1970) in"
            " base64url, a dot, and the hex HMAC-SHA256 of that text under the site's signing secret. One that is"
            " forged or over counts as not sent. Unsigned attributes count where the workspace lists them as public."
        ),
    )

    def validate_channel(self, channel: str | None) -> str | None:
        offered = [*self.context["channels"], FORM]
        if channel is not None and channel not in offered:
            raise serializers.ValidationError(
                _now("This site does not offer “%(channel)s”. Choose one of: %(offered)s.")
                % {"channel": channel, "offered": ", ".join(dict.fromkeys(offered))}
            )
        return channel


class ServerLead(NewLead):
    source = Word(choices=SOURCES, required=False, help_text=_("Default: api."))  # type: ignore[assignment]
    ip = serializers.IPAddressField(required=False, allow_null=True, allow_blank=True)
    country = Country()
    region = Region()
    city = Text(max_length=120)
    received_at = PastInstant(required=False, allow_null=True, help_text=_("Dates the lead; decides nothing."))

    def validate_channel(self, channel: str | None) -> str | None:
        if channel is not None and channel not in CHANNELS:
            raise serializers.ValidationError(
                _now("There is no channel “%(channel)s”. Choose one of: %(known)s.")
                % {"channel": channel, "known": ", ".join(CHANNELS)}
            )
        return channel

    def validate(self, attrs: Mapping[str, Any]) -> dict[str, Any]:
        fields = super().validate(attrs)
        return {**fields, "source": fields["source"] or "api", "ip": fields["ip"] or None}
