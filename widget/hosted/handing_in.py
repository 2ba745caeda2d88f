"""From the forms of a hosted page to a lead, or to a sentence that says why not."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _

from agents.models import Site
from agents.origins import normal_origin
from leads.intake import Accepted, IdempotencyBusy, IdempotencyConflict, IdempotencyKey, accept_lead
from widget.counting import Passed
from widget.hosted.forms import ChoiceForm, MessageForm, form_of
from widget.hosted.page_token import PageToken, read_token
from widget.site_config import consent_of
from widget.submissions import FASTEST_HUMAN_MS, door_of_site, over_limit_flag, submission_of_visitor
from widget.throttles import count_visit


class Refused(Exception):
    """Nothing was taken in. The text is a sentence for the visitor; `form` is what they typed, where it was read."""

    def __init__(
        self, sentence: str, status: int, *, form: ChoiceForm | None = None, wait_s: float | None = None
    ) -> None:
        super().__init__(sentence)
        self.status = status
        self.form = form
        self.wait_s = wait_s


@dataclass(frozen=True, slots=True)
class HandedIn:
    """What became of a posted form. `token` is of the page that it came from."""

    accepted: Accepted
    token: PageToken
    is_message: bool


def hand_in(request: HttpRequest, site: Site, language: str, *, at: datetime) -> HandedIn:
    """The lead of a posted form. Raises Refused."""
    consent = consent_of(site, language)
    form = form_of(request.POST, offered=site.channels, consent=consent)
    token = read_token(request.POST.get("page", ""), site, at=at)
    if token is None or normal_origin(request.META.get("HTTP_ORIGIN", "")) != normal_origin(settings.PUBLIC_URL):
        sentence = _("This page was open for too long. Nothing has been sent yet: please send it again.")
        raise Refused(sentence, 403, form=form)
    verdict = count_visit(request, site, at=at)
    if verdict.refused is not None:
        raise too_much(verdict.refused, form=form)
    is_message = isinstance(form, MessageForm)
    bot = bool(request.POST.get("hp")) or token.age_ms(at=at) < FASTEST_HUMAN_MS
    if not form.is_valid() and not bot:
        # A form that is not filled in yet is no error of the page's; what no form of ours sends is.
        raise Refused(_("This is not in order yet. See below."), 200 if is_message else 400, form=form)
    try:
        accepted = accept_lead(
            door=door_of_site(site),
            submission=submission_of_visitor(request, _said(form, token, language, consent), site=site, at=at),
            at=at,
            idempotency=_once(request, token),
            bot=bot,
            hold_flag=over_limit_flag() if verdict.over_site_limit else "",
        )
    except (IdempotencyBusy, IdempotencyConflict):
        sentence = _("Our server does not answer right now. Please try again in a moment.")
        raise Refused(sentence, 409, form=form) from None
    return HandedIn(accepted, token, is_message)


def too_much(passed: Passed, *, form: ChoiceForm | None = None) -> Refused:
    sentence = _("Too much was sent from here. Please try again in a few minutes.")
    return Refused(sentence, 429, form=form, wait_s=passed.wait_s)


def _once(request: HttpRequest, token: PageToken) -> IdempotencyKey:
    """A button that is pressed twice sends the same: one lead."""
    body_hash = hashlib.sha256(request.POST.urlencode().encode()).hexdigest()
    return IdempotencyKey(key=f"{token.visitor_id}-{body_hash[:32]}", body_hash=body_hash)


def _said(form: ChoiceForm, token: PageToken, language: str, consent: dict[str, Any] | None) -> dict[str, Any]:
    """What the visitor said, under the API's names."""
    typed = form.cleaned_data if form.is_bound and form.is_valid() else {}
    contact = typed.get("contact", {})
    agreed = consent if typed.get("consent") else None
    return {
        "channel": typed.get("channel"),
        "visitor_id": token.visitor_id,
        "language": language,
        "page_url": None,
        "referrer": None,
        "message": typed.get("message") or None,
        "name": typed.get("name") or None,
        "email": contact.get("email"),
        "phone": contact.get("phone"),
        "attributes": {},
        "consent": agreed and {"given": True, **agreed},
        "signed": None,
    }
