"""How people are told is set in the environment; what cannot work is refused with a sentence that says what to set."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import environment
from config.environment import Mode


class TestSender:
    def test_is_at_our_own_host_unless_named(self):
        sender = environment.email_from("", public_url="https://leads.example.com")

        assert sender == "Switchyard <switchyard@leads.example.com>"
        assert environment.email_from("Acme <a@acme.example>", public_url="") == "Acme <a@acme.example>"

    @pytest.mark.parametrize("public_url", ["http://127.0.0.1:8000", "http://[::1]:8000", "http://leads"])
    def test_is_local_where_the_host_has_no_name_that_mail_knows(self, public_url):
        assert environment.email_from("", public_url=public_url) == "Switchyard <switchyard@localhost>"

    @pytest.mark.parametrize("text", ["Acme", "leads@", "<>", "a@b@c"])
    def test_must_be_an_address(self, text):
        with pytest.raises(ImproperlyConfigured, match=r"EMAIL_FROM is .*: set it to"):
            environment.email_from(text, public_url="https://leads.example.com")


class TestKeys:
    def test_for_web_push_have_32_bytes(self):
        key = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"

        assert environment.vapid_private_key(f"{key}=") == key
        assert environment.vapid_private_key("") == ""
        with pytest.raises(ImproperlyConfigured, match="VAPID_PRIVATE_KEY is no key: set it to"):
            environment.vapid_private_key(key[:-1])

    def test_for_whatsapp_come_together(self):
        assert environment.whatsapp(token="EAAG", phone_number_id="1065") == ("EAAG", "1065")
        assert environment.whatsapp(token="", phone_number_id="") == ("", "")

    @pytest.mark.parametrize(("token", "number"), [("secret", ""), ("", "1065"), ("secret", "1/../2")])
    def test_for_whatsapp_are_no_use_apart(self, token, number):
        with pytest.raises(ImproperlyConfigured) as refused:
            environment.whatsapp(token=token, phone_number_id=number)

        assert "WHATSAPP_PHONE_NUMBER_ID" in str(refused.value)
        assert "secret" not in str(refused.value)

    def test_for_telegram_look_like_those_of_bots(self):
        token = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"

        assert environment.telegram_bot_token(token) == token
        for wrong in ("AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw", "110201543:AAH/../getMe?xxxxxxxxxxxxxxxxxxx"):
            with pytest.raises(ImproperlyConfigured, match="TELEGRAM_BOT_TOKEN") as refused:
                environment.telegram_bot_token(wrong)
            assert wrong not in str(refused.value)


def test_webhooks_reach_this_machine_nowhere_but_in_a_trial():
    assert environment.loopback_webhooks(allowed=True, mode=Mode.EMBEDDED) is True
    assert environment.loopback_webhooks(allowed=False, mode=Mode.PRODUCTION) is False
    with pytest.raises(ImproperlyConfigured, match="ALLOW_LOOPBACK_WEBHOOKS"):
        environment.loopback_webhooks(allowed=True, mode=Mode.PRODUCTION)
