"""The command that replays leads of a file, from its input to every line it prints."""

# ruff: noqa: E501 - rules of a workspace file read best on one line

from __future__ import annotations

import csv
import io
import json
import os
import random
import sys
import tracemalloc
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from importlib import import_module
from inspect import cleandoc
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command

from agents.models import Workspace
from routing.publishing import publish
from routing.workspace_file import load
from widget.demo.workspace import FILE as DEMO_FILE

pytestmark = pytest.mark.django_db

AT = datetime(2026, 3, 1, tzinfo=UTC)
OFFICE = "[{days: [mon, tue, wed, thu, fri], start: 09:00, end: 17:00}]"
ALWAYS = "[{days: [mon, tue, wed, thu, fri, sat, sun], start: 00:00, end: 24:00}]"
ON_CALL = "[{days: [mon, tue, wed, thu, fri, sat, sun], start: 00:00, end: 24:00, kind: on_call}]"


def make(agents: str, teams: str, rules: str, *, more: str = "") -> Workspace:
    """A workspace `acme` in Madrid, from parts of its file."""
    raw = f"""
workspace: {{slug: acme, name: Acme, timezone: Europe/Madrid, plan: scale, languages: [es, en]{more}}}
agents:
{agents}
teams:
{teams}
rules:
{rules}
"""
    return load(raw.encode(), by=None, at=AT).workspace


@pytest.fixture
def pair() -> Workspace:
    """Two equal people who work by day and hold what comes at night."""
    return make(
        f"""
  - {{slug: ana, name: Ana, languages: [es], shifts: {OFFICE}, handles: {{whatsapp: +34600111222, phone: +34600111222}}}}
  - {{slug: ben, name: Ben, languages: [es, en], shifts: {OFFICE}, handles: {{phone: +34600111223}}}}
""",
        "  - {slug: sales, agents: [ana, ben]}",
        "  - {name: All, route: {to: {team: sales}, if_nobody: hold}}",
    )


def sheet(tmp_path: Path, text: str) -> str:
    path = tmp_path / "leads.csv"
    path.write_text(cleandoc(text) + "\n", encoding="utf-8")
    return str(path)


def run(file: str, *options: str, workspace: str = "acme") -> tuple[list[dict[str, str]], list[list[str]]]:
    """The rows, and the lines of the summary as their cells."""
    out, err = io.StringIO(), io.StringIO()
    call_command("replay", "--workspace", workspace, file, *options, stdout=out, stderr=err)
    lines = [line.split("\t") for line in err.getvalue().splitlines()]
    header = lines.index(["team", "agent", "due", "received", "other"])
    return list(csv.DictReader(io.StringIO(out.getvalue()))), lines[header:]


def told(rows: Iterable[dict[str, str]]) -> list[str]:
    return [" ".join(row[name] or "-" for name in ("id", "outcome", "agent", "reason", "assigned_at")) for row in rows]


