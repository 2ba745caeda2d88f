"""A manager who reads nothing, in a browser: rules and leads, by the keyboard, on a phone and on a desktop."""

from __future__ import annotations

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from agents.models import Agent, Workspace
from leads.models import Lead
from routing.models import PolicyVersion, Rule
from tests.browser.axe import DESKTOP, PHONE, violations_everywhere
from tests.browser.keyboard import follow, pick, press
from tests.browser.managing import session_of, too_wide
from tests.leads.world import ALWAYS, make_world, only, person, rule

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

NASTY = "<img src=x onerror=\"document.body.innerHTML='ran'\">"


@pytest.fixture
def world():
    return make_world(
        person("ana", name="Ana Sol", shifts=ALWAYS),
        person("bo", name="Bo Lind", languages=["fr"]),
        teams={"sales": ["ana"], "europe": ["bo"]},
        rules=[rule("Spain", when=only("country", "ES")), rule("Everybody else")],
        fallback="ana",
    )


@pytest.fixture
def page(world, new_page, live_server):
    page = new_page(viewport=DESKTOP, locale="en-GB", reduced_motion="reduce")
    page.context.add_cookies([session_of(world.workspace, live_server)])
    return page


def add_night_agent(page):
    """Somebody who is there all night, in the team of Europe at double weight."""
    page.goto("/admin/agents/agent/")
    follow(page, "Add agent")
    page.get_by_label("Name *").focus()
    page.keyboard.type("Nadia Night")
    pick(page, "Languages", "french")
    page.locator("#id_handles-0-channel").focus()
    page.keyboard.type("WhatsApp")
    page.locator("#id_handles-0-value").focus()
    page.keyboard.type("+33 6 12 34 56 78")
    page.get_by_label("Monday, on shift").focus()
    page.keyboard.type("22-6")
    page.locator("[data-day='0'] summary").press("Enter")
    press(page, "button", "to Monday–Friday")
    press(page, "button", "Save", exact=True)
    expect(page.get_by_role("status")).to_contain_text("Nadia Night")
    page.goto("/admin/agents/team/")
    follow(page, "Europe")
    page.locator("#id_members-1-agent").focus()
    page.keyboard.type("Nadia Night")
    page.locator("#id_members-1-weight").fill("2")
    press(page, "button", "Save", exact=True)
    expect(page.get_by_role("status")).to_contain_text("Europe")


def add_french_rule(page):
    page.goto("/admin/routing/rule/")
    follow(page, "Add rule")
    page.get_by_label("Name", exact=True).focus()
    page.keyboard.type("French visitors")
    press(page, "button", "Add a condition")
    page.keyboard.type("Country")
    country = page.locator("[data-set] [role=combobox]")
    country.focus()
    page.keyboard.type("fran")
    expect(page.get_by_role("listbox").get_by_role("option", name="France")).to_be_visible()
    page.keyboard.press("Enter")
    page.locator("#id_team").focus()
    page.keyboard.type("Europe")


def test_from_a_new_agent_to_a_rule_that_the_next_lead_obeys_and_back_by_the_keyboard_alone(world, page):
    add_night_agent(page)
    add_french_rule(page)

    # Beside the rule stands what it does, and where such a lead would go.
    expect(page.locator("#look")).to_contain_text("When country is France → team Europe")
    page.locator("#id_try-country").focus()
    page.keyboard.type("France")
    page.locator("#id_try-at").fill("2026-03-03T23:30")
    expect(page.locator("#told")).to_contain_text("It fits rule 2 “French visitors”")
    expect(page.locator("#told")).to_contain_text("Nadia Night")
    press(page, "button", "Save", exact=True)
    expect(page.locator(".sy-rule-list .sy-rule a")).to_have_text(["Spain", "French visitors", "Everybody else"])

    # By the buttons, to the top and back.
    page.get_by_role("button", name="Move “French visitors” up").press("Enter")
    expect(page.locator(".sy-rule-list .sy-rule a").first).to_have_text("French visitors")
    expect(page.get_by_role("button", name="Move “French visitors” down")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".sy-rule-list .sy-rule a").first).to_have_text("Spain")

    follow(page, "See the changes and publish")
    expect(page.locator(".sy-changes")).to_contain_text("When country is France → team Europe")
    page.get_by_label("What you changed, and why").focus()
    page.keyboard.type("French visitors get somebody who speaks French")
    press(page, "button", "Publish", exact=True)
    expect(page.get_by_role("main")).to_contain_text("Version 2 is published.")
    expect(page.locator(".sy-versions")).to_contain_text("French visitors get somebody who speaks French")

    world.send(at=timezone.now(), country="FR", channel="whatsapp", name="Luc")
    lead = Lead.objects.select_related("agent").get()
    assert (lead.rule, lead.agent.slug) == ("French visitors", "bo")
    page.goto("/admin/leads/lead/")
    follow(page, "Luc")
    expect(page.locator("body")).to_contain_text("Why Bo Lind")
    expect(page.locator("body")).to_contain_text("It fits rule 2 “French visitors”.")
    page.get_by_label("Why not …").focus()
    page.keyboard.type("Ana")
    press(page, "button", "Ask")
    expect(page.locator(".sy-answers")).to_contain_text("would ask them, but does not hold: country is Spain")

    page.goto("/admin/routing/policyversion/")
    press(page, "button", "Roll back to version 1")
    expect(page.get_by_role("main")).to_contain_text("Version 1 is published again, as version 3.")
    assert Workspace.objects.get(pk=world.workspace.pk).policy_version == 3
    world.send(at=timezone.now(), country="FR", channel="whatsapp", name="Marie")
    assert Lead.objects.get(name="Marie").rule == "Everybody else"


