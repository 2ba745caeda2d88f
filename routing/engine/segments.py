"""Who is on at a point of an axis, as one integer whose bits are people."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

FAR = 1 << 62


@dataclass(frozen=True, slots=True)
class Segments:
    """A line of whole numbers cut where a mask of bits changes: `masks[i]` holds from `starts[i]` on, 0 before."""

    starts: tuple[int, ...] = ()
    masks: tuple[int, ...] = ()

    @classmethod
    def build(cls, spans: Iterable[tuple[int, int, int]]) -> "Segments":
        """Lay (start, end, mask) spans over each other; a bit is set where at least one of its spans runs."""
        events = []
        for start, end, mask in spans:
            if start < end:
                events += [(start, mask, True), (end, mask, False)]
        events.sort(key=itemgetter(0))
        depth: list[int] = []
        starts: list[int] = []
        masks: list[int] = []
        for point, here in groupby(events, key=itemgetter(0)):
            for _, mask, begins in here:
                _count(depth, mask, begins)
            on = 0
            for plane in depth:
                on |= plane
            if on != (masks[-1] if masks else 0):
                starts.append(point)
                masks.append(on)
        return cls(tuple(starts), tuple(masks))

    def at(self, x: int) -> int:
        """Return the mask that holds at the point."""
        place = bisect_right(self.starts, x)
        return self.masks[place - 1] if place else 0

    def stretch(self, x: int) -> tuple[int, int]:
        """Return the mask that holds at the point, and the next point at which it is another."""
        place = bisect_right(self.starts, x)
        return self.masks[place - 1] if place else 0, self.starts[place] if place < len(self.starts) else FAR

    def replaced(self, bit: int, spans: Iterable[tuple[int, int]]) -> "Segments":
        """Return the same line with the bit number `bit` set on these spans and nowhere else."""
        flag = 1 << bit
        own = Segments.build((start, end, flag) for start, end in spans)
        starts: list[int] = []
        masks: list[int] = []
        for point in sorted({*self.starts, *own.starts}):
            others = self.at(point)
            # A mask that does not change is kept, not copied: with thousands of people each is a kilobyte.
            on = others if others & flag == own.at(point) else others ^ flag
            if on != (masks[-1] if masks else 0):
                starts.append(point)
                masks.append(on)
        return Segments(tuple(starts), tuple(masks))


def _count(depth: list[int], mask: int, more: bool) -> None:
    """Count each bit of the mask up or down by one; plane `i` of `depth` holds the bits of value 2**i of all counts.

    Plain integers do it for thousands of people at once, where one counter each would not.
    """
    place = 0
    while mask:
        if place == len(depth):
            depth.append(0)
        depth[place] ^= mask
        mask &= ~depth[place] if more else depth[place]
        place += 1