class TestRows:
    def test_every_lead_has_one_row_in_the_order_of_the_file(self, pair, tmp_path):
        file = sheet(
            tmp_path,
            """id,received_at
            a,2026-03-02T10:00:00+01:00
            b,2026-03-02T10:00:00+01:00
            c,2026-03-02T09:30:00Z
            """,
        )

        out = io.StringIO()
        call_command("replay", "--workspace", "acme", file, stdout=out, stderr=io.StringIO())

        assert out.getvalue() == (
            "id,received_at,outcome,agent,rule,reason,assigned_at\n"
            "a,2026-03-02T10:00:00+01:00,assigned,ana,All,round_robin,2026-03-02T10:00:00+01:00\n"
            "b,2026-03-02T10:00:00+01:00,assigned,ben,All,round_robin,2026-03-02T10:00:00+01:00\n"
            "c,2026-03-02T09:30:00Z,assigned,ana,All,round_robin,2026-03-02T09:30:00Z\n"
        )

    def test_json_says_the_same(self, pair, tmp_path):
        file = sheet(tmp_path, "id,received_at\na,2026-03-02T10:00:00+01:00\nb,2026-04-30T23:00:00+02:00\n")

        out = io.StringIO()
        call_command("replay", "--workspace", "acme", file, "--format", "json", stdout=out, stderr=io.StringIO())

        rows, _ = run(file)
        assert json.loads(out.getvalue()) == [{name: value or None for name, value in row.items()} for row in rows]

    def test_a_sheet_without_leads_gives_a_header_and_an_empty_array(self, pair, tmp_path):
        file = sheet(tmp_path, "id,received_at\n")
        out = io.StringIO()

        call_command("replay", "--workspace", "acme", file, "--format", "json", stdout=out, stderr=io.StringIO())

        assert json.loads(out.getvalue()) == []
        assert run(file)[0] == []

    def test_held_leads_of_the_night_are_released_when_a_shift_starts_the_oldest_first(self, pair, tmp_path):
        file = sheet(
            tmp_path,
            """id,received_at
            n1,2026-03-02T22:00:00+01:00
            n2,2026-03-03T03:00:00+01:00
            d1,2026-03-03T09:00:00+01:00
            """,
        )

        rows, _ = run(file)

        assert told(rows) == [
            "n1 held ana shift_started 2026-03-03T09:00:00+01:00",
            "n2 held ben shift_started 2026-03-03T09:00:00+01:00",
            "d1 assigned ana round_robin 2026-03-03T09:00:00+01:00",
        ]

    def test_at_one_instant_closings_come_before_releases_and_releases_before_new_leads(self, tmp_path):
        make(
            f"  - {{slug: ana, name: Ana, shifts: {ALWAYS}, caps: {{open: 1}}}}",
            "  - {slug: sales, agents: [ana]}",
            "  - {name: All, route: {to: {team: sales}, if_nobody: hold}}",
        )
        file = sheet(
            tmp_path,
            """id,received_at,closed_at
            1,2026-03-02T10:00:00Z,2026-03-02T12:00:00Z
            2,2026-03-02T11:00:00Z,2026-03-02T13:00:00Z
            3,2026-03-02T12:00:00Z,
            4,2026-03-02T12:30:00Z,2026-03-02T13:00:00Z
            """,
        )

        rows, _ = run(file)

        assert told(rows) == [
            "1 assigned ana round_robin 2026-03-02T10:00:00Z",
            "2 held ana cap_freed 2026-03-02T12:00:00+00:00",
            "3 held ana cap_freed 2026-03-02T13:00:00+00:00",
            "4 held - nobody -",  # closed before anybody was there for it
        ]

    def test_a_day_cap_opens_at_midnight_of_the_agents_zone_when_clocks_change_too(self, tmp_path):
        make(
            f"  - {{slug: ana, name: Ana, timezone: Europe/Berlin, shifts: {ALWAYS}, caps: {{day: 1}}}}",
            "  - {slug: sales, agents: [ana]}",
            "  - {name: All, route: {to: {team: sales}, if_nobody: hold}}",
        )
        file = sheet(
            tmp_path,
            """id,received_at
            1,2026-03-28T10:00:00Z
            2,2026-03-28T11:00:00Z
            3,2026-03-28T12:00:00Z
            """,
        )

        rows, _ = run(file)

        assert told(rows) == [
            "1 assigned ana round_robin 2026-03-28T10:00:00Z",
            "2 held ana cap_freed 2026-03-28T23:00:00+00:00",
            "3 held ana cap_freed 2026-03-29T22:00:00+00:00",
        ]

    def test_time_runs_on_31_days_and_no_longer(self, tmp_path):
        make(
            f"  - {{slug: ana, name: Ana, shifts: {ALWAYS}, caps: {{week: 1}}}}",
            "  - {slug: sales, agents: [ana]}",
            "  - {name: All, route: {to: {team: sales}, if_nobody: hold}}",
        )
        times = "".join(f"{number},2026-03-02T10:00:00+01:00\n" for number in range(8))
        file = sheet(tmp_path, "id,received_at\n" + times)

        rows, _ = run(file)

        assert [row["assigned_at"] for row in rows[1:]] == [
            "2026-03-09T00:00:00+01:00",
            "2026-03-16T00:00:00+01:00",
            "2026-03-23T00:00:00+01:00",
            "2026-03-29T23:00:00+01:00",  # midnight in summer time
            *[""] * 3,
        ]
        assert {row["outcome"] for row in rows[1:]} == {"held"}

    def test_an_offer_that_nobody_takes_goes_by_turn_after_five_minutes(self, tmp_path):
        make(
            f"  - {{slug: ana, name: Ana, shifts: {ALWAYS}}}\n  - {{slug: ben, name: Ben, shifts: {ALWAYS}}}",
            "  - {slug: sales, agents: [ana, ben]}",
            "  - {name: Forms, when: {all: [{field: channel, op: is, value: form}]}, route: {to: {team: sales}, by: claim}}",
        )
        file = sheet(
            tmp_path,
            """id,received_at,channel
            1,2026-03-02T10:00:00Z,form
            2,2026-03-02T10:01:00Z,form
            """,
        )

        rows, summary = run(file)

        assert told(rows) == [
            "1 held ana claim 2026-03-02T10:05:00+00:00",
            "2 held ben claim 2026-03-02T10:06:00+00:00",
        ]
        assert ["sales", "ana", "1.00", "1", "0"] in summary

    def test_the_last_rule_that_held_is_named_and_returning_contacts_have_none(self, tmp_path):
        make(
            f"  - {{slug: ana, name: Ana, shifts: {ALWAYS}}}\n  - {{slug: ben, name: Ben, shifts: {ALWAYS}}}",
            "  - {slug: sales, agents: [ana, ben]}\n  - {slug: empty}",
            """
  - {name: Spain, when: {all: [{field: country, op: is, value: ES}]}, route: {to: {team: empty}}}
  - {name: All, route: {to: {team: sales}}}
""",
        )
        file = sheet(
            tmp_path,
            """id,received_at,country,email,closed_at
            1,2026-03-02T10:00:00Z,es,Kim@Example.com,2026-03-02T10:30:00Z
            2,2026-03-02T11:00:00Z,ES,,
            3,2026-03-02T12:00:00Z,PT,kim@example.com ,
            """,
        )

        rows, summary = run(file)

        assert [(row["agent"], row["rule"], row["reason"]) for row in rows] == [
            ("ana", "All", "round_robin"),
            ("ben", "All", "round_robin"),
            ("ana", "", "returning"),
        ]
        assert ["sales", "ana", "1.00", "1", "1"] in summary

    def test_the_last_resorts_are_people_on_call_then_the_fallback(self, tmp_path):
        make(
            f"""
  - {{slug: ana, name: Ana, shifts: {ON_CALL}, handles: {{whatsapp: +34600111222}}, caps: {{day: 1}}}}
  - {{slug: ben, name: Ben}}
  - {{slug: cas, name: Cas, shifts: {OFFICE}}}
""",
            "  - {slug: sales, agents: [cas]}",
            "  - {name: All, route: {to: {team: sales}}}",
            more=", fallback_agent: ben",
        )
        file = sheet(
            tmp_path,
            """id,received_at,channel
            1,2026-03-01T10:00:00Z,whatsapp
            2,2026-03-01T11:00:00Z,whatsapp
            3,2026-03-02T11:00:00Z,telegram
            """,
        )

        rows, summary = run(file)

        assert [(row["outcome"], row["agent"], row["reason"]) for row in rows] == [
            ("assigned", "ana", "on_call"),
            ("fallback", "ben", "fallback"),
            ("fallback", "ben", "fallback"),
        ]
        assert ["(on call)", "ana", "1.00", "1", "0"] in summary
        assert ["worst", "(on call)", "0.0000"] in summary
        assert summary[-2:] == [["outcome", "assigned", "1"], ["outcome", "fallback", "2"]]


