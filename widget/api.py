"""What all operations of the API share."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import MethodNotAllowed, NotFound
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from widget.json_bodies import BoundedJSONParser, LengthRequired


class AlwaysJSON(BaseContentNegotiation):
    """There is one format, so nobody is refused for asking for another."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        content_type = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == content_type), None)

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class Operation(APIView):
    """One address of the API. What it does not do is refused before anybody is asked who they are."""

    content_negotiation_class = AlwaysJSON
    parser_classes = (BoundedJSONParser,)
    renderer_classes = (JSONRenderer,)
    metadata_class = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if request.method not in self.allowed_methods:
            raise MethodNotAllowed(request.method or "")
        super().initial(request, *args, **kwargs)
        if "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower():
            raise LengthRequired

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)
        # Answers hold people's data, or change from one minute to the next.
        response.headers.setdefault("Cache-Control", "no-store")
        return response


@extend_schema(exclude=True)
class NoOperation(APIView):
    """Whatever else is asked for under /api/: said in the API's own shape, in development too."""

    content_negotiation_class = AlwaysJSON
    permission_classes = ()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        raise NotFound(_("There is nothing at this address. /api/v1/docs/ lists what there is."))
