"""Leads of one workspace that arrive together, placed together: PostgreSQL's way of the one transaction.

What is common goes this way, and nothing else: a new person's lead (or nobody's) that a team gets by turns. Everything
else is left to `leads.placing`, which can do it all and does the same, row for row. There are two round trips:

1. Try the locks of Idempotency-Keys and contacts, without waiting; look whether one of them is known; lock the
   ledgers, and read how fresh the workspace is and what its agents carry.
2. With every turn chosen by the engine, one after another: write all rows of all leads in one statement, which goes
   out with the commit.

Locks are asked for in the order that everybody keeps to. Only leads of one team wait for its ledger: among leads of
several, those whose ledger is busy step aside and wait for it with others of their team. Whoever's key or contact is
busy or known, whose door has changed or whom the engine decides otherwise leaves the batch; where PostgreSQL refuses
the writing, all of them do: nothing was written, and each goes on alone.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from django.db import OperationalError, connection
from django.db.models import Model

from leads import wake
from leads.answer import Accepted
from leads.answering import answer
from leads.arrivals import Arrival
from leads.combining import Combined
from leads.faults import log_fault
from leads.idempotency import owner_of
from leads.links import Reachable, reachable
from leads.models import Assignment, ContactKey, Decision, Event, Idempotency, Lead, Outbox, Person
from leads.models.defaults import column_defaults
from leads.people import Key, lock_number
from leads.pipeline import Pipeline, Refused, Statement, one_transaction
from leads.placing import Judgement, assigned
from leads.records import ledger_from_json, ledger_to_json, load_from_json
from leads.submission import IdempotencyKey
from routing import engine
from routing.engine import Outcome

MOST = 16  # in one transaction: more would only keep the first of them waiting
LOCK_TIMEOUT = b"5s"  # for somebody else's ledger
PATIENCE_S = 0.05  # with whoever handed a lead in a moment ago

log = logging.getLogger(__name__)

# Whether the lock was free must be asked first: it is kept whatever else is found. The statements that follow are
# planned once: PostgreSQL would plan some of them anew each time, though nothing in their parameters changes the plan.
_LOOK = Statement(
    "leads_look",
    """
    WITH patience AS MATERIALIZED (
        SELECT set_config('lock_timeout', $3, true), set_config('plan_cache_mode', 'force_generic_plan', true),
            set_config('enable_seqscan', 'off', true)
    )
    SELECT asked.place
    FROM patience, json_to_recordset($1) AS asked (place int, number bigint, kind text, value text)
    WHERE NOT pg_try_advisory_xact_lock(asked.number)
    OR (
        SELECT true FROM leads_contactkey
        WHERE workspace_id = $2::bigint AND kind = asked.kind AND value = asked.value LIMIT 1
    )
    OR (SELECT true FROM leads_idempotency WHERE owner = asked.kind AND key = asked.value LIMIT 1)
    """,
)
_LOCK = """
    SELECT team_id, json_build_object('entries', entries, 'turns', turns)
    FROM routing_ledger WHERE workspace_id + 0 = $1::bigint AND team_id = ANY ($2::bigint[])
    FOR NO KEY UPDATE
    """
_LOCK_ONE = Statement("leads_lock_one", _LOCK)
_LOCK_FREE = Statement("leads_lock_free", _LOCK + "SKIP LOCKED")
# After the locks, so that it is as fresh as they are.
_READ = Statement(
    "leads_read",
    """
    SELECT json_build_object(
        'policy', policy_version, 'roster', roster_version,
        'doors', ARRAY(
            SELECT id FROM agents_apikey
            WHERE id = ANY ($2::bigint[]) AND workspace_id = $1::bigint
            AND revoked_at IS NULL AND scopes @> '["leads:write"]'
        ),
        'people', ARRAY(SELECT nextval('leads_person_id_seq') FROM generate_series(1, $3::int)),
        'loads', ARRAY(
            SELECT json_build_array(agent_id, open, hour_key, hour, day_key, day, week_key, week, last_assigned_at)
            FROM routing_load WHERE agent_id = ANY ($4::bigint[])
        )
    )
    FROM agents_workspace WHERE id = $1::bigint
    """,
)

_WRITTEN: tuple[type[Model], ...] = (Person, ContactKey, Lead, Assignment, Decision, Event, Outbox, Idempotency)


# What is null need not be said.
_FIXED = {
    model: {name: value for name, value in column_defaults(model)[0].items() if value is not None} for model in _WRITTEN
}


def _insert(model: type[Model], number: int) -> str:
    """Rows of the JSON list that is this parameter, whose keys are columns. Numbers that nobody knows are given."""
    meta = model._meta
    is_numbered = model not in (Lead, Person)
    columns = [f'"{field.column}"' for field in meta.concrete_fields if not (is_numbered and field.primary_key)]
    listed = ", ".join(columns)
    kind = "jsonb" if model is Decision else "json"
    rows = f"{kind}_populate_recordset(NULL::{meta.db_table}, ${number})"
    return f"{meta.db_table}_in AS (INSERT INTO {meta.db_table} ({listed}) SELECT {listed} FROM {rows})"  # noqa: S608


# An agent's load is raised under their caps: the number of a place that is not there is none, which the column refuses.
# Several are locked in one order. Where a load is missing there is no number for the ledger, either.
_WRITE = Statement(
    "leads_write",
    f"""
    WITH {", ".join(_insert(model, number) for number, model in enumerate(_WRITTEN, 1))},
    given AS (
        SELECT agent, leads, at, keys->>0 AS hour_key, keys->>1 AS day_key, keys->>2 AS week_key,
            (caps->>0)::int AS open_cap, (caps->>1)::int AS hour_cap, (caps->>2)::int AS day_cap,
            (caps->>3)::int AS week_cap
        FROM json_to_recordset($9) AS given (agent bigint, leads int, at timestamptz, keys json, caps json)
    ),
    locked AS MATERIALIZED (
        SELECT agent_id FROM routing_load WHERE agent_id = ANY ($15::bigint[]) ORDER BY agent_id FOR NO KEY UPDATE
    ),
    loaded AS (
        UPDATE routing_load AS load SET
            open = CASE
                WHEN load.open + given.leads > open_cap
                OR CASE WHEN load.hour_key = given.hour_key THEN hour ELSE 0 END + given.leads > hour_cap
                OR CASE WHEN load.day_key = given.day_key THEN day ELSE 0 END + given.leads > day_cap
                OR CASE WHEN load.week_key = given.week_key THEN week ELSE 0 END + given.leads > week_cap
                THEN NULL ELSE load.open + given.leads END,
            hour = CASE WHEN load.hour_key = given.hour_key THEN hour ELSE 0 END + given.leads,
            day = CASE WHEN load.day_key = given.day_key THEN day ELSE 0 END + given.leads,
            week = CASE WHEN load.week_key = given.week_key THEN week ELSE 0 END + given.leads,
            hour_key = given.hour_key, day_key = given.day_key, week_key = given.week_key,
            last_assigned_at = given.at
        FROM given, locked
        WHERE load.agent_id = given.agent AND locked.agent_id = given.agent AND load.agent_id = ANY ($15::bigint[])
        RETURNING load.agent_id
    )
    UPDATE routing_ledger AS ledger SET
        entries = moved.entries::jsonb,
        turns = CASE WHEN (SELECT count(*) FROM loaded) = $10::int THEN moved.turns END
    FROM unnest($12::bigint[], $13::text[], $14::bigint[]) AS moved (team, entries, turns)
    WHERE ledger.workspace_id + 0 = $11::bigint AND ledger.team_id = moved.team AND ledger.team_id = ANY ($12::bigint[])
    """,  # noqa: S608 - tables and columns of our own models
)


class DoorChanged(Exception):
    """The key was revoked, or the workspace has a newer policy or roster than the door says; or nobody looked."""


@dataclass(slots=True)
class Arriving:
    """A lead on its way, with what could be done before anything is locked. `accepted` None: it goes on alone.

    `keys` are what others may have, too: its Idempotency-Key, under its owner, and the person's contact keys.
    `is_queued`: the ledger of its team was busy, and is to be waited for.
    """

    arrival: Arrival
    key: IdempotencyKey | None
    match: engine.Match
    team: int
    lead: Lead
    reachable: Mapping[int, Reachable]
    keys: tuple[Key, ...]
    accepted: Accepted | None = None
    problem: Exception | None = None
    is_queued: bool = False


def take_in(arrival: Arrival, key: IdempotencyKey | None) -> Accepted | None:
    """Take a lead in together with others, or alone where none waits. None, with nothing written: not this way.

    Raises DoorChanged, and OperationalError where PostgreSQL does not answer.
    """
    door, basis = arrival.door, arrival.basis
    if connection.vendor != "postgresql" or not door.trusted:
        return None
    match = engine.match(engine.Request(arrival.facts, channels=door.channels), basis.snapshot, basis.at)
    shortlist = match.shortlist({})  # as if nobody had reached a cap: who has is read under the lock
    if not shortlist.ledger:
        return None
    arriving = Arriving(
        arrival,
        key,
        match,
        shortlist.ledger,
        arrival.lead(engine.STRANGER),
        reachable(shortlist.takers, roster_version=basis.roster_version),
        ((owner_of(door), key.key), *arrival.contact.keys) if key else arrival.contact.keys,
    )
    if connection.in_atomic_block:
        _place([arriving])  # what is not committed is nobody else's
    else:
        _at_once.do(door.workspace_id, arriving)
        if arriving.is_queued:
            _in_line.do((door.workspace_id, arriving.team), arriving)
    if arriving.problem is not None:
        raise arriving.problem
    return arriving.accepted


def _place(leads: list[Arriving]) -> None:
    committing = False
    for each in leads:
        each.is_queued = False
    try:
        with one_transaction() as pipeline:
            batch = _Batch(leads)
            batch.look(pipeline)
            batch.choose()
            committing = True
            batch.write(pipeline)
    except Refused as refusal:
        # Somebody was quicker, or a cap was reached: one of them is to blame, and alone each will see.
        log.info("%d leads that came together go on alone: %s", len(leads), refusal)
    except OperationalError as problem:
        if committing:  # nobody knows whether it is written, so nobody may write it again
            for each in leads:
                each.problem = problem
    except Exception as problem:
        log_fault(log, "Placing leads together failed", problem)
    else:
        for each, accepted in batch.accepted:
            each.accepted = accepted
        wake.after_commit()


_at_once = Combined(_place, most=MOST, patience_s=PATIENCE_S)  # by workspace
_in_line = Combined(_place, most=MOST)  # by team


class _Batch:
    """Leads of one workspace, in one transaction: `look`, then `choose`, then `write`."""

    def __init__(self, leads: list[Arriving]) -> None:
        self.leads = leads
        self.workspace = leads[0].arrival.door.workspace_id
        self.accepted: list[tuple[Arriving, Accepted]] = []
        self._left: set[int] = set()  # places of those whose key or contact is busy, or known
        self._free_people: list[int] = []
        self._ledgers: dict[int, engine.Ledger] = {}  # by team: those that are locked
        self._loads: dict[int, engine.Load] = {}
        self._moved: dict[int, engine.Ledger] = {}  # those of `_ledgers` that give another agent the next turn
        self._given: dict[int, dict[str, Any]] = {}  # to each agent, as `_WRITE` counts it
        self._rows: dict[type[Model], list[dict[str, Any]]] = {model: [] for model in _WRITTEN}

    def look(self, pipeline: Pipeline) -> None:
        """Take the locks, and read what the decisions need."""
        asked = [
            {"place": place, "number": lock_number(self.workspace, key), "kind": key[0], "value": key[1]}
            for place, each in enumerate(self.leads)
            for key in each.keys
        ]
        workspace = b"%d" % self.workspace
        teams = {each.team for each in self.leads}
        doors = {each.arrival.door.api_key_id for each in self.leads}
        counted = set().union(*(each.match.load_agents for each in self.leads))
        pipeline.ask(_LOOK, _json(asked), workspace, LOCK_TIMEOUT)
        pipeline.ask(_LOCK_ONE if len(teams) == 1 else _LOCK_FREE, workspace, _array(teams))
        pipeline.ask(_READ, workspace, _array(doors), b"%d" % len(self.leads), _array(counted))
        busy, ledgers, [[read]] = pipeline.answers()
        self._left = {int(place) for (place,) in busy}
        self._ledgers = {int(team): ledger_from_json(orjson.loads(ledger)) for team, ledger in ledgers}
        now = orjson.loads(read)
        self._free_people = now["people"]
        self._loads = {agent: load_from_json(load) for agent, *load in now["loads"]}
        for place, each in enumerate(self.leads):
            door = each.arrival.door
            if (door.policy_version, door.roster_version) != (now["policy"], now["roster"]) or (
                door.api_key_id not in now["doors"]
            ):
                each.problem = DoorChanged()
                self._left.add(place)
            elif each.team not in self._ledgers:  # alone, it is not there: `leads.placing` makes it
                each.is_queued = len(teams) > 1
                self._left.add(place)

    def choose(self) -> None:
        """Let the engine choose for each in turn; what one got is seen by the next."""
        taken: set[Key] = set()
        for place, each in enumerate(self.leads):
            if place in self._left or not taken.isdisjoint(each.keys):
                continue
            judgement = self._judge(each)
            if judgement is not None and self._count(judgement):
                taken.update(each.keys)
                self._keep(each, judgement)

    def _judge(self, each: Arriving) -> Judgement | None:
        """None where this is nothing for here."""
        carried = {agent: self._loads[agent] for agent in each.match.load_agents if agent in self._loads}
        shortlist = each.match.shortlist(carried)
        if shortlist.ledger != each.team:
            return None
        ledger = self._ledgers[each.team]
        decision = shortlist.decide(ledger)
        if decision.outcome is not Outcome.ASSIGNED or decision.agent not in each.reachable:
            return None
        return Judgement(each.arrival.basis, each.match.request, decision, carried, ledger, team=each.team)

    def _count(self, judgement: Judgement) -> bool:
        """Count the assignment. False where the agent's clock struck between two leads of the batch."""
        agent, basis = judgement.decision.agent, judgement.basis
        assert agent is not None
        assert judgement.decision.turn is not None
        keys, caps = basis.periods(agent), basis.agent(agent).caps
        given = self._given.setdefault(agent, {"agent": agent, "leads": 0, "keys": keys})
        if given["keys"] != keys:
            return False
        given["leads"] += 1
        given |= {"caps": (caps.open, caps.hour, caps.day, caps.week), "at": basis.at}
        if agent in self._loads:
            self._loads[agent] = self._loads[agent].with_assignment(keys, basis.at)
        assert judgement.team is not None
        assert judgement.ledger is not None
        self._moved[judgement.team] = self._ledgers[judgement.team] = judgement.ledger.after(judgement.decision.turn)
        return True

    def _keep(self, each: Arriving, judgement: Judgement) -> None:
        """Make the rows, and the answer."""
        lead, basis, key, door = each.lead, judgement.basis, each.key, each.arrival.door
        assert judgement.decision.agent is not None
        if each.arrival.contact.keys:
            lead.person_id = person = self._free_people.pop()
            self._add(Person, {"id": person, "workspace_id": self.workspace, "created_at": basis.at})
            for kind, value in each.arrival.contact.keys:
                self._add(
                    ContactKey,
                    {"workspace_id": self.workspace, "person_id": person, "kind": kind, "value": value},
                )
        follows = assigned(lead, judgement)
        # What is null need not be said.
        self._rows[Lead].append(
            {name: value for name, value in vars(lead).items() if value is not None and name != "_state"}
        )
        self._add(Assignment, *follows.assignments)
        self._add(Decision, follows.decision)
        self._add(Event, *follows.events)
        self._add(Outbox, *follows.messages)
        accepted = answer(
            lead,
            channel=lead.reached_on,
            joined=False,
            message=each.arrival.submission.message,
            reached=each.reachable[judgement.decision.agent],
            at=basis.at,
        )
        if key is not None:
            self._add(
                Idempotency,
                {
                    "workspace_id": self.workspace,
                    "owner": owner_of(door),
                    "key": key.key,
                    "body_hash": key.body_hash,
                    "answer": accepted.to_json(),
                    "lead_id": lead.pk,
                    "created_at": basis.at,
                },
            )
        self.accepted.append((each, accepted))

    def _add(self, model: type[Model], *rows: dict[str, Any]) -> None:
        fixed, made = _FIXED[model], column_defaults(model)[1]
        self._rows[model] += [
            {**fixed, **{name: make() for name, make in made.items() if name not in row}, **row} for row in rows
        ]

    def write(self, pipeline: Pipeline) -> None:
        """Everything, and the commit."""
        if self.accepted:
            moved = self._moved.values()
            pipeline.ask(
                _WRITE,
                *(_json(self._rows[model]) for model in _WRITTEN),
                _json(list(self._given.values())),
                b"%d" % len(self._given),
                b"%d" % self.workspace,
                _array(self._moved),
                _array_of_texts(ledger_to_json(ledger, ledger.entries)["entries"] for ledger in moved),
                _array(ledger.turns for ledger in moved),
                _array(self._given),
            )
        pipeline.commit()


def _array(numbers: Iterable[int | None]) -> bytes:
    return ("{" + ",".join("NULL" if number is None else str(number) for number in numbers) + "}").encode()


def _array_of_texts(documents: Iterable[Any]) -> bytes:
    quoted = (_json(document).replace(b"\\", b"\\\\").replace(b'"', b'\\"') for document in documents)
    return b"{" + b",".join(b'"' + text + b'"' for text in quoted) + b"}"


def _json(value: Any) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:  # a number of more than 64 bits, in what a sender calls an attribute
        return json.dumps(value, default=str, ensure_ascii=False).encode()
