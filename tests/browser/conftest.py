"""A browser for a module's tests, and pages in it whose complaints fail the test."""

from __future__ import annotations

import threading

import pytest
from django.db import connections
from playwright.sync_api import sync_playwright

from tests.browser.shop import Shop


@pytest.fixture(scope="module")
def browser(chromium):
    """One started browser; every test opens a context of its own in it."""
    with pytest.MonkeyPatch.context() as environment, sync_playwright() as playwright:
        # Playwright keeps an event loop in this thread, which Django would take for a reason to refuse queries.
        environment.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        started = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        yield started
        started.close()
        # Beside Playwright's loop Django opens a connection of its own, which nobody else would find to close it.
        connections.close_all()
    # What the server still answers holds one, too; the database of the tests could not be dropped.
    for thread in threading.enumerate():
        if "process_request_thread" in thread.name:
            thread.join(timeout=20)


# What htmx says of an answer that nobody waits for any more, since the page was left or more was typed. Of what failed
# it says more than this.
GIVEN_UP = ("htmx:afterRequest", "htmx:sendAbort")


@pytest.fixture
def new_page(browser, live_server):
    """Opens contexts with one page each, as `browser.new_context` does. What a page complains about in its console
    fails the test."""
    noise: list[str] = []
    contexts = []

    def hears(message):
        if message.type in ("error", "warning") and message.text not in GIVEN_UP:
            noise.append(message.text)

    def opened(**options):
        contexts.append(browser.new_context(base_url=live_server.url, **options))
        page = contexts[-1].new_page()
        page.on("console", hears)
        page.on("pageerror", lambda error: noise.append(str(error)))
        return page

    yield opened
    for context in contexts:
        context.close()
    assert noise == []


@pytest.fixture(scope="module")
def shop():
    """A customer's server, for pages that carry the widget."""
    opened = Shop()
    yield opened
    opened.close()
