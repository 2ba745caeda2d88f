"""Replays of workspaces and leads drawn at random come to what a slow and independent reading of the rules says."""

from __future__ import annotations

import csv
import io
import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from routing.workspace_file import load
from tests.routing.reference import DAYS, ONE, Reference

pytestmark = pytest.mark.django_db

AT = datetime(2026, 3, 1, tzinfo=UTC)
LEADS = 160
# Weeks in which clocks change somewhere, or calendars have holidays.
STARTS = [(2026, 3, 5), (2026, 3, 23), (2026, 4, 1), (2026, 10, 19), (2026, 10, 30), (2026, 12, 20)]
ZONES = ["Europe/Madrid", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Chatham", "UTC"]
LANGUAGES = ["es", "en", "pt", "pt-BR", "es-MX", "fr", "fr-BE", "zh", "zh-TW", "sr", "sr-Latn"]
CHANNELS = ["whatsapp", "telegram", "email", "form"]
PLACES = {"ES": "ES-MD", "US": "US-CA", "BR": "BR-SP", "BE": ""}
TAGS = ["senior", "vip"]
WISHES = ["language", "channel", "territory", "tags:senior", "tags:vip"]


class Draw(random.Random):
    """What one seed makes. Where it is calm, nearly everybody is there for every lead, so that turns matter."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.is_calm = self.chance(0.5)

    def some(self, values: list, share: float) -> list:
        return [value for value in values if self.random() < share]

    def chance(self, share: float) -> bool:
        return self.random() < share

    def clock(self) -> str:
        return f"{self.randrange(24):02}:{self.choice([0, 15, 30, 45]):02}"

    def shift(self, **kind: str) -> dict[str, Any]:
        start, end = self.clock(), self.choice([self.clock(), "24:00"])
        end = end if end != start else "24:00"
        return {"days": self.sample(DAYS, self.randint(2, 7)), "start": start, "end": end, **kind}

    def agent(self, slug: str, start: datetime) -> dict[str, Any]:
        handles = {"whatsapp": "+34600111222", "telegram": f"{slug}_user", "email": f"{slug}@example.com"}
        agent: dict[str, Any] = {
            "slug": slug,
            "name": slug.title(),
            "timezone": self.choice(ZONES),
            "languages": self.some(LANGUAGES, 0.35),
            "territories": self.some(["ES", "US", "BR", "US-CA", "ES-MD"], 0.1),
            "tags": self.some(TAGS, 0.5),
            "handles": {channel: handles[channel] for channel in self.some(list(handles), 0.9)},
            "shifts": [self.shift() for _ in range(self.randint(0, 3))],
        }
        if self.chance(0.95 if self.is_calm else 0.3):
            agent["shifts"] = [{"days": list(DAYS), "start": "00:00", "end": "24:00"}]
        if self.chance(0.4):
            agent["shifts"].append(self.shift(kind="on_call"))
        if self.chance(0.1 if self.is_calm else 0.6):
            agent["caps"] = {cap: self.choice([1, 3, 9, 30]) for cap in self.some(["open", "hour", "day", "week"], 0.3)}
        if self.chance(0.4):
            begins = start + timedelta(hours=self.randrange(-50, 80))
            ends = begins + timedelta(hours=self.randrange(2, 150))
            agent["time_off"] = [{"from": f"{begins:%Y-%m-%dT%H:%M}", "to": f"{ends:%Y-%m-%dT%H:%M}"}]
        if self.chance(0.4):
            agent["holidays"] = self.choice(["ES-MD", "US", "DE"])
        agent |= {"active": False} if self.chance(0.05) else {"paused": True} if self.chance(0.05) else {}
        return agent

    def condition(self) -> dict[str, Any]:
        name, values = self.choice(
            [
                ("country", list(PLACES)),
                ("language", ["es", "es-MX", "zh", "pt"]),
                ("channel", CHANNELS),
                ("source", ["api", "phone"]),
                ("region", ["ES-MD", "US-CA"]),
                ("email_domain", ["gmail.com", "acme.com"]),
                ("page_host", ["www.example.com", "example.org"]),
                ("utm_source", ["google", "Ads"]),
                ("weekday", list(DAYS)),
                ("intent", ["hot", "warm", "cold"]),
                ("page_path", ["/pricing"]),
                ("local_time", []),
                ("score", [0, 20, 50]),
                ("in_hours", [True, False]),
                ("returning", [True, False]),
                ("message", ["price"]),
            ]
        )
        if name == "local_time":
            first, last = self.sample([f"{hour:02}:15" for hour in range(24)], 2)
            return {"field": name, "op": "between", "value": [first, last]}
        operators = {"page_path": ["starts_with"], "score": ["gte", "lt"], "in_hours": ["is"], "returning": ["is"]}
        operators["message"] = ["contains", "not_contains", "is_set", "is_not_set"]
        operator = self.choice(operators.get(name, ["is", "is_not", "in", "not_in"]))
        if operator in ("is_set", "is_not_set"):
            return {"field": name, "op": operator}
        value = self.sample(values, 2) if operator in ("in", "not_in") else self.choice(values)
        return {"field": name, "op": operator, "value": value}

    def when(self) -> dict[str, Any]:
        group = {"all": [self.condition() for _ in range(self.randint(1, 2))]}
        return self.choice([group, {"any": [self.condition(), group]}])

    def rule(self, name: str, teams: list[str], agents: list[str]) -> dict[str, Any]:
        to = self.choice([{"team": self.choice(teams)}] * 6 + [{"agent": self.choice(agents)}, "queue"])
        when = self.when() if self.chance(0.6) or "team" not in to else None
        wishes, route = 0.02 if self.is_calm else 0.12, {"to": to}
        if to != "queue":
            route |= {"require": self.some(WISHES, wishes), "prefer": self.some(WISHES, 2 * wishes)}
            route["if_nobody"] = self.choice(["next_rule", "on_call", "hold", "hold", "hold", "queue", "fallback"])
            if "team" in to:
                route["by"] = self.choice(
                    ["round_robin", "round_robin", "round_robin", "priority", "least_busy", "claim"]
                )
        if route.get("by") == "claim":
            when = {"all": [{"field": "channel", "op": "is", "value": "form"}]}
        return {"name": name, "route": route, **({"when": when} if when else {})}

    def document(self, start: datetime) -> dict[str, Any]:
        slugs = [f"agent{number}" for number in range(self.randint(3, 8))]
        self.shuffle(slugs)
        teams = []
        for number in range(self.randint(1, 3)):
            members = [
                {"agent": slug, "weight": self.choice([0, 1, 1, 2, 5]), "tier": self.randint(1, 2)}
                for slug in self.some(slugs, 0.8) or slugs
            ]
            members[0]["weight"] = 3
            teams.append({"slug": f"team{number}", "agents": members, "catch_up": self.choice([0, 1, 3])})
        names = [team["slug"] for team in teams]
        scoring = [{"when": self.when(), "points": self.choice([-10, 20, 40])} for _ in range(self.randint(0, 3))]
        return {
            "workspace": {
                "slug": "acme",
                "name": "Acme",
                "plan": "scale",
                "timezone": self.choice(ZONES),
                "languages": ["es", "en"],
                "returning": self.choice(["same_agent", "rotate"]),
                "join_window": self.choice([1, 24, 72]),
                "intent": {"hot": 50, "warm": 20},
                **({"fallback_agent": self.choice(slugs)} if self.chance(0.6) else {}),
            },
            "agents": [self.agent(slug, start) for slug in slugs],
            "teams": teams,
            "scoring": [entry for entry in scoring if not {"score", "intent"} & set(_fields(entry["when"]))],
            "rules": [self.rule(f"rule {number}", names, slugs) for number in range(self.randint(1, 6))],
        }

    def rows(self, at: datetime) -> list[dict[str, str]]:
        pace, strangers, found = self.choice([2, 15, 90]), self.choice([15, 300]), []
        for number in range(LEADS):
            at += timedelta(seconds=self.choice([0, self.randrange(120 * pace), 60 * self.randrange(2 * pace)]))
            closed_at = at + timedelta(minutes=self.choice([1, 30, 600, 5000]))
            country = self.choice([*PLACES, ""])
            found.append(
                {
                    "id": f"lead-{number}",
                    "received_at": at.isoformat(),
                    "channel": self.choice([*CHANNELS, ""]),
                    "source": self.choice(["", "phone"]),
                    "language": self.choice([*LANGUAGES, ""]),
                    "country": country,
                    "region": self.choice(["", PLACES.get(country, "")]),
                    "page_url": self.choice(
                        [
                            "",
                            "https://www.example.com/Pricing/1?utm_source=google",
                            "https://example.org/?utm_source=ads",
                        ]
                    ),
                    "message": self.choice(["", "What Price?", "Hello"]),
                    "email": self.choice(
                        ["", "", f"P{self.randrange(strangers)}@{self.choice(['gmail.com', 'Acme.com'])}"]
                    ),
                    "visitor_id": self.choice(["", f"v{self.randrange(strangers)}"]),
                    "closed_at": closed_at.isoformat() if self.chance(0.6) else "",
                }
            )
        return found


def _fields(when: dict[str, Any]) -> list[str]:
    groups = [each for key in ("all", "any") for each in when.get(key, ())]
    return [when["field"]] if "field" in when else [name for each in groups for name in _fields(each)]


def replayed(document: dict[str, Any], rows: list[dict[str, str]], folder: Path) -> tuple[list[tuple], dict]:
    """The rows, and of each ledger and agent what the summary says."""
    text = document | {"workspace": document["workspace"] | {"join_window": f"{document['workspace']['join_window']}h"}}
    load(json.dumps(text).encode(), by=None, at=AT)
    path = folder / "leads.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    out, err = io.StringIO(), io.StringIO()
    call_command("replay", "--workspace", "acme", str(path), stdout=out, stderr=err)
    told = [
        (
            row["outcome"],
            row["agent"],
            row["rule"],
            row["reason"],
            datetime.fromisoformat(row["assigned_at"]) if row["assigned_at"] else None,
        )
        for row in csv.DictReader(io.StringIO(out.getvalue()))
    ]
    lines = [line.split("\t") for line in err.getvalue().splitlines()]
    return told, {tuple(cells[:2]): [float(cell) for cell in cells[2:]] for cells in lines if cells[1:2] != ["agent"]}


@pytest.mark.parametrize("seed", range(16))
def test_a_replay_comes_to_what_the_rules_say(seed, tmp_path):
    draw = Draw(seed)
    start = datetime(*draw.choice(STARTS), tzinfo=UTC)
    document, rows = draw.document(start), draw.rows(start)
    reference = Reference(document, rows)

    told, summary = replayed(document, rows, tmp_path)

    assert [_comparable(row) for row in told] == [_comparable(row) for row in reference.rows()]
    for name, ledger in reference.ledgers.items():
        assert summary.get(("worst", name), [0.0]) == pytest.approx([ledger.worst / ONE], abs=6e-5)
        for agent in reference.teams.get(name, ()):
            due, received = ledger.due[agent] / ONE, ledger.received[agent]
            expected = [due, received, reference.got[agent] - received]
            assert summary[name, agent.slug] == pytest.approx(expected, abs=6e-3)


def _comparable(row: tuple) -> tuple:
    """A lead that nobody got tells its first rule or its last: both matched last at some time."""
    outcome, agent, _, reason, assigned_at = row
    return row if agent else (outcome, agent, "", reason, assigned_at)
