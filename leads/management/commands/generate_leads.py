"""manage.py generate_leads: a made-up workspace with a past, to look at reports and to measure them."""

from __future__ import annotations

import json
import random
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction
from django.utils import timezone

from agents.models import Agent, Handle, Shift, Team, TeamMember, TimeOff, Workspace
from agents.roster import one_change
from leads.reports import invented
from leads.reports.invented import LANGUAGES, Past, Person, Turns, arrivals
from leads.speed import days
from routing.models import Ledger
from routing.publishing import publish, replace_draft

DAY = timedelta(days=1)
ZONE = "Europe/Madrid"
NULL = "\\N"  # as COPY reads it
TEAM_SIZE = 10
CHANNELS = {"whatsapp": 46, "form": 22, "phone": 16, "telegram": 9, "email": 7}
COUNTRIES = {"ES": 38, "PT": 14, "MX": 11, "FR": 9, "DE": 8, "IT": 6, "US": 5, "GB": 5, "": 4}
SOURCES = {"widget": 70, "api": 18, "form": 12}
SLA = {"respond_within": 900, "escalate_after": 3_600, "clock": "covered"}
# Of each team, when each works: days (0: Monday), and hours between which they are there. At night nobody is.
WORKING_DAYS, EARLY_WEEK, LATE_WEEK = range(5), (5, 6, 0, 1), (3, 4, 5, 6)
SHIFTS = (*[(WORKING_DAYS, 8, 17)] * 4, *[(WORKING_DAYS, 11, 20)] * 3, (WORKING_DAYS, 13, 22),
          (EARLY_WEEK, 9, 18), (LATE_WEEK, 12, 21))  # fmt: skip

