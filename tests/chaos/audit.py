"""What stands in the database, held against what clients were told. Import it once Django is configured."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from uuid import UUID

from django.db.models import Count, Q

from leads.models import Assignment, Decision, Lead, Outbox
from routing.models import Ledger, Load
from tests.chaos.figures import Figures
from tests.chaos.rush import Rush


def check_leads(figures: Figures, rush: Rush) -> None:
    """Every lead that got a 2xx is there once, with one agent, one active assignment, one decision, one message."""
    name = rush.name
    promised = {taken.email: UUID(taken.lead_id) for taken in rush.taken}
    stored = list(
        Lead.objects.filter(email__startswith=f"{name}-")
        .annotate(active=Count("assignments", filter=Q(assignments__closed_at=None), distinct=True))
        .annotate(ever=Count("assignments", distinct=True), decided=Count("decisions", distinct=True))
    )
    by_id = {lead.pk: lead for lead in stored}
    told = Counter(_assigned_rows(stored).values_list("payload__lead", flat=True))

    lost = [pk for email, pk in promised.items() if pk not in by_id or by_id[pk].email != email]
    figures.exactly(f"{name}_lost", len(lost), "leads", wanted=0)
    figures.exactly(f"{name}_doubled", len(stored) - len({lead.email for lead in stored}), "leads", wanted=0)
    figures.exactly(
        f"{name}_one_active_assignment", _those(stored, lambda of: of.active == 1), "leads", wanted=rush.leads
    )
    figures.exactly(f"{name}_half_written", _those(stored, lambda of: not _is_whole(of, told)), "leads", wanted=0)


def check_ledgers(figures: Figures) -> None:
    """Credits sum to zero, turns are those that decisions took, loads those that assignments make."""
    ledgers = list(Ledger.objects.all())
    moved = Counter(Decision.objects.filter(moved_ledger=True).values_list("decision__ledger", flat=True))
    sums = [sum(entry.credit for entry in ledger.standing.entries.values()) for ledger in ledgers]
    figures.say("ledger_turns", sum(ledger.turns for ledger in ledgers), "turns")
    figures.exactly("ledgers_off_zero", sum(total != 0 for total in sums), "ledgers", wanted=0)
    astray = sum(ledger.turns != moved[ledger.team_id] for ledger in ledgers)
    figures.exactly("ledgers_off_decisions", astray, "ledgers", wanted=0)
    carried = Counter(Assignment.objects.open().values_list("agent_id", flat=True))
    wrong = sum(load.open != carried[load.agent_id] for load in Load.objects.all())
    figures.exactly("loads_off_assignments", wrong, "agents", wanted=0)


def untold(name: str) -> int:
    """How many messages about leads of a trial are still to be sent."""
    leads = Lead.objects.filter(email__startswith=f"{name}-")
    return _assigned_rows(leads).filter(done_at=None).count()


def check_told(figures: Figures, rush: Rush, received: Counter[tuple[UUID, str]]) -> None:
    """Each lead's agent got it by mail, under one message id: to mailboxes a repeat under the same id is one."""
    name = rush.name
    leads = Lead.objects.filter(email__startswith=f"{name}-")
    agents = {str(lead.pk): lead.agent.email for lead in leads.select_related("agent") if lead.agent}
    ids: dict[str, set[UUID]] = defaultdict(set)
    for lead, message_id in _assigned_rows(leads).values_list("payload__lead", "message_id"):
        if received[message_id, agents.get(lead, "")]:
            ids[lead].add(message_id)
    mails = {(of, agents[lead]) for lead, found in ids.items() for of in found}
    figures.exactly(f"{name}_told_once", sum(len(found) == 1 for found in ids.values()), "leads", wanted=rush.leads)
    figures.say(f"{name}_messages", len(mails), "messages")
    figures.say(f"{name}_messages_repeated", sum(received[mail] - 1 for mail in mails), "mails")


def check_mails(figures: Figures, received: Counter[tuple[UUID, str]]) -> None:
    """Every mail belongs to a row, and no message id went to two people."""
    ids = {message_id for message_id, _recipient in received}
    figures.exactly("mails_to_two_people", len(received) - len(ids), "messages", wanted=0)
    known = set(Outbox.objects.values_list("message_id", flat=True))
    figures.exactly("mails_of_no_row", len(ids - known), "messages", wanted=0)


def _assigned_rows(leads: Iterable[Lead]):
    return Outbox.objects.filter(kind="assigned", payload__lead__in=[str(lead.pk) for lead in leads])


def _is_whole(lead: Lead, told: Counter[str]) -> bool:
    return (lead.agent_id is not None, lead.ever, lead.decided, told[str(lead.pk)]) == (True, 1, 1, 1)


def _those(leads: Iterable[Lead], are_so) -> int:
    return sum(map(are_so, leads))
