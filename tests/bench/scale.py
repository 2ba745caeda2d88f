"""How assigning, deciding and the managers' list of leads grow: with people, with workspaces, with leads.

One thing grows at a time, beside a team of ten in a workspace with 1,000 leads. Rows are made by the database itself,
so what is measured is the product's work and not how long it takes to fill a table. The database is analysed once it is
filled, as PostgreSQL does by itself within a minute where it is not forbidden to: else its plans are for empty tables.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from tests.bench import figure, plain, repeat, say
from tests.bench.installation import ROOT, manage, on_servers

TEAM = 10
LEADS = 1_000
SIZES = {
    "agents": (10, 100, 1_000, 10_000),
    "workspaces": (1, 10, 100, 1_000),
    "leads": (1_000, 10_000, 100_000, 1_000_000),
}
# `pages`: blocks of 8 kB that one assignment looks at in the database, whoever else uses the machine.
UNITS = {"assign": "ms", "pages": "pages/lead", "decide": "us", "list": "ms"}
ROUNDS = 3  # the best of so many medians: a busy machine shows less
# A line that takes more than this many times as long at its largest as at its smallest is not flat.
FLAT = 2.0
REASONS = {
    ("decide", "agents"): "bitsets of all agents are a bit longer each; nobody outside the team is looked at",
    ("assign", "agents"): "bitsets of all agents are a bit longer each; nobody outside the team is looked at",
    ("assign", "leads"): "each index that a lead is written into is a level deeper, and not all of them stay in memory",
    ("pages", "leads"): "each index that a lead is written into is a level deeper",
    ("list", "leads"): "the index of the newest leads is a level deeper",
}


@dataclass(frozen=True, slots=True)
class Act:
    """`times` often enough for a median."""

    name: str
    times: int
    do: Callable[[int], object]

    def took(self) -> float:
        """Seconds, the median."""
        waits = []
        for number in range(self.times):
            began = time.perf_counter()
            self.do(number)
            waits.append(time.perf_counter() - began)
        return median(waits)


def run() -> None:
    with on_servers() as empty:
        manage(empty, "migrate", "--verbosity", "0")
        for grows in SIZES:
            with on_servers(like=empty) as environment:
                repeat(_driven(environment, grows))


def _driven(environment: Mapping[str, str], grows: str) -> str:
    command = [sys.executable, "-m", "tests.bench.scale", grows]
    environment = environment | {"PYTHONWARNINGS": "ignore"}
    return subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout


def drive(grows: str) -> None:
    """Measure at each size, and print a line an act."""
    import django

    django.setup()
    world = World()
    measured: dict[str, list[float]] = {}
    for size in SIZES[grows]:
        began = time.monotonic()
        getattr(world, f"grow_{grows}")(size)
        say(f"{size:,} {grows}: filled in {time.monotonic() - began:.1f} s")
        for name, value in _measure(world.acts()).items():
            measured.setdefault(name, []).append(value)
    head = [grows, *(f"{size:,}" for size in SIZES[grows]), "", "grows", "why"]
    print("table", json.dumps([head, *(_row(name, grows, values) for name, values in measured.items())]))
    for name, values in measured.items():
        for size, value in zip(SIZES[grows], values, strict=True):
            figure(f"scale_{name}_{size}_{grows}", value, UNITS[name])


def _row(name: str, grows: str, values: list[float]) -> list[str]:
    times = values[-1] / values[0]
    why = "flat" if times <= FLAT else REASONS.get((name, grows), "not known: it should be flat")
    return [name, *map(plain, values), UNITS[name], f"x {times:.2f}", why]


def _measure(acts: list[Act]) -> dict[str, float]:
    measured = {}
    for act in acts:
        for number in range(5):  # what is made on first use
            act.do(-1 - number)
    _analyze()
    for act in acts:
        scale = 1_000 if UNITS[act.name] == "ms" else 1_000_000
        before = _pages()
        measured[act.name] = min(act.took() for _ in range(ROUNDS)) * scale
        if act.name == "assign" and before is not None:
            measured["pages"] = ((_pages() or 0.0) - before) / (ROUNDS * act.times)
    return measured


def _pages() -> float | None:
    """How many pages the database has looked at so far; None where it cannot say at once."""
    from django.db import connection

    if connection.pg_version < 150_000:
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT 1")  # counted is what ended before
        cursor.execute("SELECT blks_hit + blks_read FROM pg_stat_database WHERE datname = current_database()")
        return float(cursor.fetchone()[0])


class World:
    """The workspace that is measured, and what stands beside it."""

    def __init__(self) -> None:
        from django.test import Client

        from agents.models import User
        from tests.leads.world import make_world, person

        self.world = make_world(*(person(f"a{number}") for number in range(TEAM)), slug="measured")
        self.agents, self.workspaces = TEAM, 1
        self.leads = 0
        self.grow_leads(LEADS)
        self.browser = Client(headers={"host": "127.0.0.1"})
        operator = User.objects.create_superuser("operator@bench.test", "not to be guessed by anybody")
        self.browser.force_login(operator)
        session = self.browser.session
        session["workspace"] = self.world.workspace.pk
        session.save()

    def acts(self) -> list[Act]:
        from django.utils import timezone

        from leads.basis import Basis
        from leads.intake import Submission, accept_lead
        from routing import engine
        from routing.facts import build_facts

        door, at = self.world.door(), timezone.now()
        basis = Basis.of(
            workspace_id=door.workspace_id,
            policy_version=door.policy_version,
            roster_version=door.roster_version,
            at=at,
        )
        request = engine.Request(build_facts(channel="form", source="api", language="en"))
        submission = Submission(source="api", channel="form", message="Hello", language="en")

        def assign(_number: int) -> None:
            assert accept_lead(door=door, submission=submission, at=timezone.now()).agent is not None

        def decide(_number: int) -> None:
            assert engine.decide(request, basis.snapshot, {}, {}, at).agent is not None

        def show(_number: int) -> None:
            page = self.browser.get("/admin/leads/lead/")
            assert page.status_code == 200, page.status_code

        return [Act("assign", 30, assign), Act("decide", 300, decide), Act("list", 3, show)]

    def grow_agents(self, count: int) -> None:
        """More people in the workspace, in no team and without hours."""
        from agents.models import Agent
        from agents.roster import one_change

        workspace = self.world.workspace
        with one_change():
            Agent.objects.bulk_create(
                Agent(workspace=workspace, slug=f"b{number}", name=f"B {number}", languages=["en"])
                for number in range(self.agents, count)
            )
        self.agents = count

    def grow_workspaces(self, count: int) -> None:
        """Other workspaces, each with ten people and a hundred leads."""
        from agents.models import Agent, Workspace
        from agents.roster import one_change

        with one_change():
            made = Workspace.objects.bulk_create(
                Workspace(slug=f"w{number}", name=f"W {number}") for number in range(self.workspaces, count)
            )
            Agent.objects.bulk_create(
                Agent(workspace=workspace, slug=f"a{number}", name=f"A {number}", languages=["en"])
                for workspace in made
                for number in range(TEAM)
            )
        _fill([workspace.pk for workspace in made], 1, LEADS // 10)
        self.workspaces = count

    def grow_leads(self, count: int) -> None:
        """More leads of the workspace, over a year."""
        _fill([self.world.workspace.pk], self.leads + 1, count)
        self.leads = count


# Their order in time is that of their numbers. No triggers: they would look up every row's workspace.
_FILL = """
INSERT INTO leads_lead (id, workspace_id, source, channel, received_at, created_at, status, outcome, reason, rule,
    agent_id, reached_on, assigned_at, closed_as, closed_at, flagged, visitor_id, name, email, phone, message, language,
    country, region, city, page_url, referrer, attributes, network, joined_count, facts, known, intent, reference,
    status_token, held_for, held_available, held_capped, claim_over, tried, ladder, reroutes, alerts)
