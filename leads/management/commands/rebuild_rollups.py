"""manage.py rebuild_rollups: pack a workspace's days anew from its leads."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from agents.models import Workspace
from leads.speed import days


class Command(BaseCommand):
    help = "Packs days of leads and turns anew, for reports. Changes nothing where they were right."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--workspace", required=True, metavar="SLUG")
        parser.add_argument("--from", dest="since", metavar="DAY", help="UTC, such as 2026-03-02")
        parser.add_argument("--to", dest="until", metavar="DAY", help="this day and later ones are left out")

    def handle(self, *args: Any, **options: Any) -> None:
        workspace = Workspace.objects.filter(slug=options["workspace"]).first()
        if workspace is None:
            raise CommandError(f"there is no workspace {options['workspace']!r}")
        since, until = (_day(options[name]) for name in ("since", "until"))
        count = days.rebuild(workspace_id=workspace.pk, since=since, until=until, at=timezone.now())
        self.stdout.write(f"{count} days packed")


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise CommandError(f"not a day: {text!r}. Write it like 2026-03-02") from None
