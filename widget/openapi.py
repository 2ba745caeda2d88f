"""How the API describes itself: its errors, its keys, and what both doors have in common."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse
from rest_framework import serializers

PROBLEM_TYPE = "application/problem+json"

_MEANING = {
    400: "The request is not valid; `errors` says what to change, field by field.",
    401: "No API key, or one that is unknown or revoked.",
    403: "Not allowed: the key lacks the scope, or the page's origin is not on the site's list.",
    404: "There is nothing under this key, id or token.",
    405: "This address does not do that.",
    409: "The first request with this Idempotency-Key is still at work. Send it again shortly.",
    411: "The body has no Content-Length.",
    413: "The body is larger than 64 kB.",
    415: "The body is not `application/json`.",
    422: "This Idempotency-Key was used for another body within the last day.",
    429: "Too many requests. `Retry-After` says how many seconds to wait.",
    503: "The database does not answer. `Retry-After` says how many seconds to wait.",
}
BODY = (400, 411, 413, 415)
IDEMPOTENT = (409, 422)
LIMITED = (429, 503)


class Problem(serializers.Serializer):
    """An error as RFC 9457 has it."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text="A sentence that says what to do.")
    errors = serializers.DictField(  # type: ignore[assignment]
        child=serializers.ListField(child=serializers.CharField()),
        required=False,
        help_text="What is wrong with each field.",
    )


def answers(ok: dict[int, Any], *problems: int) -> dict[Any, Any]:
    """The answers of an operation: the good ones, and these problems."""
    found: dict[Any, Any] = dict(ok)
    for status in sorted({*problems, 405}):
        found[(status, PROBLEM_TYPE)] = OpenApiResponse(Problem, description=_MEANING[status])
    return found


MOMENT = "A time with its offset, or a date: its midnight in the workspace's zone."
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="Repeats with the same key and body within 24 h get the first answer again.",
    pattern=r"^[!-~]{1,255}$",
)
SITE_KEY = OpenApiParameter(
    "key", OpenApiTypes.STR, OpenApiParameter.PATH, description="The site's key.", pattern=r"^[A-Za-z0-9_-]{1,40}$"
)
STATUS_TOKEN = OpenApiParameter(
    "token", OpenApiTypes.STR, OpenApiParameter.PATH, description="Of `status_url`.", pattern=r"^[A-Za-z0-9_-]{1,64}$"
)
A_LEAD_FROM_THE_WIDGET = OpenApiExample(
    "A visitor writes",
    value={
        "channel": "whatsapp",
        "visitor_id": "2f1c9c0e-6f0b-4b59-8a4e-5d3c0a1b2c3d",
        "language": "es-ES",
        "page_url": "https://www.example.com/pricing?utm_source=newsletter",
        "message": "¿Tienen plan para equipos?",
        "name": "Ana",
        "email": "ana@example.com",
        "ms": 5400,
    },
    request_only=True,
)
A_LEAD_FROM_A_SERVER = OpenApiExample(
    "A server hands in a lead",
    value={
        "channel": "phone",
        "source": "phone",
        "language": "es",
        "country": "ES",
        "name": "Ana",
        "phone": "+34 600 111 222",
        "message": "Asks for a call back about the team plan.",
        "attributes": {"plan": "team"},
    },
    request_only=True,
)


class ApiKeyScheme(OpenApiAuthenticationExtension):
    target_class = "widget.doors.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A workspace's API key, with the scope that the operation names.",
        }
