"""The whole suite, as `make test` runs it: on PostgreSQL where there is one, and what must hold on both on SQLite too.

Arguments go to pytest: `make test ARGS="tests/engine -k ledger"`.
"""

import os
import subprocess
import sys
from pathlib import Path

from tests import services


def main(arguments: list[str]) -> int:
    given = os.environ.get("DATABASE_URL", "")
    if given.startswith("sqlite"):
        return run("the whole suite on SQLite", arguments, database_url="")
    if services.postgres_answers(given or services.LOCAL_POSTGRES):
        code = run("the whole suite on PostgreSQL", arguments, database_url=given or services.LOCAL_POSTGRES)
        if code:
            return code
        # To migrate SQLite twice takes a fifth of the time; what comes of it, `test_run.py` has looked at by now.
        code = run(
            "the portable tests on SQLite",
            [*(arguments or portable_files()), "-m", "portable"],
            database_url="",
            TABLES_FROM_MODELS="1",
        )
        return 0 if code == 5 else code  # the arguments may have chosen no portable test
    if given:
        sys.stderr.write("The PostgreSQL of DATABASE_URL does not answer: start it, or unset DATABASE_URL.\n")
        return 2
    return run("the whole suite on SQLite (no PostgreSQL on 127.0.0.1:5432)", arguments, database_url="")


def portable_files() -> list[str]:
    """Where such tests are: reading all the others only to leave them out takes a while."""
    files = Path(__file__).parent.rglob("test_*.py")
    return sorted(str(path) for path in files if "mark.portable" in path.read_text())


def run(title: str, arguments: list[str], *, database_url: str, **more: str) -> int:
    print(f"=== {title}", flush=True)
    command = [sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadfile", *arguments]
    # Each of the many processes would compile all modules anew where writing them down is forbidden.
    environment = {**os.environ, "DATABASE_URL": database_url, "PYTHONDONTWRITEBYTECODE": "", **more}
    return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
