"""Names of channels as visitors read them."""

from django.utils import translation
from django.utils.translation import gettext as _

from agents.channels import CHANNELS
from leads.promises import spoken


def channel_label(channel: str, tag: str) -> str:
    """In the language of a BCP 47 tag, where we speak it."""
    with translation.override(spoken(tag)):
        return _("Leave a message") if channel == "form" else str(CHANNELS[channel].label)
