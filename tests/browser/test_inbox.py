"""The inbox in a browser: what an agent taps on a phone, and what a page that is left open learns by itself."""

from __future__ import annotations

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from leads import actions
from leads.models import Lead
from tests.browser.axe import PHONE, violations_everywhere
from tests.leads.inbox_cast import client_of, user_of
from tests.leads.world import make_world, only, person, rule

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def opened(new_page, live_server):
    """Opens the inbox as an agent, on a phone."""

    def open_as(world, slug, address="/inbox/"):
        page = new_page(viewport=PHONE)
        session = client_of(world, slug).cookies["sessionid"]
        page.context.add_cookies([{"name": "sessionid", "value": session.value, "url": live_server.url}])
        page.goto(address)
        return page

    return open_as


def offer(*people):
    world = make_world(*map(person, people), rules=[rule("offers", when=only("channel", "form"), by="claim")])
    return world, world.lead(world.send(at=timezone.now(), channel="form", name="Nora"))


def test_an_agent_logs_in_answers_and_closes_with_a_few_taps(new_page):
    world = make_world(person("ana"))
    world.send(at=timezone.now(), name="Nora", phone="+34600111222", channel="whatsapp")
    user_of(world, "ana")
    page = new_page(viewport=PHONE)
    page.goto("/inbox/")
    page.get_by_label("E-mail address").fill("ana@acme.test")
    page.get_by_label("Password").fill("a long password")
    page.get_by_role("button", name="Log in").click()

    page.get_by_role("button", name="Answered").click()
    expect(page.get_by_role("status").first).to_have_text("Noted: answered.")
    page.get_by_role("link", name="Nora").click()
    link = f"https://wa.me/34600111222?text=Hello%20Nora%2C%0A%0AReference%3A%20{Lead.objects.get().reference}"
    expect(page.locator("#way-whatsapp")).to_have_attribute("href", link)
    page.get_by_role("button", name="Won").click()
    expect(page.get_by_role("status").first).to_have_text("Closed as won.")

    assert (Lead.objects.get().status, Lead.objects.get().closed_as) == ("closed", "won")


def test_a_new_lead_appears_by_itself(opened):
    world = make_world(person("ana"))
    page = opened(world, "ana")
    expect(page.get_by_text("Nobody waits for you")).to_be_visible()

    world.send(at=timezone.now(), name="Nora")

    expect(page.get_by_role("link", name="Nora")).to_be_visible(timeout=15_000)
    expect(page.locator("#said")).to_have_text("Open: 1. On offer: 0.")


def test_a_page_without_news_stays_as_it_is(opened):
    world = make_world(person("ana"))
    world.send(at=timezone.now(), name="Nora")
    page = opened(world, "ana")
    answers: list[int] = []
    page.on("response", lambda response: answers.append(response.status) if "/news/" in response.url else None)

    page.wait_for_event("response", lambda response: response.status == 304, timeout=70_000)

    expect(page.get_by_role("link", name="Nora")).to_be_visible()
    assert set(answers) <= {200, 304}


def test_two_who_race_for_an_offer_one_wins_and_the_other_is_told(opened):
    world, _lead = offer("ana", "bo")
    ana, bo = opened(world, "ana"), opened(world, "bo")

    for page in (ana, bo):
        page.get_by_role("button", name="Take").evaluate("button => button.form.submit()")

    told = {ana.locator(".messages").inner_text(), bo.locator(".messages").inner_text()}
    assert told == {"This lead is yours.", "Somebody else was faster: this lead is taken."}
    assert Lead.objects.get().agent.slug in ("ana", "bo")


def test_an_offer_that_somebody_takes_vanishes_from_an_open_page(opened):
    world, lead = offer("ana", "bo")
    page = opened(world, "bo")
    expect(page.get_by_role("button", name="Take")).to_be_visible()

    actions.take(lead=lead, agent=world.agent("ana"), at=timezone.now())

    expect(page.get_by_role("button", name="Take")).to_have_count(0, timeout=15_000)


def test_the_keyboard_alone_is_enough(opened):
    world = make_world(person("ana"))
    world.send(at=timezone.now(), name="Nora")
    page = opened(world, "ana")

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Nora")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(page.get_by_role("status").first).to_have_text("Noted: answered.")


def test_no_page_is_wider_than_a_phone(opened):
    world = make_world(person("ana", name="A" * 120))
    long = "https://www.example.com/" + "a" * 300
    world.send(at=timezone.now(), name="N" * 200, message=long, page_url=long, email=f"{'e' * 60}@mail.test")
    lead = Lead.objects.get()

    for address in ("", "queue/", "closed/", "why/", "me/", f"leads/{lead.pk}/"):
        page = opened(world, "ana", f"/inbox/{address}")
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"], address


@pytest.mark.axe
def test_axe_finds_nothing_wrong_with_the_list_of_leads(opened):
    world = make_world(person("ana"))
    world.send(at=timezone.now(), name="Nora", message="Hello")

    page = opened(world, "ana")

    assert violations_everywhere(page) == {}
