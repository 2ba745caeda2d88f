"""The standing cast: one workspace with its people, and an outsider's."""

from dataclasses import dataclass

import pytest

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
