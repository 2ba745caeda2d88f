"""What `leads` refuses, as the API says it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.utils.translation import gettext as _
from rest_framework.exceptions import APIException

from leads.intake import IdempotencyBusy, IdempotencyConflict


class StillAtWork(APIException):
    status_code = 409
    default_code = "still_at_work"


class KeyOfAnotherBody(APIException):
    status_code = 422
    default_code = "key_of_another_body"


@contextmanager
def idempotency_refusals() -> Iterator[None]:
    try:
        yield
    except IdempotencyBusy:
        raise StillAtWork(
            _("The first request with this Idempotency-Key is still at work. Send it again in a few seconds.")
        ) from None
    except IdempotencyConflict:
        raise KeyOfAnotherBody(
            _("This Idempotency-Key came with another body before. Use a new key for a new lead.")
        ) from None
