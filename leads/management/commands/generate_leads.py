"""manage.py generate_leads: a made-up workspace with a past, to look at reports and to measure them."""

from __future__ import annotations

import json
import random
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction
from django.utils import timezone

from agents.models import Agent, Handle, Shift, Team, TeamMember, Workspace
from agents.roster import one_change
from leads.speed import days
from routing.engine import U
from routing.publishing import publish, replace_draft

TEAM_SIZE = 10
CHANNELS = {"whatsapp": 46, "form": 22, "phone": 16, "telegram": 9, "email": 7}
COUNTRIES = {"ES": 38, "PT": 14, "MX": 11, "FR": 9, "DE": 8, "IT": 6, "US": 5, "GB": 5, "": 4}
SOURCES = {"widget": 70, "api": 18, "form": 12}
# Decisions that differ, of each team: who was there and whose turn it was.
VARIANTS = 60
# How many leads come at an hour of the day, of a working day and of a weekend.
WORKING = (2, 1, 1, 1, 1, 2, 5, 14, 40, 78, 96, 100, 92, 70, 62, 74, 88, 90, 74, 52, 36, 24, 12, 6)
WEEKEND = (2, 1, 1, 1, 1, 1, 2, 4, 9, 16, 22, 25, 24, 20, 17, 16, 17, 19, 20, 18, 15, 11, 7, 4)

# Times of arrival by the weights; answers by a lognormal time that grows out of hours; one lead in twelve is never
# answered. `%(...)s` are arrays by code, from 1.
_LEADS = """
INSERT INTO leads_lead (id, workspace_id, source, channel, received_at, created_at, status, outcome, reason, rule,
    agent_id, team_id, reached_on, assigned_at, first_assigned_at, first_response_at, answered_by_id, response_us,
    covered_response_us, closed_as, closed_at, confirmed_at, unconfirmed_at, flagged, visitor_id, name, email, phone,
    message, language, country, region, city, page_url, referrer, attributes, network, joined_count, facts, known,
    intent, reference, status_token, held_for, held_available, held_capped, claim_over, tried, sla, clock_from,
    respond_by, ladder, reroutes, breached_at, alerts)
SELECT gen_random_uuid(), %(workspace)s, source, channel, at, at,
    CASE WHEN closed THEN 'closed' WHEN answered THEN 'answered' ELSE 'open' END,
    'assigned', 'round_robin', 'Team ' || team_place, agent, (%(teams)s::bigint[])[team_place], channel, at, at,
    CASE WHEN answered THEN at + took * interval '1 microsecond' END, CASE WHEN answered THEN agent END,
    CASE WHEN answered THEN took END, CASE WHEN answered THEN (took * covered)::bigint END,
    CASE WHEN NOT closed THEN '' WHEN ending < won THEN 'won' WHEN ending < 0.9 THEN 'lost' ELSE 'spam' END,
    CASE WHEN closed THEN at + took * interval '1 microsecond' + interval '2 days' END,
    CASE WHEN answered THEN at + took * interval '1 microsecond' END,
    CASE WHEN NOT answered AND channel IN ('whatsapp', 'telegram') AND ending < 0.4 THEN at + interval '8 hours' END,
    '', '', 'Visitor ' || n, 'visitor' || n || '@mail.example', '', 'Hello', 'es', country, '', '',
    'https://www.example.com/pricing', '', '{}', '', 0, '{}', '{}', '', 'G' || lpad(to_hex(n), 9, '0'),
    'generated-' || n, '', '[]', '[]', false, '[]', '{"respond_within": 900, "clock": "wall"}', at,
    at + interval '15 minutes', '[]', CASE WHEN took > 1800000000 THEN 1 ELSE 0 END,
    CASE WHEN NOT answered OR took > 900000000 THEN at + interval '15 minutes' END, '[]'
FROM (
    SELECT n, at, closed_draw < 0.6 AND answered AND at < %(until)s::timestamptz - interval '20 days' AS closed,
        answered, covered, ending, agent, 1 + (agent_place - 1) / %(team_size)s AS team_place,
        (%(channels)s::text[])[1 + width_bucket(channel_draw, %(channel_edges)s::float8[])] AS channel,
        (%(countries)s::text[])[1 + width_bucket(country_draw, %(country_edges)s::float8[])] AS country,
        (%(sources)s::text[])[1 + width_bucket(source_draw, %(source_edges)s::float8[])] AS source,
        took, CASE WHEN took < 300000000 THEN 0.34 WHEN took < 3600000000 THEN 0.22 ELSE 0.11 END AS won
    FROM (
        SELECT n, at, random() AS closed_draw, random() AS channel_draw, random() AS country_draw,
            random() AS source_draw, random() AS ending, random() > 0.08 AS answered, 0.4 + 0.6 * random() AS covered,
            agent_place, (%(agents)s::bigint[])[agent_place] AS agent,
            (1000000 * exp(5.1 + 0.6 * sin(agent_place) + CASE WHEN is_quiet THEN 2.6 ELSE 0 END
                + 1.5 * sqrt(-2 * ln(1 - random())) * cos(6.2831853 * random())))::bigint AS took
        FROM (
            SELECT n, 1 + floor(random() * %(agent_count)s)::int AS agent_place,
                hour %% 24 NOT BETWEEN 7 AND 18 OR hour >= 120 AS is_quiet,
                %(monday)s::timestamptz + hour * interval '1 hour'
                    + floor(random() * %(weeks)s) * interval '7 days' + random() * interval '1 hour' AS at
            FROM (SELECT n, width_bucket(random(), %(hour_edges)s::float8[]) AS hour
                FROM generate_series(%(first)s, %(last)s) AS n OFFSET 0) AS hours
        ) AS arrivals
        WHERE at < %(until)s::timestamptz
        OFFSET 0
    ) AS draws
    OFFSET 0
) AS lead
"""
_ASSIGNMENTS = """
INSERT INTO leads_assignment (workspace_id, lead_id, agent_id, reason, assigned_at, closed_at)
SELECT workspace_id, id, agent_id, reason, assigned_at, closed_at FROM leads_lead WHERE workspace_id = %(workspace)s
"""
_DECISIONS = """
INSERT INTO leads_decision (workspace_id, lead_id, at, trigger, policy_version, roster_version, zone_data, holiday_data,
    request, loads, ledger, decision, outcome, reason, agent_id, moved_ledger, given_back)
SELECT workspace_id, id, received_at, 'intake', 1, 1, '', '', '{}', '{}', '{"turns": 0, "entries": {}}',
    made.decision, outcome, reason, lead.agent_id, true, ''
FROM (
    SELECT *, mod(row_number() OVER (), %(variants)s) AS variant FROM leads_lead WHERE workspace_id = %(workspace)s
) AS lead JOIN made ON made.agent_id = lead.agent_id AND made.variant = lead.variant
"""


