"""What axe-core finds wrong with a page, by WCAG 2.2 AA and axe's own best practices."""

from __future__ import annotations

import functools
from typing import Any

from playwright.sync_api import Page

from tests import services

PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1440, "height": 900}


def violations(page: Page) -> list[str]:
    """One line for each rule that the page breaks, with the first places where it does; none is what is asked for."""
    found: list[dict[str, Any]] = page.evaluate(f"{_source()}; axe.run().then(result => result.violations)")
    return [
        f"{each['id']} ({each['impact']}): {each['help']} at "
        + " | ".join(" ".join(map(str, node["target"])) for node in each["nodes"][:4])
        for each in found
    ]


def violations_everywhere(page: Page) -> dict[str, list[str]]:
    """The same on a phone and on a desktop, in light and in dark: only where there are any."""
    everywhere = {}
    for size_name, size in (("phone", PHONE), ("desktop", DESKTOP)):
        page.set_viewport_size(size)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            if found := violations(page):
                everywhere[f"{size_name}, {scheme}"] = found
    return everywhere


@functools.cache
def _source() -> str:
    path = services.axe()
    assert path is not None, "mark the test with `axe`"
    return path.read_text()
