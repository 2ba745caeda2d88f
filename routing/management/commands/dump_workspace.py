"""Prints a workspace as the file that makes it."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from agents.models import Workspace
from routing.publishing import has_unpublished_changes
from routing.rulebook.errors import did_you_mean
from routing.workspace_file import dump


class Command(BaseCommand):
    """The file goes to standard output; what it leaves out is told on standard error."""

    help = "Print a workspace as a YAML file that load_workspace reads."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", metavar="SLUG")

    def handle(self, *args: Any, **options: Any) -> None:
        slug = options["slug"]
        workspace = Workspace.objects.filter(slug=slug).first()
        if workspace is None:
            near = did_you_mean(slug, Workspace.objects.values_list("slug", flat=True))
            raise CommandError(f"there is no workspace {slug!r}{near}", returncode=2)
        self.stdout.write(dump(workspace), ending="")
        if has_unpublished_changes(workspace):
            self.stderr.write("note: the draft has changes that are not published, and so not in this file")
