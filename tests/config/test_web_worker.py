"""Web processes share connections evenly."""

from __future__ import annotations

import os

import pytest
from gunicorn.workers import gthread

from config import web_worker
from config.web_worker import BalancedThreadWorker

GONE = 2**22 + 1  # no pid is so large


@pytest.fixture(autouse=True)
def done(monkeypatch):
    """What happens, in order; the places are those of nobody."""
    done = []
    monkeypatch.setattr(web_worker, "_pids", [0, 0, 0])
    monkeypatch.setattr(web_worker, "_open", [0, 0, 0])
    monkeypatch.setattr(web_worker.time, "sleep", lambda seconds: done.append(f"gives {seconds * 1_000:g} ms"))
    monkeypatch.setattr(gthread.ThreadWorker, "accept", lambda worker, listener: done.append(f"takes {listener}"))
    monkeypatch.setattr(gthread.ThreadWorker, "init_process", lambda worker: done.append("starts"))
    monkeypatch.setattr(gthread.ThreadWorker, "notify", lambda worker: done.append("lives"))
    return done


def worker(connections: int) -> BalancedThreadWorker:
    made = BalancedThreadWorker.__new__(BalancedThreadWorker)
    made.nr_conns = connections
    made.init_process()
    made.notify()
    return made


def test_whoever_has_more_connections_lets_the_others_come_first(done):
    first, second = worker(3), worker(2)
    del done[:]

    second.accept("a")
    assert done == ["takes a"]
    first.accept("b")
    assert done == ["takes a", "gives 1 ms", "takes b"]


def test_as_many_as_the_others_have_is_not_more(done):
    first, _second = worker(2), worker(2)
    del done[:]

    first.accept("a")

    assert done == ["takes a"]


def test_a_lone_process_waits_for_nobody(done):
    worker(9).accept("a")

    assert done == ["starts", "lives", "takes a"]


def test_takes_the_place_of_one_that_died(done):
    web_worker._pids[:] = [os.getpid(), GONE, 0]
    web_worker._open[:] = [4, 1, 0]

    made = worker(5)

    assert made.place == 1
    assert web_worker._open == [4, 5, 0]
    assert web_worker._pids[1] == os.getpid()
