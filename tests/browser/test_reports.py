"""Reports in a browser: choosing without leaving the page, the leads behind a number, and what axe finds."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from agents.models import Agent, Workspace
from agents.roster import one_change
from leads import actions
from tests.browser.axe import DESKTOP, PHONE, violations_everywhere
from tests.leads.reports.cast import busy_world, reader
from tests.leads.world import OFFICE, World, make_world, person

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PAGES = (
    "?period=7d", "sla/", "coverage/", "coverage/?weekday=1&hour=3", "fairness/", "outcomes/", "board/", "mails/",
    "leads/?what=all", "decisions/?what=decided", "shift/?opens=2026-03-07T20:00:00Z&closes=2026-03-08T06:00:00Z",
)  # fmt: skip

# Lists, where one lead stands as each of many does.
LISTS = ("mails/", "leads/", "decisions/", "shift/")


@pytest.fixture
def visited(new_page, live_server):
    """Opens reports of a world as a manager, who sees the most of them; or as somebody else."""

    def open_at(world, address: str, size=DESKTOP, role="manager"):
        page = new_page(viewport=size)
        session = reader(world, role).cookies["sessionid"]
        page.context.add_cookies([{"name": "sessionid", "value": session.value, "url": live_server.url}])
        page.goto(f"/reports/{address}")
        return page

    return open_at


@pytest.fixture
def opened(visited):
    """The same, of a busy world as ops."""
    world = busy_world(at=timezone.now() - timedelta(hours=3))
    return lambda address, size=DESKTOP: visited(world, address, size, role="ops")


def empty_world():
    return World(Workspace.objects.create(slug="fresh", name="Fresh", plan="scale"), None, None)


def world_of_one_lead():
    world = make_world(person("ana", name="Ana", shifts=OFFICE), slug="one")
    lead = world.lead(world.send(at=timezone.now() - timedelta(days=2), channel="whatsapp", country="ES"))
    actions.respond(lead=lead, at=lead.received_at + timedelta(minutes=4))
    return world


def broad_world():
    """As busy, with names as long as they come, and more people than a table shows at once."""
    world = busy_world("broad", at=timezone.now() - timedelta(hours=3))
    world.change("ana", name="Wilhelmina Featherstonehaugh-Vandermeer", languages=["es", "en", "pt", "fr", "de"])
    with one_change():
        for place in range(16):
            Agent.objects.create(workspace=world.workspace, slug=f"p{place}", name=f"Person {place}", languages=["en"])
    return world


WORLDS = {"empty": empty_world, "one lead": world_of_one_lead, "many": broad_world}


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


@pytest.mark.parametrize("world", WORLDS)
def test_no_page_is_wider_than_a_phone(visited, world):
    world = WORLDS[world]()
    page = visited(world, "", PHONE)
    for address in PAGES:
        page.goto(f"/reports/{address}")
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"], address


def test_on_a_phone_filters_are_folded_away_and_open_by_keyboard(opened):
    page = opened("?period=7d&channel=form", PHONE)
    button = page.get_by_role("button", name="Filters (1)")
    expect(page.locator("#f-period")).to_be_visible()
    expect(page.locator("#f-channel")).to_be_hidden()

    button.press("Enter")
    expect(button).to_have_attribute("aria-expanded", "true")
    page.locator("#f-source").select_option("api")
    expect(page.get_by_role("button", name="Filters (2)")).to_be_visible()
    page.wait_for_url("**channel=form**source=api**")
    # What is chosen while they are folded is kept, too.
    page.get_by_role("button", name="Filters (2)").press("Enter")
    page.locator("#f-period").select_option("30d")
    page.wait_for_url("**period=30d**source=api**")


def test_on_paper_there_is_what_is_asked_for_and_every_table(visited):
    page = visited(broad_world(), "?period=7d&channel=form")
    page.emulate_media(media="print")

    expect(page.get_by_text("Broad").last).to_be_visible()
    expect(page.locator(".heading")).to_contain_text("Form")
    expect(page.locator(".filters")).to_be_hidden()
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details.data:not([open])").count() == 0
    cut = (
        "[...document.querySelectorAll('main, .scroll')].filter(each => each.scrollWidth > each.clientWidth + 1).length"
    )
    page.set_viewport_size({"width": 794, "height": 1123})
    for address in PAGES:
        page.goto(f"/reports/{address}")
        assert page.evaluate(cut) == 0, address


def test_on_a_phone_the_busiest_hours_are_seen_first(visited):
    page = visited(world_of_one_lead(), "coverage/", PHONE)
    seen = page.locator("#week .scroll").evaluate(
        """frame => [...frame.querySelectorAll("thead th")].slice(1).filter(head => {
            const left = frame.querySelector("thead th").getBoundingClientRect().right;
            const at = head.getBoundingClientRect();
            return at.left >= left - 1 && at.right <= frame.getBoundingClientRect().right + 1;
        }).map(head => Number(head.textContent))"""
    )

    assert len({*seen} & {*range(9, 17)}) >= 7, seen  # when Ana is there


def test_on_paper_a_calendar_is_not_cut_by_the_end_of_a_sheet(visited):
    page = visited(broad_world(), "coverage/")
    page.emulate_media(media="print")
    inside = page.locator("#calendar").evaluate("part => getComputedStyle(part).breakInside")
    assert inside == "avoid-page"
    expect(page.locator("#calendar tbody tr")).to_have_count(28)


@pytest.mark.axe
@pytest.mark.parametrize("world", WORLDS)
def test_axe_finds_nothing_wrong(visited, world):
    page = visited(WORLDS[world](), "?compare=1&period=7d")
    found = {"": violations_everywhere(page)}
    for address in PAGES:
        if world == "one lead" and address.startswith(LISTS):
            continue
        page.goto(f"/reports/{address}")
        found[address] = violations_everywhere(page)

    assert not any(found.values()), found