class TestPeople:
    def test_a_submission_joins_an_open_lead_received_within_the_window(self, pair, tmp_path):
        file = sheet(
            tmp_path,
            """id,received_at,visitor_id,closed_at
            1,2026-03-02T10:00:00Z,v,
            2,2026-03-03T09:59:59Z,v,
            3,2026-03-03T10:00:00Z,v,2026-03-03T11:00:00Z
            4,2026-03-03T11:00:00Z,v,
            """,
        )

        rows, summary = run(file)

        assert told(rows) == [
            "1 assigned ana round_robin 2026-03-02T10:00:00Z",
            "2 assigned ana joined 2026-03-02T10:00:00+00:00",
            "3 assigned ana returning 2026-03-03T10:00:00Z",
            "4 assigned ana returning 2026-03-03T11:00:00Z",
        ]
        assert ["sales", "ana", "0.50", "1", "2"] in summary
        assert ["outcome", "assigned", "4"] in summary

    def test_whoever_joins_a_held_lead_gets_what_it_gets(self, pair, tmp_path):
        file = sheet(
            tmp_path,
            """id,received_at,phone
            1,2026-03-02T22:00:00+01:00,600 11 12 22
            2,2026-03-02T23:00:00+01:00,+34600111222
            """,
        )

        rows, _ = run(file)

        assert told(rows) == [
            "1 held ana shift_started 2026-03-03T09:00:00+01:00",
            "2 held ana joined 2026-03-03T09:00:00+01:00",
        ]

    def test_the_visitor_decides_before_the_email_and_the_email_before_the_phone(self, pair, tmp_path):
        file = sheet(
            tmp_path,
            """id,received_at,visitor_id,email,phone,closed_at
            1,2026-03-02T09:00:00Z,v1,,,2026-03-02T09:01:00Z
            2,2026-03-02T09:10:00Z,,e@x.com,,2026-03-02T09:11:00Z
            3,2026-03-02T09:20:00Z,,,600111333,2026-03-02T09:21:00Z
            4,2026-03-02T09:30:00Z,v1,e@x.com,600111333,2026-03-02T09:31:00Z
            5,2026-03-02T09:40:00Z,v9,e@x.com,600111333,2026-03-02T09:41:00Z
            6,2026-03-02T09:50:00Z,v9,,,
            """,
        )

        rows, _ = run(file)

        # Known by v1: Ana's. By e-mail: Ben's, whose v9 is from then on.
        assert [row["agent"] for row in rows] == ["ana", "ben", "ana", "ana", "ben", "ben"]
        assert [row["reason"] for row in rows[3:]] == ["returning"] * 3

    def test_a_lead_whose_agent_lacks_the_channel_that_is_named_now_is_decided_anew_without_a_second_turn(
        self, pair, tmp_path
    ):
        file = sheet(
            tmp_path,
            """id,received_at,visitor_id,channel
            1,2026-03-02T10:00:00Z,x,
            2,2026-03-02T10:01:00Z,v,
            3,2026-03-02T10:02:00Z,v,whatsapp
            4,2026-03-02T10:03:00Z,v,phone
            """,
        )

        rows, summary = run(file)

        assert told(rows) == [
            "1 assigned ana round_robin 2026-03-02T10:00:00Z",
            "2 assigned ben round_robin 2026-03-02T10:01:00Z",
            "3 assigned ana joined 2026-03-02T10:02:00Z",
            "4 assigned ana joined 2026-03-02T10:02:00+00:00",
        ]
        assert ["sales", "ana", "1.00", "1", "1"] in summary

    def test_a_held_lead_that_can_be_given_when_its_person_writes_again_is(self, tmp_path):
        make(
            f"  - {{slug: ana, name: Ana, shifts: {OFFICE}}}\n  - {{slug: ben, name: Ben, shifts: {ALWAYS}, handles: {{whatsapp: +34600111222}}}}",
            "  - {slug: day, agents: [ana]}\n  - {slug: night, agents: [ben]}",
            """
  - {name: WhatsApp, when: {all: [{field: channel, op: is, value: whatsapp}]}, route: {to: {team: night}}}
  - {name: All, route: {to: {team: day}, if_nobody: hold}}
""",
        )
        file = sheet(
            tmp_path,
            """id,received_at,visitor_id,channel
            1,2026-03-02T22:00:00Z,v,
            2,2026-03-02T22:01:00Z,v,
            3,2026-03-02T22:02:00Z,v,whatsapp
            """,
        )

        rows, _ = run(file)

        assert told(rows) == [
            "1 held ben round_robin 2026-03-02T22:02:00+00:00",
            "2 held ben joined 2026-03-02T22:02:00+00:00",
            "3 held ben joined 2026-03-02T22:02:00Z",
        ]


