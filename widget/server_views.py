"""What the customer's own servers ask, by an API key."""

from __future__ import annotations

from functools import cache
from typing import Any, cast
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from agents.models import Agent, Workspace
from leads import actions, selectors
from leads.actor import Actor
from leads.explaining import explain_lead
from leads.intake import Accepted, DoorChanged, accept_lead
from leads.models import Lead
from leads.models.lead import Status
from widget import openapi
from widget.answers import ServerAnswer, answer_to_server
from widget.api import Operation
from widget.doors import ApiKeyAuthentication, HasScope, RememberedApiKeyAuthentication, Server, look_again
from widget.lead_resource import DecisionShown, LeadShown, LeadsPage, lead_shown
from widget.refusals import idempotency_refusals
from widget.serializers import ServerLead
from widget.server_serializers import Closing, LeadsWanted, NewResponse, Reassignment
from widget.submissions import door_of_server, idempotency_of, submission_of_server
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

    @property
    def server(self) -> Server:
        return cast(Server, self.request.auth)

    def find_lead(self, lead_id: UUID) -> Lead:
        """Raises NotFound; another workspace's lead is none."""
        lead = selectors.find_lead(workspace=self.server.workspace, lead_id=lead_id)
        if lead is None:
            raise NotFound(_("There is no lead with this id. GET /api/v1/leads lists those that there are."))
        return lead


class Leads(ServerOperation):
    scopes = {**READ, **WRITE}

    def get_authenticators(self) -> list[BaseAuthentication]:
        if self.request is not None and self.request.method == "POST" and connection.vendor == "postgresql":
            return [RememberedApiKeyAuthentication()]
        return super().get_authenticators()

    @extend_schema(
        operation_id="list_leads",
        summary="List leads (leads:read)",
        parameters=[
            OpenApiParameter("status", OpenApiTypes.STR, enum=Status.values),
            OpenApiParameter("agent", OpenApiTypes.STR, description="The slug of the agent who has them."),
            OpenApiParameter("from", OpenApiTypes.STR, description=openapi.MOMENT),
            OpenApiParameter(
                "to", OpenApiTypes.STR, description=openapi.MOMENT + " Leads of this instant are left out."
            ),
            OpenApiParameter("cursor", OpenApiTypes.STR, description="Of `next`."),
        ],
        responses=openapi.answers({200: LeadsPage}, 400, 401, 403, *openapi.LIMITED),
    )
    def get(self, request: Request) -> Response:
        """Leads by when they were received, the newest first, 50 a page."""
        workspace = self.server.workspace
        serializer = LeadsWanted(data=request.query_params.dict(), context={"timezone": workspace.timezone})
        serializer.is_valid(raise_exception=True)
        wanted = serializer.validated_data
        agent = wanted.get("agent")
        try:
            page = selectors.list_leads(
                workspace=workspace,
                status=wanted.get("status"),
                agent=_agents(workspace, [agent], field="agent")[0] if agent else None,
                received_from=wanted.get("from"),
                received_until=wanted.get("to"),
                cursor=wanted.get("cursor"),
            )
        except selectors.BadCursor:
            raise ValidationError({"cursor": [_("This is no cursor. Take it from `next` as it is.")]}) from None
        return Response(
            {
                "results": [lead_shown(lead) for lead in page.leads],
                "next": page.next and _next_page(request, page.next),
            }
        )

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
        fields = _checked(ServerLead, request)
        try:
            accepted = self._accept(request, fields)
        except DoorChanged:
            request.auth = look_again(self.server)
            self.check_permissions(request)
            accepted = self._accept(request, fields)
        answer = answer_to_server(accepted, site_key=self.server.site_key)
        return Response(answer, status=200 if accepted.joined else 201)

    def _accept(self, request: Request, fields: dict[str, Any]) -> Accepted:
        with idempotency_refusals():
            return accept_lead(
                door=door_of_server(self.server),
                submission=submission_of_server(request, fields),
                at=timezone.now(),
                idempotency=idempotency_of(request),
            )


class OneLead(ServerOperation):
    scopes = READ

    @extend_schema(
        operation_id="get_lead",
        summary="Read a lead (leads:read)",
        responses=openapi.answers({200: LeadShown}, 401, 403, 404, *openapi.LIMITED),
    )
    def get(self, request: Request, lead_id: UUID) -> Response:
        """One lead."""
        return Response(lead_shown(self.find_lead(lead_id)))


