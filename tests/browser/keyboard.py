"""A page as the keyboard alone uses it."""

from __future__ import annotations


def press(page, role, name, key="Enter", **more):
    """Press a key on what has this role and name."""
    page.get_by_role(role, name=name, **more).press(key)


def follow(page, name):
    """Follow the link of this name and wait until the next page is drawn: before, Chromium drops what is typed."""
    with page.expect_navigation():
        press(page, "link", name)
    page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length > 0")


def pick(page, label, text):
    """Type into the field of this label, and take what it suggests."""
    page.get_by_label(label, exact=True).focus()
    page.keyboard.type(text)
    page.keyboard.press("Enter")
