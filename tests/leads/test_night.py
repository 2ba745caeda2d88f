"""A long weekend by a fake clock: forty leads from Thursday evening to Monday morning, with people on call and without.

Nothing here looks at the ladder: what must have happened is worked out from when leads came, when people got them and
when they answered. `pytest -s` prints each lead's timeline.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from agents.models import Agent
from leads import actions, watchdog
from leads.after_hours.acknowledging import acknowledge
from leads.holds import release_held
from leads.models import Assignment, Finding, HeldQueue, Lead, Outbox
from leads.promises import OPENS_AT
from leads.sla.climbing import climb
from tests.leads.test_sla import manager_of, promising
from tests.leads.world import World, make_world, person, rule

pytestmark = pytest.mark.django_db

MADRID = ZoneInfo("Europe/Madrid")
MINUTE = timedelta(minutes=1)
# Thursday; Friday, 1 May, is a holiday, and the offices are shut from 18:00 to 9:00.
EVENING = datetime(2026, 4, 30, 18, tzinfo=MADRID).astimezone(UTC)
OPENING = datetime(2026, 5, 4, 9, tzinfo=MADRID).astimezone(UTC)
NOON = OPENING + timedelta(hours=3)
OFFICE = dict.fromkeys(range(5), (540, 1080))
# From Thursday's evening to Monday's opening.
ON_CALL = {3: (1080, 1440), 4: (0, 1440), 5: (0, 1440), 6: (0, 1440), 0: (0, 540)}

RESPOND, REMIND, REROUTE, ESCALATE = 15 * MINUTE, timedelta(seconds=450), 20 * MINUTE, 30 * MINUTE
ACKNOWLEDGE = 5 * MINUTE
SLA = {
    "respond_within": 900,
    "remind_at": [50],
    "reroute_after": 1200,
    "max_reroutes": 2,
    "escalate_after": 1800,
    "clock": "wall",
}


class Night:
    """The clock, the sweeper, the visitors and the people, one instant after another."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.agenda: list[tuple[datetime, int, Callable[[], Any]]] = []
        self.order = count()
        self.given: set[int] = set()
        self.answers: dict[str, int] = {}
        self.sent: list[Any] = []
        self.now = EVENING

    def plan(self, at: datetime, act: Callable[[], Any]) -> None:
        heapq.heappush(self.agenda, (at, next(self.order), act))

    def run(self) -> None:
        shut = random.Random(20260430)
        moments = [EVENING, OPENING - MINUTE]
        moments += [EVENING + shut.random() * (OPENING - MINUTE - EVENING) for _ in range(38)]
        for at in sorted(moments):
            self.plan(at, self.write)
        for at in self.instants():
            self.now = at
            while self.agenda and self.agenda[0][0] <= self.now:
                heapq.heappop(self.agenda)[2]()
            release_held(at=self.now)
            climb(at=self.now)
            watchdog.watch(at=self.now)
            self.look_around()

    def instants(self) -> Iterator[datetime]:
        """When somebody does something, or something is due; a sweep looks at nothing in between."""
        while True:
            due = [
                *Lead.objects.filter(ladder_at__isnull=False).values_list("ladder_at", flat=True),
                *HeldQueue.objects.filter(due_at__isnull=False).values_list("due_at", flat=True),
                *(self.agenda[0][:1] if self.agenda else ()),
            ]
            at = max(min(due, default=NOON), self.now)
            if at >= NOON:
                return
            yield at

    def write(self) -> None:
        self.sent.append(self.world.send(at=self.now, channel="whatsapp"))

    def look_around(self) -> None:
        """What people do about what they got or were told of since."""
        for assignment in Assignment.objects.open().exclude(pk__in=self.given).select_related("agent").order_by("pk"):
            self.given.add(assignment.pk)
            self.behave(assignment)
        for row in Outbox.objects.filter(kind="escalation", tries=0).order_by("pk"):
            row.tries = 1  # the manager has read it, and steps in a quarter of an hour later
            row.save()
            self.plan(self.now + 15 * MINUTE, self.answering(Lead.objects.get(pk=row.payload["lead"])))

    def behave(self, assignment: Assignment) -> None:
        lead, agent, at = assignment.lead, assignment.agent.slug, assignment.assigned_at
        number = self.world.leads().index(lead)
        if agent in ("nia", "noa"):
            asleep = number % 4 == 3 if agent == "nia" else number % 8 == 7
            if not asleep:
                self.plan(at + 2 * MINUTE, lambda: acknowledge(lead=lead, at=self.now))
                # Now and then the visitor's line is busy for a while.
                self.plan(at + (12 if number % 5 == 2 else 4) * MINUTE, self.answering(lead))
        elif agent == "dan" and at < OPENING + 45 * MINUTE:
            self.plan(OPENING + 45 * MINUTE, self.answering(lead, by="dan"))  # is late for work
        else:
            self.answers[agent] = self.answers.get(agent, 0) + 1
            self.plan(max(at, OPENING) + 2 * self.answers[agent] * MINUTE, self.answering(lead, by=agent))

    def answering(self, lead: Lead, by: str = "") -> Callable[[], Any]:
        def answer() -> None:
            now = Lead.objects.select_related("agent").get(pk=lead.pk)
            if now.first_response_at is None and (not by or now.agent.slug == by):
                actions.respond(lead=now, at=self.now)

        return answer


def house(*, on_call: bool) -> World:
    people = [
        person(slug, shifts=OFFICE, timezone="Europe/Madrid", holiday_calendar="ES-MD") for slug in ("ana", "bo", "dan")
    ]
    if on_call:
        people += [person(slug, shifts=ON_CALL, kind="on_call", timezone="Europe/Madrid") for slug in ("nia", "noa")]
    rules = [promising(SLA, if_nobody="on_call" if on_call else "hold")]
    world = make_world(
        *people, rules=[*rules, {**rule("rest", if_nobody="hold"), "sla": SLA}], timezone="Europe/Madrid"
    )
    manager_of(world)
    return world


