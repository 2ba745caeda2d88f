"""What a what-if costs: leads of a file through the demo's policy, by the command that managers run.

`replay` is what the process of the command computed, its start and every row it printed included: it waits for
nothing, and what else the machine does shows less. `replay_memory` is what a lead adds to the most memory it held.
"""

from __future__ import annotations

import csv
import os
import random
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.bench import figure, say
from tests.bench.installation import ROOT, embedded, manage

LEADS = 200_000
FEW = 20_000
ROUNDS = 3
DAYS = 90

COUNTRIES = ["ES", "PT", "FR", "DE", "AT", "CH", "IT", "GB", "IE", "MX", "CO", "US", ""]
LANGUAGES = ["es", "en", "fr", "de", "pt", "es-MX", "pt-BR", "it", ""]
CHANNELS = ["whatsapp", "whatsapp", "telegram", "phone", "sms", "email", "form", ""]
PAGES = ["/", "/pricing", "/pricing/roofs", "/roofs/large", "/about", "/contact"]
CAMPAIGNS = ["", "", "", "?utm_source=google&utm_campaign=spring", "?utm_source=ads", "?ref=partner-{}"]


def run() -> None:
    say(f"{LEADS} leads of {DAYS} days, full rows; CPU time of the whole command, the best of {ROUNDS}")
    with embedded() as environment:
        environment |= {"DEBUG": "true"}
        manage(environment, "migrate", "--verbosity", "0")
        demo = str(ROOT / "widget" / "demo" / "workspace.yaml")
        subprocess.run(
            [sys.executable, "manage.py", "load_workspace", demo],
            cwd=ROOT,
            env=environment,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        folder = Path(environment["VAR_DIR"])
        many = write_leads(folder / "many.csv", LEADS)
        few = write_leads(folder / "few.csv", FEW)
        runs = [_replayed(environment, many) for _ in range(ROUNDS)]
        _, memory_of_few = _replayed(environment, few)
        say("command: manage.py replay --workspace demo many.csv > rows.csv")
        figure("replay", LEADS / min(seconds for seconds, _ in runs), "leads/s")
        figure("replay_memory", (runs[0][1] - memory_of_few) / (LEADS - FEW), "B/lead")


def write_leads(path: Path, count: int) -> Path:
    """Visitors of whom every third has been here before, at any time of day, on a few hundred pages."""
    draw = random.Random(count)
    at, pace = datetime(2026, 3, 2, tzinfo=UTC), timedelta(days=DAYS) / count
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "received_at", "channel", "language", "country", "page_url", "visitor_id", "phone"])
        for number in range(count):
            at += pace * draw.random() * 2
            visitor = draw.randrange(number) if number and draw.random() < 1 / 3 else number
            page = f"https://www.example.com{draw.choice(PAGES)}{draw.choice(CAMPAIGNS)}".format(draw.randrange(300))
            phone = f"+34600{visitor % 1_000_000:06}" if number % 10 == 0 else ""
            rows.writerow(
                [
                    f"lead-{number}",
                    at.isoformat(timespec="seconds"),
                    draw.choice(CHANNELS),
                    draw.choice(LANGUAGES),
                    draw.choice(COUNTRIES),
                    page,
                    f"visitor-{visitor}",
                    phone,
                ]
            )
    return path


def _replayed(environment: dict[str, str], leads: Path) -> tuple[float, int]:
    """Seconds of CPU, and the most bytes of memory, of one run of the command; its rows are counted."""
    command = [sys.executable, "manage.py", "replay", "--workspace", "demo", str(leads)]
    rows = leads.with_name("rows.csv")
    with rows.open("wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    with rows.open("rb") as told, leads.open("rb") as given:
        if process.returncode or sum(1 for _ in told) != sum(1 for _ in given):
            raise RuntimeError(f"the replay of {leads.name} did not tell of every lead")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024
