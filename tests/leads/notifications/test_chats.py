"""WhatsApp, Telegram, Slack and Microsoft Teams, against a real receiver in their place."""

import json
from datetime import timedelta

import pytest

from leads.notifications.message import Kind
from leads.notifications.outcomes import Dead, Delivered, Retry
from leads.notifications.transports import TRANSPORTS, send, slack, teams, telegram, whatsapp
from tests.leads.notifications.messages import AT, ID, message

TOKEN = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"


@pytest.fixture
def tell(receiver, settings, monkeypatch):
    """Sends by a transport, with the receiver standing in for its provider."""
    settings.WHATSAPP_TOKEN, settings.WHATSAPP_PHONE_NUMBER_ID = "EAAG", "1065"
    settings.TELEGRAM_BOT_TOKEN = TOKEN
    monkeypatch.setattr(whatsapp, "API", receiver.url)
    monkeypatch.setattr(telegram, "API", receiver.url)
    addresses = {
        "whatsapp": {"phone": "+34 600 999 888"},
        "telegram": {"chat_id": "4711"},
        "slack": {"url": f"{receiver.url}/services/T0/B0/secret"},
        "teams": {"url": f"{receiver.url}/workflows/1/triggers/manual?sig=secret"},
    }

    def tell(transport, made=None, **address):
        return send(made or message(), transport=transport, address=addresses[transport] | address, at=AT)

    tell.sent = lambda: json.loads(receiver.received[-1].body)
    return tell


class TestWhatsApp:
    def test_fills_the_approved_template(self, tell, receiver, settings):
        settings.WHATSAPP_TEMPLATE = "lead_waiting"

        assert tell("whatsapp", message(language="es")) == Delivered()

        [request] = receiver.received
        assert request.path == "/1065/messages"
        assert request.headers["authorization"] == "Bearer EAAG"
        sent = tell.sent()
        assert sent["to"] == "34600999888"
        assert sent["biz_opaque_callback_data"] == str(ID)
        assert sent["template"]["name"] == "lead_waiting"
        assert sent["template"]["language"] == {"code": "es"}
        [body] = sent["template"]["components"]
        assert body["parameters"][2] == {"type": "text", "text": "https://leads.example.com/inbox/K7P2QX"}

    def test_puts_nothing_into_it_that_templates_do_not_take(self, tell):
        tell("whatsapp", message(lead={"name": "Ana\n\n\t    Gil" + "x" * 5_000}, url=""))

        [body] = tell.sent()["template"]["components"]
        for parameter in body["parameters"]:
            text = parameter["text"]
            assert text
            assert len(text) <= 500
            assert not any(bad in text for bad in ("\n", "\t", "    "))

    @pytest.mark.parametrize(
        ("status", "number", "outcome"),
        [
            (400, 131026, Dead("WhatsApp answered 400 (error 131026)")),
            (401, 190, Dead("WhatsApp answered 401 (error 190)")),
            (404, 132001, Dead("WhatsApp answered 404 (error 132001)")),
            (400, 130429, Retry("WhatsApp answered 400 (error 130429)")),
            (500, 131000, Retry("WhatsApp answered 500 (error 131000)")),
        ],
    )
    def test_reads_metas_own_numbers(self, tell, receiver, status, number, outcome):
        receiver.answers(status, json.dumps({"error": {"code": number, "message": "for +34600999888"}}).encode())

        assert tell("whatsapp") == outcome

    def test_is_not_tried_without_an_account(self, tell, receiver, settings):
        settings.WHATSAPP_TOKEN = ""

        assert tell("whatsapp") == Dead("WhatsApp is not set up here")
        assert receiver.received == []
        assert not TRANSPORTS["whatsapp"].is_configured()

    def test_needs_a_number_with_its_country(self):
        with pytest.raises(ValueError, match="country's prefix"):
            whatsapp.read({"phone": "600999888"})


