"""What whoever handed in a lead is told about it."""

from __future__ import annotations

from datetime import datetime

from leads.address_limit import Shown
from leads.answer import Accepted
from leads.links import Reachable, card_and_link
from leads.models import Lead
from leads.promises import promise_to
from routing.engine import Reason


def answer(
    lead: Lead,
    *,
    channel: str,
    joined: bool,
    shown: Shown | None = None,
    message: str | None = None,
    reached: Reachable | None = None,
    at: datetime,
) -> Accepted:
    """The answer about a stored lead. Its agent is one more that the address was `shown`, if it may see them.

    `reached`: how the agent is, where that is known already.
    """
    agent = link = None
    if lead.agent_id is not None and (shown is None or shown.may_show(lead.agent_id)):
        agent, link = card_and_link(lead, channel=channel, message=message or "", reached=reached)
        if shown is not None:
            shown.note(lead.agent_id, at=at)
    return Accepted(
        lead_id=lead.pk,
        status_token=lead.status_token,
        reference=lead.reference,
        outcome=lead.outcome,
        reason=Reason.JOINED.value if joined else lead.reason,
        rule=lead.rule,
        agent=agent,
        channel=link,
        promise=promise_to(lead, agent_name=agent.name if agent else "", at=at),
        joined=joined,
    )
