"""Charts as places on a drawing: templates only write them down as SVG."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

# Lengths of time that people know, in seconds, for the marks of a logarithmic axis.
TIMES = (1, 2, 5, 10, 30, 60, 120, 300, 900, 1_800, 3_600, 7_200, 14_400, 28_800, 86_400, 172_800, 604_800, 2_419_200)

NARROW = 760
PHONE = 340


@dataclass(frozen=True, slots=True)
class Mark:
    """A place on an axis, with what stands there."""

    at: float
    label: object


@dataclass(frozen=True, slots=True)
class Line:
    """`path` is what SVG draws, with gaps where there is no value; `dots` are single ones. `end` is where its name
    stands."""

    name: str
    style: str
    path: str
    dots: Sequence[tuple[float, float]]
    end: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Ground:
    """What lines are drawn on: its size, and the margins that axes and names take."""

    width: int = 1100
    height: int = 250
    left: int = 52
    margin: int = 140  # for the names behind the lines
    top: int = 14
    under: int = 28  # for the times
    most_times: int = 10
    most_name: int = 16

    @property
    def right(self) -> int:
        return self.width - self.margin

    @property
    def bottom(self) -> int:
        return self.height - self.under

    @property
    def across(self) -> int:
        return self.right - self.left

    def x_of(self, place: int, count: int) -> float:
        return round(self.left + (self.across / 2 if count == 1 else self.across * place / (count - 1)), 1)

    def times(self, labels: Sequence[str]) -> list[Mark]:
        every = max(1, math.ceil(len(labels) / self.most_times))
        return [
            Mark(self.x_of(place, len(labels)), label) for place, label in enumerate(labels) if place % every == 0
        ]  # fmt: skip


ON_DESKS = Ground()
ON_PHONES = Ground(width=PHONE, height=220, left=36, margin=84, most_times=3, most_name=10)


@dataclass(frozen=True, slots=True)
class Trend:
    """Lines over time. `narrow`: the same for a phone."""

    title: str
    description: str
    lines: Sequence[Line]
    times: Sequence[Mark]
    values: Sequence[Mark]
    ground: Ground
    template: str = "reports/charts/trend.html"
    is_time: bool = True
    band: tuple[float, float] | None = None
    narrow: Trend | None = None


@dataclass(frozen=True, slots=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    label: str
    value: str
    style: str = ""

    @property
    def middle(self) -> float:
        return self.x + self.width / 2


@dataclass(frozen=True, slots=True)
class Bars:
    """Lying bars, one under the other, each with its name before or above it, and its value behind it. `span`: as long
    as the whole is."""

    title: str
    description: str
    bars: Sequence[Bar]
    width: int
    height: int
    left: int
    span: int
    is_under_names: bool = False
    template: str = "reports/charts/bars.html"
    narrow: Bars | None = None

    @property
    def behind(self) -> int:
        return self.left + self.span + 10


@dataclass(frozen=True, slots=True)
class Columns:
    """Upright bars, side by side; on a phone they lie."""

    title: str
    description: str
    bars: Sequence[Bar]
    narrow: Bars
    template: str = "reports/charts/columns.html"
    width: int = NARROW
    height: int = 230
    bottom: int = 184


@dataclass(frozen=True, slots=True)
class Strip:
    """Where the middle half, and the slow end, of one row's answers lie, on the scale that all rows share."""

    start: float
    middle: float
    end: float
    width: int = 150


def trend(
    title: str, description: str, labels: Sequence[str], series: Sequence[tuple[str, str, Sequence[float | None]]]
) -> Trend | None:
    """Lines of seconds by a logarithmic axis. `series`: (name, style, values), as many as labels. None: no values."""
    known = [value for _name, _style, values in series for value in values if value is not None]
    if not known:
        return None
    low, high = _bounds(min(known), max(known))
    ticks = [tick for tick in TIMES if low <= tick <= high]
    ticks = ticks[:: max(1, math.ceil(len(ticks) / 7))]

    def drawn(ground: Ground, narrow: Trend | None = None) -> Trend:
        def y_of(value: float) -> float:
            part = (math.log(max(value, low)) - math.log(low)) / (math.log(high) - math.log(low))
            return round(ground.bottom - part * (ground.bottom - ground.top), 1)

        lines = [_line(name, style, values, ground, y_of) for name, style, values in series]
        marks = [Mark(y_of(tick), tick) for tick in ticks]
        return Trend(title, description, _named_apart(lines), ground.times(labels), marks, ground, narrow=narrow)

    return drawn(ON_DESKS, drawn(ON_PHONES))


