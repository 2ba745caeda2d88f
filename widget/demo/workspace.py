"""The demo workspace: made on one machine for whoever lives there, and on no other installation."""

from __future__ import annotations

import os
import secrets
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import transaction

from agents.models import Agent, Membership, Site, User, Workspace
from agents.scoping import Role
from routing import workspace_file

SLUG = "demo"
FILE = Path(__file__).with_name("workspace.yaml")
MEMBERS = {"manager@demo.test": Role.MANAGER, "agent@demo.test": Role.AGENT, "ops@demo.test": Role.OPS}


class NotForDemo(Exception):
    """Raised where the demo's logins would open somebody's real installation."""


def load_demo(*, at: datetime) -> Site:
    """Make the demo workspace with its logins, or bring the addresses of its site up to date; answers its site.

    What managers changed since is left alone. Raises NotForDemo unless on embedded SQLite, bound to this machine.
    """
    if not settings.EMBEDDED_DATABASE or settings.BIND_ADDRESS != "127.0.0.1":
        raise NotForDemo
    with transaction.atomic():
        if not Workspace.objects.filter(slug=SLUG).exists():
            loaded = workspace_file.load(FILE.read_bytes(), by=None, at=at)
            _add_members(loaded.workspace, _new_password())
        site = _site()
        origins = [f"http://localhost:{settings.PORT}", f"http://127.0.0.1:{settings.PORT}"]
        if any(origin not in site.origins for origin in origins):
            site.origins = list(dict.fromkeys([*site.origins, *origins]))
            site.save(update_fields=["origins"])
    return site


def demo_site() -> Site | None:
    """The site of the demo page; None where there is no demo workspace."""
    return Site.objects.select_related("workspace").filter(workspace__slug=SLUG, is_active=True).order_by("id").first()


def _site() -> Site:
    site = demo_site()
    if site is None:
        return Site.objects.create(workspace=Workspace.objects.get(slug=SLUG), name="Solana", channels=["whatsapp"])
    return site


def _add_members(workspace: Workspace, password: str) -> None:
    for email, role in MEMBERS.items():
        user = User.objects.filter(email=email).first() or User.objects.create_user(email)
        user.set_password(password)
        user.save()
        Membership.objects.create(workspace=workspace, user=user, role=role)
        if role is Role.AGENT:
            agent = Agent.objects.for_workspace(workspace).order_by("id")[0]
            agent.user = user
            agent.save()


def _new_password() -> str:
    """One random password for this installation's demo logins, kept where only its owner reads it."""
    password = secrets.token_urlsafe(9)
    path = settings.VAR_DIR / "demo_password"
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(password + "\n")
    return password
