"""Makes a key for a server."""

from argparse import ArgumentParser
from difflib import get_close_matches
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from agents.models import ApiKey, Scope, Workspace


class Command(BaseCommand):
    """The key alone goes to standard output, so that a script can keep it."""

    help = "Write a new API key to standard output, once: only its hash is stored."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--workspace", required=True, metavar="SLUG")
        parser.add_argument(
            "--scopes", required=True, metavar="SCOPE,…", help=f"some of {','.join(Scope.values)}, separated by commas"
        )
        parser.add_argument("--name", default="", help="what the key is for")

    def handle(self, *args: Any, **options: Any) -> None:
        workspace = Workspace.objects.filter(slug=options["workspace"]).first()
        if workspace is None:
            raise CommandError(
                f"there is no workspace '{options['workspace']}'"
                + _did_you_mean(options["workspace"], Workspace.objects.values_list("slug", flat=True)),
                returncode=2,
            )
        scopes = [scope.strip() for scope in options["scopes"].split(",") if scope.strip()]
        for scope in scopes:
            if scope not in Scope.values:
                raise CommandError(
                    f"unknown scope '{scope}'{_did_you_mean(scope, Scope.values)}; there are {', '.join(Scope.values)}",
                    returncode=2,
                )
        try:
            _row, key = ApiKey.issue(workspace=workspace, name=options["name"], scopes=scopes)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages), returncode=2) from error
        self.stdout.write(key)


def _did_you_mean(word: str, known: Any) -> str:
    near = get_close_matches(word, list(known), n=1)
    return f" (did you mean '{near[0]}'?)" if near else ""
