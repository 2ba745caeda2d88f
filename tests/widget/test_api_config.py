"""GET widgets/KEY/config."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from agents.models import Agent, Site, Workspace
from tests.widget.conftest import HOUSE, ORIGIN, build
from widget import typical_reply


def test_says_what_the_widget_shows(acme):
    config = acme.visit().json()
    icons = [channel.pop("icon") for channel in config["channels"]]

    assert all(icon.keys() == {"path", "fill", "ink"} for icon in icons)
    assert config == {
        "name": "Acme",
        "language": "es",
        "languages": ["es", "en"],
        "channels": [
            {"id": "whatsapp", "label": "WhatsApp", "online": True},
            {"id": "email", "label": "Correo electrónico", "online": True},
            {"id": "form", "label": "Dejar un mensaje", "online": True},
        ],
        "online": True,
        "opens_at": None,
        "hours_shown": True,
        "team": {
            "on_shift": 2,
            "languages": ["en", "es", "pt"],
            "speakers": {"en": 1, "es": 1, "pt": 1},
            "typical_reply_s": None,
        },
        "texts": {},
        "theme": {"accent": "#1f5eff", "on_accent": "#ffffff", "side": "right", "scheme": "auto", "offset": "20"},
        "consent": None,
        "fallback": None,
        "page_url": f"http://127.0.0.1:8000/talk/{acme.site.key}",
    }


class TestWhatTheSiteChose:
    def test_is_told_in_the_visitors_language(self, acme):
        acme.site.texts = {"es": {"title": "Hola", "consent": "Acepto"}, "es-MX": {"launcher": "Platica"}}
        acme.site.asks_consent, acme.site.privacy_url = True, "https://www.example.com/privacy"
        acme.site.save()

        spanish, english = acme.visit("config?language=es-AR").json(), acme.visit("config?language=en").json()

        assert (spanish["language"], spanish["texts"]) == ("es", {"title": "Hola"})
        assert spanish["consent"] == {"text": "Acepto", "url": "https://www.example.com/privacy"}
        assert (english["language"], english["texts"]) == ("en", {})
        assert english["consent"]["text"] == "I agree that my details are used to answer me."

    def test_a_longer_tag_adds_its_own_words(self, acme):
        Workspace.objects.update(languages=["es", "es-MX"])
        acme.site.texts = {"es": {"title": "Hola", "away": "Volvemos"}, "es-MX": {"title": "Qué onda"}}
        acme.site.save()

        assert acme.visit("config?language=es-MX").json()["texts"] == {"title": "Qué onda", "away": "Volvemos"}

    def test_hours_that_are_not_shown_are_not_sent(self, acme, clock):
        clock.at = datetime(2026, 3, 6, 18, 0, tzinfo=UTC)
        Site.objects.update(hours_shown=False)

        config = acme.visit().json()

        assert (config["online"], config["opens_at"], config["hours_shown"]) == (False, None, False)


def test_never_holds_a_handle_or_an_agent(acme):
    text = acme.visit().content.decode()

    for secret in ("Marta", "marta", "João", "joao", "600111222", "acme.test"):
        assert secret not in text


def test_is_served_without_an_origin_too(acme):
    response = Client().get(acme.url("config"))

    assert response.status_code == 200
    assert "Access-Control-Allow-Origin" not in response


def test_a_channel_is_online_while_somebody_who_has_it_is(acme):
    Agent.objects.filter(slug="marta").update(is_paused=True)

    channels = {channel["id"]: channel["online"] for channel in acme.visit().json()["channels"]}

    assert channels == {"whatsapp": False, "email": True, "form": True}


def test_out_of_hours_it_says_when_somebody_is_there_next(acme, clock):
    clock.at = datetime(2026, 3, 6, 18, 0, tzinfo=UTC)  # Friday evening

    config = acme.visit().json()

    assert (config["online"], config["opens_at"]) == (False, "2026-03-09T08:00:00Z")
    assert config["team"]["on_shift"] == 0
    assert {channel["online"] for channel in config["channels"]} == {False}


def test_what_opens_next_follows_the_roster_at_once(acme, clock):
    clock.at = datetime(2026, 3, 6, 18, 0, tzinfo=UTC)
    assert acme.visit().json()["opens_at"] == "2026-03-09T08:00:00Z"

    Agent.objects.update(is_paused=True)

    assert acme.visit().json()["opens_at"] is None


def test_people_on_call_are_there_but_not_on_shift(db, clock):
    house = build("night", HOUSE.replace("start: 09:00, end: 18:00", "start: 09:00, end: 18:00, kind: on_call"))
    clock.at = datetime(2026, 3, 2, 16, 30, tzinfo=UTC)  # João has gone

    config = house.visit().json()

    assert config["online"] is True
    assert config["team"] == {"on_shift": 0, "languages": ["en", "es"], "speakers": {}, "typical_reply_s": None}


def test_whoever_is_at_a_cap_is_not_there(db, clock):
    house = build("full", HOUSE.replace("[es, en]\n    handles", "[es, en]\n    caps: {open: 1}\n    handles"))
    marta = Agent.objects.get(slug="marta")
    assert house.visit().json()["team"]["on_shift"] == 2

    type(marta.load).objects.filter(agent=marta).update(open=1)

    config = house.visit().json()
    assert config["team"]["on_shift"] == 1
    assert {c["id"]: c["online"] for c in config["channels"]} == {"whatsapp": False, "email": True, "form": True}


class TestKeptByTheBrowser:
    def test_what_did_not_change_is_not_sent_again(self, acme):
        first = acme.visit()

        again = acme.visit(if_none_match=first["ETag"])

        assert again.status_code == 304
        assert not again.content
        assert again["ETag"] == first["ETag"]
        assert again["Access-Control-Allow-Origin"] == ORIGIN

    @pytest.mark.parametrize("form", ["W/{}", '"other", {}', "*"])
    def test_however_the_tag_is_written(self, acme, form):
        first = acme.visit()

        assert acme.visit(if_none_match=form.format(first["ETag"])).status_code == 304

    def test_what_changed_is_sent(self, acme):
        first = acme.visit()
        Agent.objects.filter(slug="joao").update(is_paused=True)

        again = acme.visit(if_none_match=first["ETag"])

        assert again.status_code == 200
        assert again["ETag"] != first["ETag"]


class TestLanguage:
    @pytest.mark.parametrize(
        ("accept", "label"), [("en-GB", "Leave a message"), ("de", "Dejar un mensaje"), ("", "Dejar un mensaje")]
    )
    def test_labels_are_in_the_first_language_that_visitor_and_workspace_share(self, acme, accept, label):
        response = acme.visit(accept_language=accept)

        assert response.json()["channels"][-1]["label"] == label
        assert "Accept-Language" in response["Vary"]

    def test_the_page_may_name_its_own(self, acme):
        response = acme.visit("config?language=en-US", accept_language="es")

        assert response.json()["channels"][-1]["label"] == "Leave a message"


class TestTypicalReply:
    def test_is_the_median_of_answered_leads(self, acme, clock):
        answered_after(acme, clock, [10, 20, 30, 40, 600])

        assert acme.visit().json()["team"]["typical_reply_s"] == 30

    def test_is_not_told_from_a_few(self, acme, clock):
        answered_after(acme, clock, [10, 20, 30, 40])

        assert acme.visit().json()["team"]["typical_reply_s"] is None

    def test_is_asked_of_the_database_every_five_minutes(self, acme, clock):
        assert acme.visit().json()["team"]["typical_reply_s"] is None
        answered_after(acme, clock, [10, 20, 30, 40, 600])
        assert acme.visit().json()["team"]["typical_reply_s"] is None

        clock.at += typical_reply._KEPT_FOR

        assert acme.visit().json()["team"]["typical_reply_s"] == 30


def answered_after(house, clock, seconds):
    from leads.models import Lead

    for place, took in enumerate(seconds):
        received_at = clock.at - timedelta(hours=1 + place)
        Lead.objects.create(
            workspace=house.workspace, source="widget", channel="form", received_at=received_at,
            created_at=received_at, status="answered", outcome="held", reason="nobody", reference=f"R{place}",
            status_token=f"token{place}", first_response_at=received_at + timedelta(seconds=took),
        )  # fmt: skip


def test_two_workspaces_do_not_meet(acme, rival):
    Agent.objects.filter(workspace=rival.workspace).update(is_paused=True)

    assert acme.visit().json()["team"]["on_shift"] == 2
    assert rival.visit().json()["team"]["on_shift"] == 0


def test_costs_few_statements(acme, django_assert_num_queries, django_capture_on_commit_callbacks, settings):
    settings.THROTTLE_WIDGET = None
    with django_capture_on_commit_callbacks(execute=True):
        acme.visit()

    with django_assert_num_queries(1):  # the key's
        acme.visit()


def test_times_are_utc_with_a_z(acme, clock):
    clock.at = datetime(2026, 3, 6, 18, 0, tzinfo=UTC)

    assert json.loads(acme.visit().content)["opens_at"].endswith("00Z")
