"""A manager dresses the widget and sees it at once."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from agents.models import Membership, Site, User, Workspace
from leads.models import Lead
from tests.browser.axe import DESKTOP, violations_everywhere
from tests.browser.test_hosted_page import ALWAYS
from tests.widget.conftest import build

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page(settings, live_server, new_page, client):
    """The page of a site, as the workspace's owner sees it."""
    settings.PUBLIC_URL = live_server.url
    house = build("acme", ALWAYS)
    Workspace.objects.update(languages=["en", "ar"])
    user = User.objects.create_user("owner@acme.test", "a long password")
    Membership.objects.create(workspace=house.workspace, user=user, role="owner")
    client.force_login(user)
    page = new_page(viewport=DESKTOP)
    page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    page.goto(f"/admin/agents/site/{house.site.pk}/change/")
    return page


def test_the_preview_is_the_real_widget_which_follows_the_form_and_takes_no_lead(page):
    desktop = page.frame_locator("[name=preview-desktop]")
    expect(desktop.get_by_role("button", name="WhatsApp")).to_be_visible()

    page.locator("[name=texts-en-title]").fill("Say hello")
    for frame in ("preview-phone", "preview-desktop"):
        expect(page.frame_locator(f"[name={frame}]").get_by_text("Say hello")).to_be_visible()
    # The frames are shown smaller than they are, where a pointer does not find its way in.
    desktop.get_by_role("button", name="WhatsApp").dispatch_event("click")
    expect(desktop.get_by_text("Alex Example").first).to_be_visible()

    page.locator("[name=accent]").fill("#ffee00")
    expect(desktop.get_by_role("alert")).to_contain_text("people need 4.5 to 1")
    assert not Lead.objects.exists()
    assert Site.objects.get().texts == {}

    page.locator("[name=accent]").fill("#0a5c36")
    page.get_by_role("button", name="Move E-mail up").click()
    offered = desktop.get_by_role("button", name=re.compile("E-mail|WhatsApp"))
    expect(offered.first).to_contain_text("E-mail")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    site = Site.objects.get()
    assert (site.channels, site.accent) == (["email", "whatsapp"], "#0a5c36")


@pytest.mark.axe
def test_axe_finds_nothing_wrong(page):
    page.locator(".sy-secret summary").click()
    assert violations_everywhere(page) == {}
