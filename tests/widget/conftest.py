"""A workspace with two doors, and another one beside it that nobody may meet."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from django.test import Client
from django.utils import timezone

from agents.models import ApiKey, Site, Workspace
from routing import snapshots
from routing.workspace_file import load
from widget import counting, typical_reply

ORIGIN = "https://www.example.com"
MONDAY_NOON = datetime(2026, 3, 2, 11, 0, tzinfo=UTC)  # 12:00 in Madrid

HOUSE = """
workspace:
  {slug: SLUG, name: NAME, timezone: Europe/Madrid, plan: scale, languages: [es, en], public_attributes: [plan]}
sites: [{name: Main site, origins: ["https://www.example.com"], channels: [whatsapp, email]}]
agents:
  - slug: marta
    name: Marta Ruiz
    languages: [es, en]
    handles: {whatsapp: +34600111222, email: marta@SLUG.test}
    shifts: [{days: [mon, tue, wed, thu, fri], start: 09:00, end: 18:00}]
  - slug: joao
    name: João Lima
    languages: [pt]
    handles: {email: joao@SLUG.test}
    shifts: [{days: [mon, tue, wed, thu, fri], start: 09:00, end: 17:00}]
teams: [{slug: iberia, agents: [marta, joao]}]
rules: [{name: Everybody, route: {to: {team: iberia}}}]
"""


@dataclass
class House:
    """A workspace loaded from a file, with a browser on its site and a server with its key."""

    workspace: Workspace
    site: Site
    key: str

    def url(self, path: str) -> str:
        return f"/api/v1/widgets/{self.site.key}/{path}"

    def visit(self, path: str = "config", **headers):
        """A page of the site reads."""
        return Client().get(self.url(path), headers={"origin": ORIGIN, **headers})

    def write(self, body=None, *, raw: bytes | None = None, content_type="application/json", address=None, **headers):
        """A page of the site hands in a lead."""
        return Client().post(
            self.url("leads"),
            json.dumps(body or {}) if raw is None else raw,
            content_type=content_type,
            headers={"origin": ORIGIN, **{name.replace("_", "-"): value for name, value in headers.items()}},
            **({"REMOTE_ADDR": address} if address else {}),
        )

    def browser(self) -> Client:
        """On a page of the site."""
        return Client(headers={"origin": ORIGIN})

    def server(self) -> Client:
        return Client(headers=self._bearer(None))

    def ask(self, path: str, *, key: str | None = None, **query):
        """The customer's server reads."""
        return Client().get(f"/api/v1/{path}", query, headers=self._bearer(key))

    def send(self, path: str, body=None, *, key: str | None = None, **headers):
        """The customer's server writes."""
        return Client().post(
            f"/api/v1/{path}",
            json.dumps(body or {}),
            content_type="application/json",
            headers={**self._bearer(key), **{name.replace("_", "-"): value for name, value in headers.items()}},
        )

    def new_key(self, *scopes: str) -> str:
        return ApiKey.issue(workspace=self.workspace, name="", scopes=scopes)[1]

    def _bearer(self, key: str | None) -> dict[str, str]:
        return {"authorization": f"Bearer {self.key if key is None else key}"}


def build(slug: str, text: str = HOUSE) -> House:
    load(text.replace("SLUG", slug).replace("NAME", slug.title()).encode(), by=None, at=MONDAY_NOON)
    workspace = Workspace.objects.get(slug=slug)
    _row, key = ApiKey.issue(workspace=workspace, name="Server", scopes=["leads:write", "leads:read", "reports:read"])
    return House(workspace, workspace.sites.get(), key)


@pytest.fixture(autouse=True)
def _nothing_kept(monkeypatch):
    """What a process keeps of one test's workspaces must not meet the next one's, which have the same row ids."""
    snapshots.forget()
    typical_reply.forget()
    counting.forget_lots()
    monkeypatch.setattr(counting, "_redis_rests_until", 0.0)


@pytest.fixture
def clock(monkeypatch):
    """The time that views read: Monday noon in Madrid, until a test moves it."""

    class Clock:
        at = MONDAY_NOON

    monkeypatch.setattr(timezone, "now", lambda: Clock.at)
    return Clock


@pytest.fixture
def acme(db, clock):
    return build("acme")


@pytest.fixture
def rival(db, clock):
    return build("rival")
