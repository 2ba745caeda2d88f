"""Reports by the API: who may read them, what they answer, and what they refuse."""

from __future__ import annotations

from datetime import timedelta

import pytest

from leads import actions
from leads.models import Lead
from tests.widget.conftest import MONDAY_NOON

pytestmark = pytest.mark.django_db


def answered(house, *minutes):
    """So many leads, answered after so many minutes; None: never."""
    for after in minutes:
        house.write({"channel": "whatsapp", "language": "es"})
        lead = Lead.objects.filter(first_response_at=None).latest("created_at")
        if after is not None:
            actions.respond(lead=lead, at=MONDAY_NOON + timedelta(minutes=after))


class TestSpeedToLead:
    def test_says_how_fast_leads_were_answered_and_keeps_the_unanswered_in(self, acme):
        answered(acme, 1, 3, None)

        answer = acme.ask("reports/speed-to-lead", to="2026-03-03").json()

        assert answer == {
            "n": 3,
            "answered": 2,
            "unanswered": 1,
            "overdue": 0,
            "p50": 120.0,
            "p75": 150.0,
            "p90": pytest.approx(168.0),
            "p95": pytest.approx(174.0),
            "mean": 120.0,
            "within": {"60": 1, "300": 2, "900": 2, "3600": 2, "86400": 2},
        }

    @pytest.mark.parametrize(
        ("group_by", "key"),
        [("agent", "marta"), ("team", "iberia"), ("rule", "Everybody"), ("channel", "whatsapp"), ("country", None),
         ("hour", 12)],
    )  # fmt: skip
    def test_groups_by_what_it_is_asked_for(self, acme, group_by, key):
        answered(acme, 1)

        groups = acme.ask("reports/speed-to-lead", to="2026-03-03", group_by=group_by).json()["groups"]

        assert [(group["key"], group["n"], group["p50"]) for group in groups] == [(key, 1, 60.0)]

    def test_leaves_out_what_came_before_and_after(self, acme):
        answered(acme, 1)

        asked = [{"from": "2026-03-03", "to": "2026-03-04"}, {"from": "2026-03-01", "to": "2026-03-02"}]

        assert [acme.ask("reports/speed-to-lead", **each).json()["n"] for each in asked] == [0, 0]

    def test_never_counts_another_workspace(self, acme, rival):
        answered(rival, 1)

        assert acme.ask("reports/speed-to-lead", to="2026-03-03").json()["n"] == 0

    @pytest.mark.parametrize(
        ("asked", "field"),
        [
            ({"from": "2026-03-04", "to": "2026-03-03"}, "to"),
            ({"from": "2020-03-04", "to": "2026-03-03"}, "to"),
            ({"from": "yesterday"}, "from"),
            ({"group_by": "mood"}, "group_by"),
            ({"clock": "sun"}, "clock"),
        ],
    )
    def test_says_what_it_does_not_understand(self, acme, asked, field):
        response = acme.ask("reports/speed-to-lead", **asked)

        assert (response.status_code, list(response.json()["errors"])) == (400, [field])


@pytest.mark.parametrize("path", ["reports/speed-to-lead", "coverage"])
def test_only_a_key_that_may_read_reports_reads_them(acme, path):
    assert acme.ask(path, key=acme.new_key("leads:read", "leads:write")).status_code == 403
    assert acme.ask(path, key="sy_nothing").status_code == 401
    assert acme.ask(path, key=acme.new_key("reports:read")).status_code == 200


class TestCoverage:
    def test_lists_the_hours_without_anybody(self, acme):
        gaps = acme.ask("coverage", **{"from": "2026-03-02T00:00:00Z", "to": "2026-03-03T00:00:00Z"}).json()["gaps"]

        assert gaps == [
            {"starts_at": "2026-03-02T00:00:00Z", "ends_at": "2026-03-02T08:00:00Z", "leads": 0.0, "why": ""},
            {"starts_at": "2026-03-02T17:00:00Z", "ends_at": "2026-03-03T00:00:00Z", "leads": 0.0, "why": ""},
        ]

    def test_refuses_more_than_a_quarter(self, acme):
        assert acme.ask("coverage", **{"from": "2026-01-01", "to": "2026-12-01"}).status_code == 400
