"""Side-by-side measurements: `make bench`, or a part of them with `make bench ONLY=name`.

A part is a module here with `run()`, named in `PARTS`. It prints its figures with `figure`, and puts what it needs up
and down by itself.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """`module` is imported only where the part runs. `measures`: one line for people."""

    name: str
    module: str
    measures: str


PARTS: dict[str, Part] = {
    part.name: part
    for part in (
        Part("http", "tests.bench.http", "handing in a lead over HTTP, beside a bare view that inserts one row"),
        Part("scale", "tests.bench.scale", "how assigning, deciding and the list of leads grow with what there is"),
        Part("engine", "tests.bench.engine", "a decision and a match among 10,000 rules, beside two rule engines"),
        Part("replay", "tests.bench.replay", "leads of a file through the demo's policy"),
        Part("roster", "tests.bench.roster", "what a pause costs the next decision of another process"),
        Part("many", "tests.bench.many", "leads, keys, caps and managers all at once, for a minute"),
        Part("notify", "tests.bench.notify", "from a lead's commit to its agent's notification, at 20 leads/s"),
        Part("admin", "tests.bench.admin", "how long managers wait for each page of a large workspace"),
        Part("widget", "tests.bench.widget", "what a page pays for carrying the widget, beside others"),
        Part("reports", "tests.bench.reports", "the pages of reports over a million leads, beside the plain query"),
        Part("hung", "tests.bench.hung", "how late webhooks are beside a hundred servers that hang"),
    )
}


# What was printed in this run, for the page of results.
figures: list[tuple[str, str, str]] = []
remarks: list[str] = []
tables: list[list[list[str]]] = []


def figure(name: str, value: float, unit: str) -> None:
    """The one line that others read: `bench NAME VALUE UNIT`, the value a plain decimal."""
    _print(name, plain(value), unit)


def say(text: str) -> None:
    remarks.append(text)
    print(f"# {text}", flush=True)


def table(rows: Sequence[Sequence[str]]) -> None:
    """The first row is the head. Goes to the page, in the place of the figures it is made of."""
    tables.append([list(row) for row in rows])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell.rjust(width) for cell, width in zip(row, widths, strict=True)]
        print("# " + "  ".join([row[0].ljust(widths[0]), *cells[1:-1], row[-1]]), flush=True)


def repeat(lines: str) -> None:
    """Say what another process of a part has printed with `figure` and `say`, or as `table` and JSON."""
    for line in lines.splitlines():
        if line.startswith("table "):
            table(json.loads(line.removeprefix("table ")))
            continue
        match line.split(" ", 3):
            case ["bench", name, value, unit]:
                _print(name, value, unit)
            case _:
                say(line.removeprefix("# "))


def plain(value: float) -> str:
    """Four digits that count, and never an exponent."""
    if isinstance(value, int) or value == 0 or not math.isfinite(value):
        return str(value)
    return f"{value:.{max(0, 3 - math.floor(math.log10(abs(value))))}f}"


def _print(name: str, value: str, unit: str) -> None:
    figures.append((name, value, unit))
    print(f"bench {name} {value} {unit}", flush=True)
