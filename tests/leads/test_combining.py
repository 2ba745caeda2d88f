"""Work of many threads done together: nobody waits in vain, and nothing is done twice."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

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


class TestWhoIsComing:
    @pytest.fixture
    def work(self):
        work = Work()
        work.may_end.set()
        # So long that a test would fail rather than wait for it to pass.
        work.combined = Combined(work.do, most=3, patience_s=60)
        return work

    def coming(self, work: Work, key: str = "a", *, number: int | None = None) -> tuple[threading.Event, Future[None]]:
        """Somebody on the way, until the event is set. With `number` they bring that then."""
        here, may_arrive = threading.Event(), threading.Event()

        def come() -> None:
            with work.combined.coming(key):
                here.set()
                may_arrive.wait(10)
                if number is not None:
                    work.combined.do(key, number)

        arrives = self.pool.submit(come)
        here.wait(10)
        return may_arrive, arrives

    @pytest.fixture(autouse=True)
    def threads(self):
        with ThreadPoolExecutor(8) as self.pool:
            yield

    @pytest.mark.parametrize("number", [1, None])
    def test_is_waited_for(self, work, number):
        may_arrive, _ = self.coming(work, number=number)
        leader = self.pool.submit(work.combined.do, "a", 0)
        while "a" not in work.combined._queues or work.combined._queues["a"].gathered is None:
            pass
        assert not work.batches

        may_arrive.set()
        leader.result(10)

        assert work.batches == ([[0, 1]] if number else [[0]])
        assert not work.combined._queues

    def test_is_not_waited_for_under_another_key(self, work):
        may_arrive, _ = self.coming(work, "b")

        self.pool.submit(work.combined.do, "a", 0).result(10)

        may_arrive.set()
        assert work.batches == [[0]]

    def test_does_not_wait_for_itself(self, work):
        may_arrive, arrives = self.coming(work, number=0)
        may_arrive.set()
        arrives.result(10)

        assert work.batches == [[0]]
        assert not work.combined._queues

    def test_is_waited_for_no_longer_than_that(self, work):
        work.combined._patience_s = 0.001
        may_arrive, _ = self.coming(work, number=1)

        self.pool.submit(work.combined.do, "a", 0).result(10)
        assert work.batches == [[0]]

        may_arrive.set()
