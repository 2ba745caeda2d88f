"""People and teams as a manager keeps them, in a browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from agents.models import Agent, Shift, Team, TeamMember
from agents.week import Window, windows_of
from tests.browser.axe import DESKTOP, PHONE, violations_everywhere
from tests.browser.keyboard import follow, pick
from tests.browser.managing import session_of, too_wide
from tests.leads.world import make_world, person

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def world():
    return make_world(person("ana"), person("bo"))


@pytest.fixture
def page(world, new_page, live_server):
    page = new_page(viewport=DESKTOP, locale="en-GB")
    page.context.add_cookies([session_of(world.workspace, live_server)])
    return page


def test_the_keyboard_alone_adds_somebody_with_a_night_shift(world, page):
    page.goto("/admin/agents/agent/")
    follow(page, "Add agent")
    page.get_by_label("Name *").focus()
    page.keyboard.type("Nadia Night")
    pick(page, "Languages", "french")
    pick(page, "Languages", "English")
    pick(page, "Territories", "France")
    page.locator("#id_handles-0-channel").focus()
    page.keyboard.type("WhatsApp")
    page.locator("#id_handles-0-value").focus()
    page.keyboard.type("+33 6 12 34 56 78")
    expect(page.get_by_role("link", name="https://wa.me/33612345678")).to_be_visible()
    page.get_by_label("Monday, on shift").focus()
    page.keyboard.type("22-6")
    expect(page.locator("[data-day='0'] .sy-bar")).to_have_count(1)
    expect(page.locator("[data-day='1'] .sy-continues")).to_have_count(1)
    page.locator("[data-day='0'] summary").press("Enter")
    page.get_by_role("button", name="to Monday–Friday").press("Enter")
    expect(page.get_by_text("40 h on shift, 0 h on call a week")).to_be_visible()
    page.get_by_role("button", name="Save", exact=True).press("Enter")

    expect(page.get_by_role("status")).to_contain_text("Nadia Night")
    nadia = Agent.objects.get(name="Nadia Night")
    assert (nadia.languages, nadia.territories) == (["fr", "en"], ["FR"])
    assert nadia.handles.get().value == "+33612345678"
    shifts = Shift.objects.filter(agent=nadia).order_by("weekday").values_list("weekday", "start_minute", "end_minute")
    assert list(shifts) == [(day, 1320, 360) for day in range(5)]

    page.goto("/admin/agents/team/")
    follow(page, "Sales")
    page.locator("#id_members-2-agent").focus()
    page.keyboard.type("Nadia Night")
    page.locator("#id_members-2-weight").fill("2")
    expect(page.locator("[data-share]").nth(2)).to_have_text("50 %")
    page.get_by_role("button", name="Save", exact=True).press("Enter")

    expect(page.get_by_role("status")).to_contain_text("Sales")
    assert TeamMember.objects.get(agent=nadia).weight == 2


def test_hours_are_drawn_moved_and_refused_with_what_was_typed_kept(world, page):
    ana = world.agent("ana")
    page.goto(f"/admin/agents/agent/{ana.pk}/change/")
    hours = page.get_by_label("Saturday, on shift")
    hours.fill("")
    track = page.locator("[data-day='5'] [data-track]")
    track.evaluate("track => track.scrollIntoView({block: 'center'})")
    box = track.bounding_box()
    at = lambda hour: (box["x"] + box["width"] * hour / 24, box["y"] + box["height"] / 2)  # noqa: E731
    page.mouse.move(*at(9))
    page.mouse.down()
    page.mouse.move(*at(12), steps=3)
    page.mouse.up()
    expect(hours).to_have_value("09:00–12:00")
    page.mouse.move(*at(10.5))
    page.mouse.down()
    page.mouse.move(*at(14.5), steps=3)
    page.mouse.up()
    expect(hours).to_have_value("13:00–16:00")
    page.get_by_label("Sunday, on shift").fill("all day")
    page.get_by_role("button", name="Save", exact=True).click()

    expect(page.get_by_label("Sunday, on shift")).to_have_value("all day")
    expect(page.get_by_text("“all day” is no window of time")).to_be_visible()
    expect(hours).to_have_value("13:00–16:00")
    page.get_by_label("Sunday, on shift").fill("")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("Ana")
    assert Shift.objects.filter(agent=ana, weekday=5).values_list("start_minute", "end_minute").get() == (780, 960)


def test_without_script_somebody_is_added_and_put_into_a_team(world, new_page, live_server):
    page = new_page(viewport=PHONE, java_script_enabled=False)
    page.context.add_cookies([session_of(world.workspace, live_server)])
    page.goto("/admin/agents/agent/add/")
    page.get_by_label("Name *").fill("Nadia")
    page.get_by_label("Languages").fill("French, Chinese (Taiwan)")
    page.locator("#id_handles-0-channel").select_option("telegram")
    page.locator("#id_handles-0-value").fill("@nadia_acme")
    page.get_by_label("Sunday, on shift").fill("22:00–06:00")
    page.get_by_role("button", name="Save", exact=True).click()

    nadia = Agent.objects.get(name="Nadia")
    assert (nadia.languages, nadia.handles.get().value) == (["fr", "zh-TW"], "nadia_acme")
    assert windows_of(nadia.shifts.all()) == {Window(6, 1320, 360)}
    page.goto(f"/admin/agents/team/{Team.objects.get().pk}/change/")
    page.locator("#id_members-2-agent").fill("nadia")
    page.locator("#id_members-0-DELETE").check()
    page.get_by_role("button", name="Save", exact=True).click()
    assert sorted(Team.objects.get().members.values_list("agent__slug", flat=True)) == ["bo", "nadia"]


@pytest.mark.axe
def test_axe_finds_nothing_wrong_with_the_pages_of_people(world, page):
    team = f"/admin/agents/team/{Team.objects.get().pk}/change/"
    for address in ("/admin/", f"/admin/agents/agent/{world.agent('ana').pk}/change/", team):
        page.set_viewport_size(PHONE)
        page.goto(address)
        assert too_wide(page) <= 0, address
        assert violations_everywhere(page) == {}, address


@pytest.mark.axe
def test_several_people_are_given_one_week_and_axe_finds_nothing_wrong_with_it(world, page):
    Shift.objects.filter(agent=world.agent("bo")).delete()
    page.goto("/admin/agents/agent/")
    for box in page.locator("input.action-select").all():
        box.press("Space")
    assert violations_everywhere(page) == {}
    page.get_by_label("Select action to run").select_option("copy_shifts")
    page.get_by_role("button", name="Run").press("Enter")
    expect(page.get_by_text("Ana, Bo")).to_be_visible()
    assert violations_everywhere(page) == {}
    page.get_by_label("Copy the week of").fill("ana")
    page.get_by_role("button", name="Copy shifts").press("Enter")

    expect(page.get_by_role("status")).to_contain_text("1 agent works as Ana does.")
    assert windows_of(world.agent("bo").shifts.all()) == windows_of(world.agent("ana").shifts.all())
