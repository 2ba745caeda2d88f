"""How long a manager waits for each page, with a thousand agents, two hundred rules and a hundred thousand leads."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from statistics import median

import psycopg

from tests.bench import figure, say
from tests.bench.installation import ROOT, embedded, manage, on_servers

ROUNDS = 3


def run() -> None:
    for name, installation in (("postgresql", on_servers), ("sqlite", embedded)):
        try:
            with installation() as environment:
                manage(environment, "migrate", "--verbosity", "0")
                command = [sys.executable, "-m", "tests.bench.admin"]
                done = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
        except (OSError, psycopg.Error) as problem:
            say(f"{name}: not measured ({problem})")
            continue
        times: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
        for address in sorted(times, key=times.__getitem__, reverse=True)[:5]:
            say(f"{name}: {times[address] * 1000:.0f} ms {address}")
        figure(f"admin_slowest_{name}", max(times.values()), "s")
        figure(f"admin_median_{name}", median(times.values()), "s")


def drive() -> dict[str, float]:
    """The median time of each page, in the installation of this environment: the server's part, without a network."""
    import django

    django.setup()
    from django.test import Client

    from tests.admin.many import addresses, make_large_world, owner_of

    started = time.monotonic()
    world = make_large_world()
    sys.stderr.write(f"# the workspace took {time.monotonic() - started:.1f} s\n")
    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(owner_of(world))
    times: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        for address in addresses(world):
            began = time.perf_counter()
            response = client.get(address, follow=True, secure=True)
            times.setdefault(address, []).append(time.perf_counter() - began)
            assert response.status_code == 200, (address, response.status_code)
    return {address: median(taken) for address, taken in times.items()}


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    print(json.dumps(drive()))