class TestInput:
    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("id,received_at,contry\n", "1: unknown column 'contry' (did you mean 'country'?)"),
            ("id,received_at,id\n", "1: column 'id' stands twice"),
            ("id,country\n", "1: there is no column 'received_at'"),
            ("id,received_at,attributes.\n", "1: unknown column 'attributes.'"),
            ("", "1: the file is empty"),
            ("id,received_at\n1,2026-03-02T10:00:00Z\n\n1,2026-03-02T10:00:00Z\n", "4: id '1' is repeated (first on line 2)"),
            ("id,received_at\n1,2026-03-02T10:00:00Z\n2,2026-03-02T10:59:59+01:00\n", "3: received_at is before"),
            ("id,received_at\n1,2026-03-02T10:00:00\n", "2: received_at: '2026-03-02T10:00:00' has no offset"),
            ("id,received_at\n1,yesterday\n", "2: received_at: 'yesterday' is no instant"),
            ("id,received_at\n1,0001-01-01T00:00:00Z\n", "2: received_at: '0001-01-01T00:00:00Z' is not between"),
            ("id,received_at\n1,\n", "2: received_at: '' is no instant"),
            ("id,received_at\n ,2026-03-02T10:00:00Z\n", "2: id is empty"),
            ("id,received_at,closed_at\n1,2026-03-02T10:00:00Z,2026-03-02T09:59:59Z\n", "2: closed_at is before received_at"),
            ("id,received_at,channel\n1,2026-03-02T10:00:00Z,whatsap\n", "2: channel: unknown channel 'whatsap' (did you mean 'whatsapp'?)"),
            ("id,received_at,source\n1,2026-03-02T10:00:00Z,fax\n", "2: source: unknown source 'fax'"),
            ("id,received_at,language\n1,2026-03-02T10:00:00Z,Spanish\n", "2: language: “Spanish” is not a language tag"),
            ("id,received_at,country\n1,2026-03-02T10:00:00Z,Spain\n", "2: country: There is no country “Spain”. Did you mean ES?"),
            ("id,received_at,region\n1,2026-03-02T10:00:00Z,MD\n", "2: region: 'MD' is no region"),
            ("id,received_at\n1,2026-03-02T10:00:00Z,x\n", "2: 3 cells, where the header has 2"),
            ('id,received_at,message\n1,2026-03-02T10:00:00Z,"two\nlines"\n2,x,\n', "4: received_at: 'x' is no instant"),
            ('id,received_at\n"1,2026-03-02T10:00:00Z\n', "2: not CSV"),
            (b"id,received_at,city\n1,2026-03-02T10:00:00Z,M\xe1laga\n", "2: not UTF-8 text (byte 0xe1)"),
            ("id,received_at,city\n1,2026-03-02T10:00:00Z,M\0\n", "2: the line holds a NUL"),
        ],
    )  # fmt: skip
    def test_what_is_wrong_is_named_by_its_line_and_nothing_is_written(self, pair, tmp_path, text, problem):
        path = tmp_path / "leads.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        out = io.StringIO()

        with pytest.raises(CommandError) as refused:
            call_command("replay", "--workspace", "acme", str(path), stdout=out, stderr=io.StringIO())

        assert refused.value.returncode == 2
        assert f"\n{path}:{problem}" in str(refused.value)
        assert out.getvalue() == ""

    def test_all_faults_are_named_up_to_twenty(self, pair, tmp_path):
        rows = "".join(f"{number},never\n" for number in range(30))

        with pytest.raises(CommandError) as refused:
            run(sheet(tmp_path, "id,received_at\n" + rows))

        lines = str(refused.value).splitlines()
        assert [line.split(":")[1] for line in lines[1:-1]] == [str(number) for number in range(2, 22)]

    def test_a_byte_order_mark_and_other_line_ends_are_read_past(self, pair, tmp_path):
        path = tmp_path / "leads.csv"
        path.write_bytes("\ufeffid,received_at\r\nñ,2026-03-02T10:00:00Z\r\n".encode())

        assert [row["id"] for row in run(str(path))[0]] == ["ñ"]

    @pytest.mark.parametrize(
        ("arguments", "problem"),
        [
            (["--workspace", "acmee", "x.csv"], "there is no workspace 'acmee' (did you mean 'acme'?)"),
            (["--workspace", "acme", "nowhere.csv"], "nowhere.csv: No such file or directory"),
            (["--workspace", "acme", "x.csv", "--policy", "7"], "there is no policy version 7"),
            (["--workspace", "acme", "x.csv", "--policy", "latest"], "--policy 'latest': write published, draft or"),
        ],
    )
    def test_what_does_not_exist_is_refused(self, pair, arguments, problem):
        with pytest.raises(CommandError) as refused:
            call_command("replay", *arguments, stdout=io.StringIO(), stderr=io.StringIO())

        assert refused.value.returncode == 2
        assert problem in str(refused.value)

    def test_a_pipe_is_read_like_a_file(self, pair, tmp_path, monkeypatch):
        text = "id,received_at\n1,2026-03-02T10:00:00Z\n2,2026-03-02T22:00:00Z\n"
        from_file = run(sheet(tmp_path, text))
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))

        assert run("-") == from_file

    def test_an_empty_cell_is_an_unknown_fact_but_for_the_source_and_the_language(self, tmp_path):
        make(
            f"  - {{slug: ana, name: Ana, shifts: {ALWAYS}}}",
            "  - {slug: sales, agents: [ana]}",
            """
  - {name: Known, when: {any: [{field: channel, op: is_set}, {field: country, op: is_set}, {field: attributes.plan, op: is_set}]}, route: {to: {team: sales}}}
  - {name: Default, when: {all: [{field: source, op: is, value: api}, {field: language, op: is, value: es}]}, route: {to: {team: sales}}}
""",
        )
        file = sheet(
            tmp_path,
            """id,received_at,source,language,channel,country,attributes.plan
            1,2026-03-02T10:00:00Z,,,,,
            2,2026-03-02T10:00:00Z,api,es-MX, , ,
            3,2026-03-02T10:00:00Z,form,,,,pro
            """,
        )

        assert [row["rule"] for row in run(file)[0]] == ["Default", "Default", "Known"]

    def test_what_follows_from_the_page_and_the_contact_is_worked_out(self, tmp_path):
        make(
            f"  - {{slug: ana, name: Ana, shifts: {ALWAYS}}}",
            "  - {slug: sales, agents: [ana]}",
            """
  - {name: Campaign, when: {all: [{field: utm_campaign, op: is, value: spring}, {field: page_path, op: is, value: /pricing}]}, route: {to: {team: sales}}}
  - {name: Free mail, when: {all: [{field: email_domain, op: is, value: gmail.com}]}, route: {to: {team: sales}}}
  - {name: Portuguese number, when: {all: [{field: phone_country, op: is, value: PT}]}, route: {to: {team: sales}}}
  - {name: Rest, route: {to: {team: sales}}}
""",
        )
        file = sheet(
            tmp_path,
            """id,received_at,page_url,email,phone
            1,2026-03-02T10:00:00Z,https://www.example.com/pricing?utm_campaign=Spring,,
            2,2026-03-02T10:00:00Z,,Somebody@GMAIL.com,
            3,2026-03-02T10:00:00Z,,,+351 912 345 678
            4,2026-03-02T10:00:00Z,,not an address,not a number
            """,
        )

        assert [row["rule"] for row in run(file)[0]] == ["Campaign", "Free mail", "Portuguese number", "Rest"]


