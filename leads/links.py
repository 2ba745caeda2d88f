"""How a visitor reaches their agent: the card they see and the link they tap."""

from __future__ import annotations

from django.utils import translation
from django.utils.translation import gettext as _

from agents.channels import CHANNELS, MAX_TEXT
from agents.models import Agent, Handle
from leads.answer import AgentCard, ChannelLink
from leads.models import Lead
from leads.promises import spoken


def card_and_link(lead: Lead, *, channel: str, message: str = "") -> tuple[AgentCard | None, ChannelLink | None]:
    """The lead's agent, and the link on this channel ('': none): one query.

    The link is prefilled with the visitor's message and the reference code, in their language.
    """
    if lead.agent_id is None:
        return None, None
    needs_handle = channel in CHANNELS and CHANNELS[channel].needs_handle
    if needs_handle:
        handle = Handle.objects.filter(agent_id=lead.agent_id, channel=channel).select_related("agent").first()
        if handle is not None:
            return _card(handle.agent), _link(lead, handle, message or lead.message)
    agent = Agent.objects.get(pk=lead.agent_id)
    if channel in CHANNELS and not needs_handle:
        return _card(agent), ChannelLink(channel, None, str(CHANNELS[channel].label))
    return _card(agent), None


def _card(agent: Agent) -> AgentCard:
    return AgentCard(agent.slug, agent.name, agent.title, agent.photo_url)


def _link(lead: Lead, handle: Handle, message: str) -> ChannelLink:
    channel = CHANNELS[handle.channel]
    with translation.override(spoken(lead.language)):
        code = _("Reference: %(code)s") % {"code": lead.reference}
        text = message.strip() or _("Hello %(name)s, I have a question.") % {"name": handle.agent.name}
        text = f"{text[: MAX_TEXT - len(code) - 2]}\n\n{code}"
        url = channel.link(handle.value, text=text, subject=code, ref=lead.reference, name=lead.name, email=lead.email)
    return ChannelLink(channel.id, url, channel.display(handle.value))
