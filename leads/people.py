"""Knowing people again: by visitor id, then e-mail, then phone; the first that finds anybody decides.

People are never merged. Visitors say who they are and nobody checks it, so on the public route only the visitor id
opens a lead again, and only one that came with that very id; a match by e-mail or phone chooses the agent and links
the new lead, and teaches us nothing more about the person.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import OuterRef, Q, Subquery

from agents.contacts import normalise_email, normalise_phone
from agents.zones import region_of_zone
from leads.models import ContactKey, ContactKind, Lead, Person
from leads.submission import Submission

Key = tuple[str, str]  # kind and value


@dataclass(frozen=True, slots=True)
class Contact:
    """How somebody can be known again, each in its normal form; None where it was not given or is none."""

    visitor_id: str | None = None
    email: str | None = None
    phone: str | None = None

    @classmethod
    def of(cls, submission: Submission, *, zone: str) -> Contact:
        """The submission's contact; numbers without + are dialled from the zone's country."""
        return cls(
            visitor_id=submission.visitor_id or None,
            email=normalise_email(submission.email) if submission.email else None,
            phone=normalise_phone(submission.phone, region_of_zone(zone)) if submission.phone else None,
        )

    @property
    def keys(self) -> tuple[Key, ...]:
        """In the order in which they decide."""
        given = (
            (ContactKind.VISITOR, self.visitor_id),
            (ContactKind.EMAIL, self.email),
            (ContactKind.PHONE, self.phone),
        )
        return tuple((kind.value, value) for kind, value in given if value)


@dataclass(frozen=True, slots=True)
class Found:
    """Who a contact is: `person` None for a stranger. `by` is the key that decided, `unknown` those nobody has yet."""

    person: int | None
    by: str | None
    unknown: tuple[Key, ...]


def lock(workspace_id: int, keys: Iterable[Key]) -> None:
    """Let submissions with any of these keys wait for each other until the transaction ends. Always in one order."""
    keys = list(keys)
    if not keys or connection.vendor != "postgresql":
        return  # SQLite has one writer at a time anyway
    numbers = sorted({lock_number(workspace_id, key) for key in keys})
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(number) FROM unnest(%s::bigint[]) AS number", [numbers])


def find(workspace_id: int, contact: Contact) -> Found:
    keys = contact.keys
    if not keys:
        return Found(None, None, ())
    wanted = Q()
    for kind, value in keys:
        wanted |= Q(kind=kind, value=value)
    rows = ContactKey.objects.filter(wanted, workspace_id=workspace_id).values_list("kind", "value", "person_id")
    people = {(kind, value): person for kind, value, person in rows}
    by = next((key for key in keys if key in people), None)
    unknown = tuple(key for key in keys if key not in people)
    return Found(people[by] if by else None, by[0] if by else None, unknown)


def remember(workspace_id: int, found: Found, *, trusted: bool, at: datetime) -> int | None:
    """The person of a new lead: the one found, else a new one; None for somebody who cannot be known again."""
    person, new_keys = found.person, found.unknown
    if person is None:
        if not new_keys:
            return None
        person = Person.objects.create(workspace_id=workspace_id, created_at=at).pk
    elif not trusted and found.by != ContactKind.VISITOR.value:
        new_keys = ()
    if new_keys:
        ContactKey.objects.bulk_create(
            [
                ContactKey(workspace_id=workspace_id, person_id=person, kind=kind, value=value)
                for kind, value in new_keys
            ],
            ignore_conflicts=True,
        )
    return person


def joinable_lead(
    workspace_id: int, contact: Contact, found: Found, *, trusted: bool, window: timedelta, at: datetime
) -> Lead | None:
    """The open lead that this submission joins, locked; the latest, where there are several."""
    leads = Lead.objects.filter(workspace_id=workspace_id, received_at__gt=at - window).unclosed()
    if not trusted:
        if contact.visitor_id is None:
            return None
        leads = leads.filter(visitor_id=contact.visitor_id)
    elif found.person is None:
        return None
    else:
        leads = leads.filter(person_id=found.person)
    return leads.select_for_update(no_key=True).order_by("-received_at", "-id").first()


def agent_they_had(person: int | None) -> int | None:
    """The agent of the person's latest lead that has one; None for a stranger."""
    if person is None:
        return None
    leads = Lead.objects.filter(person_id=person, agent__isnull=False).order_by("-received_at", "-id")
    return leads.values_list("agent_id", flat=True).first()


def agents_they_had(people: Collection[int]) -> dict[int, int]:
    """The same for many, by person; those whose leads nobody had are left out."""
    if not people:
        return {}
    latest = Lead.objects.filter(person=OuterRef("pk"), agent__isnull=False).order_by("-received_at", "-id")
    rows = Person.objects.filter(pk__in=people).annotate(had=Subquery(latest.values("agent_id")[:1]))
    return {person: agent for person, agent in rows.values_list("pk", "had") if agent is not None}


def lock_number(workspace_id: int, key: Key) -> int:
    """What PostgreSQL calls the lock of a key."""
    digest = hashlib.blake2b(f"{workspace_id}\0{key[0]}\0{key[1]}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)
