"""From a submission to a lead that is not stored yet, and from a stored lead back to what rules may look at."""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agents.channels import CHANNELS
from agents.languages import canonical_tag
from leads.basis import Basis
from leads.models import Lead
from leads.people import Contact
from leads.submission import Door, Submission
from routing.engine import Facts, Known, Request
from routing.facts import build_facts, facts_from_json, facts_to_json

# Read aloud and typed by people: no letter that looks like a digit, and no vowels, which make words.
_ALPHABET = "23456789BCDFGHJKMNPQRSTVWXZ"
_REFERENCE_LENGTH = 7

FORM = "form"


@dataclass(frozen=True, slots=True)
class Arrival:
    """A submission with all that can be made of it before anything is locked."""

    door: Door
    submission: Submission
    basis: Basis
    contact: Contact
    language: str
    facts: Facts

    @classmethod
    def of(cls, door: Door, submission: Submission, basis: Basis) -> Arrival:
        contact = Contact.of(submission, zone=basis.roster.spec.zone)
        language = language_of(submission, door)
        facts = facts_of_submission(submission, contact=contact, language=language)
        return cls(door, submission, basis, contact, language, facts)

    def lead(self, known: Known) -> Lead:
        """The lead that it becomes, stored nowhere yet."""
        lead = new_lead(
            door=self.door,
            submission=self.submission,
            contact=self.contact,
            facts=self.facts,
            language=self.language,
            at=self.basis.at,
        )
        lead.known = {"returning": known.returning, "agent": known.agent}
        return lead


def new_lead(
    *, door: Door, submission: Submission, contact: Contact, facts: Facts | None, language: str, at: datetime
) -> Lead:
    """The lead, stored nowhere yet. `facts` None: they could not be made out."""
    return Lead.new(
        workspace_id=door.workspace_id,
        site_id=door.site_id,
        api_key_id=door.api_key_id,
        source=submission.source,
        channel=submission.channel or FORM,
        received_at=min(submission.received_at or at, at),
        created_at=at,
        reference=_reference(),
        status_token=secrets.token_urlsafe(16),
        visitor_id=_cut("visitor_id", contact.visitor_id),
        name=_cut("name", submission.name),
        # What is no address or number stays readable for whoever answers.
        email=_cut("email", contact.email or submission.email),
        phone=_cut("phone", contact.phone or submission.phone),
        message=submission.message or "",
        language=language,
        country=_cut("country", submission.country),
        region=_cut("region", submission.region),
        city=_cut("city", submission.city),
        page_url=submission.page_url or "",
        referrer=submission.referrer or "",
        attributes=dict(submission.attributes),
        consent=submission.consent,
        network=network_of(submission.address),
        facts={} if facts is None else _without_message(facts),
    )


def complete(lead: Lead, *, submission: Submission, contact: Contact) -> list[str]:
    """Write down what the lead lacks and this later submission of the same person says; the fields that changed.

    Whoever tapped a channel in vain leaves a message next, and only then says how they can be reached.
    """
    said: dict[str, Any] = {
        "name": _cut("name", submission.name),
        "email": _cut("email", contact.email or submission.email),
        "phone": _cut("phone", contact.phone or submission.phone),
        "message": submission.message,
        "consent": submission.consent,
    }
    fresh = {name: value for name, value in said.items() if value and not getattr(lead, name)}
    for name, value in fresh.items():
        setattr(lead, name, value)
    return list(fresh)


def language_of(submission: Submission, door: Door) -> str:
    """The lead's language as a canonical tag: what was said, else the first that the workspace offers, else ''."""
    for text in (submission.language, *door.languages[:1]):
        if text:
            try:
                return canonical_tag(text)
            except ValueError:
                continue
    return ""


def facts_of_submission(submission: Submission, *, contact: Contact, language: str) -> Facts:
    """Everything that rules may look at."""
    return build_facts(
        channel=submission.channel or FORM,
        source=submission.source,
        language=language,
        country=submission.country,
        region=submission.region,
        city=submission.city,
        page_url=submission.page_url,
        referrer=submission.referrer,
        message=submission.message,
        email=contact.email,
        phone=contact.phone,
        attributes=submission.attributes,
    )


def facts_of_lead(lead: Lead) -> Facts:
    """The facts that the lead came with; made out now, where that failed then."""
    if lead.facts:
        message = lead.message.strip()
        return facts_from_json(lead.facts).with_values({"message": message} if message else {})
    return build_facts(
        channel=lead.channel,
        source=lead.source,
        language=lead.language,
        country=lead.country,
        region=lead.region,
        city=lead.city,
        page_url=lead.page_url,
        referrer=lead.referrer,
        message=lead.message,
        email=lead.email,
        phone=lead.phone,
        attributes=lead.attributes,
    )


def channels_of(lead: Lead) -> tuple[str, ...]:
    """On what a fallback agent may be reached: what the lead's site offers; anything, for a lead from a server."""
    if lead.site is not None:
        return tuple(lead.site.channels)
    return tuple(channel for channel in CHANNELS if channel != FORM)


def request_again(lead: Lead, *, known_agent: int | None, claim_over: bool = False) -> Request:
    """A stored lead as it came, to be decided anew. It was read together with its site.

    `known_agent` is the agent the person has had by now.
    """
    return Request(
        facts=facts_of_lead(lead),
        known=Known(bool(lead.known.get("returning")), known_agent),
        channels=channels_of(lead),
        tried=frozenset(lead.tried),
        claim_over=claim_over or lead.claim_over,
    )


def seen_by(facts: Facts, fields: Iterable[str]) -> Facts:
    """The facts without a message that no rule looks at: it may be long, and the lead has it."""
    if "message" not in facts.values or "message" in fields:
        return facts
    return Facts({name: value for name, value in facts.values.items() if name != "message"}, facts.language)


def network_of(address: str | None) -> str:
    """What is kept of a client's address: its /24, or /48 for IPv6."""
    if not address:
        return ""
    try:
        parsed: Any = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    parsed = getattr(parsed, "ipv4_mapped", None) or parsed
    kept = 24 if parsed.version == 4 else 48
    rest = parsed.max_prefixlen - kept
    return f"{type(parsed)(int(parsed) >> rest << rest)}/{kept}"


def _without_message(facts: Facts) -> dict[str, Any]:
    # It stands in its own column; most messages are longer than all other facts together.
    return facts_to_json(seen_by(facts, ()))


def _reference() -> str:
    number, letters = secrets.randbelow(len(_ALPHABET) ** _REFERENCE_LENGTH), ""
    for _ in range(_REFERENCE_LENGTH):
        number, letter = divmod(number, len(_ALPHABET))
        letters += _ALPHABET[letter]
    return letters


_LENGTHS = {field.name: getattr(field, "max_length", None) for field in Lead._meta.concrete_fields}


def _cut(field: str, text: str | None) -> str:
    return text[: _LENGTHS[field]] if text else ""
