"""Giving turns back."""

from __future__ import annotations

from datetime import datetime

from leads.models import Event, EventKind, GivenBack, Lead
from leads.placing import lock_ledger
from leads.records import turn_from_json


def give_back(lead: Lead, *, at: datetime) -> None:
    """Undo the ledger's whole entry for this lead, once. The lead is locked.

    Where that would leave the agent more than one lead in credit it is recorded and not paid: a night of leads that
    were none would otherwise flood one agent in the morning.
    """
    decision = lead.decisions.filter(moved_ledger=True).order_by("-at", "-pk").first()
    if decision is None or decision.given_back or decision.decision is None:
        return
    row = lock_ledger(lead.workspace_id, decision.decision["ledger"])
    after = row.standing.giving_back(turn_from_json(decision.decision["turn"]))
    if after is not None:
        row.standing = after
        row.save(update_fields=["entries", "turns"])
    decision.given_back = GivenBack.RECORDED if after is None else GivenBack.PAID
    decision.given_back_at = at
    decision.save(update_fields=["given_back", "given_back_at"])
    Event.objects.create(
        workspace_id=lead.workspace_id,
        lead=lead,
        kind=EventKind.GIVEN_BACK,
        at=at,
        data={"paid": after is not None},
    )
