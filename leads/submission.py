"""What comes in, and through which door."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Door:
    """The site or the API key a submission came through, and how fresh its workspace is.

    The versions come with the lookup of the key, so that a lead is never routed by older ones. `channels` are what
    the site offers, in order; `languages` the workspace's. `trusted`: a server of the customer's, not a visitor.
    `remembered`: that lookup was a while ago, so whoever lets a lead in must look again.
    """

    workspace_id: int
    policy_version: int
    roster_version: int
    site_id: int | None
    api_key_id: int | None
    channels: tuple[str, ...]
    trusted: bool
    languages: tuple[str, ...] = ()
    remembered: bool = False


@dataclass(frozen=True, slots=True)
class Submission:
    """What somebody sent, checked field by field and without what they may not say.

    `channel` None: none was named, so the lead is for the form. `language` None: the first of the door's languages.
    `received_at` dates the lead and decides nothing. `address` is the client's full address; only its network is
    kept.
    """

    channel: str | None = None
    visitor_id: str | None = None
    language: str | None = None
    page_url: str | None = None
    referrer: str | None = None
    message: str | None = None
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    consent: Any = None
    source: str = "widget"
    country: str | None = None
    region: str | None = None
    city: str | None = None
    received_at: datetime | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """What the sender calls this submission; `body_hash` tells a repeat from another body under the same key."""

    key: str
    body_hash: str
