"""Many at once, over and over for a minute: leads, keys, visitors, caps, releases and managers, all at the same moment.

The rounds are `tests/leads/test_many_at_once.py`, which say what must hold, in a database of their own.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections import Counter

from tests.bench import figure
from tests.bench.installation import ROOT, on_servers

SECONDS = float(os.environ.get("MANY_SECONDS", "60"))
_ENDED = re.compile(r"(\d+) (passed|failed|error)")


def run() -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "--reuse-db", "tests/leads/test_many_at_once.py"]
    ended: Counter[str] = Counter()
    rounds, began = 0, time.monotonic()
    with on_servers() as environment:
        environment = environment | {"DJANGO_SETTINGS_MODULE": "tests.settings", "REQUIRE_SERVICES": "1"}
        while not rounds or time.monotonic() - began < SECONDS:
            said = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
            counted = {word: int(count) for count, word in _ENDED.findall(said.stdout)}
            ended.update(counted)
            rounds += 1
            if said.returncode:
                print(said.stdout[-4_000:])
                break
    figure("many_took", time.monotonic() - began, "s")
    figure("many_rounds", rounds, "rounds")
    figure("many_held", ended["passed"], "tests")
    figure("many_broken", ended["failed"] + ended["error"], "tests")
    if ended["failed"] + ended["error"] or not ended["passed"]:
        raise AssertionError("something did not hold")