class TestTelegram:
    def test_writes_to_the_agent_with_buttons(self, tell, receiver):
        assert tell("telegram") == Delivered()

        assert receiver.received[0].path == f"/bot{TOKEN}/sendMessage"
        sent = tell.sent()
        assert sent["chat_id"] == 4711
        assert sent["text"].startswith("New lead: Ana Gil on WhatsApp\n\nAna Gil is waiting")
        buttons = [button for row in sent["reply_markup"]["inline_keyboard"] for button in row]
        assert [button["text"] for button in buttons] == ["Reply on WhatsApp", "I have answered", "Open the lead"]
        assert "parse_mode" not in sent

    def test_counts_the_title_as_telegram_does(self, tell):
        tell("telegram", message(lead={"name": "Ana 🙂"}))

        [bold] = tell.sent()["entities"]
        title = tell.sent()["text"].split("\n")[0]
        assert bold == {"type": "bold", "offset": 0, "length": len(title) + 1}

    def test_gives_a_group_no_link_that_acts_for_the_recipient(self, tell, receiver):
        tell("telegram", chat_id="-100200300")

        assert b"secret-token" not in receiver.received[0].body
        assert b"wa.me" not in receiver.received[0].body
        assert b"/inbox/K7P2QX" in receiver.received[0].body

    def test_writes_out_links_that_it_takes_for_no_button(self, tell):
        url = "http://127.0.0.1:8000/inbox/1"
        tell("telegram", message(url=url, actions=[], lead={"reply_url": "tel:+34600111222"}))

        assert tell.sent()["reply_markup"] == {"inline_keyboard": []}
        assert tell.sent()["text"].endswith(f"Reply on WhatsApp: tel:+34600111222\n\nOpen the lead: {url}")

    def test_stays_within_its_length(self, tell):
        tell("telegram", message(lead={"message": "🙂" * 490, "page": "x" * 2_000, "contact": "🙂" * 3_000}))

        assert len(tell.sent()["text"].encode("utf-16-le")) // 2 <= 4_096

    @pytest.mark.parametrize(
        ("status", "answer", "outcome"),
        [
            (403, {"description": "Forbidden: bot was blocked by the user"},
             Dead("Telegram: Forbidden: bot was blocked by the user", address_gone=True)),
            (400, {"description": "Bad Request: chat not found"},
             Dead("Telegram: Bad Request: chat not found", address_gone=True)),
            (400, {"description": "Bad Request: <b>odd</b>"}, Dead("Telegram answered 400")),
            (401, {"description": "Unauthorized"},
             Dead("Telegram does not know our bot: TELEGRAM_BOT_TOKEN is wrong")),
            (429, {"parameters": {"retry_after": 35}}, Retry("Telegram takes no more for now", timedelta(seconds=35))),
            (429, {"parameters": {"retry_after": "x"}}, Retry("Telegram answered 429")),
            (429, {"parameters": {"retry_after": 10**18}}, Retry("Telegram answered 429")),
            (502, [], Retry("Telegram answered 502")),
        ],
    )  # fmt: skip
    def test_understands_its_answers(self, tell, receiver, status, answer, outcome):
        receiver.answers(status, json.dumps(answer).encode())

        assert tell("telegram") == outcome

    def test_is_not_tried_without_a_bot(self, tell, receiver, settings):
        settings.TELEGRAM_BOT_TOKEN = ""

        assert tell("telegram") == Dead("Telegram is not set up here")
        assert receiver.received == []

    @pytest.mark.parametrize("chat_id", ["", "@marta", "0", "1/../2", "9" * 30, "٣"])
    def test_needs_the_number_of_a_chat(self, chat_id):
        with pytest.raises(ValueError, match="is a number"):
            telegram.read({"chat_id": chat_id})


