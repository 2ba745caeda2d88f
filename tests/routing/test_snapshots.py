"""Snapshots are exactly of the versions asked for, however they came about."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.models import Agent, Handle, Shift, Team, TeamMember, TimeOff, Workspace
from routing import snapshots
from routing.engine import Facts, LanguageTag, Load, Request, Roster, Snapshot, compile_policy, decide
from routing.models import PolicyVersion
from routing.snapshots import roster_spec_at, snapshot_at
from tests.examples import times

pytestmark = pytest.mark.django_db

EN = LanguageTag("en", "en", "Latn", "Latn")
MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
EVERYTHING = {
    "name": "all",
    "route": {"to": {"team": "t0"}, "by": "round_robin", "require": [], "prefer": ["language"], "if_nobody": "hold"},
}


@pytest.fixture
def acme():
    return Workspace.objects.create(slug="acme", name="Acme", timezone="Europe/Madrid", plan="scale")


@pytest.fixture
def kept_at_once(django_capture_on_commit_callbacks):
    """What is read in a test's transaction is kept only when it commits, which it never does."""

    def snapshot(workspace: Workspace, policy_version: int = 0) -> Snapshot:
        with django_capture_on_commit_callbacks(execute=True):
            return snapshots.snapshot(
                workspace_id=workspace.pk,
                policy_version=policy_version,
                roster_version=version_of(workspace),
            )

    return snapshot


def version_of(workspace: Workspace) -> int:
    return Workspace.objects.values_list("roster_version", flat=True).get(pk=workspace.pk)


def hire(workspace: Workspace, slug: str, **more) -> Agent:
    return Agent.objects.create(workspace=workspace, slug=slug, name=slug.title(), **more)


def office_hours(agent: Agent, start: int = 9, end: int = 17) -> None:
    Shift.objects.bulk_create(
        Shift(workspace=agent.workspace, agent=agent, weekday=day, start_minute=start * 60, end_minute=end * 60)
        for day in range(5)
    )


def in_words(roster: Roster) -> dict[str, object]:
    """All that decisions read of a roster, by agent and not by bit: bits are given in the order of arrival."""
    people = lambda mask: tuple(sorted(roster.members(mask)))  # noqa: E731
    tables = {
        name: {key: who for key, mask in getattr(roster, name).items() if (who := people(mask))}
        for name in ("languages", "scripts", "territories", "tags", "channels")
    }
    masks = {
        name: people(getattr(roster, name))
        for name in ("everybody", "active", "paused", "capped", "anywhere", "on_call_people")
    }
    teams = {
        team.id: (
            team.slug,
            people(team.mask),
            people(team.weightless),
            dict(team.weights),
            [people(tier) for tier in team.tiers],
            team.catch_up,
        )
        for team in roster.teams.values()
    }
    presence = {}
    for hour in range(0, 24 * 8, 7):
        here = roster.presence(MONDAY + timedelta(hours=hour))
        presence[hour] = [people(mask) for mask in (here.regular, here.on_call, here.time_off, here.holiday)]
    return {
        **tables,
        **masks,
        "teams": teams,
        "presence": presence,
        "slugs": dict(roster.slugs),
        "team_slugs": dict(roster.team_slugs),
        "agents": roster.spec.agents,
        "team_specs": roster.spec.teams,
        "workspace": (roster.spec.zone, roster.spec.fallback),
    }


