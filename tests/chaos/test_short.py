"""The chaos in its shortest form: every trial, with few leads and few kills."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys

import pytest

from tests.chaos import __main__ as command

LIMIT_S = 240

# What must hold however short it is.
PROMISED = {
    "kills_lost": 0, "kills_doubled": 0, "kills_half_written": 0, "kills_one_active_assignment": 100,
    "kills_of_web_workers": 2, "kills_of_celery_children": 2, "kills_of_whole_workers": 1,
    "postgres_restarts": 1, "postgres_lost": 0, "postgres_doubled": 0, "postgres_half_written": 0,
    "both_restarts": 1, "both_kills_of_web_workers": 1, "both_lost": 0, "both_doubled": 0, "both_half_written": 0,
    "redis_answered_201_with_agent": 25, "redis_lost": 0, "redis_doubled": 0, "redis_told_once": 25,
    "ledgers_off_zero": 0, "ledgers_off_decisions": 0, "loads_off_assignments": 0,
}  # fmt: skip


@pytest.mark.chaos
def test_nothing_is_lost_or_doubled_while_workers_are_killed_redis_is_away_and_postgresql_starts_again():
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "DJANGO"))}
    with subprocess.Popen(
        [sys.executable, "-m", "tests.chaos", "--scale", "short"], env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as running:  # fmt: skip
        try:
            said, complaints = running.communicate(timeout=LIMIT_S)
        except BaseException:
            running.send_signal(signal.SIGINT)  # it ends what it has started
            raise

    assert running.returncode == 0, said + complaints
    figures = {name: float(value) for name, value in re.findall(r"^chaos (\w+) ([\d.]+) ", said, re.MULTILINE)}
    assert {name: figures.get(name) for name in PROMISED} == PROMISED


def test_a_promise_that_is_broken_makes_it_fail(monkeypatch, capsys):
    monkeypatch.setattr(command.servers, "missing", lambda: None)
    monkeypatch.setattr(command.signal, "signal", lambda number, act: None)
    monkeypatch.setattr(command, "_run", lambda figures, arguments: figures.exactly("lost", 1, "leads", wanted=0))
    monkeypatch.setattr(sys, "argv", ["chaos"])

    assert command.main() == 1
    assert "broken: lost is 1 leads, promised are exactly 0" in capsys.readouterr().err