class TestPolicies:
    def test_the_draft_and_any_version_can_be_replayed(self, pair, tmp_path):
        rule = pair.rules.get()
        rule.name = "Everybody"
        rule.save()
        file = sheet(tmp_path, "id,received_at\n1,2026-03-02T10:00:00Z\n")

        named = {policy: run(file, "--policy", policy)[0][0]["rule"] for policy in ("published", "draft", "1")}

        assert named == {"published": "All", "draft": "Everybody", "1": "All"}
        publish(workspace=pair, by=None, at=AT)
        assert [run(file, "--policy", policy)[0][0]["rule"] for policy in ("published", "1")] == ["Everybody", "All"]

    def test_nothing_stored_is_read_of_leads_or_changed(self, pair, tmp_path, django_assert_num_queries):
        file = sheet(tmp_path, "id,received_at\n" + "".join(f"{n},2026-03-02T10:00:00Z\n" for n in range(40)))
        before = everything()

        with django_assert_num_queries(3):  # the workspace, its policy, its roster
            run(file)

        assert everything() == before


def everything() -> dict[str, list]:
    return {
        model._meta.label: list(model._base_manager.order_by("pk").values())
        for app in ("agents", "routing", "leads")
        for model in apps.get_app_config(app).get_models()
    }


def leads_of_a_month(count: int, *, seed: int = 1) -> str:
    """A CSV of so many leads by day and night, as a website has them."""
    dice = random.Random(seed)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(
        ["id", "received_at", "channel", "language", "country", "page_url", "visitor_id", "email", "closed_at"]
    )
    at = datetime(2026, 3, 2, tzinfo=UTC)
    for number in range(count):
        at += timedelta(seconds=dice.expovariate(count / (28 * 86_400)))
        closed_at = at + timedelta(minutes=dice.randrange(1, 3_000)) if dice.random() < 0.7 else None
        writer.writerow([
            f"lead-{number}",
            at.isoformat(),
            dice.choice(["whatsapp", "whatsapp", "telegram", "form", ""]),
            dice.choice(["es", "es-MX", "en", "pt-BR", ""]),
            dice.choice(["ES", "ES", "PT", "US", "DE", ""]),
            dice.choice(["https://example.com/pricing", "https://example.com/blog/x?utm_source=ads", ""]),
            f"v{dice.randrange(count)}" if dice.random() < 0.8 else "",
            f"p{dice.randrange(count)}@example.com" if dice.random() < 0.3 else "",
            closed_at.isoformat() if closed_at else "",
        ])  # fmt: skip
    return out.getvalue()


