"""One look at a workspace's held leads."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db import OperationalError, transaction
from django.utils.translation import gettext as _

from agents.roster import changes_between
from leads import loads
from leads.alerts import tell_of_trouble
from leads.arrivals import request_again
from leads.basis import Basis
from leads.contention import is_collision, is_outage
from leads.faults import log_fault
from leads.models import Event, EventKind, Lead, Trigger
from leads.people import agents_they_had
from leads.placing import Judgement, PlaceTaken, judge, place
from routing import engine
from routing.engine import IDLE, Outcome, Reason, Target, holding
from routing.engine.covered import off_shift_at
from routing.engine.holding import NOBODY, Standing
from routing.engine.hours import Kind

# A lead whose release failed is left alone for so long.
RETRY_AFTER = timedelta(minutes=5)
# Who goes within it is looked at when they go; whoever goes later, when the queue is looked at again.
_LEAVING_HORIZON = timedelta(hours=1)
_TRIES = 20
_CHUNK = 200

log = logging.getLogger(__name__)


class Held(NamedTuple):
    """A held lead as the round finds it. `before`: the standing of its target when it was last looked at."""

    pk: UUID
    target: Target
    before: Standing
    is_offer: bool
    release_at: datetime | None


class Looked(NamedTuple):
    """How many leads moved on, and when to look again whatever happens (None: nothing is held any more)."""

    moved: int
    next_at: datetime | None


class Round:
    """Tries the held leads of a workspace, the oldest first, for whoever became available.

    A trial by the loads in memory comes first, so that a thousand leads that still find nobody cost no transaction.
    `seen_version` is the roster that was looked at last.
    """

    def __init__(self, basis: Basis, *, seen_version: int, limit: int) -> None:
        self._basis = basis
        self._limit = limit
        self._loads: dict[int, engine.Load] = {}
        self._moved: set[UUID] = set()
        self._held_anew: set[UUID] = set()
        self._failed: set[UUID] = set()
        self._full: set[int] = set()  # who reached a cap in this round
        self._had: dict[int, int] = {}  # agents, by person
        self._changed, self._workspace_changed = self._changed_since(seen_version)
        self._roster_changed = seen_version != basis.roster_version

    def run(self) -> Looked:
        held = self._read_held()
        if not held:
            return Looked(0, None)
        targets = {each.target for each in held if not each.is_offer}
        for target in targets:
            self._read_loads(holding.load_agents(self._basis.roster, target))
        start = {target: self._standing(target) for target in targets}
        hopeless = {target for target in targets if self._is_hopeless(target)}
        due = {each.pk for each in held if self._is_due(each, start, hopeless)}
        looked_at = [each for each in held if each.pk in due or (self._roster_changed and not each.is_offer)]
        left = self._go_through(looked_at, lambda each: each.pk in due and self._is_due(each, start, hopeless))
        self._settle([each for each in held if each.pk not in left], start)
        return Looked(len(self._moved), self._next_at(held, targets, start, unfinished=bool(left)))

    def _read_held(self) -> list[Held]:
        rows = Lead.objects.held().filter(workspace_id=self._basis.workspace_id).order_by("received_at", "id")
        return [
            Held(
                pk,
                Target(kind, target_id or 0),
                Standing(frozenset(available), frozenset(capped)),
                reason == Reason.CLAIM,
                release_at,
            )
            for pk, kind, target_id, available, capped, reason, release_at in rows.values_list(
                "pk", "held_for", "held_for_id", "held_available", "held_capped", "reason", "release_at"
            )
        ]

    def _changed_since(self, seen_version: int) -> tuple[frozenset[int], bool]:
        """Whose rows the roster changed since, and whether the workspace's own changed: an agent who is there, and
        now speaks the language, is as good as one who comes."""
        if seen_version == self._basis.roster_version:
            return frozenset(), False
        changes = changes_between(
            workspace_id=self._basis.workspace_id, after=seen_version, until=self._basis.roster_version
        )
        people = set(changes.get("agent", ()))
        for kind in ("handle", "shift", "timeoff", "teammember"):
            people.update(values["agent_id"] for values in changes.get(kind, {}).values() if values)
        for team in changes.get("team", ()):
            people.update(self._basis.roster.members(holding.people_of(self._basis.roster, Target("team", team))))
        return frozenset(people), "workspace" in changes

    def _is_due(self, each: Held, now: dict[Target, Standing], hopeless: set[Target]) -> bool:
        if each.release_at is not None and each.release_at <= self._basis.at:
            return True
        if each.is_offer:
            return False
        standing = now[each.target]
        news = standing.newly_available(each.before) | (standing.available & self._changed)
        return bool(
            news - self._full
            or (self._workspace_changed and each.target.kind == Target.WORKSPACE)
            or each.target in hopeless
        )

    def _is_hopeless(self, target: Target) -> bool:
        """Gone, or nobody of it has hours any more."""
        waits_for_anybody = target.kind == Target.WORKSPACE
        return not waits_for_anybody and not holding.worth_waiting(self._basis.roster, target, self._basis.at)

    def _go_through(self, looked_at: list[Held], is_due: Callable[[Held], bool]) -> set[UUID]:
        """Try those that are due, as long as whoever became available still is; of the others, those that no longer
        have anybody to wait for. Returns those that were not reached."""
        for place_in_list, (each, lead) in enumerate(self._with_leads(looked_at)):
            due = is_due(each)
            if not due and not self._roster_changed:
                continue
            try:
                worth_trying = each.is_offer or self._would_move(each, lead, only_if_hopeless=not due)
                if worth_trying and len(self._moved) >= self._limit:
                    return {late.pk for late in looked_at[place_in_list:]}
                if worth_trying:
                    self._try(each, lead)
                elif each.release_at is not None and due:
                    Lead.objects.filter(pk=each.pk).update(release_at=None)
            except Exception as problem:
                if is_outage(problem):
                    raise
                self._set_aside(each, problem)
        return set()

    def _with_leads(self, looked_at: list[Held]) -> Iterator[tuple[Held, Lead]]:
        for start in range(0, len(looked_at), _CHUNK):
            chunk = looked_at[start : start + _CHUNK]
            leads = Lead.objects.select_related("site").in_bulk([each.pk for each in chunk])
            self._had.update(agents_they_had({lead.person_id for lead in leads.values() if lead.person_id is not None}))
            yield from ((each, leads[each.pk]) for each in chunk if each.pk in leads)

    def _would_move(self, each: Held, lead: Lead, *, only_if_hopeless: bool) -> bool:
        """Whether deciding the lead anew would change anything, by the loads in memory."""
        request = self._request(lead, each)
        match = engine.match(request, self._basis.snapshot, self._basis.at)
        self._read_loads(match.load_agents)
        shortlist = match.shortlist(self._loads)
        if only_if_hopeless:
            return any(pool.rule == lead.rule and pool.then == "next_rule" for pool in shortlist.pools)
        decided = shortlist.decided
        return decided is None or decided.outcome is not Outcome.HELD or decided.target != each.target

    def _request(self, lead: Lead, each: Held) -> engine.Request:
        known_agent = None if lead.person_id is None else self._had.get(lead.person_id)
        return request_again(lead, known_agent=known_agent, claim_over=each.is_offer)

    def _try(self, each: Held, lead: Lead) -> None:
        for tries_left in reversed(range(_TRIES)):
            try:
                with transaction.atomic():
                    judgement, is_placed = self._place(each)
            except PlaceTaken:
                if not tries_left:
                    raise
            except OperationalError as problem:
                if not (is_collision(problem) and tries_left):
                    raise
            else:
                if judgement is not None:
                    self._learn(lead, judgement, is_placed=is_placed)
                return

    def _place(self, each: Held) -> tuple[Judgement | None, bool]:
        """Decide the lead anew, and write it where it does not wait as before. No judgement: it moved on meanwhile."""
        locked = Lead.objects.held().select_for_update(no_key=True, of=("self",)).select_related("site")
        lead = locked.filter(pk=each.pk).first()
        if lead is None or (each.is_offer and lead.reason != Reason.CLAIM):
            return None, False
        request = self._request(lead, each)
        judgement = judge(request, self._basis)
        decision = judgement.decision
        if decision.reason is Reason.NOBODY and decision.target == each.target and not each.is_offer:
            return judgement, False
        lead.claim_over = request.claim_over
        trigger, before = Trigger.RELEASE, each.before
        if each.is_offer:
            place(lead, judgement, trigger=Trigger.CLAIM_OVER)
        else:
            if each.release_at is not None:
                trigger, before = Trigger.RETRY, NOBODY
            place(lead, judgement, trigger=trigger, before=before)
        return judgement, True

    def _learn(self, lead: Lead, judgement: Judgement, *, is_placed: bool) -> None:
        """Keep in mind what a decision read and did."""
        changed = dict(judgement.loads)
        agent = judgement.decision.agent
        if is_placed:
            (self._held_anew if judgement.decision.outcome is Outcome.HELD else self._moved).add(lead.pk)
        if is_placed and agent is not None:
            load = changed.get(agent) or self._loads.get(agent, IDLE)
            changed[agent] = load.with_assignment(self._basis.periods(agent), self._basis.at)
            if lead.person_id is not None:
                self._had[lead.person_id] = agent
        for person, load in changed.items():
            self._loads[person] = load
            if load.reaches(self._basis.agent(person).caps, self._basis.periods(person)):
                self._full.add(person)

    def _settle(self, looked_at: Iterable[Held], start: dict[Target, Standing]) -> None:
        """Note for leads that still wait who of their target is there now.

        Only who was there at the start of the round as well: whoever came meanwhile was not tried for all of them.
        """
        news: dict[Standing, list[UUID]] = {}
        for each in looked_at:
            if each.is_offer or each.pk in self._held_anew or each.pk in self._failed:
                continue
            end = self._standing(each.target)
            now = Standing(end.available & start[each.target].available, end.capped)
            if now != each.before:
                news.setdefault(now, []).append(each.pk)
        for now, ids in news.items():
            for first in range(0, len(ids), _CHUNK):
                Lead.objects.held().filter(pk__in=ids[first : first + _CHUNK]).update(
                    held_available=sorted(now.available), held_capped=sorted(now.capped)
                )

    def _next_at(
        self, held: list[Held], targets: set[Target], start: dict[Target, Standing], *, unfinished: bool
    ) -> datetime | None:
        at, roster = self._basis.at, self._basis.roster
        if unfinished:
            return at
        left = [each for each in held if each.pk not in self._moved]
        if not left:
            return None
        moments = [each.release_at for each in left if each.release_at is not None and each.release_at > at]
        if self._failed:
            moments.append(at + RETRY_AFTER)
        for target in {each.target for each in left if not each.is_offer}:
            if (opens := holding.opening(roster, target, self._loads, at)) is not None:
                moments.append(opens)
            # Whoever goes is to be noted as gone, or nobody would notice that they come back.
            moments += self._leaving(start[target].available)
        return min(moments, default=at + holding.OPENING_HORIZON)

    def _leaving(self, people: Iterable[int]) -> list[datetime]:
        ends = (
            off_shift_at(self._basis.roster.schedule(agent), at=self._basis.at, kind=kind, horizon=_LEAVING_HORIZON)
            for agent in people
            for kind in Kind
        )
        return [end for end in ends if end is not None]

    def _standing(self, target: Target) -> Standing:
        return holding.standing(self._basis.roster, target, self._loads, self._basis.at)

    def _read_loads(self, agents: Iterable[int]) -> None:
        """Read what is not known yet; what is known stays as it was read, so that one round sees one state."""
        self._loads.update(loads.read([agent for agent in agents if agent not in self._loads]))

    def _set_aside(self, each: Held, problem: Exception) -> None:
        """Flag a lead whose release failed, and leave it alone for a while."""
        log_fault(log, f"Releasing lead {each.pk} failed", problem)
        why = _("Routing failed (%(problem)s) when the lead was to be released.") % {"problem": type(problem).__name__}
        self._failed.add(each.pk)
        with transaction.atomic():
            changed: dict[str, Any] = {"flagged": why, "release_at": self._basis.at + RETRY_AFTER}
            if not each.is_offer:
                changed["held_available"] = sorted(self._standing(each.target).available)
            if Lead.objects.held().filter(pk=each.pk).update(**changed):
                Event.objects.create(
                    workspace_id=self._basis.workspace_id,
                    lead_id=each.pk,
                    kind=EventKind.FLAGGED,
                    at=self._basis.at,
                    data={"why": why},
                )
                tell_of_trouble(Lead.objects.get(pk=each.pk), at=self._basis.at)
