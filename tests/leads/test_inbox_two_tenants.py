"""One tenant never meets another in the inbox."""

from __future__ import annotations

import re
from itertools import product

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from agents.models import Agent, Membership
from leads.inbox import telling
from leads.inbox.acts import ACTS
from leads.models import Decision, Lead, NotificationWay
from leads.one_click import acts as one_click
from tests.crawler import Crawler, client_of, make_tenant, patterns_under

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenants():
    made = make_tenant("zebrafinch"), make_tenant("quokka")
    Decision.objects.update(ledger=None)  # what the tenants have there is no ledger
    return made


def crawl(crawler: Crawler) -> None:
    """Every address of the inbox with the leads and ways of both, read and posted to."""
    crawler.before = crawler.foreign.contents()
    values = {
        "<uuid:lead_id>": [*crawler.own.ids(Lead), *crawler.foreign.ids(Lead)],
        "<int:way_id>": [*crawler.own.ids(NotificationWay), *crawler.foreign.ids(NotificationWay)],
        "<slug:transport>": ["email"],
        "<slug:kind>": ["assigned"],
    }
    forged = {"reason": "x", "text": "x", "paused": "1"}
    forged |= {f"way-{way}": "1" for way in crawler.foreign.ids(NotificationWay)}
    for pattern, route in patterns_under("inbox/"):
        if pattern.name in ("logout", "push-subscribe", "push-unsubscribe"):
            continue
        acts = telling.ACTS if "way_id" in route else ACTS
        parts = re.findall("<[^>]+>", route)
        for chosen in product(*(values.get(part) or acts for part in parts)):
            url = "/" + route
            for part, value in zip(parts, chosen, strict=True):
                url = url.replace(part, str(value))
            crawler.get(url)
            for to in (crawler.foreign.workspace.pk, *crawler.foreign.ids(Agent)):
                crawler.post(url, {"to": to, **forged})


def test_an_agent_finds_nothing_of_another_workspace(tenants):
    own, foreign = tenants
    crawler = Crawler(client_of(own.user, own), own, foreign)

    crawl(crawler)

    assert crawler.leaks == []
    assert crawler.visited[f"/inbox/leads/{own.ids(Lead)[0]}/"] == 200
    assert crawler.visited[f"/inbox/leads/{foreign.ids(Lead)[0]}/"] == 404
    assert crawler.visited[f"/inbox/ways/{foreign.ids(NotificationWay)[0]}/"] == 404
    assert crawler.visited["/inbox/ways/"] == 200
    assert len(crawler.posted) > 50


def test_an_agent_of_two_finds_nothing_of_the_one_that_is_not_active(tenants):
    """Apart from the names of the workspaces, between which they change."""
    own, foreign = tenants
    Membership.objects.create(workspace=foreign.workspace, user=own.user, role="agent")
    foreign.workspace.name = "The other one"
    foreign.workspace.save()
    crawler = Crawler(client_of(own.user, own), own, foreign)

    for address in ("", "news/", "queue/", "closed/", "why/", "me/", "ways/", f"leads/{own.ids(Lead)[0]}/"):
        crawler.get(f"/inbox/{address}")

    assert crawler.leaks == []


def test_the_crawler_would_find_what_is_there(tenants):
    own, _foreign = tenants
    crawler = Crawler(client_of(own.user, own), own, own)

    crawler.get("/inbox/")

    assert crawler.leaks


def test_the_links_of_messages_lead_nowhere_else(tenants):
    """Whoever holds a link needs no login, so it is opened and pressed as nobody, for both tenants' leads."""
    own, foreign = tenants
    crawler = Crawler(Client(), own, foreign)
    crawler.before = foreign.contents()
    lead, theirs = Lead.objects.get(pk=own.ids(Lead)[0]), Lead.objects.get(pk=foreign.ids(Lead)[0])
    slug = Agent.objects.get(pk=own.ids(Agent)[0]).slug

    for act in one_click.ACTS:
        for about in (lead, theirs):  # theirs with our agent: a link that nobody was ever sent
            link = one_click.link_to(act, lead=about, agent=slug, at=timezone.now())
            crawler.get(link.removeprefix(settings.PUBLIC_URL))
            crawler.post(link.removeprefix(settings.PUBLIC_URL), {})
            assert (crawler.visited[link.removeprefix(settings.PUBLIC_URL)] == 410) is (about == theirs)

    assert crawler.leaks == []
    assert foreign.contents() == crawler.before