@pytest.fixture
def company() -> Workspace:
    zones = ["Europe/Madrid", "America/Lima", "Asia/Tokyo", "UTC"]
    agents = "\n".join(
        f"  - {{slug: a{n}, name: A{n}, timezone: {zones[n % 4]}, languages: [{['es', 'en', 'es, en', 'pt, en'][n % 4]}], "
        f"caps: {{hour: {5 + n}, open: {30 + n}}}, shifts: {ON_CALL if n == 7 else OFFICE}, "
        f"handles: {{whatsapp: +3460011122{n}{', telegram: tele_' + str(n) if n % 2 else ''}}}}}"
        for n in range(8)
    )
    return make(
        agents,
        """
  - {slug: iberia, agents: [{agent: a0, weight: 3}, {agent: a1, weight: 2}, a2, {agent: a4, tier: 2}]}
  - {slug: world, agents: [a1, {agent: a3, weight: 5}, {agent: a5, weight: 2, tier: 2}, a6]}
""",
        """
  - {name: Forms, when: {all: [{field: channel, op: is, value: form}]}, route: {to: {team: world}, by: claim, if_nobody: hold}}
  - {name: Pricing, when: {all: [{field: page_path, op: starts_with, value: /pricing}, {field: country, op: is, value: ES}]}, route: {to: {agent: a0}}}
  - {name: Iberia, when: {all: [{field: country, op: in, value: [ES, PT]}]}, route: {to: {team: iberia}, require: [language], prefer: [territory], if_nobody: hold}}
  - {name: Americas, when: {all: [{field: country, op: is, value: US}]}, route: {to: {team: world}, by: priority, require: [language], if_nobody: on_call}}
  - {name: Rest, when: {all: [{field: language, op: is, value: en}]}, route: {to: {team: world}, by: least_busy}}
""",
    )


