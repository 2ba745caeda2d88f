"""How long the pages of reports take over a million leads of a year, beside the plain query on the leads themselves.

Pages are asked for in one process, one after the other, with everything that a request does but the network.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from statistics import median, quantiles
from typing import Any

from tests.bench import figure, say
from tests.bench.installation import ROOT, manage, on_servers

LEADS = 1_000_000
AGENTS = 200
TIMES = {"month": 12, "year": 6}
PERIODS = {"month": "30d", "year": "365d"}


def run(leads: int = LEADS) -> None:
    with on_servers() as environment:
        manage(environment, "migrate", "--verbosity", "0")
        started = time.monotonic()
        manage(environment, "generate_leads", "--leads", str(leads), "--agents", str(AGENTS), "--no-packing")
        say(f"{leads} leads made in {time.monotonic() - started:.0f} s")
        started = time.monotonic()
        middle = (datetime.now(UTC) - timedelta(days=182)).date().isoformat()
        command = [sys.executable, "manage.py", "rebuild_rollups", "--workspace", "generated"]
        halves = [
            subprocess.Popen([*command, *half], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
            for half in (["--from", middle], ["--to", middle])
        ]
        if any(half.wait() for half in halves):
            raise RuntimeError("packing failed")
        say(f"packed in {time.monotonic() - started:.0f} s")
        driver = [sys.executable, "-m", "tests.bench.reports"]
        said = subprocess.run(driver, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
        for name, value, unit in json.loads(said.stdout.splitlines()[-1]):
            figure(name, value, unit)


def drive() -> list[tuple[str, float, str]]:
    """Asks for every page, for a month and for the year."""
    import django

    django.setup()
    from django.db import connection
    from django.test import Client

    from agents.models import Membership, User, Workspace
    from leads.reports.kinds import KINDS

    workspace = Workspace.objects.get()
    user = User.objects.create_user("ops@bench.test")
    Membership.objects.create(workspace=workspace, user=user, role="ops")
    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(user)

    def page(address: str) -> None:
        response = client.get(address)
        assert response.status_code == 200, (address, response.status_code)

    found: list[tuple[str, float, str]] = []
    for span, period in PERIODS.items():
        since = datetime.now(UTC) - timedelta(days=int(period.removesuffix("d")))

        def plain(since: datetime = since) -> None:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT count(*), count(response_us), percentile_cont(ARRAY[0.5, 0.75, 0.9, 0.95]) WITHIN GROUP"
                    " (ORDER BY response_us) FROM leads_lead WHERE workspace_id = %s AND received_at >= %s"
                    " AND outcome <> 'rejected' AND closed_as NOT IN ('spam', 'duplicate', 'no_conversation')",
                    [workspace.pk, since],
                )
                cursor.fetchall()

        query = _times(plain, 3)
        found.append((f"plain_percentiles_{span}", median(query) * 1_000, "ms"))
        for name, kind in KINDS.items():
            if not kind.has_period and span == "year":
                continue
            address = f"/reports/{'' if name == 'speed' else f'{name}/'}?period={period}"
            took = _times(lambda address=address: page(address), TIMES[span])
            found.append((f"reports_{name}_p95_{span}", _p95(took) * 1_000, "ms"))
            if name == "fairness":
                narrowed = _times(lambda address=address: page(f"{address}&channel=form&country=ES"), TIMES[span])
                found.append((f"reports_fairness_by_two_words_p95_{span}", _p95(narrowed) * 1_000, "ms"))
            if name == "speed":
                found.append((f"reports_speed_to_plain_{span}", median(took) / median(query), "x"))
        somebody = workspace.agents.order_by("pk").values_list("pk", flat=True)[0]
        behind = {
            "leads": f"leads/?period={period}&what=unanswered",
            "decisions": f"decisions/?period={period}&what=decided",
            "due": f"decisions/?period={period}&what=due&agent={somebody}",
            "missed": f"decisions/?period={period}&what=missed&agent={somebody}&reason=language",
        }
        for name, address in behind.items():
            took = _times(lambda address=address: page(f"/reports/{address}"), TIMES[span])
            found.append((f"reports_{name}_p95_{span}", _p95(took) * 1_000, "ms"))
    return found


def _times(work: Callable[[], Any], times: int) -> list[float]:
    """After one that is not counted."""
    took = []
    for _time in range(times + 1):
        started = time.perf_counter()
        work()
        took.append(time.perf_counter() - started)
    return took[1:]


def _p95(took: list[float]) -> float:
    return quantiles(took, n=20, method="inclusive")[18]


if __name__ == "__main__":
    print(json.dumps(drive()), flush=True)