# Answers by a lognormal time from when the lead was given to somebody; one lead in twelve is never answered, and is
# given up after five days. `%(...)s` are arrays by code, from 1.
_TURNS = """
CREATE TEMPORARY TABLE turns (n int, came bigint, given bigint, team_place int, agent_place int, language text,
    made int, held int, turn int, credit bigint) ON COMMIT DROP
"""
_LEADS = """
INSERT INTO leads_lead (id, workspace_id, source, channel, received_at, created_at, status, outcome, reason, rule,
    agent_id, team_id, reached_on, assigned_at, first_assigned_at, first_response_at, answered_by_id, response_us,
    covered_response_us, closed_as, closed_at, confirmed_at, unconfirmed_at, flagged, visitor_id, name, email, phone,
    message, language, country, region, city, page_url, referrer, attributes, network, joined_count, facts, known,
    intent, reference, status_token, held_for, held_available, held_capped, claim_over, tried, sla, clock_from,
    respond_by, ladder, reroutes, breached_at, escalated_at, alerts)
SELECT gen_random_uuid(), %(workspace)s, source, channel, at, at,
    CASE WHEN closed_at < until THEN 'closed' WHEN answered THEN 'answered' ELSE 'open' END,
    'assigned', CASE WHEN is_held THEN 'shift_started' ELSE 'round_robin' END, 'Team ' || team_place, agent,
    (%(teams)s::bigint[])[team_place], channel, given_at, given_at,
    CASE WHEN answered THEN answered_at END, CASE WHEN answered THEN agent END,
    CASE WHEN answered THEN given - came + took END, CASE WHEN answered THEN (took * covered)::bigint END,
    CASE WHEN NOT closed_at < until THEN '' WHEN answered AND ending < won THEN 'won' WHEN ending < 0.95 THEN 'lost'
        ELSE 'spam' END,
    CASE WHEN closed_at < until THEN closed_at END, CASE WHEN answered THEN answered_at END,
    CASE WHEN NOT answered AND channel IN ('whatsapp', 'telegram') AND ending < 0.4
        AND given_at + interval '8 hours' < until THEN given_at + interval '8 hours' END,
    '', '', 'Visitor ' || n, 'visitor' || n || '@mail.example', '', 'Hello', language, country, '', '',
    'https://www.example.com/team-' || team_place || '/pricing', '', '{}', '', 0, '{}', '{}', '',
    'G' || lpad(to_hex(n), 9, '0'), 'generated-' || n, '', '[]', '[]', false, '[]', %(sla)s, given_at,
    given_at + interval '15 minutes', '[]', 0,
    CASE WHEN is_late AND given_at + interval '15 minutes' < until THEN given_at + interval '15 minutes' END,
    CASE WHEN (NOT answered OR took > 3600000000) AND given_at + interval '1 hour' < until
        THEN given_at + interval '1 hour' END,
    '[]'
FROM (
    SELECT *, NOT answered OR took > 900000000 AS is_late, CASE WHEN answered
            THEN answered_at + CASE WHEN closing < 0.6 THEN interval '2 days' ELSE interval '12 days' END
            ELSE given_at + interval '5 days' END AS closed_at,
        CASE WHEN took < 300000000 THEN 0.34 WHEN took < 3600000000 THEN 0.22 ELSE 0.11 END AS won
    FROM (
        SELECT *, given_at + took * interval '1 microsecond' AS answered_at,
            answering > 0.08 AND given_at + took * interval '1 microsecond' < until AS answered
        FROM (
            SELECT n, came, given, team_place, language, held IS NOT NULL AS is_held, %(until)s::timestamptz AS until,
                'epoch'::timestamptz + came * interval '1 microsecond' AS at,
                'epoch'::timestamptz + given * interval '1 microsecond' AS given_at,
                (%(agents)s::bigint[])[agent_place] AS agent,
                (%(channels)s::text[])[1 + width_bucket(random(), %(channel_edges)s::float8[])] AS channel,
                (%(countries)s::text[])[1 + width_bucket(random(), %(country_edges)s::float8[])] AS country,
                (%(sources)s::text[])[1 + width_bucket(random(), %(source_edges)s::float8[])] AS source,
                random() AS closing, random() AS ending, random() AS answering, 0.4 + 0.6 * random() AS covered,
                (1000000 * exp(5.1 + 0.6 * sin(agent_place)
                    + 1.5 * sqrt(-2 * ln(1 - random())) * cos(6.2831853 * random())))::bigint AS took
            FROM turns OFFSET 0
        ) AS draws
        OFFSET 0
    ) AS answers
    OFFSET 0
) AS lead
ORDER BY n
"""
_ASSIGNMENTS = """
INSERT INTO leads_assignment (workspace_id, lead_id, agent_id, reason, assigned_at, closed_at)
SELECT workspace_id, id, agent_id, reason, assigned_at, closed_at FROM leads_lead WHERE workspace_id = %(workspace)s
"""
# Of a ledger as it was, only the entry of whoever was chosen: enough to see that it did not stand even.
_DECISIONS = """
INSERT INTO leads_decision (workspace_id, lead_id, at, trigger, policy_version, roster_version, zone_data, holiday_data,
    request, loads, ledger, decision, outcome, reason, agent_id, moved_ledger, given_back)
SELECT lead.workspace_id, lead.id, lead.assigned_at, CASE WHEN turns.held IS NULL THEN 'intake' ELSE 'release' END, 1,
    1, '', '', '{}', '{}', jsonb_build_object('turns', turn, 'entries', CASE WHEN turn = 0 THEN '{}'::jsonb
        ELSE jsonb_build_object(lead.agent_id::text, jsonb_build_array(credit, 0, 0)) END),
    made.decision, 'assigned', lead.reason, lead.agent_id, true, ''
FROM turns JOIN leads_lead AS lead ON lead.status_token = 'generated-' || n JOIN made ON made.id = turns.made
ORDER BY lead.assigned_at
"""
_HELD = """
INSERT INTO leads_decision (workspace_id, lead_id, at, trigger, policy_version, roster_version, zone_data, holiday_data,
    request, loads, decision, outcome, reason, moved_ledger, given_back)
SELECT lead.workspace_id, lead.id, lead.received_at, 'intake', 1, 1, '', '', '{}', '{}', made.decision, 'held',
    'nobody', false, ''
FROM turns JOIN leads_lead AS lead ON lead.status_token = 'generated-' || n JOIN made ON made.id = turns.held
"""
_INDEXES = """
SELECT indexname, indexdef FROM pg_indexes
WHERE schemaname = current_schema() AND tablename IN ('leads_lead', 'leads_assignment', 'leads_decision')
    AND indexdef NOT LIKE 'CREATE UNIQUE%'
"""
_LOADS = """
UPDATE routing_load SET open = found.open, last_assigned_at = found.last_assigned_at
FROM (
    SELECT agent_id, count(*) FILTER (WHERE status <> 'closed') AS open, max(assigned_at) AS last_assigned_at
    FROM leads_lead WHERE workspace_id = %(workspace)s GROUP BY agent_id
) AS found
WHERE routing_load.agent_id = found.agent_id
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
        today = at.astimezone(ZoneInfo(ZONE)).date()
        first = today - (today.weekday() + 7 * (weeks - 1)) * DAY
        start = datetime.combine(first, time(), ZoneInfo(ZONE))
        with transaction.atomic():
            workspace = _workspace(options["slug"], agents, first, at)
            _fill(workspace, count, start, at)
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE leads_lead, leads_assignment, leads_decision")
        if not options["no_packing"]:
            days.rebuild(workspace_id=workspace.pk, at=at)
        self.stdout.write(f"{workspace.leads.count()} leads of {agents} agents in workspace {workspace.slug}")


def _workspace(slug: str, agents: int, first: date, at: datetime) -> Workspace:
    dice = random.Random(0)  # noqa: S311 - the same people every time
    with one_change():
        workspace = Workspace.objects.create(
            slug=slug, name="Generated", plan="scale", timezone=ZONE, languages=["es", "en"]
        )
        made = Agent.objects.bulk_create(
            Agent(
                workspace=workspace, slug=f"a{place}", name=name, languages=list(LANGUAGES)[: 1 + place % TEAM_SIZE % 3]
            )
            for place, name in enumerate(_names(agents, dice))
        )
        Shift.objects.bulk_create(
            Shift(workspace=workspace, agent=agent, weekday=day, start_minute=begins * 60, end_minute=ends * 60)
            for place, agent in enumerate(made)
            for days, begins, ends in [SHIFTS[place % TEAM_SIZE]]
            for day in days
        )
        TimeOff.objects.bulk_create(
            TimeOff(workspace=workspace, agent=agent, starts_local=f"{since}T00:00", ends_local=f"{until}T00:00")
            for agent in made
            for since, until in _leave(first, at.date(), dice)
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
    rules = [
        {
            "name": f"Team {place + 1}",
            "when": {"all": [{"field": "page_url", "op": "contains", "value": f"/team-{place + 1}/"}]},
            "route": {"to": {"team": f"t{place + 1}"}, "require": ["language"], "if_nobody": "hold"},
            "sla": SLA,
        }
        for place in range(agents // TEAM_SIZE)
    ]
    document = {
        "returning": "same_agent", "join_window": 86_400, "intent": {"hot": 70, "warm": 30}, "scoring": [],
        "rules": rules,
    }  # fmt: skip
    replace_draft(workspace, document)
    publish(workspace=workspace, by=None, at=at)
    workspace.refresh_from_db()
    return workspace


def _leave(first: date, today: date, dice: random.Random) -> list[tuple[date, date]]:
    """Two weeks a year, and for some one of the coming four."""
    weeks = (today - first).days // 7
    away = sorted(dice.sample(range(weeks), max(1, weeks // 26))) if weeks > 1 else []
    found = [(first + 7 * DAY * week, first + 7 * DAY * (week + 1)) for week in away]
    if dice.random() < 0.3:
        since = today + dice.randrange(4, 21) * DAY
        found.append((since, since + 7 * DAY))
    return found


def _fill(workspace: Workspace, count: int, start: datetime, at: datetime) -> None:
    past = Past(start, at, ZoneInfo(ZONE), np.random.default_rng(0))
    teams = [Turns(past, team) for team in _teams(workspace)]
    given: dict[str, Any] = {
        "workspace": workspace.pk,
        "agents": [person.id for turns in teams for person in turns.team.people],
        "teams": [turns.team.id for turns in teams],
        "sla": json.dumps(SLA),
        "until": at,
    }
    for name, weighted in (("channel", CHANNELS), ("country", COUNTRIES), ("source", SOURCES)):
        plural = f"{name[:-1]}ies" if name.endswith("y") else f"{name}s"
        given |= {plural: list(weighted), f"{name}_edges": _edges(list(weighted.values()))}
    with connection.cursor() as cursor:
        cursor.execute("SELECT setseed(0.5)")
        indexes: list[tuple[str, str]] = []
        if _is_superuser(cursor):
            # What is made here fits together: checking a million rows for that would take most of the time.
            cursor.execute("SET LOCAL session_replication_role = replica")
            # Likewise writing each row into each index: they are made of all rows at once, in this transaction.
            cursor.execute(_INDEXES)
            indexes = cursor.fetchall()
        for name, _definition in indexes:
            cursor.execute(f"DROP INDEX {connection.ops.quote_name(name)}")
        cursor.execute(_TURNS)
        with cursor.copy("COPY turns FROM STDIN") as copy:
            for lines in _lines(past, count, teams):
                copy.write(lines)
        cursor.execute("CREATE TEMPORARY TABLE made (id int, decision jsonb) ON COMMIT DROP")
        with cursor.copy("COPY made FROM STDIN") as copy:
            for place, decision in enumerate(past.decisions):
                copy.write(f"{place}\t{decision}\n")
        cursor.execute("ANALYZE turns, made")
        cursor.execute(_LEADS, given)
        cursor.execute(_ASSIGNMENTS, given)
        cursor.execute(_DECISIONS)
        cursor.execute(_HELD)
        cursor.execute(_LOADS, given)
        for _name, definition in indexes:
            cursor.execute(definition)
    for turns in teams:
        row = Ledger.objects.get(team=turns.team.id)
        row.standing = turns.team.ledger
        row.save()


def _teams(workspace: Workspace) -> list[invented.Team]:
    leave: dict[int, list[tuple[date, date]]] = {}
    for row in workspace.time_off.all():
        days = date.fromisoformat(row.starts_local[:10]), date.fromisoformat(row.ends_local[:10])
        leave.setdefault(row.agent_id, []).append(days)
    members: dict[int, list[Agent]] = {}
    for member in TeamMember.objects.filter(workspace=workspace).order_by("agent").select_related("agent"):
        members.setdefault(member.team_id, []).append(member.agent)
    return [
        invented.Team(
            team.pk,
            team.name,
            [
                Person(agent.pk, agent.languages, SHIFTS[place], leave.get(agent.pk, ()))
                for place, agent in enumerate(members[team.pk])
            ],
        )
        for team in workspace.teams.order_by("pk")
    ]


def _lines(past: Past, count: int, teams: Sequence[Turns]) -> Iterator[str]:
    """The rows of `turns`, team by team. Leads are numbered as they came."""
    came, team_of, language_of = arrivals(past, count, teams)
    spoken = list(LANGUAGES)
    for place, turns in enumerate(teams):
        (numbers,) = np.nonzero(team_of == place)
        known = [numbers.tolist(), came[numbers].tolist(), [spoken[code] for code in language_of[numbers].tolist()]]
        leads = list(zip(*known, strict=True))
        lines = []
        taken = turns.taken(came[numbers], language_of[numbers])
        for turn, (lead, at, chosen, made, held, credit) in enumerate(taken):
            number, came_at, language = leads[lead]
            agent = place * TEAM_SIZE + 1 + chosen
            lines.append(
                f"{number + 1}\t{came_at}\t{at}\t{place + 1}\t{agent}\t{language}\t{made}\t"
                f"{held if held >= 0 else NULL}\t{turn}\t{credit}\n"
            )
        yield "".join(lines)


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


def _names(count: int, dice: random.Random) -> list[str]:
    first = (
        "Ana Bruno Carla Diego Elena Fabio Gloria Hugo Inés João Karim Lucía Marta Nuno Olga Pablo Rita Sara Tomás Vera"
    )
    last = "Almeida Blanco Castro Duarte Estrada Fuentes García Herrera Iglesias Lima Moreno Navarro Ortiz Prieto Ruiz"
    return [f"{dice.choice(first.split())} {dice.choice(last.split())} {place + 1}" for place in range(count)]
