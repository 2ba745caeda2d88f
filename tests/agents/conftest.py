"""The standing cast: one workspace with its people, and an outsider's."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import transaction

from agents.models import Agent, Handle, Membership, Shift, Team, TeamMember, TimeOff, User, Workspace
from agents.roster import one_change


@dataclass
class House:
    """A workspace with one row of every kind."""

    workspace: Workspace
    owner: User
    agent: Agent
    colleague: Agent
    handle: Handle
    team: Team
    member: TeamMember
    shift: Shift
    time_off: TimeOff


def make_house(slug: str) -> House:
    with one_change():
        house = _make_house(slug)
    house.workspace.refresh_from_db()
    return house


def _make_house(slug: str) -> House:
    workspace = Workspace.objects.create(slug=slug, name=slug.title(), plan="scale", timezone="Europe/Madrid")
    owner = User.objects.create_user(f"owner@{slug}.test", "owner's secret")
    Membership.objects.create(workspace=workspace, user=owner, role="owner")
    agent = Agent.objects.create(workspace=workspace, slug="marta", name="Marta", languages=["es"])
    team = Team.objects.create(workspace=workspace, slug="iberia", name="Iberia")
    return House(
        workspace=workspace,
        owner=owner,
        agent=agent,
        colleague=Agent.objects.create(workspace=workspace, slug="joao", name="João"),
        handle=Handle.objects.create(workspace=workspace, agent=agent, channel="whatsapp", value="+34600111222"),
        team=team,
        member=TeamMember.objects.create(workspace=workspace, team=team, agent=agent),
        shift=Shift.objects.create(workspace=workspace, agent=agent, weekday=0, start_minute=540, end_minute=1080),
        time_off=TimeOff.objects.create(
            workspace=workspace, agent=agent, starts_local="2026-08-01T00:00", ends_local="2026-08-16T00:00"
        ),
    )


@pytest.fixture
def acme(db) -> House:
    return make_house("acme")


@pytest.fixture
def rival(db) -> House:
    return make_house("rival")


@pytest.fixture(scope="module")
def houses_of_module(django_db_setup: None, django_db_blocker: Any) -> Iterator[dict[str, House]]:
    """`acme` and `rival`, written once for all tests of a module, each of which is undone to here.

    For modules of many tests none of which commits.
    """
    with django_db_blocker.unblock(), transaction.atomic():
        yield {slug: make_house(slug) for slug in ("acme", "rival")}
        transaction.set_rollback(True)


@pytest.fixture
def standing(db: None, houses_of_module: dict[str, House]) -> dict[str, House]:
    """Objects of the test's own: what it sets on them no other test sees."""
    return deepcopy(houses_of_module)
