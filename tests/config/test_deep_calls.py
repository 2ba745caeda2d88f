"""However deep a request is answered, calls find room."""

from __future__ import annotations

import resource

from django.conf import settings

from config.deep_calls import with_room

DEPTHS = range(300)
TIMES = 20


def faults_at(depth: int) -> int:
    """How often the system was asked for memory by so many calls at this depth."""
    if depth:
        return faults_at(depth - 1)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _time in range(TIMES):
        _called(1, 2, 3)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def _called(one: int, two: int, three: int) -> int:
    return one + two + three


def depths_that_ask(_given: None = None) -> list[int]:
    """Where it is asked again each time round."""
    for depth in (*DEPTHS, *DEPTHS):
        faults_at(depth)  # what is there for the first time
    return [depth for depth in DEPTHS if faults_at(depth) >= TIMES]


def test_there_is_room_at_every_depth_of_a_request():
    assert with_room(depths_that_ask, None) == []
    assert depths_that_ask() != []  # without it, there is a cliff at some


def test_every_request_has_room():
    assert settings.MIDDLEWARE[0] == "config.deep_calls.RoomForCalls"
