"""The widget in a browser, on a customer's page that is served from somewhere else."""

from __future__ import annotations

import json
import re
from datetime import datetime

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from leads.models import Lead
from tests.browser.axe import PHONE, violations_everywhere
from tests.browser.shop import make_shop
from widget import typical_reply

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

STRICT = (
    "default-src 'none'; img-src data:; script-src {host}; style-src 'self'; connect-src {host}; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
HOSTILE_CSS = """
* { all: unset !important; }
div, button { display: none !important; position: static !important; opacity: 0 !important; }
body > *, html > * { transform: scale(3) !important; visibility: hidden !important; color: lime !important; }
[data-switchyard] { display: none !important; --accent: lime !important; font-size: 80px !important; }
"""
# What old libraries did to pages: methods of their own under known names, and some on every object.
PATCHED = """
for (const [proto, names] of [
  [Array.prototype, "map filter forEach find some every reduce includes flat entries"],
  [Element.prototype, "append prepend replaceChildren remove replaceWith insertAdjacentHTML"],
  [String.prototype, "includes startsWith padStart replaceAll"],
]) for (const name of names.split(" ")) proto[name] = () => { throw new Error(name + " is not what it was"); };
Array.from = Object.entries = Object.fromEntries = () => { throw new Error("not what it was"); };
Object.prototype.toJSON = Array.prototype.toJSON = String.prototype.toJSON = () => "not what it was";
Object.prototype.added = "by the page";
"""


@pytest.fixture
def host(live_server, settings):
    settings.PUBLIC_URL = live_server.url
    return live_server.url


@pytest.fixture
def loud_page(browser):
    """A page that may complain in its console: of answers that the test makes fail."""
    context = browser.new_context()
    yield context.new_page()
    context.close()


def open_panel(page, shop, path="/"):
    page.goto(shop.url + path)
    page.get_by_role("button", name="Talk to us").click()
    return page.get_by_role("dialog")


def test_one_request_until_a_tap_gives_the_visitor_an_agent_by_any_kind_of_channel(new_page, shop, host):
    world = make_shop(channels=("whatsapp", "telegram_bot", "phone", "email", "viber", "wechat"))
    shop.set(world, host)
    typical_reply._kept[world.workspace.pk] = (timezone.now(), 240)
    page = new_page(locale="en-GB")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.url.startswith(host) else None)
    page.add_init_script(
        "window.shifts = 0; new PerformanceObserver(list => list.getEntries().forEach(e => window.shifts += e.value))"
        ".observe({type: 'layout-shift', buffered: true})"
    )
    page.goto(shop.url)
    page.get_by_role("button", name="Talk to us").wait_for()
    page.wait_for_load_state("networkidle")

    assert asked == [f"{host}/widget/v1.js"]
    assert page.evaluate("window.shifts") == 0
    page.get_by_role("button", name="Talk to us").click()
    expect(
        page.get_by_text("2 people on shift · We speak English and Spanish · Usually replies in 4 min")
    ).to_be_visible()
    assert page.evaluate("[localStorage.length, document.cookie]") == [0, ""]

    links = {
        "WhatsApp": r"https://wa\.me/34600111222\?text=.*REF",
        "Telegram bot": r"https://t\.me/acme_bot\?start=REF",
        "Phone": r"tel:\+34600111222",
        "E-mail": r"mailto:ana@example\.com\?subject=.*REF",
        "Viber": r"viber://chat\?number=%2B34600111222",
    }
    for label, link in links.items():
        page.get_by_role("button", name=label, exact=True).click()
        way = page.get_by_role("dialog").locator("a.main")
        reference = page.locator(".center b").inner_text()
        expect(way).to_have_attribute("href", re.compile(f"^{link.replace('REF', reference)}"))
        expect(page.locator(".agent")).to_contain_text("Ana Ruiz")
        expect(page.locator(".qr svg")).to_have_count(0 if label == "E-mail" else 1)
        expect(page.locator(".copyable")).to_have_count(0 if link.startswith("https") else 1)
        page.get_by_role("button", name="Choose another way").click()
    page.get_by_role("button", name="WeChat").click()
    expect(page.locator(".copyable")).to_contain_text("acme_es")
    expect(page.locator(".qr svg")).to_be_visible()

    # One person with one lead, whatever they tapped; and met by name when they come back.
    lead = Lead.objects.select_related("agent").get()
    assert (lead.agent.slug, lead.channel, lead.page_url) == ("ana", "whatsapp", f"{shop.url}/")
    open_panel(page, shop)
    expect(page.get_by_text("Welcome back. Ana Ruiz looks after you.")).to_be_visible()


