"""One public client address is shown at most three different agents an hour, so that nobody harvests their numbers."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.crypto import salted_hmac

from leads import loads
from leads.basis import Basis
from leads.models import ShownAgent
from leads.people import Key
from leads.placing import Judgement
from routing import engine
from routing.engine import ANYBODY, Asked, Outcome, Pool, Reason, Verdict
from routing.engine.asking import ANY

MOST_AGENTS = 3
WINDOW = timedelta(hours=1)

# Named one by one: ipaddress also calls the ranges of documentation private.
_NOT_PUBLIC = [
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16",
        "::/128", "::1/128", "fc00::/7", "fe80::/10",
    )
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shown:
    """A public address (its hash) and the agents it was shown within the hour, the last one first."""

    workspace_id: int
    address_hash: str
    agents: tuple[int, ...]

    @property
    def is_full(self) -> bool:
        return len(self.agents) >= MOST_AGENTS

    def may_show(self, agent: int) -> bool:
        return agent in self.agents or not self.is_full

    def note(self, agent: int, *, at: datetime) -> None:
        """This agent is shown now."""
        ShownAgent.objects.bulk_create(
            [ShownAgent(workspace_id=self.workspace_id, address_hash=self.address_hash, agent_id=agent, shown_at=at)],
            update_conflicts=True,
            unique_fields=["workspace", "address_hash", "agent"],
            update_fields=["shown_at"],
        )


def key_of(address: str | None) -> Key | None:
    """By what submissions from this address wait for each other; None for one that is not limited."""
    network = _limited(address)
    if network is None:
        return None
    return "address", salted_hmac("leads.address_limit", network, algorithm="sha256").hexdigest()[:32]


def shown_to(workspace_id: int, key: Key, *, at: datetime) -> Shown:
    rows = ShownAgent.objects.filter(workspace_id=workspace_id, address_hash=key[1], shown_at__gt=at - WINDOW)
    agents = rows.order_by("-shown_at", "-id").values_list("agent_id", flat=True)
    return Shown(workspace_id, key[1], tuple(agents))


def judge_again(request: engine.Request, basis: Basis, shown: Shown) -> Judgement:
    """The last agent that was shown, if they are available with the lead's channel; else the lead is held."""
    last = shown.agents[0]
    match = engine.match(request, basis.snapshot, basis.at)
    carried = loads.read([last])
    answer = match.ask(basis.roster.agent_crew(last), ANY, Asked.REGULAR, carried)
    outcome = Outcome.ASSIGNED if answer.takers else Outcome.HELD
    pool = Pool(None, Asked.REGULAR, answer.candidates(Verdict.CHOSEN), outcome.value)
    decision = match.decision(
        outcome,
        last if answer.takers else None,
        None,
        Reason.ADDRESS_LIMIT,
        (pool,),
        None if answer.takers else ANYBODY,
    )
    return Judgement(basis, request, decision, carried, by_rules=False)


def forget_past(*, at: datetime) -> int:
    return ShownAgent.objects.filter(shown_at__lte=at - WINDOW).delete()[0]


def _limited(address: str | None) -> str | None:
    try:
        parsed: Any = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return None
    parsed = getattr(parsed, "ipv4_mapped", None) or parsed
    if any(parsed in network for network in _NOT_PUBLIC):
        return None
    return str(parsed) if parsed.version == 4 else str(ipaddress.ip_network((parsed, 64), strict=False))
