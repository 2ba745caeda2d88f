"""Every address that a user supplied goes through one client, which reaches the public internet and nothing else."""

import socket
import ssl
import threading

import httpcore
import pytest

from leads.notifications import guarded_http
from leads.notifications.guarded_http import Refused, Unreachable, check, post

PUBLIC = "93.184.215.14"
# Written in the address itself.
LITERALS = [
    "http://example.com/",
    "https://127.0.0.1/",
    "https://127.0.0.1:8443/",
    "https://127.1/",
    "https://127.0.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://0177.0.0.1/",
    "https://017700000001/",
    "https://127.0.0.1./",
    "https://0/",
    "https://0.0.0.0/",
    "https://10.0.0.5/",
    "https://172.16.0.1/",
    "https://192.168.1.1/",
    "https://100.64.0.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://100.100.100.200/",
    "https://168.63.129.16/",
    "https://192.0.0.192/",
    "https://224.0.0.1/",
    "https://255.255.255.255/",
    "https://[::]/",
    "https://[::1]/",
    "https://[0:0:0:0:0:0:0:1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[::127.0.0.1]/",
    "https://[64:ff9b::127.0.0.1]/",
    "https://[64:ff9b:1::7f00:1]/",
    "https://[2002:7f00:1::]/",
    "https://[2001:0:7f00:1::]/",
    "https://[fc00::1]/",
    "https://[fd00:ec2::254]/",
    "https://[fe80::1]/",
    "https://[fe80::1%25eth0]/",
    "https://[fec0::1]/",
    "https://[ff02::1]/",
    "https://[::1/",
    "https://localhost/",
    "https://localhost./",
    "https://redis:6379/",
    "https://user:password@example.com/",
    "https://example.com@127.0.0.1/",
    "https://example.com:443@127.0.0.1/",
    "https://127.0.0.1\\@example.com/",
    "https://example.com\\@127.0.0.1/",
    "https://exa mple.com/",
    "https://example.com\t.evil.test/",
    "https://example.com/\r\nHost: 127.0.0.1",
    "https://①②⑦.⓪.⓪.①/",
    "https://127。0。0。1/",
    "https://ⓛocalhost/",
    "https://example.com:22/",
    "https://example.com:0/",
    "https://example.com:99999/",
    "https://example.com:x/",
    "https:///etc/passwd",
    "https:example.com",
    "//example.com/",
    "file:///etc/passwd",
    "ftp://example.com/",
    "gopher://127.0.0.1:6379/_FLUSHALL",
    "unix:/var/run/docker.sock",
    "javascript:alert(1)",
    "",
    "https://example.com/" + "a" * 2_048,
]
# What a harmless-looking name answers.
ANSWERS = [
    ["127.0.0.1"],
    ["10.1.2.3"],
    ["169.254.169.254"],
    ["100.64.3.2"],
    ["0.0.0.0"],
    ["::1"],
    ["::ffff:192.168.0.1"],
    ["64:ff9b::a00:1"],
    ["2002:a00:1::1"],
    ["fd00::1"],
    ["fe80::1"],
    [PUBLIC, "127.0.0.1"],
    ["127.0.0.1", PUBLIC],
    [PUBLIC, "::1"],
]


def send(url, body=b"{}", **headers):
    return post(url, body=body, headers={"Content-Type": "application/json", **headers})


@pytest.fixture
def trusted(monkeypatch, certificate):
    """The receiver's certificate is one we know."""
    context = ssl.create_default_context(cafile=certificate)
    monkeypatch.setattr(guarded_http, "_tls", lambda: context)


class TestRefusals:
    @pytest.mark.parametrize("url", LITERALS)
    def test_open_no_socket_and_look_nothing_up(self, sockets, url):
        sockets.names = {"example.com": [[PUBLIC]]}

        with pytest.raises(Refused) as refused:
            send(url)

        assert str(refused.value).endswith(".")
        assert sockets.connected == []
        assert sockets.asked == []
        with pytest.raises(Refused):
            check(url)

    @pytest.mark.parametrize("answer", ANSWERS, ids=" ".join)
    def test_of_names_that_lead_inside_open_no_socket(self, sockets, answer):
        sockets.names = {"hooks.example.com": [answer]}

        with pytest.raises(Refused, match="public internet"):
            send("https://hooks.example.com/x")

        assert sockets.asked == ["hooks.example.com"]
        assert sockets.connected == []

    def test_are_sentences_that_do_not_say_what_a_name_led_to(self, sockets):
        sockets.names = {"a.example.com": [["10.0.0.1"]], "b.example.com": [["127.0.0.1"]]}
        said = set()
        for name in sockets.names:
            with pytest.raises(Refused) as refused:
                send(f"https://{name}/")
            said.add(str(refused.value))

        assert said == {"This address does not lead to the public internet."}


