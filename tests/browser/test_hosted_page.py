"""The hosted page as a visitor without script sees it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from agents.models import Site, Workspace
from leads.models import Lead
from tests.browser.axe import PHONE, violations_everywhere
from tests.widget.conftest import HOUSE, build
from widget.hosted import handing_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

ALWAYS = re.sub(r"days: \[.*?\], start: 09:00, end: ..:00", "days: [mon, tue, wed, thu, fri, sat, sun], start: 00:00, end: 24:00", HOUSE)  # fmt: skip # noqa: E501
NEVER = re.sub(r"    shifts: .*\n", "", HOUSE)


@pytest.fixture
def house(request, settings, live_server, monkeypatch):
    monkeypatch.setattr(handing_in, "FASTEST_HUMAN_MS", 0)  # these visitors are faster than humans
    settings.PUBLIC_URL = live_server.url
    house = build("acme", getattr(request, "param", ALWAYS))
    Workspace.objects.update(languages=["en", "ar"])
    Site.objects.update(
        asks_consent=True, privacy_url="https://www.example.com/privacy", channels=["whatsapp", "email"]
    )
    return house


def test_two_taps_without_script_and_the_visitor_is_with_an_agent(house, new_page):
    page = new_page(viewport=PHONE, java_script_enabled=False, locale="en-GB")
    page.goto(f"/talk/{house.site.key}")

    page.get_by_role("button", name="WhatsApp").click()

    link = page.get_by_role("link", name="Continue on WhatsApp")
    expect(link).to_have_attribute("href", re.compile(r"^https://wa\.me/34600111222\?text="))
    assert Lead.objects.get().agent.name == "Marta Ruiz"
    page.get_by_role("link", name="How it stands").click()
    expect(page.get_by_role("heading")).to_have_text("Marta Ruiz takes care of you now.")
    assert page.context.cookies() == []


@pytest.mark.parametrize("house", [NEVER], indirect=True)
def test_a_message_without_consent_comes_back_as_it_was_typed(house, new_page):
    page = new_page(viewport=PHONE, java_script_enabled=False, locale="en-GB")
    page.goto(f"/talk/{house.site.key}")
    page.get_by_label("E-mail or phone").fill("ana@example.com")
    page.get_by_label("Your message").fill("Hello")

    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("alert")).to_have_text("This is not in order yet. See below.")
    expect(page.get_by_label("Your message")).to_have_value("Hello")
    assert not Lead.objects.exists()
    page.get_by_label("I agree").check()
    page.get_by_role("button", name="Send").click()

    expect(page.get_by_role("heading")).to_have_text("Thank you. We have your message.")
    assert Lead.objects.get().email == "ana@example.com"


@pytest.mark.axe
def test_axe_finds_nothing_wrong_in_either_direction(house, new_page):
    page = new_page()
    page.goto(f"/talk/{house.site.key}?lang=en")
    assert violations_everywhere(page) == {}
    page.get_by_role("button", name="WhatsApp").click()
    assert violations_everywhere(page) == {}
    page.get_by_role("link", name="How it stands").click()
    assert violations_everywhere(page) == {}

    page.goto(f"/talk/{house.site.key}?lang=ar")
    page.locator("textarea").fill("x")
    page.locator(".message .go").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert violations_everywhere(page) == {}
