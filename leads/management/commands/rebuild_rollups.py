"""manage.py rebuild_rollups: count a workspace's hours anew from its leads."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from agents.models import Workspace
from leads.speed import rollups


class Command(BaseCommand):
    help = "Counts anew, from the leads, how fast they were answered. Changes nothing where the sums were right."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--workspace", required=True, metavar="SLUG")
        parser.add_argument("--from", dest="since", metavar="INSTANT", help="ISO 8601, UTC without an offset")
        parser.add_argument("--to", dest="until", metavar="INSTANT", help="hours that begin then or later are left out")

    def handle(self, *args: Any, **options: Any) -> None:
        workspace = Workspace.objects.filter(slug=options["workspace"]).first()
        if workspace is None:
            raise CommandError(f"there is no workspace {options['workspace']!r}")
        since, until = (_instant(options[name]) for name in ("since", "until"))
        if since is not None:
            since = rollups.hour_of(since)
        count = rollups.rebuild(workspace_id=workspace.pk, since=since, until=until, at=timezone.now())
        self.stdout.write(f"{count} hours counted")


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(f"not an instant: {text!r}. Write it like 2026-03-02T10:00:00+01:00") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
