"""What somebody who handed in a lead is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class AgentCard:
    """An agent as a visitor may see them."""

    slug: str
    name: str
    title: str
    photo_url: str


@dataclass(frozen=True, slots=True)
class ChannelLink:
    """Where the visitor goes on: `url` is the agent's own deep link, None where there is nothing to open."""

    id: str
    url: str | None
    display: str


@dataclass(frozen=True, slots=True)
class Promise:
    """When somebody answers: see `leads.promises`. `at` only where a time can be named."""

    kind: str
    at: datetime | None
    text: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """The answer to a submission. Every field of a repeat (`repeated`) is the first answer's.

    `joined`: no new lead, this went to one that was open already. `outcome`, `rule` and `reason` are the lead's,
    but a joined one's reason is `joined`. `rule` is '' where none matched.
    """

    lead_id: UUID
    status_token: str
    reference: str
    outcome: str
    reason: str
    rule: str
    agent: AgentCard | None
    channel: ChannelLink | None
    promise: Promise
    joined: bool = False
    repeated: bool = False

    def to_json(self) -> dict[str, Any]:
        """The answer to store for repeats."""
        # By name: `asdict` copies everything it meets.
        return {
            "lead_id": str(self.lead_id),
            "status_token": self.status_token,
            "reference": self.reference,
            "outcome": self.outcome,
            "reason": self.reason,
            "rule": self.rule,
            "agent": None if self.agent is None else _named(self.agent),
            "channel": None if self.channel is None else _named(self.channel),
            "promise": {
                "kind": self.promise.kind,
                "at": self.promise.at.isoformat() if self.promise.at else None,
                "text": self.promise.text,
            },
            "joined": self.joined,
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Accepted:
        """The stored answer, as the answer to a repeat."""
        agent, channel, promise = document["agent"], document["channel"], document["promise"]
        at = datetime.fromisoformat(promise["at"]) if promise["at"] else None
        return cls(
            lead_id=UUID(document["lead_id"]),
            status_token=document["status_token"],
            reference=document["reference"],
            outcome=document["outcome"],
            reason=document["reason"],
            rule=document["rule"],
            agent=None if agent is None else AgentCard(**agent),
            channel=None if channel is None else ChannelLink(**channel),
            promise=Promise(promise["kind"], at, promise["text"]),
            joined=document["joined"],
            repeated=True,
        )


def _named(shown: AgentCard | ChannelLink) -> dict[str, Any]:
    return {name: getattr(shown, name) for name in shown.__slots__}
