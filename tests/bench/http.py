"""Handing in a lead over HTTP, beside a bare view that inserts one row: the same server, middleware, workers and
connections, in turns.

A lead comes with its API key, scopes, limit, Idempotency-Key, the address of a visitor to be placed, and a person
nobody knows yet; what it leaves is whole: lead, person, assignment, decision, events, message, load, ledger, deadlines.
One hot team takes all of them, or a hundred teams take turns. Afterwards everything is replayed: see
`tests.bench.exactness`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from statistics import median
from urllib.parse import urlsplit

import psycopg

from tests.bench import figure, repeat, say
from tests.bench.clients import CONNECTIONS, Answers, Phase
from tests.bench.installation import ROOT, on_servers, served
from tests.bench.wire import tapped

ROUNDS = 9
SECONDS = 2.0  # of each of the three in a round
WARM_UP_S = 3.0
PROBES = 20
SETTINGS = {"DJANGO_SETTINGS_MODULE": "tests.bench.bare.settings", "THROTTLE_API": "10000000/min"}

MESSAGE = "I saw your page about standing desks and would like a quote for twelve of them. " * 4
LEAD = {
    "source": "form",
    "channel": "form",
    "name": "Ana Ruiz",
    "email": "ana.ruiz.%(n)s@example.com",
    "language": "es",
    "page_url": "https://www.example.com/pricing?utm_source=news&utm_campaign=spring",
    "message": MESSAGE,
    "ip": "203.0.113.9",
}
ROW = {name: LEAD[name] for name in ("name", "email", "language", "page_url", "message")}
HEAD = "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked in a phase."""

    name: str
    head: str
    body: str


def run() -> None:
    with ExitStack() as ending:
        environment = ending.enter_context(on_servers()) | SETTINGS
        keys = json.loads(_in_django(environment, "furnish"))
        asked = [
            Asked("bare", HEAD % "/api/v1/bare", json.dumps(ROW)),
            _leads("hot", keys["hot"], LEAD),
            _leads("100", keys["hundred"], LEAD | {"attributes": {"line": "%(hundredth)s"}}),
        ]
        database = ending.enter_context(psycopg.connect(environment["DATABASE_URL"], autocommit=True))
        _say_how(environment, database, keys["web"])
        made = _probe(environment, keys["web"], asked, database)
        made += _measure(environment, keys["web"], asked)
        exact = subprocess.run(
            [sys.executable, "-m", "tests.bench.exactness"],
            cwd=ROOT, env=environment, input="\n".join(made), text=True, check=False, stdout=subprocess.PIPE,
        )  # fmt: skip
        repeat(exact.stdout)
        if exact.returncode:
            raise AssertionError("turns or rows are not exact")


def _leads(name: str, key: str, lead: Mapping[str, object]) -> Asked:
    head = HEAD % "/api/v1/leads" + f"Authorization: Bearer {key}\r\nIdempotency-Key: {name}-%(n)s\r\n"
    return Asked(name, head, json.dumps(lead))


def _say_how(environment: Mapping[str, str], database: psycopg.Connection, web: list[str]) -> None:
    said = [
        database.execute(f"SHOW {name}").fetchone()[0] for name in ("server_version", "synchronous_commit", "fsync")
    ]
    if said[1:] != ["on", "on"]:
        raise AssertionError("commits of this PostgreSQL are not durable: nothing would be measured")
    counted = "Redis" if environment["REDIS_URL"] else "PostgreSQL: there is no Redis"
    say(f"PostgreSQL {said[0]}, synchronous_commit {said[1]}, fsync {said[2]}; requests are counted in {counted}")
    say(f"server: {' '.join(web[2:])}")
    say(f"a lead: {json.dumps(LEAD)[:-1]}, …")


def _probe(
    environment: Mapping[str, str], web: list[str], asked: list[Asked], database: psycopg.Connection
) -> list[str]:
    """One after another, through a wire that counts. Returns the ids of the leads that were made."""
    url = urlsplit(environment["DATABASE_URL"])
    made: list[str] = []
    with ExitStack() as ending:
        wire = ending.enter_context(tapped(url.hostname or "127.0.0.1", url.port or 5432))
        netloc = f"{url.netloc.rpartition('@')[0]}@127.0.0.1:{wire.port}"
        through = url._replace(netloc=netloc, query="sslmode=disable&gssencmode=disable").geturl()
        port = ending.enter_context(served(web, environment | {"DATABASE_URL": through, "WEB_CONCURRENCY": "1"}))
        clients = ending.enter_context(_clients())
        for each in asked:
            for count, first in ((2 * PROBES, 0), (PROBES, 2 * PROBES)):  # the first of them warm up
                wire.reset()
                before = _wal(database)
                answers = clients(Phase(port, each.head, each.body, first, requests=count, connections=1))
                _all_well(each.name, answers)
                made += answers.ids
            name = each.name if each.name == "bare" else f"assign_{each.name}"
            figure(f"{name}_statements", wire.statements / PROBES, "statements/request")
            figure(f"{name}_round_trips", wire.flushes / PROBES, "round trips/request")
            figure(f"{name}_wal_alone", (_wal(database) - before) / PROBES, "B/request")
    return [one for one in made if one]


