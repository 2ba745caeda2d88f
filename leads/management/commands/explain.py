"""manage.py explain: why a lead went where it went, or where one like this would go."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from datetime import datetime
from difflib import get_close_matches
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from agents.models import Workspace
from leads import selectors
from leads.explaining import explain_lead
from leads.models import Lead
from routing.explaining import explain_facts, in_text

_FIELDS = (
    "channel", "source", "language", "country", "region", "city", "page_url", "page_path", "page_host", "referrer",
    "utm_source", "utm_medium", "utm_campaign", "message", "email", "phone",
)  # fmt: skip
_ATTRIBUTE = "attributes."


class Command(BaseCommand):
    help = "Explains a decision: every rule tried, everybody asked, the ledger before and after. Changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("lead", nargs="?", metavar="LEAD_ID", help="a lead's id or reference; or, for a lead that")
        parser.add_argument("facts", nargs="*", metavar="FIELD=VALUE", help="does not exist: what is known of it")
        parser.add_argument("--workspace", metavar="SLUG", help="needed for a lead that does not exist")
        parser.add_argument("--at", metavar="INSTANT", help="ISO 8601 with offset, such as 2026-03-02T10:00:00+01:00")
        parser.add_argument("--format", choices=["text", "json"], default="text")

    def handle(self, *args: Any, **options: Any) -> None:
        facts = [text for text in [options["lead"], *options["facts"]] if text]
        if facts and "=" not in facts[0]:
            explained = self._stored(facts[0], facts[1:], options)
        else:
            explained = self._imagined(facts, options)
        if options["format"] == "json":
            self.stdout.write(json.dumps(explained, ensure_ascii=False, indent=2))
        else:
            self.stdout.write(in_text(explained))

    def _stored(self, name: str, rest: list[str], options: dict[str, Any]) -> dict[str, Any]:
        if rest or options["at"]:
            raise _refusal("a stored lead is explained as it was decided: leave out --at and FIELD=VALUE")
        leads = Lead.objects.select_related("agent", "site", "workspace")
        if options["workspace"]:
            leads = leads.for_workspace(_workspace(options["workspace"]))
        lead = leads.filter(pk=name).first() if _is_id(name) else None
        if lead is None and options["workspace"]:
            lead = leads.filter(reference=name.upper()).first()
        if lead is None:
            raise _refusal(f"there is no lead {name!r}: give its id, or its reference together with --workspace")
        if selectors.latest_decision(lead) is None:
            raise _refusal(f"nothing was decided about lead {name}: it was rejected")
        return explain_lead(lead)

    def _imagined(self, facts: list[str], options: dict[str, Any]) -> dict[str, Any]:
        if not options["workspace"]:
            raise _refusal("name the workspace with --workspace SLUG, or a lead by its id")
        workspace = _workspace(options["workspace"])
        try:
            return explain_facts(workspace, _facts(facts), at=_instant(options["at"]))
        except ValueError as problem:
            raise _refusal(str(problem)) from None


def _facts(texts: list[str]) -> dict[str, Any]:
    values: dict[str, Any] = {"attributes": {}}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise _refusal(f"{text!r} is no FIELD=VALUE, such as country=ES")
        if name.startswith(_ATTRIBUTE) and name != _ATTRIBUTE:
            values["attributes"][name.removeprefix(_ATTRIBUTE)] = value
        elif name in _FIELDS:
            values[name] = value
        else:
            near = get_close_matches(name, [*_FIELDS, _ATTRIBUTE + "NAME"], 1)
            hint = f" (did you mean {near[0]!r}?)" if near else f"; there are {', '.join(_FIELDS)}, attributes.NAME"
            raise _refusal(f"unknown field {name!r}{hint}")
    return values


def _instant(text: str | None) -> datetime:
    if not text:
        return timezone.now()
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise _refusal(f"--at {text!r} is no ISO 8601 time with an offset, such as 2026-03-02T10:00:00+01:00")
    return at


def _workspace(slug: str) -> Workspace:
    workspace = Workspace.objects.filter(slug=slug).first()
    if workspace is not None:
        return workspace
    near = get_close_matches(slug, Workspace.objects.values_list("slug", flat=True), 1)
    raise _refusal(f"there is no workspace {slug!r}" + (f" (did you mean {near[0]!r}?)" if near else ""))


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _refusal(sentence: str) -> CommandError:
    return CommandError(sentence, returncode=2)
