"""Room for the calls of a request.

CPython (since 3.11) keeps the frames of functions in chunks of 16 kB, and gives a chunk back to the system together
with the frame that needed it. A loop that happens to call across the end of one asks the system for memory each time
round: pages took up to twice as long, by how deep the server had called before. A frame that claims more than fits
opens a chunk of its own, in which everything below it has room. It costs 10 us.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from django.http import HttpRequest, HttpResponse

Given = TypeVar("Given")
Result = TypeVar("Result")

# Words of stack: 256 kB. The chunk is the next power of two, so that a little less remains for what is called.
_CLAIMED = 2**15


def with_room(call: Callable[[Given], Result], given: Given) -> Result:
    """What `call(given)` returns or raises."""
    return call(given)


with_room.__code__ = with_room.__code__.replace(co_stacksize=_CLAIMED)


class RoomForCalls:
    """The first middleware: all others and the view are called with room."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return with_room(self.get_response, request)
