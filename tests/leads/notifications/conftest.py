"""A real receiver on this machine, and a watch over every socket that is opened."""

import datetime as dt
import ssl
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.leads.notifications.sockets import Sockets


@dataclass
class Received:
    path: str
    headers: dict
    body: bytes


@dataclass
class Receiver:
    """Answers every POST with `status`, `headers` and `body`, and keeps what it was sent."""

    port: int = 0
    scheme: str = "http"
    status: int = 200
    headers: dict = field(default_factory=dict)
    body: bytes = b"ok"
    received: list[Received] = field(default_factory=list)

    @property
    def url(self):
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def answers(self, status, body=b"", **headers):
        self.status, self.body = status, body
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def serve(receiver, context=None):
    class Answering(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.received.append(Received(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            self.send_response(receiver.status)
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(receiver.body)))
            self.end_headers()
            self.wfile.write(receiver.body)

        def log_message(self, *args):
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request, client_address):
            pass  # a client that does not trust our certificate hangs up

    server = Quiet(("127.0.0.1", 0), Answering)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        receiver.scheme = "https"
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield receiver
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def receiver(settings):
    """Serves plain HTTP; the client may reach this machine."""
    settings.ALLOW_LOOPBACK_WEBHOOKS = True
    yield from serve(Receiver())


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A certificate for receiver.test alone, signed by nobody but itself: the path of the PEM file with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "receiver.test")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("receiver.test")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "receiver.pem"
    path.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + made.public_bytes(Encoding.PEM)
    )
    return path


@pytest.fixture
def secure_receiver(settings, certificate):
    """Serves HTTPS as receiver.test. `server_names`: what clients asked for in the handshake."""
    settings.ALLOW_LOOPBACK_WEBHOOKS = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    receiver = Receiver()
    receiver.server_names = []
    context.sni_callback = lambda socket, name, context: receiver.server_names.append(name)
    yield from serve(receiver, context)


@pytest.fixture
def sockets(monkeypatch):
    """Counts every connection, and lets none leave this machine; names resolve as `sockets.names` says."""
    watch = Sockets()
    watch.install(monkeypatch)
    return watch