def test_a_phone_follows_the_tap_in_the_same_tab_and_holds_the_focus_in_the_sheet(new_page, shop, host):
    shop.set(make_shop(), host)
    page = new_page(viewport=PHONE, has_touch=True, is_mobile=True)
    page.route("https://wa.me/**", lambda route: route.fulfill(body="WhatsApp"))
    dialog = open_panel(page, shop)
    expect(dialog).to_have_attribute("aria-modal", "true")
    expect(dialog.get_by_role("button")).to_have_count(6)
    for _each in range(7):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.shadowRoot.activeElement.ariaLabel") == "Close"

    dialog.get_by_role("button", name="WhatsApp").tap()

    page.wait_for_url(re.compile(r"https://wa\.me/34600111222\?text="))
    assert Lead.objects.get().channel == "whatsapp"


def test_after_hours_a_message_becomes_a_held_lead_with_the_opening_in_the_visitors_zone(new_page, shop, host):
    world = make_shop(there=False)
    world.site.asks_consent = True
    shop.set(world, host)
    page = new_page(locale="en-US", timezone_id="America/New_York")
    dialog = open_panel(page, shop)

    expect(dialog).to_contain_text(re.compile(r"We are back \w+day,? (at )?([45]):00.AM, your time"))
    # Whoever taps a channel of somebody who is away has not said yet how they can be reached.
    dialog.get_by_role("button", name="WhatsApp").click()
    expect(dialog.locator(".note")).to_contain_text(
        re.compile("Nobody is here right now. We answer .*:00.AM, your time")
    )
    dialog.get_by_role("button", name="Send message").click()
    expect(dialog).to_contain_text("Please write a message.")
    expect(dialog).to_contain_text("Please give an e-mail address or a phone number.")
    expect(dialog).to_contain_text("Please tick this first.")
    expect(dialog.get_by_label("Your message")).to_be_focused()
    dialog.get_by_label("Your message").fill("A quote, please")
    dialog.get_by_label("Your name").fill("Nora")
    dialog.get_by_label("E-mail or phone").fill("nora@example.com")
    dialog.get_by_role("checkbox").check()
    dialog.get_by_role("button", name="Send message").click()

    expect(dialog).to_contain_text(re.compile(r"We answer \w+day,? (at )?([45]):00.AM, your time"))
    lead = Lead.objects.get()
    assert (lead.outcome, lead.channel, lead.name, lead.email) == ("held", "whatsapp", "Nora", "nora@example.com")
    assert datetime.fromisoformat(lead.consent["at"])
    expect(dialog).to_contain_text(lead.reference)
    assert world.site.key in dialog.get_by_role("link", name="See how it stands").get_attribute("href")


def test_where_the_api_fails_there_is_another_way_and_the_message_arrives_later_once(loud_page, shop, host):
    world = make_shop()
    shop.set(world, host, attributes='data-fallback="https://shop.example/contact"')
    page = loud_page
    failing = {"config": "hangs", "more.js": "hangs", "leads": None}
    keys: list[str] = []

    def answer(route):
        kind = route.request.url.split("?")[0].rsplit("/", 1)[-1]
        if kind == "leads" and route.request.method == "POST":
            keys.append(route.request.headers["idempotency-key"])
        status = failing.get(kind, 200)
        if status == "hangs":
            return
        if status is None:
            route.abort()
        elif status == 200:
            route.fallback()
        else:
            route.fulfill(status=status, headers={"Access-Control-Allow-Origin": "*", "Retry-After": "9"})

    page.route(re.compile(f"^{host}/(api|widget/v1/)"), answer)
    page.clock.install()
    dialog = open_panel(page, shop)
    page.clock.run_for(3_000)  # what a visitor waits
    direct = dialog.get_by_role("link", name="Reach us here instead")
    expect(direct).to_have_attribute("href", "https://shop.example/contact")
    failing["config"] = failing["more.js"] = 200
    dialog.get_by_role("button", name="Try again").click()

    page.evaluate("window.errors = []; switchyard.on('error', error => errors.push([error.doing, error.status])); 0")
    failing["leads"] = 429
    dialog.get_by_role("button", name="WhatsApp").click()
    expect(direct).to_be_visible()
    with page.expect_response(lambda response: response.status == 429):
        dialog.get_by_role("button", name="Try again").click()
    expect(direct).to_be_visible()
    assert len(set(keys)) == 1
    assert len(keys) == 2

    failing["leads"] = None
    dialog.get_by_role("button", name="Back").click()
    dialog.get_by_role("button", name="Leave a message").click()
    dialog.get_by_label("Your message").fill("A quote, please")
    dialog.get_by_label("E-mail or phone").fill("+34 600 999 888")
    keys.clear()
    dialog.get_by_role("button", name="Send message").click()
    expect(dialog).to_contain_text("Your message is kept here")
    expect(direct).to_be_visible()
    assert page.evaluate("errors") == [["lead", 429], ["lead", 429], ["lead", None]]
    assert not Lead.objects.exists()

    failing["leads"] = 200
    with page.expect_response(lambda response: response.url.endswith("/leads") and response.ok):
        page.goto(f"{shop.url}/another")
    assert len(set(keys)) == 1
    assert Lead.objects.get().message == "A quote, please"
    page.wait_for_function("Object.keys(JSON.parse(localStorage[Object.keys(localStorage)[0]]).pending).length == 0")
    page.get_by_role("button", name="Talk to us").click()
    expect(page.get_by_role("dialog")).to_contain_text("Thank you. We have your message.")