SELECT gen_random_uuid(), workspace, 'api', 'form', at, at, 'closed', 'assigned', 'round_robin', 'everything',
    first_agent + n %% %(agents)s, 'form', at, 'won', at + interval '1 day', '', '', 'Visitor ' || n,
    'v' || n || '@example.com', '', 'Hello', 'en', 'ES', '', '', '', '', '{}', '', 0, '{}', '{}', '', 'R' || n,
    workspace || '-' || n, '', '[]', '[]', false, '[]', '[]', 0, '[]'
FROM (
    SELECT workspace_id AS workspace, min(id) AS first_agent FROM agents_agent
    WHERE workspace_id = ANY (%(workspaces)s) GROUP BY workspace_id
) AS owner, generate_series(%(first)s, %(last)s) AS n,
    LATERAL (SELECT now() - interval '365 days' + n * interval '31 seconds' AS at) AS moment
"""


_MANY = 50_000


def _fill(workspaces: list[int], first: int, last: int) -> None:
    """These leads of each workspace, given to its first people in turns."""
    from django.db import connection, transaction

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("SET LOCAL synchronous_commit = off")
        cursor.execute("SET LOCAL maintenance_work_mem = '512MB'")
        again = _without_indexes(cursor) if (last - first) * len(workspaces) > _MANY else []
        cursor.execute(
            _FILL,
            {"workspaces": workspaces, "first": first, "last": last, "agents": TEAM},
        )
        for statement in again:
            cursor.execute(statement)


def _without_indexes(cursor: Any) -> list[str]:
    """Takes away those that no foreign key needs; returns how to make them, which takes a fraction of the time then."""
    unneeded = "NOT EXISTS (SELECT 1 FROM pg_constraint f WHERE f.contype = 'f' AND f.conindid = %s)"
    cursor.execute(
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint AS c"
        f" WHERE conrelid = 'leads_lead'::regclass AND contype = 'u' AND {unneeded % 'c.conindid'}"
    )
    again = []
    for name, definition in cursor.fetchall():
        cursor.execute(f'ALTER TABLE leads_lead DROP CONSTRAINT "{name}"')
        again.append(f'ALTER TABLE leads_lead ADD CONSTRAINT "{name}" {definition}')
    cursor.execute(
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index AS i"
        " WHERE indrelid = 'leads_lead'::regclass"
        " AND NOT EXISTS (SELECT 1 FROM pg_constraint AS c WHERE c.conrelid = indrelid AND c.conindid = i.indexrelid)"
        f" AND {unneeded % 'i.indexrelid'}"
    )
    for name, definition in cursor.fetchall():
        cursor.execute(f"DROP INDEX {name}")
        again.append(definition)
    return again


def _analyze() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")  # what was filled is not written while something is measured


if __name__ == "__main__":
    drive(sys.argv[1])
