"""The address of a webhook, as people type it."""

from __future__ import annotations

from collections.abc import Mapping

from leads.notifications import guarded_http


def read_url(values: Mapping[str, str]) -> str:
    """Raises ValueError with the sentence of the client that would refuse it."""
    url = values.get("url", "").strip()
    try:
        guarded_http.check(url)
    except guarded_http.Refused as refusal:
        raise ValueError(str(refusal)) from None
    return url
