"""A site's page in the admin: what it keeps, what it refuses, what it shows before anything is saved."""

import json
import re
from html import unescape

import pytest
from django.urls import reverse

from agents.models import Site
from agents.workspace_stamp import stamp
from tests.config.test_pages import policy
from tests.crawler import client_of, somebody

FORM = {
    "name": "Shop",
    "origins": "https://Shop.example",
    "channels": ["telegram", "whatsapp"],
    "channels-place-telegram": "2",
    "channels-place-whatsapp": "1",
    "is_active": "on",
    "accent": "#1F5EFF",
    "on_accent": "#ffffff",
    "side": "left",
    "scheme": "dark",
    "offset": "24",
    "texts-es-title": " Hola ",
    "hours_shown": "on",
    "fallback_url": "https://shop.example/contact",
    "privacy_url": "",
}


@pytest.fixture
def site(acme):
    return acme.rows[Site][0]


@pytest.fixture
def post(as_manager, acme):
    def post(address, data, client=None):
        return (client or as_manager).post(address, {"_workspace": stamp(acme.workspace), **data})

    return post


def address(site, page="change/"):
    return f"/admin/agents/site/{site.pk}/{page}"


def sentences(response):
    return " ".join(str(message) for found in response.context["adminform"].errors.values() for message in found)


class TestSaving:
    def test_keeps_what_was_chosen_in_its_normal_form(self, post, acme):
        response = post("/admin/agents/site/add/", FORM)

        assert response.status_code == 302, sentences(response)
        site = Site.objects.get(name="Shop")
        assert site.workspace == acme.workspace
        assert (site.origins, site.channels) == (["https://shop.example"], ["whatsapp", "telegram"])
        assert (site.accent, site.side, site.scheme, site.offset) == ("#1f5eff", "left", "dark", 24)
        assert site.texts == {"es": {"title": "Hola"}}
        assert (site.hours_shown, site.asks_consent) == (True, False)

    def test_saving_what_is_shown_changes_nothing(self, post, site, as_manager):
        before = Site.objects.filter(pk=site.pk).values().get()
        fields = as_manager.get(address(site)).context["adminform"].form
        data = {
            "name": site.name,
            "origins": "\n".join(site.origins),
            "channels": site.channels,
            "texts-es-title": site.texts["es"]["title"],
            **{name: str(getattr(site, name)) for name in ("accent", "on_accent", "side", "scheme", "offset")},
            **{name: getattr(site, name) for name in ("fallback_url", "privacy_url")},
            **{name: "on" for name in ("is_active", "hours_shown", "asks_consent") if getattr(site, name)},
        }
        assert set(fields.fields) <= {*data, "texts", "is_active", "hours_shown", "asks_consent"}

        assert post(address(site), data).status_code == 302

        assert Site.objects.filter(pk=site.pk).values().get() == before

    @pytest.mark.parametrize(
        ("wrong", "sentence"),
        [
            ({"accent": "#ffee00"}, "have a contrast of 1.2 to 1; people need 4.5 to 1"),
            ({"accent": "red;}"}, "is no colour"),
            ({"origins": "https://shop.example/path"}, "Write scheme and host, without path"),
            ({"channels": ["skype"]}, "Skype closed in May 2025"),
            ({"offset": "201"}, "less than or equal to 200"),
            ({"fallback_url": "javascript:alert(1)"}, "This is no address to send a visitor to"),
            ({"privacy_url": "tel:+34911222333"}, "This is no address to send a visitor to"),
            ({"texts-es-launcher": "x" * 41}, "español, Button: “Button” may have 40 characters; this has 41."),
            ({"side": "top"}, "not one of the available choices"),
        ],
    )
    def test_refuses_with_a_sentence_and_keeps_what_was_typed(self, post, site, wrong, sentence):
        response = post(address(site), {**FORM, "name": "Typed anew", **wrong})

        assert response.status_code == 200
        assert sentence in sentences(response)
        assert "Typed anew" in response.content.decode()
        assert Site.objects.get(pk=site.pk).name == site.name

    def test_a_new_signing_secret_ends_the_old_one(self, post, site):
        data = {"action": "renew_signing_secret", "_selected_action": [site.pk], "index": "0"}

        post("/admin/agents/site/", data)

        assert Site.objects.get(pk=site.pk).signing_secret != site.signing_secret


