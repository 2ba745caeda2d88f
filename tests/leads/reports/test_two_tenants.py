"""One tenant never meets another in reports."""

from __future__ import annotations

import re

import pytest
from django.utils import timezone

from agents.models import Agent, Membership, Team
from leads.reports.drill import WHAT
from tests.crawler import NOON, Crawler, client_of, make_tenant, patterns_under

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenants(monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: NOON)
    return make_tenant("zebrafinch"), make_tenant("quokka")


def crawl(crawler: Crawler) -> None:
    """Every address, asked for the other's people; every form, posted with the other's ids."""
    foreign = crawler.foreign
    crawler.before = foreign.contents()
    numbers = [pk for model in foreign.rows for pk in foreign.ids(model) if isinstance(pk, int)]
    for pattern, route in patterns_under("reports/"):
        if pattern.name in ("logout", "login"):
            continue
        for pk in (
            [*{*numbers}, *{pk for model in crawler.own.rows for pk in crawler.own.ids(model) if isinstance(pk, int)}]
            if "<" in route
            else [""]
        ):
            url = "/" + re.sub(r"<\w+:\w+>", str(pk), route)
            for query in (
                "",
                "?format=csv",
                "?compare=1",
                f"?agent={foreign.ids(Agent)[0]}",
                f"?team={foreign.ids(Team)[0]}",
            ):
                crawler.get(url + query)
            for to in dict.fromkeys([foreign.workspace.pk, *numbers]):
                crawler.post(url, {"to": to, "team": to, "agent": to, "report": "speed", "every": "day"})
    for what in WHAT:
        crawler.get(f"/reports/leads/?what={what}")


def test_ops_find_nothing_of_another_workspace(tenants):
    own, foreign = tenants
    crawler = Crawler(client_of(own.user, own), own, foreign)

    crawl(crawler)

    assert crawler.leaks == []
    assert crawler.visited["/reports/"] == 200
    assert crawler.visited[f"/reports/?agent={foreign.ids(Agent)[0]}"] == 400


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

    crawler.get("/reports/leads/")

    assert crawler.leaks
