"""One-click links in mail: signed, for one act of one agent on one lead, and good for 72 hours.

Opening one changes nothing, because mail programs open links by themselves: its page shows a button, which posts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.core import signing
from django.utils.translation import gettext as _

GOOD_FOR = timedelta(hours=72)
_SALT = "leads.notifications.links"


class LinkRefused(Exception):
    """The link is not ours, or no longer good. The text is a sentence for whoever followed it."""


@dataclass(frozen=True, slots=True)
class Link:
    """`purpose`: the page that takes it, so that a link made for one page opens no other. `agent`: a slug, as the whole
    of it can be read by whoever holds it, and row numbers stay in the house."""

    purpose: str
    lead: UUID
    agent: str
    action: str
    expires_at: datetime


def make(*, purpose: str, lead: UUID, agent: str, action: str, at: datetime) -> str:
    """The token: letters, digits and `-_:`, to be put into a path as it is."""
    expires_at = at.astimezone(UTC) + GOOD_FOR
    values = [lead.hex, agent, action, int(expires_at.timestamp())]
    return _signer(purpose).sign_object(values)


def read(token: str, *, purpose: str, at: datetime) -> Link:
    """Raises LinkRefused. Whether the lead still is the agent's is for the caller to see."""
    try:
        lead, agent, action, expires = _signer(purpose).unsign_object(token)
    except (signing.BadSignature, ValueError, TypeError):  # what is no Base64 or no JSON was not signed by us either
        raise LinkRefused(_("This link is not complete. Open it again from the message.")) from None
    expires_at = datetime.fromtimestamp(expires, UTC)
    if at >= expires_at:
        raise LinkRefused(_("This link is older than 72 hours. Sign in to see the lead."))
    return Link(purpose, UUID(lead), agent, action, expires_at)


def _signer(purpose: str) -> signing.Signer:
    return signing.Signer(salt=f"{_SALT}.{purpose}")