def test_it_works_under_the_strictest_policy_beside_hostile_styles_and_patched_prototypes(new_page, shop, host):
    shop.set(make_shop(), host, csp=STRICT.format(host=host), css=HOSTILE_CSS, lang="es")
    page = new_page()
    page.add_init_script("window.violations = []; addEventListener('securitypolicyviolation', e => violations.push(e))")
    page.goto(shop.url)
    launcher = page.get_by_role("button", name="Habla con nosotros")
    box = launcher.bounding_box()
    assert 40 < box["height"] < 70
    assert box["x"] + box["width"] > page.viewport_size["width"] - 40
    launcher.click()
    expect(page.get_by_text("2 personas de turno · una habla español", exact=True)).to_be_visible()
    page.get_by_role("button", name="WhatsApp").click()

    link = page.get_by_role("link", name="Continuar en WhatsApp")
    expect(link).to_be_visible()
    expect(link).to_have_css("background-color", "rgb(31, 94, 255)")
    expect(link).to_have_css("font-size", "15px")
    expect(page.locator(".qr svg")).to_be_visible()
    assert page.evaluate("violations.length") == 0

    page.add_init_script(PATCHED)
    page.goto(shop.url)
    launcher.click()
    page.get_by_role("button", name="WhatsApp").click()
    expect(link).to_have_attribute("href", re.compile("^https://wa.me/34600111222"))
    assert page.evaluate("violations.length") == 0
    assert Lead.objects.get().language == "es"


