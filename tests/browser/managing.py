"""A manager's session in a browser."""

from __future__ import annotations

from django.test import Client

from agents.models import Membership, User


def session_of(workspace, live_server, *, role="manager", email="manager@acme.test"):
    """The cookie of somebody who manages this workspace."""
    user, made = User.objects.get_or_create(email=email)
    if made:
        user.set_password("a long password")
        user.save()
    Membership.objects.get_or_create(workspace=workspace, user=user, defaults={"role": role})
    client = Client()
    client.force_login(user)
    return {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}


def too_wide(page):
    """By how many pixels the page is wider than the window."""
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
