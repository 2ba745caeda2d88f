"""The schema says what the API does: schemathesis sends what it allows and what it does not, and holds us to it."""

import functools
import json
import logging
from collections import Counter

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from config.wsgi import application
from tests.widget.conftest import ORIGIN
from tests.widget.fuzzing import BY_SCHEMA, unlimited  # noqa: F401 - a fixture

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
OPERATIONS = {
    "widget_config",
    "widget_hand_in_lead",
    "widget_lead_status",
    "list_leads",
    "hand_in_lead",
    "get_lead",
    "get_lead_decision",
    "respond_to_lead",
    "reassign_lead",
    "close_lead",
    "report_speed_to_lead",
    "report_coverage",
}


def in_the_tests_transaction(environ, start_response):
    """The application, which here must not close the connection after a request: as Django's own test client does."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    try:
        response = application(environ, start_response)
        body = b"".join(response)
        response.close()
        return [body]
    finally:
        for signal in signals:
            signal.connect(close_old_connections)


@pytest.fixture
def schema(db):
    found = schemathesis.openapi.from_dict(json.loads(served()))
    found.app = in_the_tests_transaction
    return found


@functools.cache
def served():
    """The schema as the API tells it, asked for once: it is put together anew for whoever asks."""
    response = Client().get("/api/v1/schema/", headers={"accept": "application/vnd.oai.openapi+json"})
    assert response.status_code == 200
    return response.content


def operations(schema):
    return {found.ok().definition.raw["operationId"]: found.ok() for found in schema.get_all_operations()}


def test_every_operation_is_in_the_schema(schema):
    assert operations(schema).keys() == OPERATIONS


@pytest.mark.parametrize("name", sorted(OPERATIONS))
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.usefixtures("unlimited")
def test_every_answer_is_one_that_the_schema_names(schema, acme, caplog, record_property, name, mode):
    operation = operations(schema)[name]
    lead = acme.write({"visitor_id": "v1"}).json()
    real = {"key": acme.site.key, "token": lead["status_url"].rsplit("/", 1)[1], "lead_id": lead["id"]}

    with caplog.at_level(logging.ERROR):
        sent = send(operation, mode, real, {"Origin": ORIGIN, "Authorization": f"Bearer {acme.key}"})

    record_property("payloads", sent.total())
    for status, count in sent.items():
        record_property(f"answers_{status}", count)
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


def send(operation, mode, real, headers):
    """How many answers there were, by status."""
    statuses = Counter()

    @settings(
        max_examples=BY_SCHEMA,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), known=st.booleans())
    def sends(case, known):
        if known:
            case.path_parameters.update({name: real[name] for name in case.path_parameters if name in real})
        statuses[case.call_and_validate(headers=headers, checks=CHECKS).status_code] += 1

    sends()
    return statuses


def test_the_schema_is_valid_and_complete(schema):
    schema.validate()
    for name, operation in operations(schema).items():
        raw = operation.definition.raw
        assert raw["summary"], name
        assert raw["responses"].keys() >= {"200", "405", "429", "503"}, name
        for status, response in raw["responses"].items():
            if status >= "400":
                assert list(response["content"]) == ["application/problem+json"], (name, status)


def test_the_docs_are_served_from_here(client):
    response = client.get("/api/v1/docs/")

    assert response.status_code == 200
    assert "//cdn" not in response.content.decode()