def _measure(environment: Mapping[str, str], web: list[str], asked: list[Asked]) -> list[str]:
    made: list[str] = []
    rounds: list[dict[str, Answers]] = []
    wal = {each.name: [] for each in asked}
    number = 1_000
    with (
        served(web, environment) as port,
        _clients() as clients,
        psycopg.connect(environment["DATABASE_URL"], autocommit=True) as database,
    ):
        for turn in range(-1, ROUNDS):
            if turn == 0:  # as autovacuum does within a minute, where it is on
                database.execute("ANALYZE")
            answered: dict[str, Answers] = {}
            for each in asked if turn % 2 else reversed(asked):
                before = _wal(database)
                seconds = WARM_UP_S if turn < 0 else SECONDS
                answers = clients(Phase(port, each.head, each.body, number, seconds))
                _all_well(each.name, answers)
                count = sum(answers.statuses.values())
                number += count + CONNECTIONS
                made += answers.ids
                answered[each.name] = answers
                if turn >= 0:
                    wal[each.name].append((_wal(database) - before) / count)
            if turn >= 0:
                rounds.append(answered)
                shown = ", ".join(f"{name} {of.a_second:.0f}/s p99 {of.p99_ms:.0f} ms" for name, of in answered.items())
                say(f"round {turn + 1}: {shown}")
    for name in ("hot", "100"):
        figure(f"assign_{name}_vs_bare", median(of[name].a_second / of["bare"].a_second for of in rounds), "x")
        figure(f"assign_{name}_p99_vs_bare", median(of[name].p99_ms / of["bare"].p99_ms for of in rounds), "x")
        figure(f"assign_{name}_p99", median(of[name].p99_ms for of in rounds), "ms")
        figure(f"assign_{name}_wal", median(wal[name]), "B/request")
    figure("assign_leads_per_s", median(of["hot"].a_second for of in rounds), "1/s")
    figure("assign_100_leads_per_s", median(of["100"].a_second for of in rounds), "1/s")
    figure("bare_rows_per_s", median(of["bare"].a_second for of in rounds), "1/s")
    figure("bare_p99", median(of["bare"].p99_ms for of in rounds), "ms")
    figure("assign_answers_5xx", 0, "answers")  # any other would have ended this
    return [one for one in made if one]


def _all_well(name: str, answers: Answers) -> None:
    if set(answers.statuses) != {201} or answers.cut_off:
        raise AssertionError(f"{name}: answers {answers.statuses}, {answers.cut_off} cut off")


def _wal(database: psycopg.Connection) -> int:
    return int(database.execute("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')").fetchone()[0])


@contextmanager
def _clients() -> Iterator:
    """Asks in a process of its own."""
    from dataclasses import asdict

    command = [sys.executable, "-m", "tests.bench.clients"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def ask(phase: Phase) -> Answers:
            process.stdin.write(json.dumps(asdict(phase)) + "\n")
            process.stdin.flush()
            document = json.loads(process.stdout.readline())
            document["statuses"] = {int(status): count for status, count in document["statuses"].items()}
            return Answers(**document)

        yield ask
        process.stdin.close()


def _in_django(environment: Mapping[str, str], act: str) -> str:
    command = [sys.executable, "-m", "tests.bench.http", act]
    return subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout


TEAM_OF = 8
TEAMS = 100


def furnish() -> dict[str, object]:
    """Tables and two workspaces. Returns an API key of each, and how the web server is started."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection
    from django.utils import timezone

    from agents.models import ApiKey, Workspace
    from config.management.commands.run import commands
    from routing.workspace_file import load
    from tests.bench.bare.models import Row

    call_command("migrate", verbosity=0, interactive=False)
    with connection.schema_editor() as editor:
        editor.create_model(Row)
    keys = {}
    for slug, teams in (("hot", 1), ("hundred", TEAMS)):
        load(_workspace_file(slug, teams).encode(), by=None, at=timezone.now())
        workspace = Workspace.objects.get(slug=slug)
        keys[slug] = ApiKey.issue(workspace=workspace, name="bench", scopes=["leads:write"])[1]
    with connection.cursor() as cursor:
        # Not of tables that are empty yet: they would be read whole for as long as nobody looks again.
        cursor.execute(
            "ANALYZE agents_agent, agents_team, agents_workspace, agents_apikey, routing_ledger, routing_load"
        )
    return {**keys, "web": commands()["web"]}


def _workspace_file(slug: str, teams: int) -> str:
    lines = [f"workspace: {{slug: {slug}, name: {slug}, timezone: Europe/Madrid, plan: scale, languages: [es, en]}}"]
    people = [[f"t{team}-{number}" for number in range(TEAM_OF)] for team in range(teams)]
    always = "shifts: [{days: [mon, tue, wed, thu, fri, sat, sun], start: 00:00, end: 24:00}]"
    lines += ["agents:"] + [
        f"  - {{slug: {who}, name: Agent {who}, languages: [es, en], caps: {{open: 1000000}}, {always}}}"
        for team in people
        for who in team
    ]
    lines += ["teams:"] + [
        f"  - {{slug: t{number}, agents: [{', '.join(team)}]}}" for number, team in enumerate(people)
    ]
    lines += ["rules:"]
    for number in range(teams):
        line = f"{{all: [{{field: attributes.line, op: is, value: '{number}'}}]}}"
        when = f"when: {line}, " if teams > 1 else ""
        sla = "sla: {respond_within: 5m, remind_at: [50%], reroute_after: 10m, escalate_after: 15m}"
        lines += [f"  - {{name: Line {number}, {when}route: {{to: {{team: t{number}}}, prefer: [language]}}, {sla}}}"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    print(json.dumps({"furnish": furnish}[sys.argv[1]]()), flush=True)
