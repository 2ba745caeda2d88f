"""The signed token in a hosted page's forms: proof that the page was opened here, and when. There is no cookie."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_urlsafe

from django.core.signing import BadSignature, Signer

from agents.models import Site

LASTS = timedelta(hours=1)
_signer = Signer(salt="widget.hosted.page")


@dataclass(frozen=True, slots=True)
class PageToken:
    """One opening of a site's page. Whoever sends its forms is taken for one visitor, by `nonce`."""

    site_key: str
    nonce: str
    opened_ms: int

    @property
    def visitor_id(self) -> str:
        return f"page-{self.nonce}"

    def age_ms(self, *, at: datetime) -> int:
        return _ms(at) - self.opened_ms

    def __str__(self) -> str:
        return _signer.sign_object([self.site_key, self.nonce, self.opened_ms])


def new_token(site: Site, *, at: datetime) -> PageToken:
    return PageToken(site.key, token_urlsafe(16), _ms(at))


def read_token(text: str, site: Site, *, at: datetime) -> PageToken | None:
    """The token of this site's page, if it was made here and is not over; else None."""
    try:
        token = PageToken(*_signer.unsign_object(text))
    except (BadSignature, ValueError, TypeError):
        return None
    age = timedelta(milliseconds=token.age_ms(at=at))
    return token if token.site_key == site.key and timedelta(0) <= age < LASTS else None


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
