"""Work of many threads done together: nobody waits in vain, and nothing is done twice."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

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
                while len(self.combined._queues[key]) < number:
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