class TestPinning:
    def test_connects_to_what_was_checked_though_the_name_answers_differently_the_second_time(self, sockets):
        sockets.names = {"rebinding.example.com": [[PUBLIC], ["127.0.0.1"]]}

        with pytest.raises(Unreachable):
            send("https://rebinding.example.com/")

        assert sockets.asked == ["rebinding.example.com"]
        assert sockets.connected == [(PUBLIC, 443)]

    def test_tries_the_next_address_where_the_first_does_not_answer(self, sockets):
        sockets.names = {"two.example.com": [["2606:4700::1111", PUBLIC]]}

        with pytest.raises(Unreachable, match="No connection"):
            send("https://two.example.com:8443/")

        assert sockets.connected == [("2606:4700::1111", 8443), (PUBLIC, 8443)]

    def test_a_public_address_may_be_written_out(self, sockets):
        for url in (f"https://{PUBLIC}/", "https://[2606:4700::1111]/"):
            with pytest.raises(Unreachable):
                send(url)

        assert sockets.connected == [(PUBLIC, 443), ("2606:4700::1111", 443)]

    def test_a_proxy_in_the_environment_is_not_asked(self, sockets, monkeypatch):
        for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:3128")
        sockets.names = {"example.com": [[PUBLIC]]}

        with pytest.raises(Unreachable):
            send("https://example.com/")

        assert sockets.connected == [(PUBLIC, 443)]

    def test_a_name_that_does_not_exist_may_exist_later(self, sockets):
        with pytest.raises(Unreachable, match="not found"):
            send("https://nowhere.example.com/")

        assert sockets.connected == []

    def test_a_resolver_that_hangs_is_not_waited_for(self, monkeypatch, sockets):
        answered = threading.Event()
        monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: answered.wait(10) and [])
        monkeypatch.setattr(guarded_http, "CONNECT_S", 0.05)

        with pytest.raises(Unreachable, match="in time"):
            send("https://slow.example.com/")

        answered.set()
        assert sockets.connected == []


class TestSecureConnections:
    def test_ask_for_the_name_and_check_its_certificate(self, secure_receiver, trusted, sockets):
        sockets.names = {"receiver.test": [["127.0.0.1"]]}

        answer = send(f"https://receiver.test:{secure_receiver.port}/in?a=b#c", b'{"a":1}')

        assert (answer.status, answer.body_excerpt) == (200, "ok")
        assert secure_receiver.server_names == ["receiver.test"]
        [request] = secure_receiver.received
        assert request.path == "/in?a=b"
        assert request.body == b'{"a":1}'
        assert request.headers["host"] == f"receiver.test:{secure_receiver.port}"
        assert sockets.connected == [("127.0.0.1", secure_receiver.port)]

    def test_of_another_name_are_not_trusted(self, secure_receiver, trusted, sockets):
        sockets.names = {"other.test": [["127.0.0.1"]]}

        with pytest.raises(Unreachable, match="certificate"):
            send(f"https://other.test:{secure_receiver.port}/")

        assert secure_receiver.received == []

    def test_signed_by_nobody_we_know_are_not_trusted(self, secure_receiver, sockets):
        sockets.names = {"receiver.test": [["127.0.0.1"]]}

        with pytest.raises(Unreachable, match="certificate"):
            send(f"https://receiver.test:{secure_receiver.port}/")

        assert secure_receiver.received == []


class TestAnswers:
    def test_of_a_real_receiver(self, receiver):
        answer = send(f"{receiver.url}/hook", "Olá".encode(), Authorization="Bearer x")

        assert answer.status == 200
        [request] = receiver.received
        assert request.body.decode() == "Olá"
        assert request.headers["authorization"] == "Bearer x"
        assert request.headers["accept-encoding"] == "identity"
        assert request.headers["host"] == f"127.0.0.1:{receiver.port}"
        assert "cookie" not in request.headers

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_that_redirect_are_not_followed(self, receiver, sockets, status):
        receiver.answers(status, Location=f"http://127.0.0.1:{receiver.port}/inside")

        assert send(receiver.url).status == status
        assert [request.path for request in receiver.received] == ["/"]
        assert len(sockets.connected) == 1

    def test_are_cut_at_64_kb(self, receiver):
        receiver.answers(200, b"x" * 1_000_000)

        assert len(send(receiver.url).body_excerpt) == 65_536

    def test_say_when_to_come_back(self, receiver):
        receiver.answers(429, b"", Retry_After="120")

        assert send(receiver.url).retry_after == "120"

    def test_that_are_no_text_do_no_harm(self, receiver):
        receiver.answers(500, b"\xff\xfe\x00")

        assert send(receiver.url).status == 500


