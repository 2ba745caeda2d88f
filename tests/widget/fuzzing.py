"""Sends to a door what nobody should send, and looks what came of it.

How many come is in the environment: `FUZZ_PAYLOADS`, of which a tenth are made by schemathesis (`test_api_schema.py`).
They come in portions, each a test of its own, so that all workers of a run have something to send.
"""

from __future__ import annotations

import gc
import logging
import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from routing.models import Ledger
from tests.widget.conftest import House
from tests.widget.payloads import Payload, payloads

COUNT = int(os.environ.get("FUZZ_PAYLOADS", "5000"))
# For each of the API's operations, as the schema allows and as it does not.
BY_SCHEMA = -(-COUNT // 240)
PORTION = 750
_PORTIONS = max(2, round(COUNT * 0.9 / PORTION))
# Sites take twice as long: the visitor is not trusted, so more is asked.
PORTIONS = {"site": range(_PORTIONS // 3 or 1), "server": range(_PORTIONS - (_PORTIONS // 3 or 1))}
_SEEDS = {"site": 1_000_000, "server": 2_000_000}


@pytest.fixture
def unlimited(settings: Any) -> None:
    settings.THROTTLE_WIDGET = settings.THROTTLE_API = None


@pytest.fixture
def brisk(transactional_db: None) -> Iterator[None]:
    """What is committed need not outlive the machine; what was imported is not looked at for garbage."""
    is_postgres = connection.vendor == "postgresql"
    if is_postgres:
        with connection.cursor() as cursor:
            cursor.execute("SET synchronous_commit = off")
    gc.freeze()
    yield
    gc.unfreeze()
    if is_postgres:
        with connection.cursor() as cursor:
            cursor.execute("RESET synchronous_commit")


class Fuzzing:
    """One portion. Fails at the first answer that breaks a promise, with the payload and how to send it again."""

    def __init__(self, house: House, door: str, portion: int) -> None:
        self.house, self.door, self.portion = house, door, portion
        self.statuses: Counter[int] = Counter()
        self.taken: set[str] = set()

    def send_all(self) -> None:
        server = self.house.server()
        client = self.house.browser() if self.door == "site" else server
        path = self.house.url("leads") if self.door == "site" else "/api/v1/leads"
        for place, payload in enumerate(payloads(seed=_SEEDS[self.door] + self.portion, count=PORTION)):
            headers = dict(payload.headers)
            content_type = headers.pop("Content-Type", "application/json")
            try:
                response = client.post(path, payload.body, content_type=content_type, headers=headers)
                self.statuses[response.status_code] += 1
                self._check(response, server, place)
            except Exception as problem:
                pytest.fail(f"{type(problem).__name__}: {problem}\n{self._how_to_repeat(place, payload)}")

    def check_all(self, record_property: Any, log: pytest.LogCaptureFixture) -> None:
        """Every lead that was taken is in the list, once and readable, and no other; every ledger sums to zero."""
        listed = Counter(self._listed())
        errors = [record.getMessage() for record in log.records if record.levelno >= logging.ERROR]
        lost = self.taken - listed.keys()
        doubled = listed - Counter(self.taken)
        record_property("payloads", sum(self.statuses.values()))
        record_property("taken", len(self.taken))
        record_property("lost", len(lost))
        record_property("doubled", doubled.total())
        record_property("log_errors", len(errors))
        for status, count in self.statuses.items():
            record_property(f"answers_{status}", count)
        off_zero = [
            ledger.pk for ledger in Ledger.objects.all() if sum(of.credit for of in ledger.standing.entries.values())
        ]
        assert (lost, doubled, errors, off_zero) == (set(), Counter(), [], [])
        # Else nothing was tried.
        assert min(self.statuses[201], self.statuses[400]) > PORTION / 20

    def _check(self, response: Any, server: Client, place: int) -> None:
        assert response.status_code < 500, response.content
        if response.status_code >= 300:
            assert response["Content-Type"] == "application/problem+json"
            assert response.json()["detail"]
            return
        answer = response.json()
        if place % 10 == 0:
            assert self.house.visit(f"leads/{answer['status_url'].rsplit('/', 1)[1]}").status_code == 200
        if answer["outcome"] == "rejected":
            return
        self.taken.add(answer["id"])
        if place % 10 == 0:
            assert server.get(f"/api/v1/leads/{answer['id']}").json()["id"] == answer["id"]
        if place % 50 == 0:  # dear: the whole roster is compiled as it stood then
            assert server.get(f"/api/v1/leads/{answer['id']}/decision").status_code == 200

    def _listed(self) -> Iterator[str]:
        page: str | None = "/api/v1/leads"
        client = self.house.server()
        while page:
            response = client.get(page)
            assert response.status_code == 200, response.content
            found = response.json()
            yield from (lead["id"] for lead in found["results"])
            page = found["next"]

    def _how_to_repeat(self, place: int, payload: Payload) -> str:
        test = os.environ.get("PYTEST_CURRENT_TEST", "").split(" ")[0]
        return (
            f"payload {place} of portion {self.portion} at the door of the {self.door}\n"
            f"headers: {payload.headers!r}\nbody: {payload.body!r}\n"
            f"repeat: FUZZ_PAYLOADS={COUNT} .venv/bin/pytest -n0 '{test}'"
        )
