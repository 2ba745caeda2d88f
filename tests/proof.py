"""The proofs in full: `make proof`, or a part of them with `make proof ONLY=fuzz`. Ends with 1 where one fails.

The suite runs a tenth of each. What is counted is printed as figures are, and goes onto the same page: what was sent,
lost, doubled, answered by 5xx, and the errors in the log.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

from tests import services
from tests.bench import figure, figures, many, remarks, say
from tests.bench.__main__ import say_on_what
from tests.bench.installation import ROOT
from tests.bench.results import Measured, publish

PAYLOADS = "50000"
_FUZZ = (
    "tests/widget/test_api_fuzz_site.py",
    "tests/widget/test_api_fuzz_server.py",
    "tests/widget/test_api_schema.py",
)


def fuzz() -> None:
    """Payloads as nobody should send them, on as many workers as there are processors."""
    sent: Counter[str] = Counter()
    database = os.environ.get("DATABASE_URL") or services.LOCAL_POSTGRES
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.xml")
        options = ("-q", "-n", str(os.cpu_count()), "--dist", "worksteal", "-o", "junit_family=xunit1")
        ended = subprocess.run(
            [sys.executable, "-m", "pytest", *options, f"--junitxml={report}", *_FUZZ],
            cwd=ROOT, env={"FUZZ_PAYLOADS": PAYLOADS, **os.environ, "DATABASE_URL": database}, check=False,
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        if ended.returncode:
            print(ended.stdout)  # the payload's bytes, and how to send it again
        tree = ElementTree.parse(report)
    for counted in tree.iter("property"):
        sent[counted.get("name", "")] += int(counted.get("value", ""))
    for name, unit in (("payloads", "payloads"), ("taken", "leads"), ("lost", "leads"), ("doubled", "leads")):
        figure(f"fuzz_{name}", sent[name], unit)
    statuses = {int(name[-3:]): count for name, count in sent.items() if name.startswith("answers_")}
    for status in sorted(statuses):
        figure(f"fuzz_answers_{status}", statuses[status], "answers")
    figure("fuzz_answers_5xx", sum(count for status, count in statuses.items() if status >= 500), "answers")
    figure("fuzz_log_errors", sent["log_errors"], "lines")
    if ended.returncode:
        raise AssertionError("not everything that was sent was answered as promised")


def chaos() -> None:
    """Processes killed and servers away, by the chaos itself: its figures are repeated here."""
    said = subprocess.Popen([sys.executable, "-m", "tests.chaos"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    for line in said.stdout or ():
        if found := re.fullmatch(r"chaos (\w+) ([\d.]+) (.+)", line.strip()):
            name, value, unit = found.groups()
            figure(f"chaos_{name}", float(value) if "." in value else int(value), unit)
        else:
            say(line.strip())
    if said.wait():
        raise AssertionError("a promise was broken")


PARTS = {
    "fuzz": (fuzz, "payloads as nobody should send them, our own and those of schemathesis"),
    "many": (many.run, "leads, keys, caps and managers all at once, for a minute"),
    "chaos": (chaos, "leads while processes are killed, PostgreSQL starts again and Redis is away"),
}


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="make proof")
    parser.add_argument("--only", metavar="NAME", choices=sorted(PARTS), help=", ".join(PARTS))
    parser.add_argument("--publish", action="store_true", help="write what is counted onto the page of results")
    wanted = parser.parse_args(arguments)
    say_on_what("make proof" + (f" ONLY={wanted.only}" if wanted.only else ""))
    machine = list(remarks)
    published, failed = {}, []
    for name, (run, measures) in PARTS.items():
        if wanted.only not in (None, name):
            continue
        say(f"{name}: {measures}")
        remarks.clear()
        figures.clear()
        began = time.monotonic()
        try:
            run()
        except Exception:
            traceback.print_exc()
            failed.append(name)
            continue
        figure(f"proof_{name}_took", time.monotonic() - began, "s")
        day = datetime.now(UTC).date().isoformat()
        published[f"proof: {name}"] = Measured(
            measures, f"make proof ONLY={name}", day, machine, list(remarks), list(figures)
        )
    if wanted.publish and published:
        publish(published)
    if failed:
        say(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