class TestWhatIsRead:
    def test_a_roster_is_read_as_its_rows_say(self, acme):
        ana = hire(
            acme, "ana", languages=["es", "zh-TW"], territories=["ES"], tags=["Senior"], cap_day=30,
            holiday_calendar="ES-MD",
        )  # fmt: skip
        office_hours(ana)
        TimeOff.objects.create(
            workspace=acme, agent=ana, starts_local="2026-08-01T00:00", ends_local="2026-08-16T12:30"
        )
        Handle.objects.create(workspace=acme, agent=ana, channel="whatsapp", value="34600111222")
        team = Team.objects.create(workspace=acme, slug="iberia", name="Iberia", catch_up=3)
        TeamMember.objects.create(workspace=acme, team=team, agent=ana, weight=3, tier=2)
        acme.fallback_agent = ana
        acme.save()

        spec = roster_spec_at(workspace_id=acme.pk, roster_version=version_of(acme))

        person = spec.agents[ana.pk]
        assert (person.slug, person.name, person.zone) == ("ana", "Ana", "Europe/Madrid")
        assert [(tag.tag, tag.script) for tag in person.languages] == [("es", "Latn"), ("zh-TW", "Hant")]
        assert (person.territories, person.tags, person.channels) == ({"ES"}, {"Senior"}, {"whatsapp"})
        assert (person.caps.day, person.caps.open) == (30, None)
        assert len(person.shifts) == 5
        assert (person.shifts[0].weekday, person.shifts[0].start, person.shifts[0].end) == (0, 540, 1020)
        assert person.time_off[0].end == datetime(2026, 8, 16, 12, 30)
        assert datetime(2026, 5, 2).date() in spec.calendars["ES-MD"]
        group = spec.teams[team.pk]
        assert (group.slug, group.catch_up, group.archived) == ("iberia", 3, False)
        assert [(m.agent, m.weight, m.tier) for m in group.members] == [(ana.pk, 3, 2)]
        assert (spec.zone, spec.fallback) == ("Europe/Madrid", ana.pk)

    def test_an_agent_without_a_zone_follows_the_workspace(self, acme, kept_at_once):
        ana, ben = hire(acme, "ana"), hire(acme, "ben", timezone="Asia/Tokyo")
        office_hours(ana)
        office_hours(ben)
        kept_at_once(acme)
        acme.timezone = "America/Lima"
        acme.save()

        roster = kept_at_once(acme).roster

        assert roster.spec.agents[ana.pk].zone == "America/Lima"
        assert roster.spec.agents[ben.pk].zone == "Asia/Tokyo"
        assert set(roster.members(roster.presence(MONDAY + timedelta(hours=15)).regular)) == {ana.pk}

    def test_every_past_roster_can_be_rebuilt(self, acme):
        ana = hire(acme, "ana")
        before = version_of(acme)
        Agent.objects.filter(pk=ana.pk).update(is_paused=True)
        hire(acme, "ben")

        then = roster_spec_at(workspace_id=acme.pk, roster_version=before)
        now = roster_spec_at(workspace_id=acme.pk, roster_version=version_of(acme))

        assert [(a.slug, a.paused) for a in then.agents.values()] == [("ana", False)]
        assert [(a.slug, a.paused) for a in now.agents.values()] == [("ana", True), ("ben", False)]

    def test_another_workspace_is_another_roster(self, acme):
        other = Workspace.objects.create(slug="zeta", name="Zeta")
        hire(acme, "ana")
        hire(other, "zoe")

        spec = roster_spec_at(workspace_id=other.pk, roster_version=version_of(other))

        assert [agent.slug for agent in spec.agents.values()] == ["zoe"]

    def test_nothing_published_is_a_policy_without_rules(self, acme):
        snapshot = snapshot_at(workspace_id=acme.pk, policy_version=0, roster_version=version_of(acme))

        assert (snapshot.policy.rules, snapshot.policy.returning) == ((), "same_agent")
        assert snapshot.policy.join_window == timedelta(hours=24)


class TestKeeping:
    def test_versions_that_are_kept_cost_no_statement(self, acme, kept_at_once, django_assert_num_queries):
        hire(acme, "ana")
        publish(acme, 1)
        first = kept_at_once(acme, 1)
        versions = {"workspace_id": acme.pk, "policy_version": 1, "roster_version": version_of(acme)}

        with django_assert_num_queries(0):
            again = snapshots.snapshot(**versions)

        assert again.roster is first.roster
        assert again.policy is first.policy

    def test_a_new_roster_costs_one_statement_and_a_new_policy_one(self, acme, kept_at_once, django_assert_num_queries):
        ana = hire(acme, "ana")
        kept_at_once(acme)
        Agent.objects.filter(pk=ana.pk).update(is_paused=True)
        publish(acme, 1)
        versions = {"workspace_id": acme.pk, "policy_version": 1, "roster_version": version_of(acme)}

        with django_assert_num_queries(2):
            snapshot = snapshots.snapshot(**versions)

        assert list(snapshot.roster.members(snapshot.roster.paused)) == [ana.pk]

    def test_a_whole_roster_costs_one_statement(self, acme, django_assert_num_queries):
        for number in range(30):
            office_hours(hire(acme, f"a{number}"))
        versions = {"workspace_id": acme.pk, "policy_version": 0, "roster_version": version_of(acme)}

        with django_assert_num_queries(1):
            snapshots.snapshot(**versions)

    def test_a_lead_under_way_gets_the_version_it_asked_for_though_a_newer_one_is_kept(self, acme, kept_at_once):
        ana = hire(acme, "ana")
        older = version_of(acme)
        Agent.objects.filter(pk=ana.pk).update(is_paused=True)
        kept_at_once(acme)

        roster = snapshots.snapshot(workspace_id=acme.pk, policy_version=0, roster_version=older).roster

        assert not roster.paused

    def test_a_version_that_was_rolled_back_is_not_kept(self, acme):
        ana = hire(acme, "ana")
        with transaction.atomic():
            Agent.objects.filter(pk=ana.pk).update(is_paused=True)
            seen = snapshots.snapshot(workspace_id=acme.pk, policy_version=0, roster_version=version_of(acme))
            assert seen.roster.paused
            transaction.set_rollback(True)
        Agent.objects.filter(pk=ana.pk).update(is_active=False)

        roster = snapshots.snapshot(workspace_id=acme.pk, policy_version=0, roster_version=version_of(acme)).roster

        assert (bool(roster.paused), bool(roster.active)) == (False, False)

    def test_only_the_workspaces_used_last_are_kept(self, kept_at_once, monkeypatch, django_assert_num_queries):
        monkeypatch.setattr(snapshots, "_WORKSPACES", 2)
        first, second, third = (Workspace.objects.create(slug=f"w{n}", name=f"W{n}") for n in range(3))
        for workspace in (first, second, first, third):
            kept_at_once(workspace)

        for workspace, statements in ((first, 0), (third, 0), (second, 1)):
            version = version_of(workspace)
            with django_assert_num_queries(statements):
                snapshots.snapshot(workspace_id=workspace.pk, policy_version=0, roster_version=version)


