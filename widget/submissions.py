"""From a checked body to what `leads` takes in."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request

from agents.channels import CHANNELS
from agents.contacts import normalise_phone, region_of_zone
from agents.models import Site
from leads.intake import Door, IdempotencyKey, Submission
from widget import geo
from widget.client_address import client_address
from widget.doors import Server
from widget.json_bodies import raw_body
from widget.signed_attributes import signed_attributes
from widget.visitor_language import visitor_language

FORM = "form"
# Nobody opens the widget, chooses a channel and sends within this time.
FASTEST_HUMAN_MS = 800
_LONGEST_IDEMPOTENCY_KEY = 255
_ALL_BUT_FORM = tuple(channel for channel in CHANNELS if channel != FORM)


def door_of_site(site: Site) -> Door:
    workspace = site.workspace
    return Door(
        workspace_id=workspace.pk,
        policy_version=workspace.policy_version,
        roster_version=workspace.roster_version,
        site_id=site.pk,
        api_key_id=None,
        channels=tuple(site.channels),
        trusted=False,
        languages=tuple(workspace.languages),
    )


def door_of_server(server: Server) -> Door:
    """A server has no page with channels on it: an agent is reached by any that they have, in the table's order."""
    key, workspace = server.api_key, server.workspace
    return Door(
        workspace_id=workspace.pk,
        policy_version=workspace.policy_version,
        roster_version=workspace.roster_version,
        site_id=None,
        api_key_id=key.pk,
        channels=_ALL_BUT_FORM,
        trusted=True,
        languages=tuple(workspace.languages),
        remembered=server.remembered,
    )


def submission_of_visitor(
    request: HttpRequest | Request, fields: dict[str, Any], *, site: Site, at: datetime
) -> Submission:
    """What visitors say of themselves, and where their address is. What only a server may say is not read.

    Of the attributes count those that anybody may say, and those that the customer's server signed.
    """
    workspace = site.workspace
    address = client_address(request)
    place = geo.locate(address)
    public = {name: value for name, value in fields["attributes"].items() if name in workspace.public_attributes}
    attributes = public | signed_attributes(fields["signed"], secret=site.signing_secret, at=at)
    return Submission(
        **_said_by_anybody(fields, dialled_from=place.country or region_of_zone(workspace.timezone)),
        language=fields["language"]
        or visitor_language(request.META.get("HTTP_ACCEPT_LANGUAGE", ""), workspace.languages),
        attributes=attributes,
        source="widget",
        country=place.country,
        region=place.region,
        city=place.city,
        address=address or None,
    )


def submission_of_server(request: Request, fields: dict[str, Any]) -> Submission:
    """A server is believed. Where it names an address and no country, the place is the address's."""
    place = {name: fields[name] for name in ("country", "region", "city")}
    if fields["ip"] and not place["country"] and not place["region"]:
        found = geo.locate(fields["ip"])
        place = {"country": found.country, "region": found.region, "city": place["city"] or found.city}
    return Submission(
        **_said_by_anybody(fields, dialled_from=place["country"] or region_of_zone(request.auth.workspace.timezone)),
        **place,
        language=fields["language"],
        attributes=fields["attributes"],
        source=fields["source"],
        received_at=fields["received_at"],
        address=fields["ip"],
    )


def is_bot(fields: dict[str, Any]) -> bool:
    """The field that no human sees is filled, or it went quicker than humans are."""
    return bool(fields["hp"]) or (fields["ms"] is not None and fields["ms"] < FASTEST_HUMAN_MS)


def over_limit_flag() -> str:
    """Why a manager must look at a lead that its site's limit did not let pass."""
    return _("More leads came in through this site than its limit allows.")


def idempotency_of(request: Request) -> IdempotencyKey | None:
    """What the sender calls this submission, and the hash of the body as it came. Raises ValidationError."""
    key = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if key is None:
        return None
    key = key.strip()
    if not 1 <= len(key) <= _LONGEST_IDEMPOTENCY_KEY or not (key.isascii() and key.isprintable()):
        raise serializers.ValidationError(
            {
                "Idempotency-Key": [
                    _("This is 1 to %(longest)d printable ASCII characters, such as a UUID.")
                    % {"longest": _LONGEST_IDEMPOTENCY_KEY}
                ]
            }
        )
    return IdempotencyKey(key=key, body_hash=hashlib.sha256(raw_body(request)).hexdigest())


def _said_by_anybody(fields: dict[str, Any], *, dialled_from: str | None) -> dict[str, Any]:
    """A phone number is kept as it was typed where nobody can tell which country it is dialled in."""
    names = ("channel", "visitor_id", "page_url", "referrer", "message", "name", "email", "phone", "consent")
    said = {name: fields[name] for name in names}
    if said["phone"]:
        said["phone"] = normalise_phone(said["phone"], dialled_from) or said["phone"]
    return said
