"""One tenant never meets another in the inbox."""

from __future__ import annotations

import re

import pytest

from agents.models import Agent, Membership
from leads.inbox.acts import ACTS
from leads.models import Decision, Lead
from tests.crawler import Crawler, client_of, make_tenant, patterns_under

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenants():
    made = make_tenant("zebrafinch"), make_tenant("quokka")
    Decision.objects.update(ledger=None)  # what the tenants have there is no ledger
    return made


def crawl(crawler: Crawler) -> None:
    """Every address of the inbox with the leads of both, read and posted to."""
    crawler.before = crawler.foreign.contents()
    for pattern, route in patterns_under("inbox/"):
        if pattern.name in ("logout", "push-subscribe", "push-unsubscribe"):
            continue
        leads = [*crawler.own.ids(Lead), *crawler.foreign.ids(Lead)] if "lead_id" in route else [""]
        for lead in leads:
            for act in ACTS if "act>" in route else [""]:
                url = "/" + re.sub(r"<slug:act>", act, re.sub(r"<uuid:lead_id>", str(lead), route))
                crawler.get(url)
                for to in (
                    crawler.foreign.workspace.pk,
                    *crawler.foreign.ids(Agent),
                ):
                    crawler.post(url, {"to": to, "reason": "x", "text": "x", "paused": "1"})


def test_an_agent_finds_nothing_of_another_workspace(tenants):
    own, foreign = tenants
    crawler = Crawler(client_of(own.user, own), own, foreign)

    crawl(crawler)

    assert crawler.leaks == []
    assert crawler.visited[f"/inbox/leads/{own.ids(Lead)[0]}/"] == 200
    assert crawler.visited[f"/inbox/leads/{foreign.ids(Lead)[0]}/"] == 404
    assert len(crawler.posted) > 50


def test_an_agent_of_two_finds_nothing_of_the_one_that_is_not_active(tenants):
    """Apart from the names of the workspaces, between which they change."""
    own, foreign = tenants
    Membership.objects.create(workspace=foreign.workspace, user=own.user, role="agent")
    foreign.workspace.name = "The other one"
    foreign.workspace.save()
    crawler = Crawler(client_of(own.user, own), own, foreign)

    for address in ("", "news/", "queue/", "closed/", "why/", "me/", f"leads/{own.ids(Lead)[0]}/"):
        crawler.get(f"/inbox/{address}")

    assert crawler.leaks == []


def test_the_crawler_would_find_what_is_there(tenants):
    own, _foreign = tenants
    crawler = Crawler(client_of(own.user, own), own, own)

    crawler.get("/inbox/")

    assert crawler.leaks
