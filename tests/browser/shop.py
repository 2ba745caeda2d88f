"""A customer's page that carries the widget, on a host of its own, and the people who answer there."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from django.utils import timezone

from tests.leads.world import ALWAYS, World, make_world, person
from widget import typical_reply

HANDLES = {
    "whatsapp": "+34600111222", "telegram": "ana_acme", "telegram_bot": "acme_bot", "phone": "+34600111222",
    "sms": "+34600111222", "email": "ana@example.com", "messenger": "acme.page", "instagram": "acme.es",
    "viber": "+34600111222", "viber_bot": "acme", "signal": "+34600111222", "line": "@acme", "wechat": "acme_es",
    "discord": "acme-es", "slack": "T012345678/U012345678", "teams": "ana@example.com", "vk": "acme_es",
    "x": "2244994945", "kakaotalk": "_xkaAbC", "zalo": "2134567890123", "snapchat": "acme_es",
    "apple_messages": "5d3e2a10-8c1f-4b5e-9d27-0a6b7c8d9e0f", "calendly": "ana/30min", "calcom": "ana/30min",
    "matrix": "@ana:example.com",
}  # fmt: skip


def make_shop(*, there: bool = True, channels: tuple[str, ...] = ("whatsapp", "telegram", "phone", "email")) -> World:
    """Two people who are always there, or who are back the day after tomorrow."""
    if there:
        shifts = ALWAYS
    else:
        weekday = (timezone.now().weekday() + 2) % 7
        shifts = {weekday: (540, 1020)}
    return make_world(
        person("ana", name="Ana Ruiz", title="Solar advisor", languages=["es", "en"], shifts=shifts, handles=HANDLES),
        person("bo", name="Bo Lind", shifts=shifts, handles={}),
        site_channels=channels,
        languages=["en", "es", "ar"],
    )


class Shop:
    """A server of the customer's own: one page at every path, with whatever `set` was told last."""

    def __init__(self) -> None:
        shop = self

        class Answering(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                is_css = self.path.endswith(".css")
                self.send_response(200)
                self.send_header("Content-Type", "text/css" if is_css else "text/html; charset=utf-8")
                if shop.csp:
                    self.send_header("Content-Security-Policy", shop.csp)
                self.end_headers()
                self.wfile.write((shop.css if is_css else shop.html).encode())

            def log_message(self, *args: object) -> None:
                pass

        self.html = self.css = self.csp = ""
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def set(self, world: World, host: str, *, body: str = "", head: str = "", attributes: str = "", csp: str = "",
            css: str = "", lang: str = "en") -> None:  # fmt: skip
        """The page carries the snippet of the world's site, whose script comes from `host`."""
        world.site.origins = [self.url]
        world.site.save()
        typical_reply.forget()
        snippet = f'<script async src="{host}/widget/v1.js" data-site="{world.site.key}" {attributes}></script>'
        sheet = '<link rel="stylesheet" href="/shop.css">' if css else ""
        self.css, self.csp = css, csp
        self.html = (
            f'<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><title>Shop</title>'
            '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">'
            f"{sheet}{head}{snippet}</head><body><main><h1>Roofs</h1>{body}</main></body></html>"
        )

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
