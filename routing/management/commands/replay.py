"""Runs leads of a CSV file through the engine, to see what a policy and a roster would do with them."""

import os
import shutil
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError

from agents.models import Workspace
from routing.engine import Policy, Snapshot, compile_policy
from routing.models import PolicyVersion
from routing.publishing import draft_document, roster_names, version_document
from routing.replay import BadSheet, Sheet, replay
from routing.replay.output import FORMATS, summary
from routing.replay.sheet import MOST_PROBLEMS
from routing.rulebook import PolicyErrors, normalise_policy
from routing.rulebook.errors import did_you_mean
from routing.snapshots import snapshot

PROGRESS_ROWS = 20_000


class Command(BaseCommand):
    """Rows go to standard output; progress, the summary and what is wrong with the file to standard error."""

    requires_system_checks = ()  # they load every page of the site, which no lead asks for
    help = "Run leads of a CSV file through the engine in the order of time. Nothing that is stored is read or written."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--workspace", required=True, metavar="SLUG")
        parser.add_argument("file", metavar="LEADS.csv", help="the file, or - for standard input")
        parser.add_argument("--policy", default="published", metavar="published|draft|N", help="default: published")
        parser.add_argument("--format", default="csv", choices=sorted(FORMATS))

    def handle(self, *args: Any, **options: Any) -> None:
        workspace = _workspace(options["workspace"])
        policy = _policy(workspace, options["policy"])
        kept = snapshot(
            workspace_id=workspace.pk,
            policy_version=workspace.policy_version,
            roster_version=workspace.roster_version,
        )
        world = Snapshot(policy or kept.policy, kept.roster)
        with _opened(options["file"]) as file:
            sheet = Sheet(file)
            try:
                total = sheet.check()
            except BadSheet as error:
                raise CommandError(_faults(options["file"], error), returncode=2) from error
            self._say(f"{total} leads")
            done = replay(sheet, world, language=workspace.languages[0], progress=self._progress(total))
            try:
                FORMATS[options["format"]](done.rows(), self.stdout)
                self.stdout.flush()
            except BrokenPipeError:
                # Whoever read the rows has seen enough. Python would try to write the rest once more when it ends.
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        for cells in summary(done, world.roster):
            self._say("\t".join(cells))

    def _say(self, line: str) -> None:
        self.stderr.write(line, style_func=str)

    def _progress(self, total: int) -> Callable[[int], None]:
        terminal = self.stderr.isatty()

        def tell(done: int) -> None:
            if done % PROGRESS_ROWS and done != total:
                return
            line = f"routed {done} of {total}"
            if terminal:
                self.stderr.write(f"\r{line}", style_func=str, ending="\n" if done == total else "")
            else:
                self._say(line)

        return tell


def _workspace(slug: str) -> Workspace:
    workspace = Workspace.objects.filter(slug=slug).first()
    if workspace is None:
        near = did_you_mean(slug, Workspace.objects.values_list("slug", flat=True))
        raise CommandError(f"there is no workspace {slug!r}{near}", returncode=2)
    return workspace


def _policy(workspace: Workspace, name: str) -> Policy | None:
    """None for the published one, which the snapshot has."""
    if name == "published":
        return None
    if name == "draft":
        try:
            document = normalise_policy(draft_document(workspace), roster_names=roster_names(workspace, archived=True))
        except PolicyErrors as error:
            raise CommandError(f"the draft cannot be replayed:\n{error}", returncode=2) from error
        return compile_policy(document, 0)
    if not (name.isascii() and name.isdigit()):
        raise CommandError(f"--policy {name!r}: write published, draft or the number of a version", returncode=2)
    try:
        return compile_policy(version_document(workspace.pk, int(name)), int(name))
    except PolicyVersion.DoesNotExist:
        raise CommandError(f"there is no policy version {name}", returncode=2) from None


@contextmanager
def _opened(name: str) -> Iterator[BinaryIO]:
    """The file; what can be read only once is copied first."""
    if name == "-":
        with _copied(sys.stdin.buffer) as copy:
            yield copy
        return
    try:
        file = Path(name).open("rb")  # noqa: SIM115 - closed below
    except OSError as error:
        raise CommandError(f"{name}: {error.strerror or error}", returncode=2) from error
    with file:
        if file.seekable():
            yield file
            return
        with _copied(file) as copy:
            yield copy


@contextmanager
def _copied(source: BinaryIO) -> Iterator[BinaryIO]:
    with tempfile.TemporaryFile() as copy:
        shutil.copyfileobj(source, copy)
        yield copy


def _faults(file: str, error: BadSheet) -> str:
    lines = [f"{file} is refused, and nothing was routed:"]
    lines += [f"{file}:{problem}" for problem in error.problems]
    if len(error.problems) == MOST_PROBLEMS:
        lines.append("and perhaps more")
    return "\n".join(lines)