def timeline(lead: Lead) -> list[tuple[datetime, str]]:
    """What happened to a lead and who was told, in order."""
    names = dict(Agent.objects.values_list("pk", "slug"))
    happened = [
        (event.at, " ".join([event.kind, event.data.get("agent", ""), event.data.get("why", "")]).strip())
        for event in lead.events.order_by("at", "pk")
    ]
    told = Outbox.objects.filter(payload__lead=str(lead.pk)).order_by("created_at", "pk")
    happened += [(row.created_at, f"→ {row.kind} to {names.get(row.payload.get('agent'), 'boss')}") for row in told]
    return sorted(happened, key=lambda one: one[0])


def show(title: str, leads: list[Lead]) -> None:
    print(f"\n{title}")
    for number, lead in enumerate(leads, start=1):
        steps = [f"{at.astimezone(MADRID):%a %H:%M:%S} {what}" for at, what in timeline(lead)]
        print(f"{number:3}  " + "\n     ".join(steps))


def check_promises(lead: Lead) -> None:
    """Everything that was promised about this lead, from when it came, was given and was answered."""
    given = list(Assignment.objects.filter(lead=lead).select_related("agent").order_by("pk"))
    told = {
        kind: [row.created_at for row in Outbox.objects.filter(payload__lead=str(lead.pk), kind=kind).order_by("pk")]
        for kind in ("reminder", "escalation", "page", "rerouted_away", "promise_late", "trouble")
    }
    answered_at = lead.first_response_at
    assert answered_at is not None
    assert (lead.status, lead.ladder_at) == ("answered", None)
    assert sum(each.closed_at is None for each in given) == 1
    was_held = given[0].assigned_at > lead.received_at
    start = OPENING if was_held else lead.received_at
    assert given[0].assigned_at == start

    assert lead.respond_by == start + RESPOND
    assert lead.breached_at == (lead.respond_by if answered_at > lead.respond_by else None)
    assert [event.at for event in lead.events.filter(kind="overdue")] == [lead.respond_by] * bool(lead.breached_at)

    reminded_at = start + REMIND
    late = was_held and answered_at > OPENING + RESPOND
    assert told["reminder"] == [reminded_at] * (answered_at > reminded_at) + [OPENING + RESPOND] * late
    on_call = [each for each in given if each.agent.slug in ("nia", "noa")]
    assert told["page"] == [each.assigned_at for each in on_call]

    for before, after in pairwise(given):
        assert before.closed_at == after.assigned_at < answered_at
        held_for = after.assigned_at - before.assigned_at
        assert held_for == (ACKNOWLEDGE if before in on_call else REROUTE)
    assert told["rerouted_away"] == [each.assigned_at for each in given[1:]]
    assert len({each.agent_id for each in given}) == len(given)
    last = given[-1]
    unacknowledged = last in on_call and not lead.events.filter(kind="acknowledged", at__gte=last.assigned_at).exists()
    if answered_at > last.assigned_at + REROUTE and last not in on_call:
        assert len(given) == 3  # twice, and no further; or everybody of the team had it
    causes = [start + ESCALATE, *([last.assigned_at + ACKNOWLEDGE] if unacknowledged else [])]
    escalated_at = min((at for at in causes if at < answered_at), default=None)
    assert lead.escalated_at == escalated_at
    assert told["escalation"] == ([] if escalated_at is None else [escalated_at])

    assert told["promise_late"] == [OPENING + RESPOND] * late
    assert told["trouble"] == []


def check_everything(night: Night) -> list[Lead]:
    leads = night.world.leads()
    assert len(leads) == 40
    for lead in leads:
        check_promises(lead)
    assert not Finding.objects.exists()
    return leads


def test_without_anybody_on_call_all_wait_for_the_opening_that_the_visitors_were_told():
    night = Night(house(on_call=False))
    night.run()
    show("Nobody on call", night.world.leads())

    leads = check_everything(night)
    assert {(answer.outcome, answer.promise.kind, answer.promise.at) for answer in night.sent} == {
        ("held", OPENS_AT, OPENING)
    }
    first = Assignment.objects.filter(assigned_at=OPENING).order_by("pk")
    assert [each.lead_id for each in first] == [lead.pk for lead in leads]
    assert [each.agent.slug for each in first[:6]] == ["ana", "bo", "dan", "ana", "bo", "dan"]
    digests = Outbox.objects.filter(kind="released").values_list("created_at", flat=True)
    assert list(digests) == [OPENING] * 40
    assert not Outbox.objects.filter(kind__in=["reminder", "escalation"], created_at__lte=OPENING).exists()
    assert any(lead.reroutes for lead in leads)  # Dan was late for work
    assert any(lead.breached_at for lead in leads)
    assert sum(entry.credit for entry in night.world.ledger().standing.entries.values()) == 0


def test_with_people_on_call_everybody_is_answered_in_the_night():
    night = Night(house(on_call=True))
    night.run()
    show("Two on call", night.world.leads())

    leads = check_everything(night)
    assert {(answer.outcome, answer.reason, answer.promise.kind) for answer in night.sent} == {
        ("assigned", "on_call", "now")
    }
    assert max(lead.first_response_at - lead.received_at for lead in leads) < timedelta(hours=1)
    handed_on = [lead for lead in leads if lead.assignments.count() == 2]
    escalated = [lead for lead in leads if lead.escalated_at]
    assert handed_on
    assert escalated
    assert all(lead.first_response_at == lead.escalated_at + 15 * MINUTE for lead in escalated)
