"""What axe-core finds wrong with a page, by WCAG 2.2 AA and axe's own best practices."""

from __future__ import annotations

import functools
from typing import Any

from playwright.sync_api import Page

from tests import services

PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1440, "height": 900}
_SIZES = {"phone": PHONE, "desktop": DESKTOP}


# The rules that can tell light from dark: all others read the same page twice.
_OF_COLOURS = {"runOnly": ["color-contrast", "link-in-text-block"]}


def violations(page: Page, options: dict[str, Any] | None = None) -> list[str]:
    """One line for each rule that the page breaks, with the first places where it does; none is what is asked for.

    `options`: as axe.run takes them."""
    page.evaluate(f"() => {{ if (!window.axe) {{ {_source()} }} }}")
    run = "options => axe.run(options).then(result => result.violations)"
    found: list[dict[str, Any]] = page.evaluate(run, {"resultTypes": ["violations"], **(options or {})})
    return [
        f"{each['id']} ({each['impact']}): {each['help']} at "
        + " | ".join(" ".join(map(str, node["target"])) for node in each["nodes"][:4])
        for each in found
    ]


def violations_everywhere(page: Page) -> dict[str, list[str]]:
    """The same on a phone and on a desktop, in light and, of what depends on it, in dark: only where there are any."""
    return _violations_at(page, [(size, scheme) for size in _SIZES for scheme in ("light", "dark")])


def violations_once(page: Page) -> dict[str, list[str]]:
    """On a phone in light and on a desktop in dark: for a page that was looked at everywhere with more on it."""
    return _violations_at(page, [("phone", "light"), ("desktop", "dark")])


def _violations_at(page: Page, places: list[tuple[str, str]]) -> dict[str, list[str]]:
    everywhere = {}
    for size, scheme in places:
        page.set_viewport_size(_SIZES[size])
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        if found := violations(page, _OF_COLOURS if scheme == "dark" else None):
            everywhere[f"{size}, {scheme}"] = found
    return everywhere


@functools.cache
def _source() -> str:
    path = services.axe()
    assert path is not None, "mark the test with `axe`"
    return path.read_text()
