"""A site's own page: the widget's choice in plain HTML."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from agents.languages import canonical_tag
from agents.models import Agent, Site, Workspace
from leads.models import Lead
from leads.promises import VISITOR_LANGUAGES
from tests.config.test_pages import policy
from tests.widget.test_api_widget_leads import rates, turns_taken

HERE = "http://127.0.0.1:8000"
TYPED = {"channel": "form", "name": "Ana", "contact": "ana@example.com", "message": "Hola"}


class Visitor:
    """A browser without script, and without cookies."""

    def __init__(self, house, clock, **query):
        self.house, self.clock = house, clock
        self.address = f"/talk/{house.site.key}"
        self.page = self.open(**query)

    def open(self, accept_language="es", **query):
        return Client().get(self.address, query, headers={"accept-language": accept_language})

    def token(self):
        return re.search(r'name="page" value="([^"]+)"', self.page.content.decode())[1]

    def press(self, data, *, origin=HERE, waits=timedelta(seconds=5), address=None, **client):
        self.clock.at += waits
        return Client().post(
            self.address + "?lang=es",
            {"page": self.token(), **data},
            headers={} if origin is None else {"origin": origin},
            **({"REMOTE_ADDR": address} if address else {}),
        )


@pytest.fixture
def visitor(acme, clock):
    return Visitor(acme, clock)


def text_of(response):
    return unescape(response.content.decode())


class TestOpening:
    def test_shows_the_sites_channels_in_their_order_and_who_is_there(self, visitor):
        text = text_of(visitor.page)

        assert re.findall(r'<button name="channel" value="(\w+)"', text) == ["whatsapp", "email"]
        assert "¿Cómo prefieres hablar?" in text
        assert "Ahora hay 2 personas." in text
        assert not any(secret in text for secret in ("Marta", "João", "600111222", "acme.test"))

    def test_takes_no_turn_and_writes_nothing_whoever_follows_every_link(self, acme, clock):
        seen, waiting = set(), [f"/talk/{acme.site.key}"]
        with CaptureQueriesContext(connection) as statements:
            while waiting:
                address = waiting.pop()
                seen.add(address)
                response = Client().get(address)
                assert response.status_code == 200
                for link in re.findall(r'(?:href|src|action)="([^"]+)"', text_of(response)):
                    link = link if link.startswith("/") else f"/talk/{acme.site.key}{link}"
                    if link not in seen and not link.startswith("/static"):
                        waiting.append(link)

        assert len(seen) >= 4
        assert not Lead.objects.exists()
        assert turns_taken() == 0
        written = [q["sql"] for q in statements if not q["sql"].startswith("SELECT")]
        assert not [sql for sql in written if "throttlecount" not in sql.lower()]

    def test_sets_no_cookie_and_is_kept_by_nobody(self, visitor):
        assert not visitor.page.cookies
        assert visitor.page["Cache-Control"] == "no-store"
        assert "Cookie" not in visitor.page.get("Vary", "")

    def test_needs_no_script_and_no_style_of_its_own(self, visitor):
        assert not any("unsafe" in s for sources in policy(visitor.page).values() for s in sources)
        assert not re.search(r"<script|<style|style=|\son\w+=", text_of(visitor.page))

    def test_its_colours_are_the_sites(self, acme):
        Site.objects.update(accent="#112233")

        look = Client().get(f"/talk/{acme.site.key}/look.css")

        assert look["Content-Type"].startswith("text/css")
        assert "--accent: #112233; --on-accent: #ffffff;" in look.content.decode()

    def test_asks_the_database_as_much_for_many_agents_as_for_two(
        self, visitor, django_assert_num_queries, django_capture_on_commit_callbacks
    ):
        for number in range(20):
            Agent.objects.create(workspace=visitor.house.workspace, slug=f"a{number}", name=f"A {number}")
        with django_capture_on_commit_callbacks(execute=True):
            visitor.open()  # the process keeps the roster from now on

        with django_assert_num_queries(3):  # the site, and the counters of address and site
            visitor.open()

    @pytest.mark.parametrize(("key", "active"), [("unknown", True), (None, False)])
    def test_of_a_site_that_is_not_there_is_404(self, acme, key, active):
        Site.objects.update(is_active=active)

        assert Client().get(f"/talk/{key or acme.site.key}").status_code == 404

    def test_after_hours_it_says_when_somebody_is_there_and_asks_for_a_message_first(self, acme, clock):
        clock.at += timedelta(hours=12)

        text = text_of(Visitor(acme, clock).page)

        assert "Ahora mismo no hay nadie." in text
        assert "Abrimos: martes, 3 de marzo, 9:00 (Madrid)" in text.replace("mar, 3", "martes, 3")
        assert text.index("<textarea") < text.index('value="whatsapp"')

    def test_what_the_site_says_itself_stands_there(self, acme, clock):
        Site.objects.update(texts={"es": {"title": "¿Hablamos <hoy>?", "intro": "Sin prisa"}}, scheme="dark")

        text = Visitor(acme, clock).page.content.decode()

        assert "¿Hablamos &lt;hoy&gt;?" in text
        assert "Sin prisa" in text
        assert 'data-scheme="dark"' in text


class TestLanguages:
    def test_each_is_spoken_from_its_own_side(self, acme, clock):
        for language in sorted(VISITOR_LANGUAGES):
            Workspace.objects.update(languages=[canonical_tag(language), "en"])

            page = Visitor(acme, clock, accept_language=language).page

            side = "rtl" if language in ("ar", "fa", "he") else "ltr"
            assert page["Content-Language"] == language
            assert f'<html lang="{language}" dir="{side}"' in text_of(page)
            assert ("Your message" in text_of(page)) == (language == "en")

    def test_a_link_for_each_that_is_offered(self, visitor):
        text = text_of(visitor.open())

        assert re.findall(r'href="\?lang=(\w+)"', text) == ["es", "en"]
        assert "Your message" in text_of(visitor.open(lang="en"))


class TestChoosing:
    def test_brings_the_agent_and_a_real_link_to_them(self, visitor):
        answer = visitor.press({"channel": "whatsapp"})

        text = text_of(answer)
        assert answer.status_code == 200
        assert "Marta Ruiz" in text
        link = re.search(r'<a class="go[^"]*" href="([^"]+)"', text)[1]
        assert link.startswith("https://wa.me/34600111222?text=Hola%2C%20Marta%20Ruiz")
        assert "+34 600 11 12 22" in text
        assert "<svg" in text
        lead = Lead.objects.get()
        assert (lead.channel, lead.source, lead.language, lead.outcome) == ("whatsapp", "widget", "es", "assigned")
        assert turns_taken() == 1
        assert not answer.cookies

    def test_twice_by_a_nervous_finger_is_one_lead_and_one_turn(self, visitor):
        first = visitor.press({"channel": "whatsapp"})
        again = visitor.press({"channel": "whatsapp"})

        assert first.content == again.content
        assert (Lead.objects.count(), turns_taken()) == (1, 1)

    def test_another_way_on_the_same_page_leads_to_the_same_agent(self, visitor):
        visitor.press({"channel": "whatsapp"})

        answer = visitor.press({"channel": "email"})

        assert "mailto:marta@acme.test" in text_of(answer)
        assert (Lead.objects.count(), turns_taken()) == (1, 1)

    def test_after_hours_there_is_still_room_for_a_message_which_joins(self, visitor):
        visitor.clock.at += timedelta(hours=12)
        visitor.page = visitor.open()
        held = visitor.press({"channel": "whatsapp"})
        assert "Respondemos en cuanto abramos." in text_of(held)
        assert "<textarea" in text_of(held)

        visitor.page = held
        visitor.press(TYPED)

        assert Lead.objects.count() == 1


class TestAMessage:
    def test_reaches_somebody(self, visitor):
        answer = visitor.press(TYPED)

        assert "Gracias. Tenemos tu mensaje." in text_of(answer)
        lead = Lead.objects.get()
        assert (lead.name, lead.email, lead.message) == ("Ana", "ana@example.com", "Hola")

    def test_a_phone_number_is_dialled_from_where_the_workspace_is(self, visitor):
        visitor.press({**TYPED, "contact": "600 111 222"})

        assert Lead.objects.get().phone == "+34600111222"

    @pytest.mark.parametrize(
        ("typed", "sentence"),
        [
            ({"contact": ""}, "Escribe un correo o un teléfono para que podamos responderte."),
            ({"contact": "soon"}, "Esto no es ni un correo ni un teléfono."),
            ({"message": "  "}, "Escribe un mensaje."),
            ({"message": "x\x00"}, "nulos"),
            ({"name": "x" * 201}, "201"),
        ],
    )
    def test_what_is_missing_is_said_where_it_is_and_what_was_typed_stays(self, visitor, typed, sentence):
        answer = visitor.press({**TYPED, "name": 'Ana "<b>', **typed})

        assert answer.status_code == 200
        text = text_of(answer)
        assert sentence in text
        assert "Todavía falta algo." in text
        assert text.count('aria-invalid="true"') == text.count("autofocus") == 1
        if "name" not in typed:
            assert "Ana &quot;&lt;b&gt;" in answer.content.decode()
        assert not Lead.objects.exists()

    def test_consent_is_asked_for_where_the_site_does_and_kept_with_its_words(self, acme, clock):
        Site.objects.update(asks_consent=True, privacy_url="https://www.example.com/p", texts={"es": {"consent": "Sí"}})
        visitor = Visitor(acme, clock)
        assert 'href="https://www.example.com/p"' in text_of(visitor.page)

        assert "Marca la casilla" in text_of(visitor.press(TYPED))
        assert not Lead.objects.exists()

        visitor.press({**TYPED, "consent": "on"})
        assert Lead.objects.get().consent == {"given": True, "text": "Sí", "url": "https://www.example.com/p"}


class TestTheDoor:
    def test_a_form_of_another_page_is_refused(self, visitor):
        for origin in (None, "null", "https://www.example.com", "http://127.0.0.1:8001", HERE + "/"):
            answer = visitor.press(TYPED, origin=origin)

            assert answer.status_code == 403, origin
            assert "Hola" in text_of(answer)
        assert (Lead.objects.count(), turns_taken()) == (0, 0)

    def test_a_token_that_was_not_made_here_is_refused(self, visitor):
        token = visitor.token()
        for forged in ("", "x" + token, token[:-1], token.split(":")[0], token.swapcase()):
            assert visitor.press({**TYPED, "page": forged}).status_code == 403, forged
        assert not Lead.objects.exists()

    def test_another_sites_token_is_refused(self, visitor, rival):
        token = Visitor(rival, visitor.clock).token()

        assert visitor.press({**TYPED, "page": token}).status_code == 403

    def test_a_token_lasts_an_hour_and_the_answer_brings_a_new_one(self, visitor):
        late = visitor.press(TYPED, waits=timedelta(hours=1))

        assert late.status_code == 403
        assert "abierta demasiado tiempo" in text_of(late)
        visitor.page = late
        assert visitor.press(TYPED).status_code == 200

    @pytest.mark.parametrize(
        ("extra", "waits"), [({"hp": "https://spam.test"}, timedelta(seconds=5)), ({}, timedelta(milliseconds=799))]
    )
    @pytest.mark.parametrize("data", [TYPED, {"channel": "whatsapp"}])
    def test_bots_get_a_page_like_any_other_and_nobody(self, visitor, extra, waits, data):
        answer = visitor.press({**data, **extra}, waits=waits)

        assert answer.status_code == 200
        assert "Marta" not in text_of(answer)
        assert (Lead.objects.get().outcome, turns_taken()) == ("rejected", 0)

    def test_what_the_site_does_not_offer_is_refused(self, visitor):
        for channel in ("telegram", "", "form\x00", "x" * 21):
            assert visitor.press({"channel": channel}).status_code == 400, channel
        assert not Lead.objects.exists()

    def test_counts_with_the_widgets_own_requests(self, visitor, settings):
        settings.THROTTLE_WIDGET = rates((1, 60), (100, 60))
        visitor.house.write({}, address="203.0.113.9")

        answer = visitor.press(TYPED, address="203.0.113.9")

        assert answer.status_code == 429
        assert int(answer["Retry-After"]) > 0
        assert "Hola" in text_of(answer)

    def test_over_the_sites_limit_a_message_is_held_and_flagged(self, visitor, settings):
        settings.THROTTLE_WIDGET = rates((100, 60), (1, 60))
        visitor.house.write({}, address="203.0.113.9")

        assert visitor.press(TYPED).status_code == 200
        lead = Lead.objects.get(message="Hola")
        assert lead.outcome == "held"
        assert lead.flagged

    def test_reading_has_its_limit_too(self, visitor, settings):
        settings.THROTTLE_WIDGET = rates((1, 60), (100, 60))

        # The first was the visitor's own opening.
        assert [visitor.open().status_code for _ in range(10)] == [200] * 9 + [429]

    def test_a_body_over_64_kb_is_refused(self, visitor):
        assert visitor.press({**TYPED, "message": "x" * 70_000}).status_code == 413
        assert not Lead.objects.exists()

    def test_what_is_no_form_of_the_page_is_refused(self, visitor):
        for body, content_type in (
            (b"{}", "application/json"),
            (b"\xff\xfe=%zz&page", "application/x-www-form-urlencoded"),
            (b"", "text/plain"),
            (b"--x", "multipart/form-data; boundary=y"),
            (b"x", "multipart/form-data"),
        ):
            answer = Client().post(visitor.address, body, content_type=content_type, headers={"origin": HERE})

            assert answer.status_code in (400, 403), content_type
        assert not Lead.objects.exists()

    def test_only_reads_and_posts(self, visitor):
        assert Client().put(visitor.address).status_code == 405
        assert Client().post(visitor.address + "/look.css").status_code == 405


class TestStatusInABrowser:
    BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "accept-language": "de"}

    def test_is_a_page_that_says_when_and_nothing_that_was_typed(self, acme, clock):
        clock.at += timedelta(hours=12)
        typed = {"name": "Zoe Q", "email": "zoe@example.com", "message": "Tengo prisa", "language": "es-MX"}
        address = acme.write(typed).json()["status_url"].removeprefix(HERE)

        page = Client().get(address, headers=self.BROWSER)

        text = text_of(page)
        assert page["Content-Type"] == "text/html; charset=utf-8"
        assert "Accept" in page["Vary"]
        assert "Ahora mismo no hay nadie. Respondemos en cuanto abramos." in text
        assert "Abrimos: mar, 3 de marzo, 9:00 (Madrid)" in text
        assert not any(word in text for word in typed.values())
        assert not page.cookies

    def test_scripts_get_json_whatever_else_they_take(self, acme):
        address = acme.write({}).json()["status_url"].removeprefix(HERE)

        for accept in ("*/*", "application/json", "", "text/html;q=0.5, application/json"):
            assert Client().get(address, headers={"accept": accept})["Content-Type"] == "application/json"

    def test_a_wrong_address_is_said_in_the_browsers_language(self, acme):
        Workspace.objects.update(languages=["en", "de"])

        page = Client().get(acme.url("leads/unknown"), headers=self.BROWSER)

        assert page.status_code == 404
        assert "Diese Adresse stimmt nicht oder ist älter als sieben Tage." in text_of(page)