@pytest.fixture
def demo() -> Workspace:
    return load(DEMO_FILE.read_bytes(), by=None, at=AT).workspace


@pytest.mark.parametrize(("name", "count"), [("company", 3_000), ("demo", int(os.environ.get("REPLAY_LEADS", 2_000)))])
def test_what_the_summary_says_follows_from_the_turns_counted_by_other_means(
    name, count, request, tmp_path, monkeypatch
):
    """Every turn that is taken is written down here with its takers; shares are worked out anew, in fractions.

    REPLAY_LEADS=100000 replays so many over the demo's policy.
    """
    workspace = request.getfixturevalue(name)
    choosing, simulating = (import_module(f"routing.engine.{name}") for name in ("choosing", "simulation"))
    next_turn, after = choosing.next_turn, simulating.Ledger.after
    takers_of, asked = {}, []

    def next_turn_and_note(ledger, shares, *more):
        turn, *standing = next_turn(ledger, shares, *more)
        takers_of[id(turn)] = turn, dict(shares.takers)
        return turn, *standing

    def after_and_note(ledger, turn):
        asked.append(takers_of[id(turn)])
        return after(ledger, turn)

    monkeypatch.setattr(choosing, "next_turn", next_turn_and_note)
    monkeypatch.setattr(simulating.Ledger, "after", after_and_note)
    file = sheet(tmp_path, leads_of_a_month(count))
    rows, summary = run(file, workspace=workspace.slug)

    assert len(rows) == count
    assert all(Fraction(cells[2]) < 3 for cells in summary if cells[0] == "worst")
    outcomes = {cells[1]: int(cells[2]) for cells in summary if cells[0] == "outcome"}
    assert Counter(row["outcome"] for row in rows) == outcomes
    assert len(asked) > count // 8
    members = [cells for cells in summary[1:] if len(cells) == 5]
    by_team = defaultdict(lambda: [Fraction(0), 0, 0])
    for team, _agent, due, received, other in members:
        by_team[team][0] += Fraction(due)
        by_team[team][1] += int(received)
        by_team[team][2] += int(other)
    # Credits sum to zero: what a ledger's members were due together is what they received together.
    assert all(abs(due - received) < Fraction(1, 10) for due, received, _ in by_team.values())
    assert sum(received for _, received, _ in by_team.values()) == len(asked)
    due, received = defaultdict(Fraction), Counter()
    for turn, takers in asked:
        for agent, weight in takers.items():
            due[agent] += Fraction(weight, sum(takers.values()))
        received[turn.chosen] += 1
    slugs = {agent.pk: agent.slug for agent in workspace.agents.all()}
    said_due, said_received = defaultdict(Fraction), Counter()
    for _team, agent, share, count, _other in members:
        said_due[agent] += Fraction(share)
        said_received[agent] += int(count)
    for agent, slug in slugs.items():
        assert abs(due[agent] - said_due[slug]) <= Fraction(2, 100), slug
        assert received[agent] == said_received[slug], slug
    got = Counter(row["agent"] for row in rows if row["agent"] and row["reason"] != "joined")
    for team, agent, _due, count, other in members:
        assert int(count) + int(other) >= got[agent], (team, agent)


