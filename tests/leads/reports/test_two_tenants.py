"""One tenant never meets another in reports."""

from __future__ import annotations

import re

import pytest
from django.utils import timezone

from agents.models import Agent, Membership, Team
from leads.models import ReportMail
from leads.reports import decisions
from leads.reports.drill import WHAT
from tests.crawler import NOON, Crawler, client_of, make_tenant, patterns_under

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenants(monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: NOON)
    return make_tenant("zebrafinch"), make_tenant("quokka")


def crawl(crawler: Crawler) -> None:
    """Every address, asked for the other's people; every form, posted with the other's ids."""
    own, foreign = crawler.own, crawler.foreign
    crawler.before = foreign.contents()
    agent, team = foreign.ids(Agent)[0], foreign.ids(Team)[0]
    for pattern, route in patterns_under("reports/"):
        if pattern.name in ("logout", "login"):
            continue
        for pk in [*own.ids(ReportMail), *foreign.ids(ReportMail)] if "<" in route else [""]:
            url = "/" + re.sub(r"<\w+:\w+>", str(pk), route)
            for query in ("", "?format=csv", "?compare=1", f"?agent={agent}", f"?team={team}"):
                crawler.get(url + query)
            for asked in ("", f"period=7d&agent={agent}", f"period=7d&team={team}"):
                given = {"to": foreign.workspace.pk, "report": "speed", "every": "day", "hour": "8", "query": asked}
                crawler.post(url, given)
    for what in WHAT:
        crawler.get(f"/reports/leads/?what={what}")
    for what in decisions.WHAT:
        for person in (own.ids(Agent)[0], agent):
            crawler.get(f"/reports/decisions/?what={what}&agent={person}")


def test_ops_find_nothing_of_another_workspace(tenants):
    own, foreign = tenants
    crawler = Crawler(client_of(own.user, own), own, foreign)

    crawl(crawler)

    assert crawler.leaks == []
    assert crawler.visited["/reports/"] == 200
    assert (f"/reports/mails/{foreign.ids(ReportMail)[0]}/", 404) in crawler.posted
    assert ("/reports/mails/", 302) in crawler.posted
    assert crawler.visited[f"/reports/?agent={foreign.ids(Agent)[0]}"] == 400
    assert crawler.visited[f"/reports/decisions/?what=asked&agent={foreign.ids(Agent)[0]}"] == 400
    assert crawler.visited[f"/reports/decisions/?what=asked&agent={own.ids(Agent)[0]}"] == 200


def test_who_has_two_finds_nothing_of_the_one_that_is_not_active(tenants):
    """Apart from the names of the workspaces, between which they change."""
    own, foreign = tenants
    Membership.objects.create(workspace=foreign.workspace, user=own.user, role="agent")
    crawler = Crawler(client_of(own.user, own), own, foreign, shown_in_switcher=True)

    for _pattern, route in patterns_under("reports/"):
        if "<" not in route and "log" not in route:
            crawler.get(f"/{route}")

    assert crawler.leaks == []


def test_the_crawler_would_find_what_is_there(tenants):
    own, _foreign = tenants
    crawler = Crawler(client_of(own.user, own), own, own)

    for address in ("leads", "decisions"):
        crawler.leaks.clear()
        crawler.get(f"/reports/{address}/")
        assert crawler.leaks
