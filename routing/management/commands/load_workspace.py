"""Creates or updates a workspace from its file."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from routing.workspace_file import BadFile, load
from routing.workspace_file.nodes import MAX_BYTES

MOST_SHOWN = 20


class Command(BaseCommand):
    """What is wrong goes to standard error, one `FILE:LINE: place: fault` a line; nothing is changed then."""

    help = "Create or update a workspace from a YAML file, and publish its rules."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", help="the file, or - for standard input")

    def handle(self, *args: Any, **options: Any) -> None:
        file = options["file"]
        try:
            raw = _read(file)
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror or error}", returncode=2) from error
        try:
            loaded = load(raw, by=None, at=timezone.now())
        except BadFile as error:
            raise CommandError(_faults(file, error), returncode=2) from error
        for line in loaded.changes or ["nothing changed"]:
            self.stdout.write(line)
        for note in loaded.notes:
            self.stdout.write(f"note: {note}")
        for site in loaded.sites:
            self.stdout.write(f"site key {site.key} {site.name}")


def _read(file: str) -> bytes:
    # One byte more than may be read, so that what is too large is known without being held whole.
    if file == "-":
        return sys.stdin.buffer.read(MAX_BYTES + 1)
    with Path(file).open("rb") as opened:
        return opened.read(MAX_BYTES + 1)


def _faults(file: str, error: BadFile) -> str:
    lines = [f"{file} is refused, and nothing was changed:"]
    lines += [f"{file}:{problem}" for problem in error.problems[:MOST_SHOWN]]
    if len(error.problems) > MOST_SHOWN:
        lines.append(f"and {len(error.problems) - MOST_SHOWN} more")
    return "\n".join(lines)
