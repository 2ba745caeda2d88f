"""What channels look like: one symbol each, on a tile of its own colour, so that it is seen in light and in dark."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

from agents.colours import ink_on


class Icon(NamedTuple):
    """`path` is the `d` of one SVG path in a box of 24 × 24, drawn in `ink` on a tile of `fill`."""

    path: str
    fill: str
    ink: str


def _read() -> dict[str, Icon]:
    drawn = json.loads(Path(__file__).with_suffix(".json").read_text())
    return {channel: Icon(icon["path"], icon["fill"], ink_on(icon["fill"])) for channel, icon in drawn.items()}


ICONS: dict[str, Icon] = _read()
