"""The inbox in a browser: what an agent taps on a phone, and what a page that is left open learns by itself."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from leads import actions
from leads.models import Lead, NotificationWay
from tests.browser.axe import PHONE, violations_everywhere
from tests.leads.inbox_cast import client_of, user_of
from tests.leads.world import make_world, only, person, rule

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# Stands in for a browser's push service, over page loads: what it gives is as browsers give it.
PUSH_SERVICE = """(() => {
  const made = () => localStorage.getItem("made") && {
    endpoint: localStorage.getItem("made"),
    toJSON: () => ({ endpoint: localStorage.getItem("made"), keys: {
      p256dh: "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
      auth: "BTBZMqHH6r4Tts7J_aSIgg" } }),
    unsubscribe: async () => localStorage.removeItem("made"),
  };
  PushManager.prototype.getSubscription = async () => made() || null;
  PushManager.prototype.subscribe = async (options) => {
    if (options.applicationServerKey.length !== 65) throw new Error("no key");
    localStorage.setItem("made", "https://push.example.com/one");
    return made();
  };
})()"""


@pytest.fixture
def opened(new_page, live_server):
    """Opens the inbox as an agent, on a phone."""

    def open_as(world, slug, address="/inbox/"):
        page = new_page(viewport=PHONE)
        session = client_of(world, slug).cookies["sessionid"]
        page.context.add_cookies([{"name": "sessionid", "value": session.value, "url": live_server.url}])
        page.clock.install()
        page.goto(address)
        return page

    return open_as


def a_beat_later(page):
    """When the page has asked for news, without waiting for it."""
    page.clock.fast_forward(4_000)


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


def test_an_open_page_learns_by_itself_what_is_new_and_stays_as_it_is_where_nothing_is(opened):
    world = make_world(person("ana"))
    page = opened(world, "ana")
    expect(page.get_by_text("Nobody waits for you")).to_be_visible()
    answers: list[int] = []
    page.on("response", lambda response: answers.append(response.status) if "/news/" in response.url else None)

    world.send(at=timezone.now(), name="Nora")
    a_beat_later(page)

    expect(page.get_by_role("link", name="Nora")).to_be_visible()
    expect(page.locator("#said")).to_have_text("Open: 1. On offer: 0.")
    for _beat in range(3):  # where a minute ends meanwhile, the ages on the page are news
        with page.expect_response(lambda response: "/news/" in response.url):
            a_beat_later(page)
    expect(page.get_by_role("link", name="Nora")).to_be_visible()
    assert 304 in answers
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
    a_beat_later(page)

    expect(page.get_by_role("button", name="Take")).to_have_count(0)


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


@pytest.mark.axe
def test_every_page_fits_a_phone_and_axe_finds_nothing_wrong_with_it(opened):
    rules = [
        rule("cold", "queue", when=only("country", "FR")),
        rule("offers", when=only("channel", "form"), by="claim"),
    ]
    world = make_world(person("ana", name="A" * 120, email="ana@acme.test"), rules=[*rules, rule("all")])
    long = "https://www.example.com/" + "a" * 300
    world.send(at=timezone.now(), name="N" * 200, message=long, page_url=long, email=f"{'e' * 60}@mail.test",
               phone="+34600111222", channel="whatsapp")  # fmt: skip
    world.send(at=timezone.now() - timedelta(hours=1), name="Late", message="Hello")
    world.send(at=timezone.now(), name="Queued", country="FR")
    world.send(at=timezone.now(), name="Offered", channel="form")
    closed = world.lead(world.send(at=timezone.now(), name="Closed"))
    Lead.objects.filter(name="Late").update(respond_by=timezone.now() - timedelta(minutes=5), intent="hot")
    actions.close(lead=closed, at=timezone.now(), closed_as="won")
    lead = Lead.objects.get(page_url=long)
    page = opened(world, "ana")

    wrong = {}
    for address in ("", "queue/", "closed/", "why/", "me/", f"leads/{lead.pk}/", "ways/", "ways/of/assigned/",
                    "ways/add/webhook/"):  # fmt: skip
        page.goto(f"/inbox/{address}")
        page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
        assert page.evaluate("document.documentElement.scrollWidth") == page.viewport_size["width"], address
        wrong |= {f"{address} {where}": found for where, found in violations_everywhere(page).items()}
        page.set_viewport_size(PHONE)

    assert wrong == {}


def test_notifications_are_switched_on_and_off_for_the_device(opened, live_server):
    """The push service alone is imagined: no browser of a test reaches one."""
    world = make_world(person("ana", email="ana@acme.test"))
    page = opened(world, "ana")
    page.context.grant_permissions(["notifications"], origin=live_server.url)
    page.add_init_script(PUSH_SERVICE)
    page.goto("/inbox/ways/")

    page.get_by_role("button", name="Show notifications here").click()

    expect(page.get_by_text("This device shows your notifications.")).to_be_visible()
    way = NotificationWay.objects.order_by("position").first()
    assert (way.transport, way.address["endpoint"]) == ("web_push", "https://push.example.com/one")

    page.get_by_role("button", name="No more notifications here").click()

    expect(page.get_by_role("button", name="Show notifications here")).to_be_visible()
    assert not NotificationWay.objects.filter(transport="web_push").exists()
