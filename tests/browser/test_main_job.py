"""The main job in a browser: a visitor's tap becomes an agent's lead, and a manager's change decides the next one."""

from __future__ import annotations

import re

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from agents.models import Workspace
from leads.models import Lead
from routing.models import Rule
from widget.demo.workspace import load_demo

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def demo(settings, tmp_path, live_server):
    settings.EMBEDDED_DATABASE, settings.BIND_ADDRESS, settings.VAR_DIR = True, "127.0.0.1", tmp_path
    settings.PUBLIC_URL = live_server.url
    settings.PORT = int(live_server.url.rsplit(":", 1)[1])
    site = load_demo(at=timezone.now())
    site.origins = [live_server.url]
    site.save()
    return site.workspace


@pytest.fixture
def page(new_page):
    return new_page(locale="en-GB")


def tap_whatsapp(page):
    page.goto("/demo/?lang=es")
    page.get_by_role("button", name="Habla con nosotros").click()
    page.get_by_role("button", name="WhatsApp").click()
    return page.get_by_role("link", name="Continuar en WhatsApp")


def test_a_tap_on_whatsapp_leads_to_an_agent_who_speaks_the_language_and_is_there(demo, page):
    link = tap_whatsapp(page)

    expect(link).to_have_attribute("href", re.compile(r"^https://wa\.me/[1-9][0-9]+\?text="))
    lead = Lead.objects.select_related("agent").get()
    number = lead.agent.handles.get(channel="whatsapp").value.removeprefix("+")
    assert f"wa.me/{number}?" in link.get_attribute("href")
    assert any(tag.split("-")[0] == "es" for tag in lead.agent.languages)
    expect(page.locator("#why h3")).to_have_text(lead.agent.name)
    expect(page.locator("#why")).to_contain_text("The rules, in order")


def test_a_manager_sees_the_lead_and_its_decision_and_the_next_one_obeys_a_published_rule(demo, page, settings):
    expect(tap_whatsapp(page)).to_be_visible()
    first = Lead.objects.select_related("agent").get()
    page.goto("/admin/")
    page.locator("input[name=username]").fill("manager@demo.test")
    page.locator("input[name=password]").fill((settings.VAR_DIR / "demo_password").read_text().strip())
    page.get_by_role("button", name="Log in").click()
    page.goto("/admin/leads/lead/")
    page.locator(".sy-lead-who a").first.click()
    expect(page.locator("body")).to_contain_text(first.agent.name)
    expect(page.locator("body")).to_contain_text("gets it")

    # Only the rule for the nurture queue is left, and it holds for every lead.
    rules = Rule.objects.for_workspace(demo)
    rules.exclude(to_kind="queue").update(is_active=False)
    rules.filter(to_kind="queue").update(when=None)
    page.goto("/admin/routing/policyversion/publish/")
    page.get_by_role("button", name=re.compile("Publish")).first.click()
    expect(page.locator("body")).to_contain_text("2")
    assert Workspace.objects.get(pk=demo.pk).policy_version == 2

    page.context.clear_cookies()
    page.evaluate("localStorage.clear()")
    page.goto("/demo/?lang=es")
    page.get_by_role("button", name="Habla con nosotros").click()
    page.get_by_role("button", name="WhatsApp").click()
    expect(page.locator("#why h3")).to_have_text("Nurture queue")
