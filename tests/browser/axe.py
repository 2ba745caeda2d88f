"""What axe-core finds wrong with a page, by WCAG 2.2 AA and axe's own best practices."""

from __future__ import annotations

import functools
import os
from typing import Any

from playwright.sync_api import Page

from tests import services

PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1440, "height": 900}
_SIZES = {"phone": PHONE, "desktop": DESKTOP}
# What a page has at each size, and each scheme's colours, are seen in two; all four show no more, in twice the time.
_PLACES = [("phone", "light"), ("desktop", "dark")]
if os.environ.get("AXE") == "full":
    _PLACES += [("phone", "dark"), ("desktop", "light")]


def violations(page: Page) -> list[str]:
    """One line for each rule that the page breaks, with the first places where it does; none is what is asked for."""
    if not page.evaluate("'axe' in window"):  # half a megabyte, to be sent only once to each page
        page.evaluate(f"() => {{ {_source()} }}")
    # No style sheets and media are fetched once more: only an experimental rule and one about sound would look at them.
    run = "axe.run({resultTypes: ['violations'], preload: false}).then(result => result.violations)"
    found: list[dict[str, Any]] = page.evaluate(run)
    return [
        f"{each['id']} ({each['impact']}): {each['help']} at "
        + " | ".join(" ".join(map(str, node["target"])) for node in each["nodes"][:4])
        for each in found
    ]


def violations_everywhere(page: Page) -> dict[str, list[str]]:
    """The same on a phone in light and on a desktop in dark, only where there are any. With AXE=full in the
    environment, on a phone in dark and on a desktop in light, too."""
    everywhere = {}
    for size, scheme in _PLACES:
        page.set_viewport_size(_SIZES[size])
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        if found := violations(page):
            everywhere[f"{size}, {scheme}"] = found
    return everywhere


@functools.cache
def _source() -> str:
    path = services.axe()
    assert path is not None, "mark the test with `axe`"
    return path.read_text()
