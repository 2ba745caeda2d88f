"""What the customer's own servers ask, by an API key."""

from __future__ import annotations

from typing import cast

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from leads.intake import accept_lead
from widget import openapi
from widget.answers import ServerAnswer, answer_to_server
from widget.api import Operation
from widget.doors import ApiKeyAuthentication, HasScope, Server
from widget.refusals import idempotency_refusals
from widget.serializers import ServerLead
from widget.submissions import door_of_api_key, idempotency_of, submission_of_server
from widget.throttles import ApiThrottle

READ = {"GET": "leads:read"}
WRITE = {"POST": "leads:write"}


class ServerOperation(Operation):
    """Answers whoever holds a key of a workspace, within its scopes."""

    authentication_classes = (ApiKeyAuthentication,)
    permission_classes = (HasScope,)
    throttle_classes = (ApiThrottle,)
    http_method_names = ["get", "head", "post"]  # no OPTIONS: a key in a browser is everybody's key
    scopes: dict[str, str] = {}


class Leads(ServerOperation):
    scopes = {**READ, **WRITE}

    @extend_schema(
        operation_id="hand_in_lead",
        summary="Hand in a lead (leads:write)",
        parameters=[openapi.IDEMPOTENCY_KEY],
        request=ServerLead,
        responses=openapi.answers(
            {201: ServerAnswer, 200: ServerAnswer},
            401,
            403,
            *openapi.BODY,
            *openapi.IDEMPOTENT,
            *openapi.LIMITED,
        ),
        examples=[openapi.A_LEAD_FROM_A_SERVER],
    )
    def post(self, request: Request) -> Response:
        """Everything in the body is believed. Routing decides now; `received_at` only dates the lead."""
        server = cast(Server, request.auth)
        serializer = ServerLead(data=request.data)
        serializer.is_valid(raise_exception=True)
        with idempotency_refusals():
            accepted = accept_lead(
                door=door_of_api_key(server.api_key),
                submission=submission_of_server(request, serializer.validated_data),
                at=timezone.now(),
                idempotency=idempotency_of(request),
            )
        answer = answer_to_server(accepted, site_key=server.site_key)
        return Response(answer, status=200 if accepted.joined else 201)
