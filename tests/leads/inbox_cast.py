"""Agents who log in, for the tests of the inbox."""

from __future__ import annotations

import re
from html import unescape

from django.test import Client

from agents.models import Membership, User
from tests.leads.world import World


def user_of(world: World, slug: str) -> User:
    """Links the agent to a user of their own, who is a member of the workspace."""
    user, _made = User.objects.get_or_create(email=f"{slug}@{world.workspace.slug}.test")
    user.set_password("a long password")
    user.save()
    Membership.objects.get_or_create(workspace=world.workspace, user=user, defaults={"role": "agent"})
    world.change(slug, user=user)
    return user


def client_of(world: World, slug: str, *, checks_csrf: bool = False) -> Client:
    client = Client(enforce_csrf_checks=checks_csrf)
    client.force_login(user_of(world, slug))
    return client


def act(client: Client, lead: object, name: str, **sent: str):
    return client.post(f"/inbox/leads/{lead}/{name}/", sent, follow=True)


def said(response) -> str:
    """What the page tells whoever pressed a button. Read from its text: contexts mix where clients run in threads."""
    return " ".join(unescape(text) for text in re.findall(r'role="(?:status|alert)">([^<]+)</li>', response.text))
