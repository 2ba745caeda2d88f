"""Work of many threads done together: nobody waits in vain, and nothing is done twice."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from leads import combining
from leads.combining import Combined


class Work:
    """Holds the first batch until it is let go, so that others gather behind it."""

    def __init__(self, *, most: int = 16) -> None:
        self.batches: list[list[int]] = []
        self.is_under_way = threading.Event()
        self.may_end = threading.Event()
        self.combined = Combined(self.do, most=most)
        self.problem: BaseException | None = None

    def do(self, works: list[int]) -> None:
        self.batches.append(works)
        if not self.is_under_way.is_set():
            self.is_under_way.set()
            self.may_end.wait(10)
            if self.problem is not None:
                raise self.problem

    def gather(self, *, behind: int, key: str = "a") -> list[object]:
        """One leads, and so many come behind it. Returns what each thread ended with, the leader first."""

        def one(number: int) -> object:
            try:
                self.combined.do(key, number)
            except BaseException as problem:
                return problem
            return number

        with ThreadPoolExecutor(behind + 1) as pool:
            first = pool.submit(one, 0)
            self.is_under_way.wait(10)
            others = []
            for number in range(1, behind + 1):
                others.append(pool.submit(one, number))
                while len(self.combined._queues[key].waiting) < number:
                    pass
            self.may_end.set()
            return [done.result(10) for done in (first, *others)]


def test_a_lone_one_is_done_at_once():
    work = Work()
    work.may_end.set()

    work.combined.do("a", 1)

    assert work.batches == [[1]]
    assert not work.combined._queues


def test_who_comes_meanwhile_is_done_together_and_in_order():
    work = Work()

    assert work.gather(behind=5) == list(range(6))
    assert work.batches == [[0], [1, 2, 3, 4, 5]]


def test_no_more_than_so_many_at_once():
    work = Work(most=2)

    work.gather(behind=5)

    assert work.batches == [[0], [1, 2], [3, 4], [5]]


def test_another_key_waits_for_nobody():
    work = Work()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(work.combined.do, "a", 0)
        work.is_under_way.wait(10)
        work.combined.do("b", 1)
        assert not first.done()
        work.may_end.set()

    assert work.batches == [[0], [1]]


@pytest.mark.parametrize("problem", [RuntimeError(), SystemExit()])
def test_a_leader_that_dies_leaves_nobody_waiting(problem):
    work = Work()
    work.problem = problem

    assert work.gather(behind=3) == [problem, 1, 2, 3]
    assert work.batches == [[0], [1, 2, 3]]
    assert not work.combined._queues


class Clock:
    """Every piece of work takes a second of it."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now


class TestWhoWasThereTheLastTime:
    @pytest.fixture(autouse=True)
    def clock(self, monkeypatch):
        clock = Clock()
        monkeypatch.setattr(combining, "time", clock)
        return clock

    @pytest.fixture
    def work(self, clock):
        work = Work()

        def do(works: list[int]) -> None:
            clock.now += 1
            Work.do(work, works)

        # So patient that a test would fail rather than wait for it to pass.
        work.combined = Combined(do, most=2, patience_s=60)
        return work

    @pytest.fixture(autouse=True)
    def threads(self):
        with ThreadPoolExecutor(8) as self.pool:
            yield

    def comes(self, work: Work, number: int, key: str = "a") -> Future[None]:
        """Returns when whoever brings it waits, or is done."""
        brought = self.pool.submit(work.combined.do, key, number)
        while not (brought.done() or self.is_gathering(work, key)):
            pass
        return brought

    def is_gathering(self, work: Work, key: str) -> bool:
        return key in work.combined._queues and work.combined._queues[key].gathered is not None

    def test_is_waited_for(self, work):
        work.gather(behind=2)
        leader = self.comes(work, 3)
        assert not leader.done()

        work.combined.do("a", 4)
        leader.result(10)

        assert work.batches == [[0], [1, 2], [3, 4]]

    def test_is_no_more_than_fit_in(self, work):
        work.gather(behind=4)
        assert work.batches == [[0], [1, 2], [3, 4]]
        work.combined._queues["a"].crowd = 7

        leader = self.comes(work, 5)
        work.combined.do("a", 6)
        leader.result(10)

        assert work.batches[-1] == [5, 6]

    def test_is_nobody_for_a_lone_one_that_comes_again(self, work):
        work.may_end.set()
        for number in range(3):
            work.combined.do("a", number)

        assert work.batches == [[0], [1], [2]]

    def test_is_not_waited_for_under_another_key(self, work):
        work.gather(behind=2)

        self.comes(work, 3, key="b").result(10)

        assert work.batches[-1] == [3]

    def test_is_waited_for_for_twice_what_their_work_took(self, work, clock):
        work.gather(behind=2)
        clock.now += 2.1

        self.comes(work, 3).result(10)

        assert work.batches[-1] == [3]

    def test_is_waited_for_no_longer_than_that(self, work):
        work.combined._patience_s = 0.001
        work.gather(behind=2)

        work.combined.do("a", 3)

        assert work.batches[-1] == [3]

    def test_is_forgotten_when_there_are_too_many_keys(self, work, monkeypatch):
        monkeypatch.setattr(combining, "_MOST_REMEMBERED", 2)
        work.may_end.set()

        for number, key in enumerate("abc"):
            work.combined.do(key, number)

        assert list(work.combined._queues) == ["c"]
