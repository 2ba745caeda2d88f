"""Reports in a browser: choosing without leaving the page, the leads behind a number, and what axe finds."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from tests.browser.axe import DESKTOP, PHONE, violations, violations_everywhere
from tests.leads.reports.cast import busy_world, reader

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PAGES = ("", "sla/", "coverage/", "fairness/", "outcomes/", "board/", "mails/")


@pytest.fixture
def opened(new_page, live_server):
    """Opens reports as ops."""
    world = busy_world(at=timezone.now() - timedelta(hours=3))

    def open_at(address: str, size=DESKTOP):
        page = new_page(viewport=size)
        session = reader(world).cookies["sessionid"]
        page.context.add_cookies([{"name": "sessionid", "value": session.value, "url": live_server.url}])
        page.goto(f"/reports/{address}")
        return page

    return open_at


def test_ops_narrow_a_report_and_open_the_leads_behind_a_number(opened):
    page = opened("?period=7d")
    expect(page.locator(".tile .figure").first).to_have_text("8")

    page.locator("#f-channel").select_option("form")
    expect(page.locator(".tile .figure").first).to_have_text("4")
    assert "channel=form" in page.url
    assert "period=7d" in page.get_by_role("link", name="SLA").get_attribute("href")
    page.go_back()
    expect(page.locator(".tile .figure").first).to_have_text("8")
    page.go_forward()
    expect(page.locator(".tile .figure").first).to_have_text("4")
    page.reload()
    expect(page.locator("#f-channel")).to_have_value("form")
    page.locator("#f-period").select_option("custom")
    expect(page.locator("#f-from")).to_be_visible()

    page.locator(".tile .figure a").first.click()
    expect(page.locator("h1")).to_contain_text("4 · All leads that count")
    assert page.locator("table.leads tbody tr").count() == 4


def test_no_page_is_wider_than_a_phone(opened):
    page = opened("", PHONE)
    for address in PAGES:
        page.goto(f"/reports/{address}")
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"], address


@pytest.mark.axe
def test_axe_finds_nothing_wrong(opened):
    page = opened("?compare=1&period=7d")
    found = violations_everywhere(page)
    for address in ("sla/", "coverage/", "fairness/", "outcomes/", "board/", "mails/", "leads/?what=all"):
        page.goto(f"/reports/{address}")
        found[address] = violations(page)

    assert not any(found.values()), found
