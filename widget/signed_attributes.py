"""What a customer's server says about a visitor, through the visitor's browser.

The server makes `PAYLOAD.SIGNATURE`: the payload is a JSON object of attributes and `exp` (seconds since 1970) in
base64url, the signature the HMAC-SHA256 of that payload's letters under the site's signing secret, in hex. Without an
end, whoever copied a customer's token would be that customer forever, so one without `exp` says nothing.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ParseError

from widget.fields import Attributes
from widget.json_bodies import bounded_object

EXPIRES = "exp"


def sign(attributes: Mapping[str, Any], *, secret: str, expires_at: datetime) -> str:
    """The token that a customer's server would make."""
    said = {**attributes, EXPIRES: int(expires_at.timestamp())}
    payload = base64.urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")
    return f"{payload}.{_signature(payload, secret)}"


def signed_attributes(token: str | None, *, secret: str, at: datetime) -> dict[str, Any]:
    """The attributes of a token; none where the signature is not the site's, or its time is over.

    Such a token costs nobody their lead: what it says is unknown, as if it had not been sent.
    """
    payload, _dot, signature = (token or "").partition(".")
    # Compared as bytes: texts with other letters than ASCII cannot be compared in constant time.
    if not secret or not hmac.compare_digest(signature.encode(), _signature(payload, secret).encode()):
        return {}
    try:
        said = bounded_object(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        expires = said.pop(EXPIRES, None)
        attributes = Attributes().to_internal_value(said)
    except (binascii.Error, ValueError, ParseError, serializers.ValidationError):
        return {}
    is_number = isinstance(expires, int | float) and not isinstance(expires, bool)
    return attributes if is_number and expires > at.timestamp() else {}


def _signature(payload: str, secret: str) -> str:
    return hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()