class TestTheSnippet:
    def test_is_shown_and_never_run(self, site, as_manager):
        page = as_manager.get(address(site)).content.decode()

        assert f'data-site="{site.key}"' in unescape(page)
        assert f'data-site="{site.key}"' not in page
        assert not re.search(r"<script[^>]*widget/v1\.js", page)

    def test_carries_what_must_be_known_before_the_widget_asks(self, site, as_manager):
        Site.objects.update(accent="#0a7a0a", side="left", scheme="dark", offset=30, fallback_url="tel:+34911222333")

        snippet = unescape(
            re.search(r'id="snippet">(.*?)</code>', as_manager.get(address(site)).content.decode(), re.S)[1]
        )

        assert re.findall(r' (data-[a-z]+="[^"]*")', snippet) == [
            f'data-site="{site.key}"',
            'data-color="#0a7a0a"',
            'data-position="left"',
            'data-theme="dark"',
            'data-offset="30"',
            'data-fallback="tel:+34911222333"',
        ]
        assert "data-label" not in snippet
        assert f'<noscript><a href="http://127.0.0.1:8000/talk/{site.key}">zqalpha greets</a>' in snippet

    @pytest.mark.parametrize(
        ("texts", "shown"),
        [
            ({"es": {"launcher": "Habla"}}, True),
            ({"es": {"launcher": "Habla"}, "en": {"launcher": "Talk"}}, False),
        ],
    )
    def test_names_the_button_where_that_is_the_same_for_everybody(self, site, as_manager, texts, shown):
        Site.objects.update(texts=texts)

        assert (' data-label="Habla"' in unescape(as_manager.get(address(site)).content.decode())) == shown

    def test_lets_no_words_out_of_their_attribute(self, site, as_manager):
        Site.objects.update(texts={"es": {"launcher": '"><b>'}})

        assert 'data-label="&quot;&gt;&lt;b&gt;"' in unescape(as_manager.get(address(site)).content.decode())

    def test_says_nothing_that_is_the_default(self, site, as_manager):
        Site.objects.update(fallback_url="")

        page = unescape(as_manager.get(address(site)).content.decode())

        assert f'/widget/v1.js" data-site="{site.key}"></script>' in page


class TestThePreview:
    def test_shows_what_stands_in_the_form_and_saves_nothing(self, post, site):
        before = Site.objects.filter(pk=site.pk).values().get()

        page = post(address(site, "preview"), {**FORM, "accent": "#b91c1c"})

        config = json.loads(re.search(r'<script id="config"[^>]*>(.*?)</script>', page.content.decode())[1])
        assert config["theme"]["accent"] == "#b91c1c"
        assert config["texts"] == {"title": "Hola"}
        assert [channel["id"] for channel in config["channels"]] == ["whatsapp", "telegram", "form"]
        assert 'data-color="#b91c1c"' in page.content.decode()
        assert Site.objects.filter(pk=site.pk).values().get() == before

    def test_says_why_it_shows_nothing(self, post, site):
        page = post(address(site, "preview"), {**FORM, "accent": "#ffee00"}).content.decode()

        assert "have a contrast of 1.2 to 1" in page
        assert "widget/v1.js" not in page

    def test_may_be_framed_by_the_admin_alone_and_is_strict(self, as_manager, site):
        page = as_manager.get(address(site, "preview"))

        directives = policy(page)
        assert directives["script-src"] == directives["style-src"] == directives["connect-src"] == {"'self'"}
        assert directives["frame-ancestors"] == {"'self'"}
        assert page["X-Frame-Options"] == "SAMEORIGIN"


class TestPosterAndCode:
    def test_lead_to_the_sites_own_page(self, as_manager, site):
        poster = as_manager.get(address(site, "poster")).content.decode()
        svg = as_manager.get(address(site, "qr.svg"))
        png = as_manager.get(address(site, "qr.png"))

        assert f"http://127.0.0.1:8000/talk/{site.key}" in poster
        assert "Escanea para hablar con nosotros" in poster
        assert "<svg" in poster
        assert (svg["Content-Type"], png["Content-Type"]) == ("image/svg+xml", "image/png")
        assert svg.content.startswith(b"<?xml")
        assert png.content.startswith(b"\x89PNG")
        assert "attachment" in svg["Content-Disposition"]


PAGES = ("preview", "poster", "qr.svg", "qr.png")


def test_nobody_of_another_workspace_sees_its_pages(as_manager, other):
    theirs = other.rows[Site][0]

    assert [as_manager.get(address(theirs, page)).status_code for page in PAGES] == [404] * 4


def test_nobody_who_may_not_change_it_sees_its_pages(acme, site):
    ops = client_of(somebody("ops@acme.test", (acme, "ops")), acme)

    assert not {ops.get(address(site, page)).status_code for page in PAGES} - {302, 403}


def test_the_page_is_found_where_it_was(site):
    assert reverse("admin:agents_site_change", args=[site.pk]) == address(site)
