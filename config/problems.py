"""Errors under /api/ as RFC 9457 problem documents, whoever raised them: a view, DRF, Django or the database."""

import logging
import math
import sys
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views import defaults
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import set_rollback

CONTENT_TYPE = "application/problem+json"
RETRY_AFTER_S = 5  # long enough for a database to come back from a restart, short enough for a visitor who waits

log = logging.getLogger(__name__)


def problem(
    *, status: int, detail: str, errors: dict[str, list[str]] | None = None, type_uri: str = "about:blank"
) -> dict:
    """The body of an error. `errors` names fields by their path, such as `attributes.plan`."""
    body: dict[str, Any] = {
        "type": type_uri,
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if errors:
        body["errors"] = errors
    return body


def handle(exc: Exception, context: dict) -> Response | None:
    """DRF's exception handler. None, for what nobody foresaw, leaves it to Django, and so to `server_error`."""
    if isinstance(exc, OperationalError | InterfaceError):
        log.error("The database did not answer", exc_info=exc)
        set_rollback()
        return _response(problem(status=503, detail=_unavailable()), {"Retry-After": str(RETRY_AFTER_S)})
    if isinstance(exc, Http404):
        exc = exceptions.NotFound()
    elif isinstance(exc, PermissionDenied):
        exc = exceptions.PermissionDenied()
    elif isinstance(exc, DjangoValidationError):
        exc = exceptions.ValidationError(_of_django(exc))
    if not isinstance(exc, exceptions.APIException):
        return None

    set_rollback()
    headers = {}
    if auth_header := getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = auth_header
    if (wait := getattr(exc, "wait", None)) is not None:
        headers["Retry-After"] = str(max(1, math.ceil(wait)))
    if isinstance(exc, exceptions.ValidationError):
        detail, errors = _flattened(exc.detail)
    else:
        detail, errors = str(exc.detail), None
    return _response(
        problem(status=exc.status_code, detail=detail, errors=errors, type_uri=getattr(exc, "type_uri", "about:blank")),
        headers,
    )


def _response(body: dict, headers: dict[str, str]) -> Response:
    return Response(body, status=body["status"], headers=headers, content_type=CONTENT_TYPE)


def _of_django(exc: DjangoValidationError) -> dict | list:
    if not hasattr(exc, "error_dict"):
        return exc.messages
    return {
        api_settings.NON_FIELD_ERRORS_KEY if field == "__all__" else field: messages
        for field, messages in exc.message_dict.items()
    }


def _flattened(detail: Any) -> tuple[str, dict[str, list[str]]]:
    """A sentence for the whole and the messages of each field, out of DRF's nested lists and dicts."""
    general: list[str] = []
    errors: dict[str, list[str]] = {}

    def visit(node: Any, path: tuple[str, ...]) -> None:
        if isinstance(node, dict):
            for key, value in node.items():
                visit(value, path if key == api_settings.NON_FIELD_ERRORS_KEY else (*path, str(key)))
        elif isinstance(node, list | tuple):
            for index, item in enumerate(node):
                visit(item, (*path, str(index)) if isinstance(item, dict | list | tuple) else path)
        elif path:
            errors.setdefault(".".join(path), []).append(str(node))
        else:
            general.append(str(node))

    visit(detail, ())
    return " ".join(general) or _("Some fields are not valid."), errors


# Where no view of the API was reached: Django's own handlers, for the pages and for the API.


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if _is_api(request):
        return _plain(problem(status=400, detail=_("The request could not be read.")))
    return defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    if _is_api(request):
        return _plain(problem(status=403, detail=_("You may not do this.")))
    return defaults.permission_denied(request, exception)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if _is_api(request):
        return _plain(problem(status=404, detail=_("There is nothing at this address.")))
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """The answer to an exception that nobody caught; a database that is away is not a fault of ours, and passes."""
    unavailable = isinstance(sys.exc_info()[1], OperationalError | InterfaceError)
    if _is_api(request):
        body = (
            problem(status=503, detail=_unavailable())
            if unavailable
            else problem(status=500, detail=_("Something went wrong here. It has been recorded."))
        )
        response: HttpResponse = _plain(body)
    else:
        response = defaults.server_error(request)
        if unavailable:
            response.status_code = 503
    if unavailable:
        response["Retry-After"] = str(RETRY_AFTER_S)
    return response


def _is_api(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")


def _plain(body: dict) -> JsonResponse:
    return JsonResponse(body, status=body["status"], content_type=CONTENT_TYPE)


def _unavailable() -> str:
    return _("The service is not available at the moment. Please try again shortly.")