def test_rules_are_dragged_to_their_place(world, page):
    page.goto("/admin/routing/rule/")
    rows = page.locator(".sy-rule-list > li")
    grip, target = rows.nth(1).locator(".sy-grip"), rows.nth(0).bounding_box()
    start = grip.bounding_box()
    page.mouse.move(start["x"] + 5, start["y"] + 5)
    page.mouse.down()
    page.mouse.move(target["x"] + 20, target["y"] + 5, steps=6)
    page.mouse.up()

    expect(page.locator(".sy-rule-list .sy-rule a").first).to_have_text("Everybody else")
    # And what that means is said: nobody but the first rule gets a lead that it finds somebody for.
    expect(page.locator(".sy-rule-list")).to_contain_text("gets every such lead first")
    names = Rule.objects.for_workspace(world.workspace).order_by("position").values_list("name", flat=True)
    assert list(names) == ["Everybody else", "Spain"]


def test_a_rule_without_script_is_written_in_the_same_form(world, page, browser, live_server):
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    context.add_cookies([session_of(world.workspace, live_server)])
    plain = context.new_page()
    plain.goto("/admin/routing/rule/add/")
    plain.locator("[name=name]").fill("France and Belgium")
    plain.locator("[name=when-0-field]").select_option("country")
    plain.locator("[name=when-0-value]").fill("France, be")
    plain.locator("[name=team]").select_option(label="Europe")
    plain.locator("[name=_try]").click()
    expect(plain.locator("#look")).to_contain_text("When country is France or Belgium → team Europe")
    plain.get_by_role("button", name="Save", exact=True).click()
    expect(plain.locator(".sy-rule-list")).to_contain_text("France and Belgium")
    context.close()

    assert Rule.objects.get(name="France and Belgium").when["all"][0]["value"] == ["FR", "BE"]


@pytest.mark.axe
def test_axe_finds_nothing_wrong_with_rules_versions_and_leads_and_nothing_is_wider_than_a_phone(world, page):
    world.send(
        at=timezone.now(), name=NASTY, message=NASTY + "x" * 300, country="FR", page_url="https://e.test/" + "y" * 200
    )
    lead, version = Lead.objects.get(), PolicyVersion.objects.get()
    Rule.objects.create(
        workspace=world.workspace,
        name="Below " + "long" * 30,
        team=world.workspace.teams.get(slug="sales"),
        when={"any": [only("weekday", ["sat", "sun"], "in")["all"][0],
                      {"all": [only("local_time", ["20:00", "08:00"], "between")["all"][0],
                               only("channel", ["whatsapp", "form"], "in")["all"][0]]}]},
        position=9,
    )  # fmt: skip
    last = Rule.objects.get(position=9)

    for address in (
        "routing/rule/",
        f"routing/rule/{last.pk}/change/",
        "routing/policyversion/publish/",
        "routing/policyversion/",
        f"routing/policyversion/{version.pk}/change/",
        "leads/lead/?status=open",
        f"leads/lead/{lead.pk}/change/?why_not={Agent.objects.get(slug='ana').pk}",
        f"leads/lead/{lead.pk}/why/",
    ):
        page.set_viewport_size(PHONE)
        page.goto(f"/admin/{address}")
        assert too_wide(page) <= 0, address
        assert page.locator("body").inner_text() != "ran"
        assert violations_everywhere(page) == {}, address


def test_leads_of_one_among_many_agents_are_found_by_typing(world, page):
    Agent.objects.bulk_create(Agent(workspace=world.workspace, slug=f"p{n}", name=f"Person {n:02}") for n in range(80))
    world.send(at=timezone.now(), name="Luc")
    Lead.objects.update(agent=Agent.objects.get(slug="p17"))
    page.set_viewport_size(PHONE)
    page.goto("/admin/leads/lead/")

    with page.expect_response("**/admin/leads/lead/agents/?q=17"):
        page.get_by_label("Agent", exact=True).focus()
        page.keyboard.type("17")
    expect(page.locator("#filter-agent-names option")).to_have_count(1)
    assert page.locator("#filter-agent-names option").get_attribute("value") == "Person 17"
    page.keyboard.press("Enter")
    expect(page.get_by_label("Agent", exact=True)).to_have_value("17")
    expect(page.get_by_role("link", name="Luc")).to_be_visible()

    page.goto("/admin/leads/lead/?agent=Zacharias")
    expect(page.get_by_role("alert")).to_have_text("Nobody is called that.")
    assert too_wide(page) <= 0
    assert violations_everywhere(page) == {}


def test_an_empty_workspace_says_what_to_do_first(new_page, live_server):
    workspace = Workspace.objects.create(slug="new", name="New", plan="free")
    page = new_page(viewport=PHONE)
    page.context.add_cookies([session_of(workspace, live_server)])
    for address, link in (("routing/rule/", "Add the first rule"), ("leads/lead/", "To your sites")):
        page.goto(f"/admin/{address}")
        expect(page.get_by_role("link", name=link)).to_be_visible()
        assert too_wide(page) <= 0
    page.goto("/admin/routing/policyversion/publish/")
    expect(page.get_by_role("heading", name="Nothing to publish")).to_be_visible()
