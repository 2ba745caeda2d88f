"""Snapshots: the published policy and the roster, compiled, kept in this process and patched as versions rise.

A snapshot is of exactly the versions asked for. The roster is read from its history, whose versions never change, so
nothing that is written meanwhile can mix into it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from functools import partial
from typing import NamedTuple, TypeVar

from django.db import transaction

from agents.holiday_dates import HOLIDAY_DATA_VERSION
from agents.roster import changes_between, roster_rows
from agents.zones import ZONE_DATA_VERSION
from routing.engine import Policy, Roster, RosterSpec, Snapshot, compile_policy
from routing.publishing import version_document
from routing.roster_rows import RosterRows

T = TypeVar("T")

_WORKSPACES = 500  # kept in this process, the last used
_VERSIONS = 3  # of a workspace's roster, and of its policy: leads under way still ask for the one before


def snapshot(*, workspace_id: int, policy_version: int, roster_version: int) -> Snapshot:
    """The snapshot of these versions. Policy 0 (nothing published yet) has no rules.

    No statement where both are kept; one to patch the roster from a version before, one to read a new policy; one
    each where nothing is kept. Raises PolicyVersion.DoesNotExist.
    """
    kept = _kept(workspace_id)
    policy = kept.policies.get(policy_version)
    rostered = kept.rosters.get(roster_version)
    if policy is None or rostered is None:
        # One thread of the process compiles, the others take what it made.
        with kept.making:
            policy = kept.policies.get(policy_version) or _make_policy(kept, workspace_id, policy_version)
            rostered = kept.rosters.get(roster_version) or _make_roster(kept, workspace_id, roster_version)
    return Snapshot(policy, rostered.roster)


def snapshot_at(*, workspace_id: int, policy_version: int, roster_version: int) -> Snapshot:
    """Any past pair of versions, compiled anew and not kept. Raises PolicyVersion.DoesNotExist."""
    spec = roster_spec_at(workspace_id=workspace_id, roster_version=roster_version)
    return Snapshot(_compiled(workspace_id, policy_version), Roster.compile(spec))


def roster_spec_at(*, workspace_id: int, roster_version: int) -> RosterSpec:
    """The roster as it stood at any version, from its history alone."""
    return _rows_at(workspace_id, roster_version).spec()


def versions_of_data() -> dict[str, str]:
    """The zone and holiday data that decisions of this process are reached with."""
    return {"tzdata": ZONE_DATA_VERSION, "holidays": HOLIDAY_DATA_VERSION}


def forget() -> None:
    """Drop everything kept in this process: the database behind it is another one now."""
    with _workspaces_lock:
        _workspaces.clear()


class _Rostered(NamedTuple):
    rows: RosterRows
    roster: Roster


class _Kept:
    """What is kept of one workspace, by version."""

    def __init__(self) -> None:
        self.making = threading.Lock()
        self.policies: dict[int, Policy] = {}
        self.rosters: dict[int, _Rostered] = {}

    def keep_policy(self, policy: Policy) -> None:
        self.policies = _newest({**self.policies, policy.version: policy})

    def keep_roster(self, version: int, rostered: _Rostered) -> None:
        self.rosters = _newest({**self.rosters, version: rostered})


def _newest(by_version: dict[int, T]) -> dict[int, T]:
    return {version: by_version[version] for version in sorted(by_version)[-_VERSIONS:]}


_workspaces: OrderedDict[int, _Kept] = OrderedDict()
_workspaces_lock = threading.Lock()


def _kept(workspace_id: int) -> _Kept:
    with _workspaces_lock:
        kept = _workspaces.get(workspace_id)
        if kept is None:
            kept = _workspaces[workspace_id] = _Kept()
            if len(_workspaces) > _WORKSPACES:
                _workspaces.popitem(last=False)
        _workspaces.move_to_end(workspace_id)
        return kept


# What was read inside a transaction is kept when it commits: a version that is rolled back is given out again, for
# another roster.


def _make_policy(kept: _Kept, workspace_id: int, version: int) -> Policy:
    policy = _compiled(workspace_id, version)
    transaction.on_commit(partial(kept.keep_policy, policy))
    return policy


def _make_roster(kept: _Kept, workspace_id: int, version: int) -> _Rostered:
    before = max((known for known in kept.rosters if known < version), default=None)
    if before is None:
        rows = _rows_at(workspace_id, version)
        rostered = _Rostered(rows, Roster.compile(rows.spec()))
    else:
        rostered = _patched(kept.rosters[before], workspace_id, before, version)
    transaction.on_commit(partial(kept.keep_roster, version, rostered))
    return rostered


def _rows_at(workspace_id: int, version: int) -> RosterRows:
    rows, _touched = RosterRows().after(roster_rows(workspace_id=workspace_id, version=version))
    return rows


def _patched(old: _Rostered, workspace_id: int, after: int, until: int) -> _Rostered:
    rows, touched = old.rows.after(changes_between(workspace_id=workspace_id, after=after, until=until))
    roster = old.roster.patched(
        agents={agent: rows.agent(agent) for agent in sorted(touched.agents)},
        teams={team: rows.team(team) for team in sorted(touched.teams)},
        calendars=rows.calendars(touched.agents),
        zone=rows.zone,
        fallback=rows.fallback,
    )
    return _Rostered(rows, roster)


def _compiled(workspace_id: int, version: int) -> Policy:
    return compile_policy(version_document(workspace_id, version), version)
