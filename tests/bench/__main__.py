"""Runs the measurements, after saying on what: `python -m tests.bench [--only NAME]`."""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import sys
import traceback
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from tests.bench import PARTS, figures, remarks, say, tables
from tests.bench.results import FOLDER, Measured, publish


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--only", metavar="NAME", choices=sorted(PARTS), help=", ".join(sorted(PARTS)))
    parser.add_argument("--publish", action="store_true", help=f"write what is measured into {FOLDER.name}/")
    wanted = parser.parse_args(arguments)
    only = wanted.only
    say_on_what("make bench" + (f" ONLY={only}" if only else ""))
    machine = list(remarks)
    failed = []
    published = {}
    for part in PARTS.values():
        if only not in (None, part.name):
            continue
        say(f"{part.name}: {part.measures}")
        remarks.clear()
        figures.clear()
        tables.clear()
        try:
            importlib.import_module(part.module).run()
        except Exception:
            traceback.print_exc()
            failed.append(part.name)
            continue
        day = datetime.now(UTC).date().isoformat()
        command = f"make bench ONLY={part.name}"
        published[part.name] = Measured(
            part.measures, command, day, machine, list(remarks), list(figures), list(tables)
        )
    if wanted.publish and published:
        publish(published)
    if failed:
        say(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


def say_on_what(command: str) -> None:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    say(f"{_processor()}, {os.cpu_count()} processors, {memory:.0f} GiB, {platform.system()} {platform.release()}")
    versions = ", ".join(f"{name} {version(name)}" for name in ("django", "djangorestframework", "psycopg"))
    say(f"Python {platform.python_version()}, {versions}; load before: {os.getloadavg()[0]:.1f}")
    say(f"command: {command}")


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