@pytest.mark.parametrize("seed", [2, 3])
def test_a_replay_comes_out_the_same_whenever_it_is_run(company, tmp_path, seed):
    file = sheet(tmp_path, leads_of_a_month(400, seed=seed))

    assert run(file) == run(file)


def test_a_lead_costs_less_than_a_kilobyte_even_while_it_waits(pair, tmp_path):
    """All of a weekend, each from somebody else with three contacts, none ever released and a long message each."""

    def peak(count: int) -> int:
        lines = (
            f"lead-{number},2026-03-07T10:00:00Z,visitor-{number},v{number}@example.com,"
            f"+346{number:08},{number} {'x' * 3_000},2026-03-09T07:59:59Z\n"
            for number in range(count)
        )
        path = tmp_path / f"{count}.csv"
        path.write_text("id,received_at,visitor_id,email,phone,message,closed_at\n" + "".join(lines))
        tracemalloc.start()
        call_command("replay", "--workspace", "acme", str(path), stdout=Drain(), stderr=io.StringIO())
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    rule = pair.rules.get()
    rule.when = {"all": [{"field": "message", "op": "not_contains", "value": "spam"}]}
    rule.save()
    publish(workspace=pair, by=None, at=AT)
    peak(10)  # what is read once

    assert (peak(2_500) - peak(500)) / 2_000 < 1_000


class Drain(io.StringIO):
    """Takes rows and keeps none."""

    def write(self, text: str) -> int:
        return len(text)