class LeadDecision(ServerOperation):
    scopes = READ

    @extend_schema(
        operation_id="get_lead_decision",
        summary="Explain a lead's decision (leads:read)",
        responses=openapi.answers({200: DecisionShown}, 401, 403, 404, *openapi.LIMITED),
    )
    def get(self, request: Request, lead_id: UUID) -> Response:
        """Why the lead is where it is: every rule, everybody asked, and the turn."""
        return Response(explain_lead(self.find_lead(lead_id)))


class LeadAction(ServerOperation):
    """Something done to a lead. Answers with the lead as it is then."""

    scopes = WRITE

    @property
    def by(self) -> Actor:
        key = self.server.api_key
        return Actor(text=_("API key %(key)s") % {"key": key.name or key.prefix})

    def as_it_is(self, lead: Lead) -> Response:
        return Response(lead_shown(self.find_lead(lead.pk)))


class LeadResponses(LeadAction):
    @extend_schema(
        operation_id="respond_to_lead",
        summary="Report an answer to the person (leads:write)",
        request=NewResponse,
        responses=openapi.answers({200: LeadShown}, 401, 403, 404, *openapi.BODY, *openapi.LIMITED),
    )
    def post(self, request: Request, lead_id: UUID) -> Response:
        """The first human answer ends the wait; automatic ones never do."""
        fields = _checked(NewResponse, request)
        lead = actions.respond(
            lead=self.find_lead(lead_id),
            at=timezone.now(),
            kind=fields["kind"],
            note=fields.get("note") or "",
            responded_at=fields.get("at"),
            by=self.by,
        )
        return self.as_it_is(lead)


class LeadReassign(LeadAction):
    @extend_schema(
        operation_id="reassign_lead",
        summary="Give a lead to somebody else (leads:write)",
        request=Reassignment,
        responses=openapi.answers({200: LeadShown}, 401, 403, 404, *openapi.BODY, *openapi.LIMITED),
    )
    def post(self, request: Request, lead_id: UUID) -> Response:
        """To `to`; without it, to whom the rules choose among those who are not in `exclude` and did not have it."""
        fields = _checked(Reassignment, request)
        workspace = self.server.workspace
        lead = actions.reassign(
            lead=self.find_lead(lead_id),
            at=timezone.now(),
            to=_agents(workspace, [fields["to"]], field="to")[0] if fields.get("to") else None,
            exclude=_agents(workspace, fields.get("exclude") or [], field="exclude"),
            reason=fields["reason"],
            by=self.by,
        )
        return self.as_it_is(lead)


class LeadClose(LeadAction):
    @extend_schema(
        operation_id="close_lead",
        summary="Close a lead (leads:write)",
        request=Closing,
        responses=openapi.answers({200: LeadShown}, 401, 403, 404, *openapi.BODY, *openapi.LIMITED),
    )
    def post(self, request: Request, lead_id: UUID) -> Response:
        """What was spam, a duplicate or no conversation gives its turn back."""
        fields = _checked(Closing, request)
        lead = actions.close(lead=self.find_lead(lead_id), at=timezone.now(), closed_as=fields["as"], by=self.by)
        return self.as_it_is(lead)


def _checked(serializer_class: type[Serializer], request: Request) -> dict[str, Any]:
    """Raises ValidationError."""
    return _fields_of(serializer_class).run_validation(request.data)


@cache
def _fields_of(serializer_class: type[Serializer]) -> Serializer:
    """One for all requests: it keeps nothing of them, and to make its fields anew costs more than to check them."""
    return serializer_class()


def _agents(workspace: Workspace, slugs: list[str], *, field: str) -> list[Agent]:
    """In the order of the slugs. Raises ValidationError at the field; another workspace's agents are none."""
    agents = {agent.slug: agent for agent in Agent.objects.for_workspace(workspace).filter(slug__in=slugs)}
    if missing := [slug for slug in slugs if slug not in agents]:
        raise ValidationError(
            {field: [_("There is no agent “%(slug)s”. Agents are named by slug.") % {"slug": missing[0]}]}
        )
    return [agents[slug] for slug in slugs]


def _next_page(request: Request, cursor: str) -> str:
    query = {**request.query_params.dict(), "cursor": cursor}
    return f"{settings.PUBLIC_URL}{reverse('leads')}?{urlencode(query)}"
