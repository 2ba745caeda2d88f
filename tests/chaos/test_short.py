"""A tenth of the chaos: every part of it, and every check."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests import services
from tests.chaos import servers

pytestmark = [pytest.mark.postgres, pytest.mark.redis]


def test_nothing_is_lost_or_doubled_in_a_tenth_of_the_chaos():
    if reason := servers.missing():
        reason = f"{reason}, for a PostgreSQL and a Redis that may be stopped"
        (pytest.fail if services.REQUIRED else pytest.skip)(reason)

    run = subprocess.run([sys.executable, "-m", "tests.chaos", "--tenth"], capture_output=True, text=True, check=False)

    assert run.returncode == 0, run.stdout + run.stderr
    assert "chaos kills_lost 0 leads" in run.stdout
    assert "chaos postgres_lost 0 leads" in run.stdout
    assert "chaos redis_told_once 50 leads" in run.stdout
