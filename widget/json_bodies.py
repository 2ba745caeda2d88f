"""JSON bodies within bounds: what passes can be stored, compared and shown anywhere."""

from __future__ import annotations

import json
from typing import IO, Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

MOST_BYTES = 64 * 1024
DEEPEST = 5


class BodyTooLarge(APIException):
    status_code = 413
    default_code = "body_too_large"

    def __init__(self) -> None:
        super().__init__(_("The body is larger than 64 kB. Send a shorter message or fewer attributes."))


class LengthRequired(APIException):
    status_code = 411
    default_code = "length_required"

    def __init__(self) -> None:
        super().__init__(_("Send the body whole, with its Content-Length, instead of in chunks."))


class BoundedJSONParser(BaseParser):
    """A JSON object in UTF-8, at most 64 kB, nested at most 5 deep, without NUL, lone surrogates, NaN and infinities.

    The bytes stay on the request as `raw_body`: an idempotency key is compared by them.
    """

    media_type = "application/json"

    def parse(self, stream: IO, media_type: str | None = None, parser_context: Any = None) -> Any:
        raw = stream.read(MOST_BYTES + 1)
        if len(raw) > MOST_BYTES:
            raise BodyTooLarge
        (parser_context or {})["request"].raw_body = raw
        return bounded_object(raw)


def bounded_object(raw: bytes) -> dict[str, Any]:
    """The object that these bytes are. Raises ParseError with a sentence."""
    try:
        value = json.loads(raw.decode("utf-8"), parse_constant=_refuse_constant, parse_float=_finite)
    except UnicodeDecodeError:
        raise ParseError(_("The body is not UTF-8.")) from None
    except RecursionError:
        raise ParseError(_too_deep()) from None
    except ValueError as problem:  # what json finds, and numbers with more digits than Python reads
        raise ParseError(_("The body is not JSON: %(problem)s.") % {"problem": problem}) from None
    if not isinstance(value, dict):
        raise ParseError(_("The body is no JSON object. Send one, in braces."))
    _check(value, 1)
    return value


def raw_body(request: Request) -> bytes:
    """The body's bytes; parses it where nobody has yet."""
    request.data  # noqa: B018 - reading it is what fills raw_body
    return getattr(request, "raw_body", b"")


def _check(value: Any, depth: int) -> None:
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, dict | list):
        if depth > DEEPEST:
            raise ParseError(_too_deep())
        if isinstance(value, dict):
            for name in value:
                _check_text(name)
        for item in value.values() if isinstance(value, dict) else value:
            _check(item, depth + 1)


def _check_text(text: str) -> None:
    if "\0" in text:
        raise ParseError(_("The body holds a NUL character. Leave it out."))
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ParseError(_("The body holds half a surrogate pair. Send whole characters.")) from None


def _too_deep() -> str:
    return _("The body is nested deeper than %(levels)d levels. Flatten it.") % {"levels": DEEPEST}


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _finite(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"{digits[:20]} is too large a number")
    return number
