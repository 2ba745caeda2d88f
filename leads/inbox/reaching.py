"""The ways back to the visitor: what their agent taps to answer."""

from __future__ import annotations

from typing import NamedTuple

from django.utils import translation
from django.utils.translation import gettext as _

from agents.channels import CHANNELS
from agents.contacts import normalise_email, normalise_phone, region_of_zone
from leads.models import Lead
from leads.promises import spoken


class Way(NamedTuple):
    """`channel` is what it opens, `label` says so; `shown` is the visitor's address as people read it."""

    channel: str
    label: str
    url: str
    shown: str


def ways_to(lead: Lead, *, zone: str) -> list[Way]:
    """How the visitor of this lead can be answered, the channel that they chose first. Texts are in their language.

    `zone`: that of whoever answers; a phone number without its country's prefix is dialled from there, unless the
    lead's country is known.
    """
    phone = normalise_phone(lead.phone, lead.country or region_of_zone(zone)) if lead.phone else None
    email = normalise_email(lead.email) if lead.email else None
    addresses = {"whatsapp": phone, "phone": phone, "sms": phone, "email": email}
    if lead.channel in ("viber", "signal") and phone:
        addresses[lead.channel] = phone
    with translation.override(spoken(lead.language)):
        reference = _("Reference: %(code)s") % {"code": lead.reference}
        greeting = _("Hello %(name)s,") % {"name": lead.name} if lead.name else _("Hello,")
    ways = []
    for channel_id, address in addresses.items():
        channel = CHANNELS[channel_id]
        try:
            handle = channel.normalise(address) if address else ""
        except ValueError:  # an address that mail takes and a link does not
            continue
        url = channel.link(handle, text=f"{greeting}\n\n{reference}", subject=reference) if handle else None
        if url:
            ways.append(Way(channel_id, str(channel.label), url, channel.display(handle)))
    return sorted(ways, key=lambda way: way.channel != lead.channel)
