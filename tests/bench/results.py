"""The page of results: what was measured last of each part, on what, by which command, and a chart of the ratios.

`make bench PUBLISH=1` writes it, or the part of it that ran. Everything on it comes from a run; nothing is typed.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "static" / "bench"

_BAR, _GAP, _LEFT, _WIDTH, _TOP = 18, 10, 250, 860, 56


@dataclass(frozen=True, slots=True)
class Measured:
    """One part's run. `machine` says on what, `remarks` with which data, `figures` are name, value and unit.

    Where there are `tables`, which begin with their heads, the page shows them and not the figures, which they hold.
    """

    measures: str
    command: str
    day: str
    machine: Sequence[str]
    remarks: Sequence[str]
    figures: Sequence[Sequence[str]]
    tables: Sequence[Sequence[Sequence[str]]] = ()


def publish(measured: Mapping[str, Measured], *, folder: Path = FOLDER) -> None:
    """Put these parts in the place of what was published of them; the others stay."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / "results.json"
    parts = {name: Measured(**part) for name, part in json.loads(kept.read_text()).items()} if kept.exists() else {}
    parts = dict(sorted({**parts, **measured}.items()))
    documents = {name: asdict(part) for name, part in parts.items()}
    kept.write_text(json.dumps(documents, indent=1, ensure_ascii=False) + "\n")
    (folder / "ratios.svg").write_text(chart(parts))
    (folder / "results.md").write_text(page(parts))


def page(parts: Mapping[str, Measured]) -> str:
    lines = [
        "# How fast, and how exact",
        "",
        "Written by `make bench PUBLISH=1`. Ratios (unit `x`) are of things measured beside each other in one run, so",
        "they say more than anything else here: the machine is small, and shared. `make bench ONLY=name` repeats",
        "a part.",
        "",
        "![Ratios of this page, as bars on a logarithmic scale](ratios.svg)",
        "",
    ]
    for name, part in parts.items():
        lines += [
            f"## {name}",
            "",
            f"{part.measures[:1].upper()}{part.measures[1:]}. `{part.command}`, {part.day}.",
            "",
        ]
        lines += [f"- {one}" for one in part.machine]
        figures = [["figure", "value", "unit"], *([f"`{name}`", value, unit] for name, value, unit in part.figures)]
        for table in part.tables or [figures]:
            lines += ["", *_table(table)]
        if part.remarks:
            lines += ["", "```", *part.remarks, "```"]
        lines += [""]
    return "\n".join(lines)


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Numbers, which are neither first nor last, to the right."""
    head, *others = rows
    ruler = ["---", *["---:"] * (len(head) - 2), "---"]
    return [f"| {' | '.join(row)} |" for row in (head, ruler, *others)]


def chart(parts: Mapping[str, Measured]) -> str:
    """Every ratio as a bar from 1, to the right where more."""
    ratios = [(name, float(value)) for part in parts.values() for name, value, unit in part.figures if unit == "x"]
    decades = max((abs(math.log10(value)) for _name, value in ratios if value > 0), default=1.0)
    low = math.floor(min((math.log10(value) for _name, value in ratios if value > 0), default=0.0))
    high = max(low + 1, math.ceil(decades))
    height = _TOP + len(ratios) * (_BAR + _GAP) + 20

    def across(value: float) -> float:
        return _LEFT + (math.log10(value) - low) / (high - low) * (_WIDTH - _LEFT - 90)

    drawn = []
    for power in range(low, high + 1):
        x = across(10.0**power)
        drawn.append(f'<line class="grid" x1="{x:.1f}" y1="{_TOP - 12}" x2="{x:.1f}" y2="{height - 16}"/>')
        drawn.append(f'<text class="axis" x="{x:.1f}" y="{_TOP - 18}" text-anchor="middle">{10.0**power:g} x</text>')
    for place, (name, value) in enumerate(ratios):
        y = _TOP + place * (_BAR + _GAP)
        one, end = across(1), across(max(value, 10.0**low))
        drawn.append(f'<text x="{_LEFT - 12}" y="{y + 13}" text-anchor="end">{escape(name)}</text>')
        drawn.append(
            f'<rect class="bar" x="{min(one, end):.1f}" y="{y}" width="{max(abs(end - one), 1):.1f}" height="{_BAR}">'
            f"<title>{escape(name)}: {value:g} x</title></rect>"
        )
        drawn.append(f'<text class="value" x="{max(one, end) + 8:.1f}" y="{y + 13}">{value:g}</text>')
    told = "; ".join(f"{name} {value:g}" for name, value in ratios)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img"'
        ' aria-labelledby="title told">\n'
        '<title id="title">Ratios measured side by side</title>\n'
        f'<desc id="told">{escape(told)}</desc>\n'
        "<style>text{font:13px system-ui,sans-serif;fill:#1f2937}.axis{font-size:11px;fill:#6b7280}"
        ".value{font-weight:600}.grid{stroke:#d1d5db;stroke-width:1}.bar{fill:#2563eb}"
        "@media(prefers-color-scheme:dark){text{fill:#e5e7eb}.axis{fill:#9ca3af}.grid{stroke:#374151}"
        ".bar{fill:#60a5fa}}</style>\n"
        f'<text x="12" y="22">Ours beside theirs, or theirs beside ours, as each name says; logarithmic</text>\n'
        + "\n".join(drawn)
        + "\n</svg>\n"
    )