def document() -> dict:
    return {
        "returning": "same_agent",
        "join_window": 3600,
        "intent": {"hot": 70, "warm": 30},
        "scoring": [],
        "rules": [EVERYTHING],
    }


def publish(workspace: Workspace, number: int) -> PolicyVersion:
    return PolicyVersion.objects.create(workspace=workspace, number=number, document=document(), published_at=MONDAY)


# Edits of a roster, each (what, numbers): whatever they are, a patched roster is the one compiled anew.

EDITS: dict[str, Callable] = {}


def edit(function: Callable) -> Callable:
    EDITS[function.__name__] = function
    return function


def pick(rows, number: int):
    found = list(rows.order_by("pk"))
    return found[number % len(found)] if found else None


@edit
def hire_somebody(acme, x, y):
    slug = f"n{Agent.objects.count()}-{x}-{y}"
    zone = ["", "Asia/Tokyo", "America/Lima"][y % 3]
    hire(acme, slug, timezone=zone, languages=["en", "es"][: x % 3], cap_open=x or None, tags=["vip"] * (y % 2))


@edit
def pause(acme, x, y):
    Agent.objects.filter(pk=pick(Agent.objects.filter(workspace=acme), x).pk).update(is_paused=bool(y % 2))


@edit
def deactivate(acme, x, y):
    Agent.objects.filter(pk=pick(Agent.objects.filter(workspace=acme), x).pk).update(is_active=bool(y % 2))


@edit
def teach(acme, x, y):
    agent = pick(Agent.objects.filter(workspace=acme), x)
    agent.languages = [["es-MX"], [], ["en", "zh-TW"]][y % 3]
    agent.territories = [["ES"], [], ["US-CA", "PT"]][y % 3]
    agent.holiday_calendar = ["", "ES", "ES-MD"][y % 3]
    agent.save()


@edit
def move(acme, x, y):
    agent = pick(Agent.objects.filter(workspace=acme), x)
    agent.timezone = ["", "Asia/Tokyo", "Europe/Berlin", "America/Lima"][y % 4]
    agent.save()


@edit
def add_shift(acme, x, y):
    agent = pick(Agent.objects.filter(workspace=acme), x)
    Shift.objects.create(
        workspace=acme, agent=agent, weekday=y % 7, start_minute=60 * (x + y) % 1440, end_minute=1 + 61 * y % 1440,
        kind=["regular", "on_call"][y % 2],
    )  # fmt: skip


@edit
def hand_shifts_over(acme, x, y):
    giver, taker = pick(Agent.objects.filter(workspace=acme), x), pick(Agent.objects.filter(workspace=acme), y)
    Shift.objects.filter(agent=giver).update(agent=taker)


@edit
def drop_shifts(acme, x, y):
    Shift.objects.filter(agent=pick(Agent.objects.filter(workspace=acme), x), weekday=y % 7).delete()


@edit
def take_leave(acme, x, y):
    agent = pick(Agent.objects.filter(workspace=acme), x)
    TimeOff.objects.create(
        workspace=acme, agent=agent, starts_local=f"2026-03-0{2 + y % 5}T0{y % 10}:30", ends_local="2026-03-08T12:00"
    )