class TestSlack:
    def test_posts_to_the_room(self, tell, receiver):
        assert tell("slack") == Delivered()

        assert receiver.received[0].path == "/services/T0/B0/secret"
        header, text, link = tell.sent()["blocks"]
        assert header["text"] == {"type": "plain_text", "text": "New lead: Ana Gil on WhatsApp", "emoji": False}
        assert text["text"]["type"] == "plain_text"
        assert "¿cuánto cuesta?" in text["text"]["text"]
        assert link["text"]["text"] == "<https://leads.example.com/inbox/K7P2QX|Open the lead>"

    def test_a_visitor_cannot_call_the_room(self, tell):
        tell("slack", message(lead={"name": "<!channel> & <https://evil.test|you>"}))

        sent = tell.sent()
        assert sent["text"] == "New lead: &lt;!channel&gt; &amp; &lt;https://evil.test|you&gt; on WhatsApp"
        assert [block["text"]["type"] for block in sent["blocks"]] == ["plain_text", "plain_text", "mrkdwn"]
        assert "channel" not in sent["blocks"][2]["text"]["text"]

    @pytest.mark.parametrize(
        ("status", "said", "outcome"),
        [
            (404, b"no_service", Dead("Slack answered 404 (no_service)", address_gone=True)),
            (410, b"channel_is_archived", Dead("Slack answered 410 (channel_is_archived)", address_gone=True)),
            (400, b"invalid_payload", Dead("Slack answered 400 (invalid_payload)")),
            (500, b"<html>rollup_error</html>", Retry("Slack answered 500")),
        ],
    )
    def test_understands_its_answers(self, tell, receiver, status, said, outcome):
        receiver.answers(status, said)

        assert tell("slack") == outcome

    def test_comes_back_when_it_is_told_to(self, tell, receiver):
        receiver.answers(429, b"", Retry_After="30")

        assert tell("slack") == Retry("Slack answered 429", timedelta(seconds=30))


class TestTeams:
    def test_posts_a_card(self, tell, receiver):
        receiver.answers(202)

        assert tell("teams") == Delivered()

        assert receiver.received[0].path == "/workflows/1/triggers/manual?sig=secret"
        [attachment] = tell.sent()["attachments"]
        assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
        card = attachment["content"]
        assert card["body"][0]["inlines"][0]["text"] == "New lead: Ana Gil on WhatsApp"
        assert card["actions"] == [
            {"type": "Action.OpenUrl", "title": "Open the lead", "url": "https://leads.example.com/inbox/K7P2QX"}
        ]

    def test_reads_no_markup_in_what_a_visitor_wrote(self, tell):
        tell("teams", message(lead={"message": "[free](https://evil.test) **now**"}))

        card = tell.sent()["attachments"][0]["content"]
        assert {block["type"] for block in card["body"]} == {"RichTextBlock"}
        assert {run["type"] for block in card["body"] for run in block["inlines"]} == {"TextRun"}


@pytest.mark.parametrize("transport", [name for name, transport in TRANSPORTS.items() if transport.is_room])
@pytest.mark.parametrize("kind", Kind)
def test_a_room_never_sees_a_link_that_acts_for_the_recipient(receiver, transport, kind):
    address = {"url": f"{receiver.url}/room", "secret": "whsec_" + "A" * 32}

    assert send(message(kind), transport=transport, address=address, at=AT) == Delivered()

    assert b"secret-token" not in receiver.received[0].body
    assert b"wa.me" not in receiver.received[0].body


@pytest.mark.parametrize("read", [slack.read, teams.read])
@pytest.mark.parametrize("url", ["", "http://hooks.slack.com/x", "https://localhost/x", "https://10.0.0.1/x"])
def test_rooms_are_on_the_public_internet(read, url):
    with pytest.raises(ValueError, match=r"\.$"):
        read({"url": url})


@pytest.mark.parametrize("transport", ["slack", "teams"])
def test_an_address_that_leads_inside_by_now_is_dead(transport, sockets):
    sockets.names = {"hooks.example.com": [["10.0.0.1"]]}

    outcome = send(message(), transport=transport, address={"url": "https://hooks.example.com/x"}, at=AT)

    assert outcome == Dead("This address does not lead to the public internet.")
    assert sockets.connected == []


def test_an_address_that_does_not_answer_is_tried_again(sockets):
    outcome = send(message(), transport="slack", address={"url": "https://hooks.example.com/secret"}, at=AT)

    assert outcome == Retry("Slack: The name was not found.")
