"""The pages that messages lead to. They need a login, so that their addresses may stand anywhere."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import reverse

from leads.models import Lead
from leads.notifying.recipients import Recipient


def inbox() -> str:
    return _page("inbox:home")


def start() -> str:
    """Where managers see what waits for them."""
    return _page("admin:index")


def lead_page(lead: Lead, recipient: Recipient) -> str:
    """The lead in the agent's inbox; for members without one, its page in the admin."""
    if recipient.slug:
        return _page("inbox:lead", lead.pk)
    return _page("admin:leads_lead_change", lead.pk)


def settings_page(recipient: Recipient) -> str:
    """Where it is chosen what they are sent."""
    return _page("inbox:ways" if recipient.slug else "admin:leads_notificationway_changelist")


def _page(name: str, *given: Any) -> str:
    return settings.PUBLIC_URL + reverse(name, args=given)