def test_developers_steer_it_through_one_global_on_pages_of_one_document(new_page, shop, host):
    queue = """<script>
      window.before = Object.keys(window); window.heard = [];
      (window.switchyard ||= []).push(["setVisitor", {name: "Nora", email: "nora@example.com"}],
        ["setAttributes", {plan: "team"}, "a.b"], ["on", "ready", () => heard.push("ready")], ["nonsense"]);
      for (const name of ["open", "close", "channelClick", "assigned", "error"])
        switchyard.push(["on", name, (detail) => heard.push(detail?.channel?.id || detail?.channel || name)]);
    </script>"""
    attributes = (
        'data-auto-start="off" data-launcher="#ask" data-position="left" data-offset="40 60" data-color="#ffe066" '
        'data-theme="dark"'
    )
    world = make_shop()
    shop.set(world, host, head=queue, attributes=attributes, body='<button id="ask"><b>Ask us</b></button>')
    page = new_page()
    page.goto(shop.url)
    page.wait_for_function("window.switchyard?.version === 1")
    assert page.locator("[data-switchyard]").count() == 0
    added = page.evaluate("Object.keys(window).filter(name => !before.includes(name))")
    assert set(added) == {"before", "heard", "switchyard"}

    page.get_by_text("Ask us").click()
    panel = page.get_by_role("dialog")
    expect(panel.get_by_role("button", name="WhatsApp")).to_be_visible()
    expect(page.locator(".launcher")).to_be_hidden()
    panel.evaluate("each => Promise.all(each.getAnimations().map(moving => moving.finished))")
    assert round(panel.bounding_box()["x"]) == 40
    expect(panel).to_have_css("background-color", "rgb(22, 26, 34)")
    expect(page.locator(".head")).to_have_css("color", "rgb(16, 19, 26)")
    with page.expect_request(lambda request: request.url.endswith("/leads")) as sent:
        panel.get_by_role("button", name="Telegram").click()
    body = json.loads(sent.value.post_data)
    assert (body["name"], body["email"], body["signed"]) == ("Nora", "nora@example.com", "a.b")
    assert body["attributes"]["plan"] == "team"
    expect(panel.get_by_role("link")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#ask")).to_be_focused()
    assert page.evaluate("heard") == ["ready", "open", "telegram", "telegram", "close"]

    # The document stays while its content goes; and the snippet is run once more.
    page.evaluate(
        """src => { history.pushState({}, "", "/second"); document.body = document.createElement("body");
        const again = document.createElement("script"); again.src = src; again.dataset.site = "other";
        document.body.appendChild(again); return new Promise(done => again.onload = done); }""",
        f"{host}/widget/v1.js",
    )
    page.evaluate("switchyard.setLocale('fr'), switchyard.open()")
    page.get_by_role("button", name="Retour").click()
    with page.expect_request(lambda request: request.url.endswith("/leads")) as sent:
        page.get_by_role("button", name="WhatsApp").click()
    assert (json.loads(sent.value.post_data)["page_url"], page.locator("[data-switchyard]").count()) == (
        f"{shop.url}/second",
        1,
    )
    expect(page.get_by_role("link", name="Continuer sur WhatsApp")).to_be_visible()
    page.evaluate("switchyard.hide()")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.evaluate("switchyard.destroy()")
    assert page.evaluate("[document.querySelector('[data-switchyard]'), typeof switchyard]") == [None, "undefined"]


def test_the_keyboard_alone_is_enough_and_what_the_page_has_in_focus_is_never_covered(new_page, shop, host):
    low = '<input aria-label="Low" class="low"><input aria-label="High" class="low high">'
    sheet = ".low { position: fixed; right: 30px; bottom: 40px; width: 90px; } .high { bottom: 200px; }"
    shop.set(make_shop(), host, body=low, css=sheet)
    page = new_page()
    page.goto(shop.url)
    launcher = page.get_by_role("button", name="Talk to us")
    launcher.wait_for()
    page.keyboard.press("Tab")
    expect(page.get_by_label("Low")).to_be_focused()
    expect(page.locator("section")).to_have_css("opacity", "0")
    page.keyboard.press("Tab")
    expect(page.get_by_label("High")).to_be_focused()
    page.keyboard.press("Tab")
    expect(launcher).to_be_focused()
    expect(page.locator("section")).to_have_css("opacity", "1")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Hello!")).to_be_focused()
    expect(page.get_by_role("button", name="WhatsApp")).to_be_visible()
    for name in ("Close", "WhatsApp"):
        page.keyboard.press("Tab")
        expect(page.get_by_role("button", name=name, exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Continue on WhatsApp")).to_be_focused()
    page.get_by_label("High").focus()
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.get_by_label("High")).to_be_focused()
    launcher.press("Enter")
    expect(page.get_by_role("link", name="Continue on WhatsApp")).to_be_focused()
    page.keyboard.press("Escape")
    expect(launcher).to_be_focused()
    expect(page.get_by_role("dialog")).to_be_hidden()

    # At 400 % a desk's window is as small as this: everything is reached by scrolling, and nothing is cut off.
    page.set_viewport_size({"width": 320, "height": 256})
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Choose another way").click()
    page.get_by_role("button", name="Leave a message").scroll_into_view_if_needed()
    expect(page.get_by_role("button", name="Leave a message")).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    small = """all => all.filter(each => !each.matches(".low") && Math.min(each.offsetWidth, each.offsetHeight) < 24)
      .map(each => each.outerHTML)"""
    assert page.locator("button:visible, a:visible, input:visible").evaluate_all(small) == []


@pytest.mark.axe
@pytest.mark.parametrize(("lang", "direction"), [("en", "ltr"), ("ar", "rtl")])
def test_axe_finds_nothing_wrong_in_light_and_dark_on_phone_and_desktop(new_page, shop, host, lang, direction):
    world = make_shop(there=False)
    world.site.asks_consent = True
    shop.set(world, host, lang=lang)
    page = new_page()
    page.goto(shop.url)
    page.locator(".launcher").wait_for()
    found = {"closed": violations_everywhere(page)} if lang == "en" else {}
    page.evaluate("switchyard.open()")
    expect(page.locator(".row")).to_have_count(4)
    assert page.locator(".all").get_attribute("dir") == direction
    if direction == "rtl":
        icon, arrow = page.locator(".row").first.locator("svg").all()
        assert icon.bounding_box()["x"] > arrow.bounding_box()["x"]
        assert page.locator(".panel").bounding_box()["x"] < 60
    found["open"] = violations_everywhere(page)
    page.locator("textarea").fill("Hello")
    page.locator("[name=contact]").fill("nora@example.com")
    page.locator("[name=consent]").check()
    page.locator("button[type=submit]").click()
    page.locator(".done").wait_for()
    found["thanks"] = violations_everywhere(page)
    assert {view: where for view, where in found.items() if where} == {}
