"""Side-by-side measurements: `make bench`, or a part of them with `make bench ONLY=name`.

A part is a module here with `run()`, named in `PARTS`. It prints its figures with `figure`, and puts what it needs up
and down by itself.
"""

from __future__ import annotations

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
        Part("notify", "tests.bench.notify", "from a lead's commit to its agent's notification, at 20 leads/s"),
        Part("hung", "tests.bench.hung", "how late webhooks are beside a hundred servers that hang"),
    )
}


def figure(name: str, value: float, unit: str) -> None:
    """The one line that others read: `bench NAME VALUE UNIT`."""
    print(f"bench {name} {value:.4g} {unit}", flush=True)


def say(text: str) -> None:
    print(f"# {text}", flush=True)
