"""Runs the measurements, after saying on what: `python -m tests.bench [--only NAME]`."""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import sys
import traceback
from pathlib import Path

from tests.bench import PARTS, say


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--only", metavar="NAME", choices=sorted(PARTS), help=", ".join(sorted(PARTS)))
    only = parser.parse_args(arguments).only
    _say_on_what()
    failed = []
    for part in PARTS.values():
        if only not in (None, part.name):
            continue
        say(f"{part.name}: {part.measures}")
        try:
            importlib.import_module(part.module).run()
        except Exception:
            traceback.print_exc()
            failed.append(part.name)
    if failed:
        say(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


def _say_on_what() -> None:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    say(f"{_processor()}, {os.cpu_count()} processors, {memory:.0f} GiB, {platform.system()} {platform.release()}")
    say(f"Python {platform.python_version()}, load before: {os.getloadavg()[0]:.1f}")
    say(f"command: {sys.executable} -m tests.bench {' '.join(sys.argv[1:])}".rstrip())


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
