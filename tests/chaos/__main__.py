"""`python -m tests.chaos [--scale tenth]`: exit code 1 where a promise is broken, 2 where the machine cannot run it."""

from __future__ import annotations

import argparse
import contextlib
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos import servers
from tests.chaos.figures import Figures
from tests.chaos.mailbox import Mailbox

_WEB_WORKERS = 3
_LOG_LINES = 40
_TRIALS = ("kills", "postgres", "both", "redis")
_STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument(
        "--scale",
        choices=("full", "tenth", "short"),
        default="full",
        help="a tenth of the leads and kills, or the few of the test suite; they say nothing about speed",
    )
    parser.add_argument("--only", choices=_TRIALS, nargs="+", default=_TRIALS, help="these trials alone")
    parser.add_argument("--log", type=Path, help="keep here what the processes say, to read afterwards")
    arguments = parser.parse_args()
    if reason := servers.missing():
        print(f"Nothing was tried: this {reason}.", file=sys.stderr)
        return 2
    for number in _STOPS:
        signal.signal(number, _interrupted)
    figures = Figures()
    try:
        _run(figures, arguments)
    except KeyboardInterrupt:
        print("Stopped; nothing is left running.", file=sys.stderr)
        return 130
    for sentence in figures.broken:
        print(f"broken: {sentence}", file=sys.stderr)
    print("Every promise held." if not figures.broken else f"{len(figures.broken)} promises broken.", flush=True)
    return 1 if figures.broken else 0


def _run(figures: Figures, arguments: argparse.Namespace) -> None:
    with contextlib.ExitStack() as ending:
        try:
            _try(figures, arguments, ending)
        finally:
            # A second Ctrl-C must not keep the first from ending everything.
            for number in _STOPS:
                signal.signal(number, signal.SIG_IGN)


def _try(figures: Figures, arguments: argparse.Namespace, ending: contextlib.ExitStack) -> None:
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="switchyard-chaos-"))
    ending.callback(shutil.rmtree, folder, ignore_errors=True)
    log = arguments.log.absolute() if arguments.log else folder / "log"
    postgres = servers.Postgres(log)
    ending.callback(postgres.remove)
    redis = servers.Redis(folder, log)
    ending.callback(redis.stop)
    mailbox = Mailbox()
    mailbox.start()
    ending.callback(mailbox.stop)
    postgres.create()
    redis.start()

    from tests.chaos.installation import Installation, configure, furnish

    configure(
        folder=folder / "var",
        database_url=postgres.url,
        redis_url=redis.url,
        mail_port=mailbox.port,
        web_workers=2 if arguments.scale == "short" else _WEB_WORKERS,
    )
    from tests.chaos import trials

    api_key = furnish()
    installation = Installation(log)
    ending.callback(installation.stop)
    try:
        installation.start()
        figures.say("preparing_took", time.monotonic() - began, "s")
        scale = trials.SCALES[arguments.scale]
        bench = trials.Bench(scale, figures, installation, postgres, redis, mailbox, api_key)
        for name, trial in trials.TRIALS.items():
            if name in arguments.only:
                trial(bench)
        if scale.is_full:
            trials.settle(bench)
    except Exception:
        print("\n".join(log.read_text(errors="replace").splitlines()[-_LOG_LINES:]), file=sys.stderr)
        raise
    finally:
        figures.say("took", time.monotonic() - began, "s")


def _interrupted(number: int, frame: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