def linear_trend(
    title: str, description: str, labels: Sequence[str], series: Sequence[tuple[str, str, Sequence[float | None]]],
    *, band: float | None = None,
) -> Trend | None:  # fmt: skip
    """Lines of plain numbers around zero. `band`: a bound drawn on both sides of it."""
    known = [abs(value) for _name, _style, values in series for value in values if value is not None]
    if not known:
        return None
    most = max([*known, band or 0, 1.0]) * 1.1
    step = max(1, math.ceil(most / 3))

    def drawn(ground: Ground, narrow: Trend | None = None) -> Trend:
        middle = (ground.top + ground.bottom) / 2

        def y_of(value: float) -> float:
            return round(middle - value / most * (middle - ground.top), 1)

        marks = [
            Mark(y_of(value), f"{value:+d}".replace("-", "−") if value else "0")
            for value in range(-2 * step, 2 * step + 1, step)
            if abs(value) <= most
        ]
        return Trend(
            title,
            description,
            _named_apart([_line(name, style, values, ground, y_of) for name, style, values in series]),
            ground.times(labels),
            marks,
            ground,
            is_time=False,
            band=None if band is None else (y_of(band), round(y_of(-band) - y_of(band), 1)),
            narrow=narrow,
        )

    return drawn(ON_DESKS, drawn(ON_PHONES))


def columns(title: str, description: str, found: Sequence[tuple[str, int, str]]) -> Columns | None:
    """Counts by what they are of: (label, count, style)."""
    most = max((count for _label, count, _style in found), default=0)
    if not most:
        return None
    step = (NARROW - 10) / len(found)
    bars = []
    for place, (label, count, style) in enumerate(found):
        height = max(1.0, 150 * count / most) if count else 0.0
        bars.append(
            Bar(
                round(5 + place * step, 1),
                round(184 - height, 1),
                round(step - 6, 1),
                round(height, 1),
                label,
                f"{count:,}" if count else "",
                style,
            )
        )
    lying = [
        Bar(64, 4 + place * 22, round(200 * count / most, 1), 15, label, f"{count:,}" if count else "", style)
        for place, (label, count, style) in enumerate(found)
    ]
    narrow = Bars(title, description, lying, PHONE, 8 + len(found) * 22, left=64, span=200)
    return Columns(title, description, bars, narrow)


def bars(title: str, description: str, found: Sequence[tuple[str, float | None, str, str]]) -> Bars | None:
    """Shares from 0 to 1: (label, share, how it is written, style)."""
    if not any(part for _label, part, _shown, _style in found):
        return None

    def drawn(width: int, left: int, span: int, step: int, *, above: int, narrow: Bars | None = None) -> Bars:
        """`above`: the height of a name over its bar, 0 where it stands before it."""
        bars = [
            Bar(left, 8 + above + place * step, round(span * min(1.0, part or 0), 1), 18, label, shown, style)
            for place, (label, part, shown, style) in enumerate(found)
        ]
        height = 14 + len(found) * step
        return Bars(title, description, bars, width, height, left, span, is_under_names=bool(above), narrow=narrow)

    # What stands behind a bar as long as the whole needs room, too.
    behind = 20 + 9 * max(len(shown) for _label, _part, shown, _style in found)
    narrow = drawn(PHONE, 0, min(236, PHONE - behind), 46, above=16)
    return drawn(NARROW, 190, NARROW - 190 - max(110, behind), 30, above=0, narrow=narrow)


def strip(median: float | None, slow: float | None, quick: float | None, *, longest: float) -> Strip | None:
    """On a logarithmic scale from a second to the longest."""
    if median is None or slow is None or quick is None:
        return None
    top = math.log(max(longest, 10))

    def x_of(value: float) -> float:
        return round(4 + 142 * math.log(max(value, 1)) / top, 1)

    return Strip(x_of(quick), x_of(median), x_of(slow))


def _bounds(low: float, high: float) -> tuple[float, float]:
    below = max((tick for tick in TIMES if tick <= low), default=TIMES[0])
    above = min((tick for tick in TIMES if tick >= high and tick > below), default=TIMES[-1])
    return below, max(above, high)


def _line(
    name: str, style: str, values: Sequence[float | None], ground: Ground, y_of: Callable[[float], float]
) -> Line:
    points = [
        None if value is None else (ground.x_of(place, len(values)), y_of(value)) for place, value in enumerate(values)
    ]
    path, dots = [], []
    for place, point in enumerate(points):
        if point is None:
            continue
        before = points[place - 1] if place else None
        after = points[place + 1] if place + 1 < len(points) else None
        path.append(f"{'L' if before else 'M'}{point[0]} {point[1]}")
        is_alone = before is None and after is None
        if is_alone or (name and len(points) <= ground.across // 20):
            dots.append(point)
    ends = [point for point in points if point is not None]
    most = ground.most_name
    name = name if len(name) <= most else f"{name[: most - 1]}…"
    return Line(name, style, " ".join(path), dots, ends[-1] if ends else None)


def _named_apart(lines: Sequence[Line]) -> list[Line]:
    """With names that do not cover each other; those of the lines without one take no place."""
    found: list[Line] = []
    free = 0.0
    for line in sorted(lines, key=lambda line: line.end[1] if line.end else 0):
        if line.end is not None and line.name:
            y = max(line.end[1], free)
            free = y + 15
            line = Line(line.name, line.style, line.path, line.dots, (line.end[0], y))
        found.append(line)
    # What has a name lies above what has none.
    return sorted(found, key=lambda line: bool(line.name))
