"""What a page that nobody touches pays for carrying a chat widget: ours, and others that npm has, each as its own
instructions say."""

from __future__ import annotations

import gzip
import socket
import subprocess
import sys
import tarfile
import tempfile
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import monotonic, sleep

from playwright.sync_api import Browser, Page, sync_playwright

from tests import services
from tests.bench import figure, say
from tests.bench.installation import ROOT, embedded, manage

# (package, its snippet): what their servers would add to it is not counted, as nothing beyond this machine answers.
_PEERS = {
    "blip": (
        "blip-chat-widget@1.12.0",
        """<script src="/dist/blip-chat.js"></script>
        <script>onload = () => new BlipChat().withAppKey("KEY").withButton({color: "#2CC3D6"}).build()</script>""",
    ),
    "typebot": (
        "@typebot.io/js@0.10.7",
        '<script type="module">import Typebot from "/dist/web.js"; Typebot.initBubble({typebot: "x"})</script>',
    ),
    "flowise": (
        "flowise-embed@3.1.6",
        """<script type="module">import Chatbot from "/dist/web.js";
        Chatbot.init({chatflowid: "x", apiHost: location.origin})</script>""",
    ),
    "deep_chat": (
        "deep-chat@2.4.2",
        '<script type="module" src="/dist/deepChat.bundle.js"></script><deep-chat></deep-chat>',
    ),
    "n8n": (
        "@n8n/chat@1.37.0",
        """<link href="/dist/style.css" rel="stylesheet">
        <script type="module">import {createChat} from "/dist/chat.bundle.es.js";
        createChat({webhookUrl: location.origin + "/hook"})</script>""",
    ),
}
_BLANK = '<!doctype html><html lang="en"><title>Blank</title><link rel="icon" href="data:,">'
_SHIFTS = """
window.shifts = 0;
new PerformanceObserver(list => list.getEntries().forEach(entry => window.shifts += entry.value))
  .observe({type: "layout-shift", buffered: true});
"""


def run() -> None:
    chromium = services.chromium()
    if chromium is None:
        raise RuntimeError(services.missing_browser())
    with tempfile.TemporaryDirectory() as folder, _pages(Path(folder)) as pages, sync_playwright() as playwright:
        nowhere = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu", "--disable-quic", nowhere]
        )
        with _installation(pages.port) as (host, key):
            _measure_ours(browser, pages, f'<script async src="{host}/widget/v1.js" data-site="{key}"></script>')
        for name, (package, snippet) in _PEERS.items():
            packed = subprocess.run(["npm", "pack", "--silent", package], cwd=folder, capture_output=True, text=True)
            if packed.returncode:
                say(f"{package}: not measured, npm could not fetch it")
                continue
            with tarfile.open(Path(folder) / packed.stdout.split()[-1]) as archive:
                archive.extractall(Path(folder) / name, filter="data")
            pages.root, pages.snippet = Path(folder) / name / "package", snippet
            page, load = _visited(browser, pages)
            say(f"{package}: {load.requests} requests, layout shift {page.evaluate('window.shifts'):.3f}")
            figure(f"widget_bytes_{name}", load.transferred, "B")
            page.context.close()
        browser.close()


def _measure_ours(browser: Browser, pages: _Pages, snippet: str) -> None:
    pages.snippet = snippet
    page, load = _visited(browser, pages)
    page.get_by_role("button", name="Talk to us").wait_for()
    say(snippet)
    figure("widget_bytes", load.transferred, "B")
    figure("widget_requests_before_opening", load.requests, "requests")
    figure("widget_layout_shift", page.evaluate("window.shifts"), "score")
    figure("widget_stored_before_acting", page.evaluate("localStorage.length + document.cookie.length"), "items")
    page.get_by_role("button", name="Talk to us").click()
    page.get_by_role("button", name="WhatsApp").wait_for()
    page.wait_for_load_state("networkidle")
    figure("widget_bytes_once_opened", load.transferred, "B")
    page.context.close()


class _Load:
    """What came over the network for a page, without the page itself: bodies as sent, and headers."""

    def __init__(self, page: Page) -> None:
        self.transferred = self.requests = 0
        self._page = ""
        session = page.context.new_cdp_session(page)
        session.on("Network.requestWillBeSent", self._asked)
        session.on("Network.loadingFinished", self._came)
        session.send("Network.enable")

    def _asked(self, event: dict) -> None:
        if event["type"] == "Document":
            self._page = event["requestId"]
        else:
            self.requests += 1

    def _came(self, event: dict) -> None:
        if event["requestId"] != self._page:
            self.transferred += int(event["encodedDataLength"])


def _visited(browser: Browser, pages: _Pages) -> tuple[Page, _Load]:
    page = browser.new_context(locale="en-GB").new_page()
    page.add_init_script(_SHIFTS)
    load = _Load(page)
    page.goto(f"http://127.0.0.1:{pages.port}/")
    page.wait_for_load_state("networkidle")
    return page, load


class _Pages:
    """A blank page with a snippet, and a package's files as a CDN would send them: compressed as well as gzip can."""

    def __init__(self, root: Path) -> None:
        self.root, self.snippet, self.port = root, "", 0

    def answer(self, path: str) -> tuple[int, str, bytes]:
        if path == "/":
            return 200, "text/html", (_BLANK + self.snippet).encode()
        file = (self.root / path.split("?")[0].lstrip("/")).resolve()
        if not file.is_file() or self.root.resolve() not in file.parents:
            return 404, "text/plain", b""
        return 200, "text/css" if file.suffix == ".css" else "text/javascript", file.read_bytes()


@contextmanager
def _pages(root: Path) -> Iterator[_Pages]:
    pages = _Pages(root)

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, kind, body = pages.answer(self.path)
            compressed = gzip.compress(body, 9)
            self.send_response(status)
            for name, value in (
                ("Content-Type", f"{kind}; charset=utf-8"),
                ("Content-Encoding", "gzip"),
                ("Content-Length", str(len(compressed))),
            ):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(compressed)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    pages.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield pages
    server.shutdown()


@contextmanager
def _installation(page_port: int) -> Iterator[tuple[str, str]]:
    """The demo under gunicorn, as an installation runs: its address, and the key of a site that allows our page."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    host = f"http://127.0.0.1:{port}"
    with embedded() as environment:
        environment = environment | {"PORT": str(page_port), "PUBLIC_URL": host}
        manage(environment, "migrate", "--verbosity", "0")
        made = subprocess.run(
            [sys.executable, "manage.py", "load_demo"],
            cwd=ROOT, env=environment, check=True, capture_output=True, text=True,
        )  # fmt: skip
        key = made.stdout.split()[1]  # `site KEY ADDRESS`, and then the logins
        command = [
            sys.executable,
            "-m",
            "gunicorn",
            "config.wsgi",
            "--bind",
            f"127.0.0.1:{port}",
            "--log-level",
            "error",
        ]
        web = subprocess.Popen(command, cwd=ROOT, env=environment)
        try:
            _wait_for(f"{host}/healthz")
            yield host, key
        finally:
            web.terminate()
            web.wait(timeout=20)


def _wait_for(url: str) -> None:
    until = monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(url, timeout=2).close()
        except OSError:
            if monotonic() > until:
                raise
            sleep(0.2)
        else:
            return
