"""Mail, against a real server."""

import email
import email.policy
import socket

import pytest
from aiosmtpd.controller import Controller

from leads.notifications.message import Kind
from leads.notifications.outcomes import Dead, Delivered, Retry
from leads.notifications.transports import email as mail
from leads.notifications.transports import send
from tests.leads.notifications.messages import AT, ID, message


class Mailbox:
    """Keeps what it is sent; answers as it is told at each step."""

    def __init__(self):
        self.mails, self.answers = [], {}

    async def handle_MAIL(self, server, session, envelope, address, options):  # noqa: N802
        envelope.mail_from = address
        return self.answers.get("MAIL", "250 OK")

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        envelope.rcpt_tos.append(address)
        return self.answers.get("RCPT", "250 OK")

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        if "DATA" in self.answers:
            return self.answers["DATA"]
        self.mails.append((envelope.rcpt_tos, email.message_from_bytes(envelope.content, policy=email.policy.default)))
        return "250 OK"


@pytest.fixture
def mailbox(settings):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    mailbox = Mailbox()
    server = Controller(mailbox, hostname="127.0.0.1", port=port)
    server.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    settings.DEFAULT_FROM_EMAIL = "Acme leads <leads@acme.example>"
    yield mailbox
    server.stop()


def test_arrives_as_text_and_html(mailbox):
    made = message()

    assert mail.send(made, "marta@example.com", at=AT) == Delivered()

    [(recipients, received)] = mailbox.mails
    assert recipients == ["marta@example.com"]
    assert received["From"] == "Acme leads <leads@acme.example>"
    assert received["To"] == "marta@example.com"
    assert received["Subject"] == "New lead: Ana Gil on WhatsApp"
    assert received["Date"].datetime == AT
    assert received["Auto-Submitted"] == "auto-generated"
    text, html = received.iter_parts()
    assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert html.get_content().split() == made.html.split()
    assert "¿cuánto cuesta?" in text.get_content()


def test_carries_every_link_in_its_text(mailbox):
    mail.send(message(), "marta@example.com", at=AT)

    text = mailbox.mails[0][1].get_body(("plain",)).get_content()
    assert "Reply on WhatsApp: https://wa.me/34600111222?text=Hola" in text
    assert "I have answered: https://leads.example.com/do/secret-token" in text
    assert "Open the lead: https://leads.example.com/inbox/K7P2QX" in text


def test_has_the_same_id_however_often_it_is_sent(mailbox):
    mail.send(message(), "marta@example.com", at=AT)
    mail.send(message(Kind.REMINDER), "marta@example.com", at=AT)

    ids = {received["Message-ID"] for _recipients, received in mailbox.mails}
    assert ids == {f"<{ID}@acme.example>"}


def test_what_a_visitor_wrote_adds_no_header_and_no_recipient(mailbox):
    hostile = message(lead={"name": "Ana\r\nBcc: everybody@example.com\r\n\r\nHi"})

    assert mail.send(hostile, "marta@example.com", at=AT) == Delivered()

    [(recipients, received)] = mailbox.mails
    assert recipients == ["marta@example.com"]
    assert received["Bcc"] is None
    assert received["Subject"] == "New lead: Ana Bcc: everybody@example.com Hi on WhatsApp"


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        ({"RCPT": "550 5.1.1 No such user"}, Dead("The mail server does not take this address (550)")),
        ({"RCPT": "451 4.2.1 Greylisted"}, Retry("The mail server does not take this address (451)")),
        ({"DATA": "554 5.7.1 Spam"}, Dead("The mail server did not take this mail (554)")),
        ({"DATA": "452 4.3.1 Full"}, Retry("The mail server did not take this mail (452)")),
        ({"MAIL": "553 5.7.1 Sender not owned"}, Retry("The mail server refused us (553)")),
    ],
    ids=str,
)
def test_a_refusal_of_the_address_is_for_good_and_one_of_us_is_not(mailbox, answers, outcome):
    mailbox.answers = answers

    assert mail.send(message(), "marta@example.com", at=AT) == outcome
    assert mailbox.mails == []


def test_waits_for_a_server_that_is_down(settings):
    with socket.create_server(("127.0.0.1", 0)) as free:
        settings.EMAIL_PORT = free.getsockname()[1]
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = "127.0.0.1"

    assert mail.send(message(), "marta@example.com", at=AT) == Retry("No mail server: ConnectionRefusedError")


@pytest.mark.parametrize(
    "address", ["", "marta", "a@b.c, d@e.f", "a@b.example\nBcc: x@y.example", "Marta <a@b.example>"]
)
def test_goes_to_one_address(address):
    with pytest.raises(ValueError, match="one e-mail address"):
        mail.read({"address": address})
    assert isinstance(send(message(), transport="email", address={"address": address}, at=AT), Dead)