@edit
def give_handle(acme, x, y):
    agent = pick(Agent.objects.filter(workspace=acme), x)
    channel = ["whatsapp", "telegram", "email"][y % 3]
    if Handle.objects.filter(agent=agent, channel=channel).exists():
        Handle.objects.filter(agent=agent, channel=channel).delete()
    else:
        Handle.objects.create(workspace=acme, agent=agent, channel=channel, value=f"h{y}")


@edit
def join_team(acme, x, y):
    team, agent = pick(Team.objects.filter(workspace=acme), y), pick(Agent.objects.filter(workspace=acme), x)
    TeamMember.objects.update_or_create(
        team=team, agent=agent, defaults={"workspace": acme, "weight": y % 4, "tier": 1 + x % 2}
    )


@edit
def leave_team(acme, x, y):
    if member := pick(TeamMember.objects.filter(workspace=acme), x + y):
        member.delete()


@edit
def found_team(acme, x, y):
    Team.objects.create(workspace=acme, slug=f"t{Team.objects.count()}", name="T", catch_up=x)


@edit
def archive_team(acme, x, y):
    team = pick(Team.objects.filter(workspace=acme), x)
    team.archived_at = MONDAY if y % 2 else None
    team.save()


@edit
def sack(acme, x, y):
    """Somebody nobody names goes for good, with their slug, which somebody else gets at once."""
    agent = pick(Agent.objects.filter(workspace=acme, team_members=None, fallback_of=None), x)
    if agent is not None:
        for rows in (agent.shifts, agent.time_off, agent.handles):
            rows.all().delete()
        slug = agent.slug
        agent.delete()
        hire(acme, slug, languages=["es"])


@edit
def change_workspace(acme, x, y):
    acme.refresh_from_db()
    acme.timezone = ["UTC", "Europe/Madrid", "Asia/Kathmandu"][x % 3]
    acme.fallback_agent = pick(Agent.objects.filter(workspace=acme), y)
    acme.save()


steps = st.lists(st.tuples(st.sampled_from(sorted(EDITS)), st.integers(0, 9), st.integers(0, 9)), max_size=12)


@settings(max_examples=times(0.4), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits=st.lists(steps, min_size=1, max_size=4))
def test_a_patched_roster_is_the_one_compiled_anew_and_decides_alike(edits, django_capture_on_commit_callbacks):
    with transaction.atomic():
        acme = Workspace.objects.create(slug="acme", name="Acme", timezone="Europe/Madrid", plan="scale")
        Team.objects.create(workspace=acme, slug="t0", name="T0")
        for slug in ("ana", "ben", "cas"):
            office_hours(hire(acme, slug, languages=["en"]))
        snapshots.forget()
        publish(acme, 1)
        for round_ in ([], *edits):
            for name, x, y in round_:
                EDITS[name](acme, x, y)
            versions = {"workspace_id": acme.pk, "policy_version": 1, "roster_version": version_of(acme)}
            with django_capture_on_commit_callbacks(execute=True):
                patched = snapshots.snapshot(**versions)
            fresh = snapshot_at(**versions)
            assert in_words(patched.roster) == in_words(fresh.roster)
            assert decisions(patched) == decisions(fresh)
        transaction.set_rollback(True)


def decisions(snapshot: Snapshot) -> list:
    policy = compile_policy(document(), 1)
    request = Request(Facts({"channel": "whatsapp", "country": "ES", "language": "en"}, EN))
    loads = {agent: Load(open=agent % 4) for agent in snapshot.roster.spec.agents}
    return [
        decide(request, Snapshot(policy, snapshot.roster), loads, {}, MONDAY + timedelta(hours=hour))
        for hour in range(0, 24 * 7, 31)
    ]


@pytest.mark.django_db(transaction=True)
def test_threads_that_ask_while_the_roster_moves_on_each_get_their_version(acme):
    ana = hire(acme, "ana")
    asked: list[tuple[int, bool]] = []
    wrong: list[object] = []
    for number in range(20):
        Agent.objects.filter(pk=ana.pk).update(is_paused=number % 2 == 0)
        asked.append((version_of(acme), number % 2 == 0))

    def ask(order: list[tuple[int, bool]]) -> None:
        try:
            for version, paused in order:
                roster = snapshots.snapshot(workspace_id=acme.pk, policy_version=0, roster_version=version).roster
                if bool(roster.paused) is not paused:
                    wrong.append((version, paused))
        except Exception as error:
            wrong.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask, args=(asked[start:] + asked[:start],)) for start in (0, 3, 7, 11)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []
