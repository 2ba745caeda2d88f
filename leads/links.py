"""How a visitor reaches their agent: the card they see and the link they tap."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass

from django.db import connection
from django.utils import translation
from django.utils.translation import gettext as _

from agents.channels import CHANNELS, MAX_TEXT
from agents.models import Agent
from leads.answer import AgentCard, ChannelLink
from leads.models import Lead
from leads.promises import spoken


@dataclass(frozen=True, slots=True)
class Reachable:
    """An agent's card, and their handles by channel."""

    card: AgentCard
    handles: dict[str, str]


_MOST_KEPT = 10_000
# By agent, of the roster version that they were last asked for under: cards and handles are of the roster.
_kept: OrderedDict[int, tuple[int, Reachable]] = OrderedDict()
_keeping = threading.Lock()


def reachable(agents: Collection[int], *, roster_version: int) -> dict[int, Reachable]:
    """How these agents of one workspace are reached, as this roster version has it or a later one does.

    One query for those not asked for under this version before, none for the others.
    """
    with _keeping:
        kept = {agent: _kept[agent] for agent in agents if agent in _kept}
    found = {agent: reached for agent, (version, reached) in kept.items() if version == roster_version}
    if missing := [agent for agent in agents if agent not in found]:
        read = _read(missing)
        found |= read
        if not connection.in_atomic_block:  # a version that is rolled back is given out again, for another roster
            with _keeping:
                _kept.update({agent: (roster_version, reached) for agent, reached in read.items()})
                while len(_kept) > _MOST_KEPT:
                    _kept.popitem(last=False)
    return found


def _read(agents: Collection[int]) -> dict[int, Reachable]:
    fields = ("pk", "handles__channel", "handles__value", "slug", "name", "title", "photo_url")
    found: dict[int, Reachable] = {}
    for pk, channel, value, *card in Agent.objects.filter(pk__in=agents).values_list(*fields):
        reached = found.setdefault(pk, Reachable(AgentCard(*card), {}))
        if channel is not None:
            reached.handles[channel] = value
    return found


def card_and_link(
    lead: Lead, *, channel: str, message: str = "", reached: Reachable | None = None
) -> tuple[AgentCard | None, ChannelLink | None]:
    """The lead's agent, and the link on this channel ('': none): one query, unless it is known how they are `reached`.

    The link is prefilled with the visitor's message and the reference code, in their language.
    """
    if lead.agent_id is None:
        return None, None
    if reached is None:
        reached = _read([lead.agent_id])[lead.agent_id]
    if channel not in CHANNELS:
        return reached.card, None
    if not CHANNELS[channel].needs_handle:
        return reached.card, ChannelLink(channel, None, str(CHANNELS[channel].label))
    handle = reached.handles.get(channel)
    if handle is None:
        return reached.card, None
    return reached.card, _link(lead, reached.card.name, channel, handle, message or lead.message)


def _link(lead: Lead, name: str, on: str, handle: str, message: str) -> ChannelLink:
    channel = CHANNELS[on]
    with translation.override(spoken(lead.language)):
        code = _("Reference: %(code)s") % {"code": lead.reference}
        text = message.strip() or _("Hello %(name)s, I have a question.") % {"name": name}
        text = f"{text[: MAX_TEXT - len(code) - 2]}\n\n{code}"
        url = channel.link(handle, text=text, subject=code, ref=lead.reference, name=lead.name, email=lead.email)
    return ChannelLink(channel.id, url, channel.display(handle))
