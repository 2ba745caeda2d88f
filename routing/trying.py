"""What would become of a lead by a policy as it stands: drafted or published, for a lead that is or one that is not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agents.channels import CHANNELS
from agents.models import Workspace
from routing.engine import ON_CALL_LEDGER, Known, Ledger, Load, Request, Roster, Snapshot, compile_policy
from routing.engine.asking import FORM
from routing.engine.walk import Walk, walk
from routing.facts import build_facts
from routing.models import Ledger as LedgerRow
from routing.models import Load as LoadRow
from routing.snapshots import snapshot

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Trial:
    """A walk of the rules, with what it stood on: what is needed to say it in words."""

    walked: Walk
    document: Document
    roster: Roster
    loads: Mapping[int, Load]
    ledgers: Mapping[int, Ledger]
    at: datetime


def roster_now(workspace: Workspace) -> Roster:
    """The compiled roster as it is."""
    return _snapshot(workspace).roster


def request_of(values: Mapping[str, Any], workspace: Workspace, *, returning: bool = False) -> Request:
    """A lead of these facts, as `routing.facts.build_facts` takes them; without a language, the workspace's first.

    Raises ValueError for a `language` that is none.
    """
    given = {"language": workspace.languages[0] if workspace.languages else None, "source": "api", **values}
    channels = tuple(channel for channel in CHANNELS if channel != FORM)
    return Request(build_facts(**given), Known(returning), channels)


def try_lead(workspace: Workspace, document: Document, request: Request, *, at: datetime) -> Trial:
    """Route a lead by this normal-form policy and today's roster, turns and loads, and write nothing."""
    roster = roster_now(workspace)
    loads = {row.pk: row.carried for row in LoadRow.objects.for_workspace(workspace)}
    ledgers = {row.team_id or ON_CALL_LEDGER: row.standing for row in LedgerRow.objects.for_workspace(workspace)}
    walked = walk(request, Snapshot(compile_policy(document, 0), roster), loads, ledgers, at)
    return Trial(walked, document, roster, loads, ledgers, at)


def _snapshot(workspace: Workspace) -> Snapshot:
    return snapshot(
        workspace_id=workspace.pk, policy_version=workspace.policy_version, roster_version=workspace.roster_version
    )