class Command(BaseCommand):
    help = (
        "Makes a workspace of invented agents, and leads with the shape of real days and weeks. Only on PostgreSQL,"
        " in a database that holds nothing else."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--leads", type=int, default=100_000)
        parser.add_argument("--agents", type=int, default=40)
        parser.add_argument("--weeks", type=int, default=52)
        parser.add_argument("--slug", default="generated")
        parser.add_argument("--no-packing", action="store_true", help="leave it to the worker to pack the days")

    def handle(self, *args: Any, **options: Any) -> None:
        if connection.vendor != "postgresql":
            raise CommandError("leads are generated on PostgreSQL only: set DATABASE_URL to an empty database of its")
        if Workspace.objects.exists():
            raise CommandError(
                "this database holds a workspace already. Invented leads belong among no real ones: make an empty"
                " database, and set DATABASE_URL to it"
            )
        count, agents, weeks = options["leads"], options["agents"], options["weeks"]
        if count < 1 or weeks < 1 or agents < TEAM_SIZE or agents % TEAM_SIZE:
            raise CommandError(f"at least one lead and one week, and agents in teams of {TEAM_SIZE}")
        at = timezone.now().replace(minute=0, second=0, microsecond=0)
        with transaction.atomic():
            workspace = _workspace(options["slug"], agents, at)
            _fill(workspace, count, weeks, at)
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE leads_lead, leads_assignment, leads_decision")
        if not options["no_packing"]:
            days.rebuild(workspace_id=workspace.pk, at=at)
        self.stdout.write(f"{workspace.leads.count()} leads of {agents} agents in workspace {workspace.slug}")


def _workspace(slug: str, agents: int, at: datetime) -> Workspace:
    dice = random.Random(0)  # noqa: S311 - the same people every time
    with one_change():
        workspace = Workspace.objects.create(
            slug=slug, name="Generated", plan="scale", timezone="Europe/Madrid", languages=["es", "en"]
        )
        made = Agent.objects.bulk_create(
            Agent(workspace=workspace, slug=f"a{place}", name=name, languages=["es", "en", "pt"][: 1 + place % 3])
            for place, name in enumerate(_names(agents, dice))
        )
        shifts = [(day, start, start + 540) for day in range(5) for start in (480, 600)]
        Shift.objects.bulk_create(
            Shift(workspace=workspace, agent=agent, weekday=day, start_minute=start, end_minute=end)
            for place, agent in enumerate(made)
            for day, start, end in shifts[place % 2 :: 2]
        )
        Handle.objects.bulk_create(
            Handle(workspace=workspace, agent=agent, channel="whatsapp", value="+34600111222") for agent in made
        )
        for place in range(agents // TEAM_SIZE):
            team = Team.objects.create(workspace=workspace, slug=f"t{place + 1}", name=f"Team {place + 1}")
            TeamMember.objects.bulk_create(
                TeamMember(workspace=workspace, team=team, agent=agent)
                for agent in made[place * TEAM_SIZE : (place + 1) * TEAM_SIZE]
            )
    document = {
        "returning": "same_agent", "join_window": 86_400, "intent": {"hot": 70, "warm": 30}, "scoring": [],
        "rules": [
            {"name": f"Team {place + 1}", "route": {"to": {"team": f"t{place + 1}"}}}
            for place in range(agents // TEAM_SIZE)
        ],
    }  # fmt: skip
    replace_draft(workspace, document)
    publish(workspace=workspace, by=None, at=at)
    workspace.refresh_from_db()
    return workspace


def _fill(workspace: Workspace, count: int, weeks: int, at: datetime) -> None:
    agents = list(workspace.agents.order_by("pk").values_list("pk", flat=True))
    monday = datetime(at.year, at.month, at.day, tzinfo=UTC) - timedelta(days=at.weekday(), weeks=weeks - 1)
    given: dict[str, Any] = {
        "workspace": workspace.pk,
        "agents": agents,
        "agent_count": len(agents),
        "teams": list(workspace.teams.order_by("pk").values_list("pk", flat=True)),
        "team_size": TEAM_SIZE,
        "monday": monday,
        "weeks": weeks,
        "until": at,
        "hour_edges": _edges([*WORKING * 5, *WEEKEND * 2]),
    }
    for name, weighted in (("channel", CHANNELS), ("country", COUNTRIES), ("source", SOURCES)):
        plural = f"{name[:-1]}ies" if name.endswith("y") else f"{name}s"
        given |= {plural: list(weighted), f"{name}_edges": _edges(list(weighted.values()))}
    with connection.cursor() as cursor:
        cursor.execute("SELECT setseed(0.5)")
        if _is_superuser(cursor):
            # What is made here fits together: checking a million rows for that would take most of the time.
            cursor.execute("SET LOCAL session_replication_role = replica")
        made = 0
        while made < count:  # what would come in later than now is drawn again
            cursor.execute(_LEADS, {**given, "first": made * 2 + 1, "last": made * 2 + count - made})
            if cursor.rowcount == 0:
                break
            made += cursor.rowcount
        cursor.execute(_ASSIGNMENTS, given)
        cursor.execute("CREATE TEMPORARY TABLE made (agent_id bigint, variant int, decision jsonb) ON COMMIT DROP")
        cursor.executemany("INSERT INTO made VALUES (%s, %s, %s)", list(_decisions(workspace)))
        cursor.execute(_DECISIONS, {**given, "variants": VARIANTS})


def _is_superuser(cursor: Any) -> bool:
    cursor.execute("SELECT current_setting('is_superuser') = 'on'")
    return bool(cursor.fetchone()[0])


def _edges(weights: Sequence[int]) -> list[float]:
    """Where the next one begins, of so many that share 0 to 1 by their weights."""
    total, passed, edges = sum(weights), 0, []
    for weight in weights[:-1]:
        passed += weight
        edges.append(passed / total)
    return edges


def _decisions(workspace: Workspace) -> Iterator[tuple[int, int, str]]:
    """For each agent the decisions that gave them a lead: some colleagues could have had it, some not."""
    dice = random.Random(1)  # noqa: S311
    why_not = ["off_shift"] * 5 + ["paused", "at_cap", "language", "time_off"]
    members: dict[int, list[int]] = {}
    for team, agent in TeamMember.objects.filter(workspace=workspace).order_by("agent").values_list("team", "agent"):
        members.setdefault(team, []).append(agent)
    teams = {agent: (team, people) for team, people in members.items() for agent in people}
    for agent in sorted(teams):
        team, people = teams[agent]
        for variant in range(VARIANTS):
            takers = [other for other in people if other == agent or dice.random() < 0.7]
            share = U // len(takers)
            candidates = [
                [
                    other,
                    "chosen" if other == agent else "not_their_turn" if other in takers else dice.choice(why_not),
                    None,
                ]
                for other in people
            ]
            decision = {
                "outcome": "assigned",
                "agent": agent,
                "rule": "",
                "reason": "round_robin",
                "channel": None,
                "pools": [["", "regular", candidates, "assigned"]],
                "turn": [agent, [[taker, share] for taker in takers], share * len(takers), 1, []],
                "ledger": team,
                "target": None,
                "score": None,
                "intent": None,
            }
            yield agent, variant, json.dumps(decision)  # fmt: skip


def _names(count: int, dice: random.Random) -> list[str]:
    first = (
        "Ana Bruno Carla Diego Elena Fabio Gloria Hugo Inés João Karim Lucía Marta Nuno Olga Pablo Rita Sara Tomás Vera"
    )
    last = "Almeida Blanco Castro Duarte Estrada Fuentes García Herrera Iglesias Lima Moreno Navarro Ortiz Prieto Ruiz"
    return [f"{dice.choice(first.split())} {dice.choice(last.split())} {place + 1}" for place in range(count)]
