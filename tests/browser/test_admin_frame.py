"""What every page of the admin stands in: the sections, the header, lists and forms."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.axe import PHONE, violations_everywhere
from tests.browser.managing import session_of, too_wide
from tests.leads.world import make_world, person

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page(new_page, live_server):
    world = make_world(person("ana"))
    page = new_page(viewport=PHONE)
    page.context.add_cookies([session_of(world.workspace, live_server)])
    return page


def test_the_keyboard_opens_and_closes_the_sections_on_a_phone(page):
    page.goto("/admin/agents/agent/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.get_by_role("button", name="Sections").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Close")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Sections")).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_role("navigation").get_by_role("link", name="Teams").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Teams")


def test_without_script_a_page_is_there(new_page, live_server, page):
    bare = new_page(viewport=PHONE, java_script_enabled=False)
    bare.context.add_cookies(page.context.cookies())
    bare.goto("/admin/agents/agent/")

    expect(bare.get_by_role("link", name="ana")).to_be_visible()


@pytest.mark.axe
def test_axe_finds_nothing_wrong_with_the_frame(page):
    for address in ("/admin/agents/apikey/", "/admin/agents/apikey/add/", "/admin/leads/notificationway/add/"):
        page.goto(address)
        assert too_wide(page) <= 0, address
        assert violations_everywhere(page) == {}, address
        page.set_viewport_size(PHONE)
    page.context.clear_cookies()
    page.goto("/admin/login/")
    assert violations_everywhere(page) == {}