class TestDeadline:
    """The deadline is for everything together, so it is made short here."""

    @pytest.fixture
    def dripping(self, settings):
        """Sends one letter after the other for as long as anybody reads, two seconds at most."""
        settings.ALLOW_LOOPBACK_WEBHOOKS = True
        listening = socket.create_server(("127.0.0.1", 0))
        stop = threading.Event()

        def drip():
            connection, _address = listening.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                for _ in range(100):
                    if stop.wait(0.02):
                        return
                    try:
                        connection.sendall(b"a")
                    except OSError:
                        return

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        stop.set()
        thread.join()
        listening.close()

    def test_holds_though_bytes_keep_coming(self, dripping, monkeypatch):
        monkeypatch.setattr(guarded_http, "TOTAL_S", 0.3)

        with pytest.raises(Unreachable, match="time"):
            send(dripping)

    def test_holds_while_nobody_reads_what_we_send(self, settings, monkeypatch):
        settings.ALLOW_LOOPBACK_WEBHOOKS = True
        monkeypatch.setattr(guarded_http, "TOTAL_S", 0.3)
        with socket.create_server(("127.0.0.1", 0)) as deaf, pytest.raises(Unreachable, match="time"):
            send(f"http://127.0.0.1:{deaf.getsockname()[1]}/", b"x" * 50_000_000)

    def test_what_is_no_http_is_no_answer(self, settings):
        settings.ALLOW_LOOPBACK_WEBHOOKS = True
        listening = socket.create_server(("127.0.0.1", 0))

        def speak():
            connection, _address = listening.accept()
            with connection, connection.makefile("rb") as sent:
                while sent.readline() != b"{}\n":  # hanging up on what is unread would look like a reset
                    pass
                connection.sendall(b"220 mail.example.com ESMTP\r\n")

        thread = threading.Thread(target=speak, daemon=True)
        thread.start()
        with pytest.raises(Unreachable, match="not HTTP"):
            send(f"http://127.0.0.1:{listening.getsockname()[1]}/", b"{}\n")
        thread.join()
        listening.close()

    def test_nobody_listening_is_unreachable(self, settings):
        settings.ALLOW_LOOPBACK_WEBHOOKS = True
        with socket.create_server(("127.0.0.1", 0)) as gone:
            port = gone.getsockname()[1]

        with pytest.raises(Unreachable, match="No connection"):
            send(f"http://127.0.0.1:{port}/")


class TestTrials:
    """With ALLOW_LOOPBACK_WEBHOOKS, this machine and nothing else inside."""

    @pytest.mark.parametrize("url", ["http://10.0.0.1/", "https://169.254.169.254/", "http://[fe80::1]/"])
    def test_reach_no_other_machine_inside(self, settings, sockets, url):
        settings.ALLOW_LOOPBACK_WEBHOOKS = True

        with pytest.raises(Refused):
            send(url)

        assert sockets.connected == []

    @pytest.mark.parametrize("answer", [[PUBLIC], ["10.0.0.1"], ["127.0.0.1", "10.0.0.1"], [PUBLIC, "127.0.0.1"]])
    def test_speak_plain_http_to_this_machine_alone(self, settings, sockets, answer):
        settings.ALLOW_LOOPBACK_WEBHOOKS = True
        sockets.names = {"example.com": [answer]}

        with pytest.raises(Refused):
            send("http://example.com/")

        assert sockets.connected == []


def test_an_error_holds_no_address_because_addresses_hold_secrets(receiver, sockets, caplog):
    caplog.set_level("INFO")
    with pytest.raises(Unreachable) as problem:
        send("https://hooks.example.com/services/T0/B0/secret")
    receiver.answers(500)
    send(f"{receiver.url}/secret")

    assert "secret" not in str(problem.value)
    assert "secret" not in caplog.text


def test_a_header_that_is_none_is_our_own_mistake_and_loud(receiver):
    with pytest.raises(httpcore.LocalProtocolError):
        send(receiver.url, X="a\r\nHost: evil.test")
