"""People who read reports, and leads to read about."""

from __future__ import annotations

import csv
import random
import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qsl

from django.test import Client

from agents.models import Membership, User
from leads import actions
from tests.leads.world import NOON, World, make_world, person, rule

MINUTE = timedelta(minutes=1)
SLA = {"respond_within": 900, "clock": "wall"}


def reader(world: World, role: str = "ops") -> Client:
    """Somebody with this role, logged in."""
    user, _made = User.objects.get_or_create(email=f"{role}@{world.workspace.slug}.test")
    Membership.objects.get_or_create(workspace=world.workspace, user=user, defaults={"role": role})
    client = Client()
    client.force_login(user)
    return client


def busy_world(slug: str = "acme", *, at: datetime = NOON, **more: Any) -> World:
    """Two agents; eight leads, of which six are answered after 1 to 32 minutes, some of them too late."""
    world = make_world(
        person("ana", name="Ana"),
        person("bo", name="=Bo"),
        rules=[{**rule("everything"), "sla": SLA}],
        slug=slug,
        **more,
    )
    for place in range(8):
        came = at + place * 10 * MINUTE
        lead = world.lead(world.send(at=came, channel="form" if place % 2 else "whatsapp", country="ES"))
        if place < 6:
            actions.respond(lead=lead, at=came + 2**place * MINUTE)
        if place == 1:
            actions.close(lead=lead, at=came + 60 * MINUTE, closed_as="won")
    return world


def tables(content: str) -> list[list[list[str]]]:
    """The tables of a page: rows of the texts of their cells."""
    found = []
    for table in re.findall(r"<table.*?</table>", content, re.DOTALL):
        rows = re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)
        found.append([[_text(cell) for cell in re.findall(r"<t[hd].*?>(.*?)</t[hd]>", row, re.DOTALL)] for row in rows])
    return found


def sheet(content: bytes) -> list[list[str]]:
    return list(csv.reader(content.decode("utf-8-sig").splitlines()))


def links(content: str) -> list[tuple[str, str]]:
    """(address, text) of the links to leads."""
    found = re.findall(r'<a href="(/reports/leads/[^"]*)"[^>]*>([^<]*)</a>', content)
    return [(unescape(address), text) for address, text in found]


def some_of_each_kind(numbers: Iterable[tuple[str, int]], dice: random.Random, *, most: int) -> list[tuple[str, int]]:
    """Of (address, number), so many for each list and each set of parameters: other values ask in the same way."""
    kinds: dict[Any, list[tuple[str, int]]] = {}
    for address, number in numbers:
        path, _mark, query = address.partition("?")
        given = dict(parse_qsl(query))
        narrowed = {name for name in given if name not in ("n", "at", "from", "to")}
        kinds.setdefault((path, given.get("what"), frozenset(narrowed)), []).append((address, number))
    return [each for alike in kinds.values() for each in dice.sample(alike, min(most, len(alike)))]


def _text(cell: str) -> str:
    return unescape(re.sub(r"<[^>]*>", "", cell)).strip()
