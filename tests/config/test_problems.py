"""Errors of the API have one shape, whoever raised them."""

import json

import pytest
from django.core.exceptions import PermissionDenied
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import OperationalError
from django.http import Http404
from django.test import Client
from django.urls import path
from django.utils.translation import gettext_lazy as _
from rest_framework import exceptions, serializers
from rest_framework.authentication import BaseAuthentication
from rest_framework.response import Response
from rest_framework.views import APIView

from config.urls import handler400, handler403, handler404, handler500  # noqa: F401 - this module is a URLconf too


class Order(serializers.Serializer):
    class Line(serializers.Serializer):
        amount = serializers.IntegerField()

    name = serializers.CharField()
    lines = Line(many=True, required=False)

    def validate(self, attrs):
        if attrs["name"] == "nobody":
            raise serializers.ValidationError("Somebody must order.")
        return attrs


RAISED = {
    "validation": exceptions.ValidationError({"email": [_("Enter a valid email address.")]}),
    "model": DjangoValidationError({"name": ["Too long."], "__all__": ["Not both."]}),
    "plain": DjangoValidationError("Not today."),
    "missing": Http404("secret table"),
    "forbidden": PermissionDenied("secret reason"),
    "unknown-key": exceptions.AuthenticationFailed("There is no such key."),
    "throttled": exceptions.Throttled(wait=6.2),
    "database": OperationalError("password authentication failed for user leads"),
    "bug": ZeroDivisionError("x"),
}


class Key(BaseAuthentication):
    def authenticate(self, request):
        return None

    def authenticate_header(self, request):
        return "Bearer"


class Raises(APIView):
    authentication_classes = (Key,)
    permission_classes = ()

    def get(self, request, what):
        raise RAISED[what]


class Orders(APIView):
    permission_classes = ()

    def post(self, request):
        order = Order(data=request.data)
        order.is_valid(raise_exception=True)
        return Response(order.data, status=201)


def fails(request):
    raise OperationalError("server closed the connection unexpectedly")


urlpatterns = [
    path("api/v1/raises/<what>", Raises.as_view()),
    path("api/v1/orders", Orders.as_view()),
    path("api/v1/fails", fails),
    path("fails", fails),
]
pytestmark = pytest.mark.urls(__name__)


@pytest.fixture
def client():
    return Client(raise_request_exception=False)


def problem(response, status):
    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    body = json.loads(response.content)
    assert body["status"] == status
    assert body["type"] == "about:blank"
    assert body["title"]
    assert body["detail"]
    return body


def test_fields_have_their_messages(client):
    body = problem(client.get("/api/v1/raises/validation"), 400)

    assert body["title"] == "Bad Request"
    assert body["errors"] == {"email": ["Enter a valid email address."]}


def test_nested_fields_are_named_by_their_path(client):
    order = {"lines": [{"amount": 1}, {"amount": "many"}]}

    body = problem(client.post("/api/v1/orders", order, content_type="application/json"), 400)

    assert body["errors"] == {"name": ["This field is required."], "lines.1.amount": ["A valid integer is required."]}


def test_what_concerns_no_field_is_the_detail(client):
    body = problem(client.post("/api/v1/orders", {"name": "nobody"}, content_type="application/json"), 400)

    assert body["detail"] == "Somebody must order."
    assert "errors" not in body


def test_a_models_own_complaints_are_the_senders(client):
    body = problem(client.get("/api/v1/raises/model"), 400)

    assert body["detail"] == "Not both."
    assert body["errors"] == {"name": ["Too long."]}
    assert problem(client.get("/api/v1/raises/plain"), 400)["detail"] == "Not today."


def test_a_body_that_is_no_json_is_the_senders_mistake(client):
    problem(client.post("/api/v1/orders", "{", content_type="application/json"), 400)
    problem(client.post("/api/v1/orders", "[]", content_type="application/json"), 400)
    problem(client.post("/api/v1/orders", b'"\xff"', content_type="application/json"), 400)


def test_another_media_type_or_method_is_refused(client):
    problem(client.post("/api/v1/orders", "name=x", content_type="text/plain"), 415)
    response = client.delete("/api/v1/orders")
    problem(response, 405)
    assert "POST" in response["Allow"]


def test_unknown_keys_are_asked_for_a_known_one(client):
    response = client.get("/api/v1/raises/unknown-key")

    assert problem(response, 401)["detail"] == "There is no such key."
    assert response["WWW-Authenticate"] == "Bearer"


def test_too_many_are_told_when_to_come_back(client):
    response = client.get("/api/v1/raises/throttled")

    problem(response, 429)
    assert response["Retry-After"] == "7"


def test_what_is_missing_or_forbidden_says_no_more_than_that(client):
    assert "secret" not in json.dumps(problem(client.get("/api/v1/raises/missing"), 404))
    assert "secret" not in json.dumps(problem(client.get("/api/v1/raises/forbidden"), 403))


def test_an_address_of_the_api_that_leads_nowhere_is_a_problem_too(client):
    problem(client.get("/api/v1/nowhere"), 404)


def test_a_foreign_host_name_is_a_problem_too(client):
    problem(client.get("/api/v1/orders", headers={"host": "evil.example"}), 400)


@pytest.mark.parametrize("address", ["/api/v1/raises/database", "/api/v1/fails"])
def test_a_database_that_is_away_is_passing(client, address):
    response = client.get(address)

    assert "password" not in json.dumps(problem(response, 503))
    assert int(response["Retry-After"]) > 0


def test_pages_are_unavailable_too_while_the_database_is_away(client):
    response = client.get("/fails")

    assert response.status_code == 503
    assert response["Content-Type"].startswith("text/html")
    assert int(response["Retry-After"]) > 0


def test_our_own_mistakes_say_nothing_of_their_inside(client):
    body = problem(client.get("/api/v1/raises/bug"), 500)

    assert "ZeroDivision" not in json.dumps(body)
