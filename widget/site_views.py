"""What the open door answers: visitors' browsers, by the key of a site."""

from __future__ import annotations

import hashlib
import json
from typing import Any, cast

from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpResponse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.http import parse_etags
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from agents.models import Site
from leads import selectors
from leads.intake import accept_lead
from leads.promises import promise_to
from widget import openapi
from widget.answers import SiteConfig, VisitorAnswer, VisitorStatus, answer_to_visitor, promise_shown
from widget.api import Operation
from widget.doors import AnybodyWithTheKey, OriginIsListed, SiteKeyAuthentication
from widget.hosted.pages import status_page
from widget.refusals import idempotency_refusals
from widget.serializers import VisitorLead
from widget.site_config import site_config
from widget.submissions import door_of_site, idempotency_of, is_bot, over_limit_flag, submission_of_visitor
from widget.throttles import WidgetThrottle
from widget.visitor_language import offered_variant, visitor_language

_PREFLIGHT_S = 7_200  # as long as any browser remembers one


class SiteOperation(Operation):
    """Answers the pages of one site: its origins, and no others, may read what comes back."""

    authentication_classes = (SiteKeyAuthentication,)
    permission_classes: tuple[type[BasePermission], ...] = (AnybodyWithTheKey,)
    throttle_classes = (WidgetThrottle,)
    over_site_limit = False  # set by the throttle for a lead, which is taken all the same

    def get_permissions(self) -> list[Any]:
        return [AnybodyWithTheKey()] if self.request.method == "OPTIONS" else list(super().get_permissions())

    def get_throttles(self) -> list[Any]:
        return [] if self.request.method == "OPTIONS" else super().get_throttles()

    @extend_schema(exclude=True)
    def options(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The browser asks whether a page may send what it is about to send."""
        answer = Response(status=204)
        if self._may_be_read_by_the_page(request):
            answer["Access-Control-Allow-Methods"] = ", ".join(m for m in self.allowed_methods if m != "OPTIONS")
            answer["Access-Control-Allow-Headers"] = "Content-Type, Idempotency-Key"
            answer["Access-Control-Max-Age"] = str(_PREFLIGHT_S)
        return answer

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)
        patch_vary_headers(response, ["Origin"])
        if self._may_be_read_by_the_page(request):
            response["Access-Control-Allow-Origin"] = request.META["HTTP_ORIGIN"]
            response["Access-Control-Expose-Headers"] = "ETag, Retry-After"
        return response

    def _may_be_read_by_the_page(self, request: Any) -> bool:
        # Not `request.auth`: where there is no such site, asking for it raises again.
        site = getattr(request, "_auth", None)
        return isinstance(site, Site) and site.allows_origin(request.META.get("HTTP_ORIGIN", ""))


class WidgetConfig(SiteOperation):
    """What the widget shows before anybody uses it."""

    @extend_schema(
        operation_id="widget_config",
        summary="What the widget shows",
        auth=[],
        parameters=[
            openapi.SITE_KEY,
            OpenApiParameter("language", str, description="The page's language. Default: what Accept-Language says."),
        ],
        responses=openapi.answers({200: SiteConfig, 304: None}, 404, *openapi.LIMITED),
    )
    def get(self, request: Request, key: str) -> HttpResponse:
        site = cast(Site, request.auth)
        offered = site.workspace.languages
        wanted = request.query_params.get("language", "")
        tag = visitor_language(wanted or request.META.get("HTTP_ACCEPT_LANGUAGE", ""), offered)
        config = site_config(site, language=offered_variant(tag, offered), at=timezone.now())
        body = json.dumps(config, cls=DjangoJSONEncoder, ensure_ascii=False).encode()
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        known = {known.removeprefix("W/") for known in parse_etags(request.META.get("HTTP_IF_NONE_MATCH", ""))}
        response: HttpResponse = (
            HttpResponse(status=304) if known & {etag, "*"} else HttpResponse(body, content_type="application/json")
        )
        response["ETag"] = etag
        response["Cache-Control"] = "no-cache"  # kept, but asked about each time: somebody may have gone home
        patch_vary_headers(response, ["Accept-Language"])
        return response


class WidgetLeads(SiteOperation):
    """Take a lead from the website widget. A repeat gets the first answer again."""

    permission_classes = (OriginIsListed,)

    @extend_schema(
        operation_id="widget_hand_in_lead",
        summary="Hand in a visitor's lead",
        auth=[],
        parameters=[openapi.SITE_KEY, openapi.IDEMPOTENCY_KEY],
        request=VisitorLead,
        responses=openapi.answers(
            {201: VisitorAnswer, 200: VisitorAnswer},
            403,
            404,
            *openapi.BODY,
            *openapi.IDEMPOTENT,
            *openapi.LIMITED,
        ),
        examples=[openapi.A_LEAD_FROM_THE_WIDGET],
    )
    def post(self, request: Request, key: str) -> Response:
        site = cast(Site, request.auth)
        serializer = VisitorLead(data=request.data, context={"channels": site.channels})
        serializer.is_valid(raise_exception=True)
        fields = serializer.validated_data
        at = timezone.now()
        with idempotency_refusals():
            accepted = accept_lead(
                door=door_of_site(site),
                submission=submission_of_visitor(request, fields, site=site, at=at),
                at=at,
                idempotency=idempotency_of(request),
                bot=is_bot(fields),
                hold_flag=over_limit_flag() if self.over_site_limit else "",
            )
        return Response(answer_to_visitor(accepted, site_key=site.key), status=200 if accepted.joined else 201)


class WidgetLead(SiteOperation):
    """How a visitor's lead stands. Reading it changes nothing. A browser that comes by itself gets a page."""

    @extend_schema(
        operation_id="widget_lead_status",
        summary="How a visitor's lead stands",
        auth=[],
        parameters=[openapi.SITE_KEY, openapi.STATUS_TOKEN],
        responses=openapi.answers({200: VisitorStatus}, 404, *openapi.LIMITED),
    )
    def get(self, request: Request, key: str, token: str) -> HttpResponse:
        at, site = timezone.now(), cast(Site, request.auth)
        lead = selectors.lead_of_token(workspace=site.workspace, token=token, at=at)
        name = lead.agent.name if lead and lead.agent else None
        promise = promise_to(lead, agent_name=name or "", at=at) if lead else None
        if request.get_preferred_type(["application/json", "text/html"]) == "text/html":
            response = status_page(
                site, lead, promise=promise, accept_language=request.META.get("HTTP_ACCEPT_LANGUAGE", "")
            )
        elif lead is None or promise is None:
            raise NotFound(_("There is no lead under this token, or it is older than seven days."))
        else:
            response = Response({"outcome": lead.outcome, "agent": name, "promise": promise_shown(promise)})
        patch_vary_headers(response, ["Accept"])
        return response
