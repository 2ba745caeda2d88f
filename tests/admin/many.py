"""A large workspace, made with few statements: for pages whose cost must not grow with what there is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db import connection
from django.utils import timezone

from agents.models import Agent, Handle, Membership, Shift, Team, TeamMember, User, Workspace
from agents.roster import one_change
from leads.models import Lead
from routing.models import Rule
from routing.publishing import publish, replace_draft
from routing.rulebook import DEFAULTS, normalise_policy
from tests.leads.world import World, make_world, only, person, rule

AGENTS, TEAMS, RULES, LEADS = 1_000, 20, 200, 100_000


def make_large_world(*, agents: int = AGENTS, rules: int = RULES, leads: int = LEADS) -> World:
    """Agents with shifts and a handle in twenty teams, rules for them, and the leads of the last weeks."""
    world = make_world(person("ana"), timezone="Europe/Madrid", languages=["es", "en"], fallback="ana")
    workspace = world.workspace
    with one_change():
        people = Agent.objects.bulk_create(
            Agent(workspace=workspace, slug=f"a{n}", name=f"Agent {n:04}", languages=["es", "en"], territories=["ES"])
            for n in range(agents - 1)
        )
        Shift.objects.bulk_create(
            Shift(workspace=workspace, agent=agent, weekday=n % 7, start_minute=540, end_minute=1_080)
            for n, agent in enumerate(people)
        )
        Handle.objects.bulk_create(
            Handle(workspace=workspace, agent=agent, channel="whatsapp", value=f"+3460{n:07}")
            for n, agent in enumerate(people)
        )
        teams = Team.objects.bulk_create(
            Team(workspace=workspace, slug=f"t{n}", name=f"Team {n:02}") for n in range(TEAMS)
        )
        TeamMember.objects.bulk_create(
            TeamMember(workspace=workspace, team=teams[n % TEAMS], agent=agent) for n, agent in enumerate(people)
        )
    documents = [
        rule(f"Rule {n:03}", f"t{n % TEAMS}", when=only("page_path", f"/{n}", "starts_with"), require=["language"])
        for n in range(rules - 1)
    ]
    policy = normalise_policy({**DEFAULTS, "rules": [*documents, rule("Everybody else")]}, roster_names=None)
    replace_draft(workspace, policy)
    publish(workspace=workspace, by=None, at=timezone.now())
    template = world.lead(world.send(at=timezone.now(), name="Nora", email="nora@mail.test", page_url="/1"))
    _copy(template, leads - 1, people)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE leads_lead")
    return world


def owner_of(world: World) -> User:
    user = User.objects.create_user("owner@large.test", "secret")
    Membership.objects.create(workspace=world.workspace, user=user, role="owner")
    return user


def addresses(world: World) -> Iterator[str]:
    """Every list of the admin that owners see, and the pages below them that show much."""
    for model in admin.site._registry:
        if model._meta.app_label != "auth" and model not in (Workspace, User):
            yield f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
    own = {
        model: model.objects.for_workspace(world.workspace).order_by("pk").last() for model in (Agent, Team, Rule, Lead)
    }
    for model, row in own.items():
        yield f"/admin/{model._meta.app_label}/{model._meta.model_name}/{row.pk}/change/"
    yield from (
        "/admin/",
        f"/admin/leads/lead/{own[Lead].pk}/why/",
        "/admin/leads/lead/?q=visitor99000",
        "/admin/leads/lead/?country=FR&status=open",
        "/admin/routing/rule/add/",
        "/admin/routing/rule/try/",
        "/admin/routing/policyversion/publish/",
    )


def _copy(lead: Lead, copies: int, people: list[Agent]) -> None:
    """So many leads like this one, a minute apart, in one statement."""
    is_postgres = connection.vendor == "postgresql"
    minute = "received_at - n * interval '1 minute'" if is_postgres else "datetime(received_at, '-' || n || ' minutes')"
    changed = {
        "id": "md5(n::text)::uuid" if is_postgres else "printf('%%032x', n)",
        "reference": "'M' || n",
        "status_token": "'token-' || n",
        "received_at": minute,
        "created_at": minute,
        "name": "'Visitor ' || n",
        "email": "'visitor' || n || '@mail.test'",
        "visitor_id": "'visitor-' || n",
        "agent_id": f"{people[0].pk} + n %% {len(people)}",
        "country": "CASE n %% 3 WHEN 0 THEN 'ES' WHEN 1 THEN 'FR' ELSE 'DE' END",
    }
    columns = [column.column for column in Lead._meta.concrete_fields]
    values = ", ".join(changed.get(column, column) for column in columns)
    with connection.cursor() as cursor:
        # They refer to what the one they are copied from does: checking that for each costs more than writing them.
        unchecked = is_postgres and _is_superuser(cursor)
        if unchecked:
            cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(
            "WITH RECURSIVE series(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < %s)"
            f" INSERT INTO leads_lead ({', '.join(columns)}) SELECT {values} FROM leads_lead, series WHERE id = %s",
            [copies, lead.pk if is_postgres else lead.pk.hex],
        )
        if unchecked:
            cursor.execute("SET LOCAL session_replication_role = origin")


def _is_superuser(cursor: Any) -> bool:
    cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
    return bool(cursor.fetchone()[0])
