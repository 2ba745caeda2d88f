"""Whatever is sent: no 5xx, no error in the log, and what was taken can be read."""

import logging
import os
from collections import Counter

import pytest

from tests.widget.payloads import payloads

# The suite sends some; `FUZZ_PAYLOADS=5000` in the environment sends more.
COUNT = int(os.environ.get("FUZZ_PAYLOADS", "500"))


@pytest.fixture
def unlimited(settings):
    settings.THROTTLE_WIDGET = settings.THROTTLE_API = None


@pytest.mark.usefixtures("unlimited")
@pytest.mark.parametrize("door", ["site", "server"])
def test_nothing_that_is_sent_breaks_anything(acme, caplog, door):
    client = acme.browser() if door == "site" else acme.server()
    path = acme.url("leads") if door == "site" else "/api/v1/leads"
    statuses = Counter()
    with caplog.at_level(logging.ERROR):
        for place, payload in enumerate(payloads(seed=place_of(door), count=COUNT // 2)):
            headers = dict(payload.headers)
            content_type = headers.pop("Content-Type", "application/json")
            response = client.post(path, payload.body, content_type=content_type, headers=headers)

            statuses[response.status_code] += 1
            assert response.status_code < 500, (place, payload)
            if response.status_code < 300:
                read_again(acme, response.json(), place, payload)
            else:
                assert response["Content-Type"] == "application/problem+json", (place, payload)
                assert response.json()["detail"], (place, payload)

    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []
    assert statuses[201] > COUNT / 20
    assert statuses[400] > COUNT / 20


def read_again(house, answer, place, payload):
    """By the customer's server, and where it is the visitor's status."""
    if answer["outcome"] != "rejected":
        lead = house.ask(f"leads/{answer['id']}")
        assert lead.status_code == 200, (place, payload)
        assert lead.json()["id"] == answer["id"]
        if place % 10 == 0:  # dear: the whole roster is compiled as it stood then
            assert house.ask(f"leads/{answer['id']}/decision").status_code == 200, (place, payload)
    token = answer["status_url"].rsplit("/", 1)[1]
    assert house.visit(f"leads/{token}").status_code == 200, (place, payload)


def place_of(door):
    return {"site": 1, "server": 2}[door]
