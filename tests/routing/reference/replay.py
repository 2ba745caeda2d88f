"""One replay: matching, asking and deciding, and what happens by itself in between."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

from tests.routing.reference.ledger import Ledger
from tests.routing.reference.people import DAYS, ON_CALL, REGULAR, Agent, minutes_of

QUARTER = timedelta(minutes=15)
OFFER = timedelta(minutes=5)
SCRIPTS = {"zh": "Hans", "zh-TW": "Hant", "zh-HK": "Hant", "sr": "Cyrl"}  # where it is not Latin


def _quarter(at: datetime) -> datetime:
    return at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0)


def _script(tag: str) -> str:
    given = [part for part in tag.split("-")[1:] if len(part) == 4]
    return given[0] if given else SCRIPTS.get(tag, SCRIPTS.get(tag.split("-")[0], "Latn"))


@dataclass
class Person:
    leads: list[Lead] = field(default_factory=list)

    @property
    def agent(self) -> Agent | None:
        return next((lead.agent for lead in reversed(self.leads) if lead.agent), None)


@dataclass(eq=False)
class Lead:
    number: int
    received_at: datetime
    closed_at: datetime | None
    facts: dict[str, Any]
    person: Person
    outcome: str = ""
    agent: Agent | None = None
    rule: str = ""
    reason: str = ""
    assigned_at: datetime | None = None
    target: set[Agent] = field(default_factory=set)
    waits_for_anybody: bool = False
    offered_until: datetime | None = None
    was_offered: bool = False
    had_turn: bool = False
    is_held: bool = False
    is_closed: bool = False


@dataclass
class Decision:
    outcome: str
    reason: str
    rule: str
    agent: Agent | None = None
    ledger: str | None = None
    takers: dict[Agent, int] = field(default_factory=dict)
    away: dict[Agent, int] = field(default_factory=dict)
    target: set[Agent] = field(default_factory=set)
    waits_for_anybody: bool = False


class Reference:
    """One replay of `rows` in the workspace of `document`, a workspace file as YAML reads it, in plain values."""

    def __init__(self, document: dict[str, Any], rows: list[dict[str, str]]) -> None:
        self.workspace = document["workspace"]
        zone = self.workspace["timezone"]
        self.zone = ZoneInfo(zone)
        self.agents = {
            entry["slug"]: Agent(entry, number, ZoneInfo(entry.get("timezone", zone)))
            for number, entry in enumerate(document["agents"])
        }
        self.teams = {
            team["slug"]: {self.agents[member["agent"]]: member for member in team["agents"]}
            for team in document["teams"]
        }
        self.ledgers = {team["slug"]: Ledger(team.get("catch_up", 0)) for team in document["teams"]}
        self.ledgers["(on call)"] = Ledger()
        self.rules, self.scoring = document["rules"], document.get("scoring", [])
        fallback = self.agents.get(self.workspace.get("fallback_agent", ""))
        self.fallback = fallback if fallback and fallback.is_active else None
        self.got: dict[Agent, int] = defaultdict(int)
        self.people: dict[str, Person] = {}
        self.leads: list[Lead] = []
        self.told: list[tuple[Lead, bool, tuple | None]] = []
        self._run(rows)

    def rows(self) -> list[tuple[str, str, str, str, datetime | None]]:
        """Outcome, agent, rule, reason and when it was assigned, for each row."""
        return [
            (state[0], state[1], "" if joined else state[2], "joined" if joined else state[3], state[4])
            for lead, joined, kept in self.told
            for state in [kept or self._state(lead)]
        ]

    # facts

    def _facts(self, row: dict[str, str]) -> dict[str, Any]:
        keys = {"id", "received_at", "closed_at", "visitor_id", "email"}
        facts: dict[str, Any] = {name: value for name, value in row.items() if value and name not in keys}
        facts.setdefault("source", "api")
        facts.setdefault("language", self.workspace["languages"][0])
        if "page_url" in facts:
            parts = urlsplit(facts["page_url"])
            facts |= {"page_path": parts.path, "page_host": parts.hostname}
            facts |= {name: values[0] for name, values in parse_qs(parts.query).items()}
        if row["email"]:
            facts["email_domain"] = row["email"].partition("@")[2]
        return facts

    def _facts_at(self, lead: Lead, at: datetime) -> dict[str, Any]:
        wall = at.astimezone(self.zone)
        facts = lead.facts | {
            "weekday": DAYS[wall.weekday()],
            "local_time": wall.hour * 60 + wall.minute,
            "in_hours": any(agent.is_active and agent.is_there(at) for agent in self.agents.values()),
        }
        score = sum(entry["points"] for entry in self.scoring if self._holds(entry["when"], facts))
        limits = self.workspace["intent"]
        intent = "hot" if score >= limits["hot"] else "warm" if score >= limits["warm"] else "cold"
        return facts | {"score": score, "intent": intent}

    def _holds(self, when: dict[str, Any] | None, facts: dict[str, Any]) -> bool:
        if when is None:
            return True
        if "all" in when:
            return all(self._holds(each, facts) for each in when["all"])
        if "any" in when:
            return any(self._holds(each, facts) for each in when["any"])
        operator, fact, value = when["op"], facts.get(when["field"]), when.get("value")
        if operator in ("is_set", "is_not_set"):
            return (fact is not None) == (operator == "is_set")
        denied = operator in ("is_not", "not_in", "not_contains")
        if fact is None:
            return denied
        if when["field"] == "local_time":
            first, last = (minutes_of(clock) for clock in value)
            return first <= fact < last if first < last else fact >= first or fact < last
        if isinstance(fact, bool):
            return fact == value
        if isinstance(fact, int):
            return fact >= value if operator == "gte" else fact < value
        fact = fact.lower()
        values = [each.lower() for each in value] if isinstance(value, list) else [value.lower()]
        if when["field"] == "language":
            return any(fact == each or fact.startswith(each + "-") for each in values) != denied
        if operator in ("contains", "not_contains"):
            return (values[0] in fact) != denied
        if operator == "starts_with":
            return fact.startswith(values[0])
        return (fact in values) != denied

    # people

    def _speaks(self, agent: Agent, tag: str, nearness: int) -> bool:
        spoken, stem = agent.entry.get("languages", []), tag.split("-")[0]
        if nearness == 0:
            return tag in spoken
        if nearness == 1:
            return stem in spoken and _script(stem) == _script(tag)
        return any(each.split("-")[0] == stem and _script(each) == _script(tag) for each in spoken)

    def _has_channel(self, agent: Agent, facts: dict[str, Any]) -> bool:
        channel = facts.get("channel", "form")
        return channel == "form" or channel in agent.entry["handles"]

    def _fulfils(self, agent: Agent, facts: dict[str, Any], require: list[str]) -> bool:
        """All that is required but the language."""
        if not self._has_channel(agent, facts) or ("channel" in require and "channel" not in facts):
            return False
        named = agent.entry.get("territories", [])
        if "territory" in require and named and not {facts.get("region"), facts.get("country")} & set(named):
            return False
        return all(wish[5:] in agent.entry.get("tags", ()) for wish in require if wish.startswith("tags:"))

    def _preferred(self, pool: list[Agent], facts: dict[str, Any], prefer: list[str]) -> list[Agent]:
        for wish in prefer:
            named: list[list[Agent]] = []
            if wish == "language":
                named = [[a for a in pool if self._speaks(a, facts["language"], near)] for near in range(3)]
            elif wish == "territory":
                fields = ("region", "country")
                named = [[a for a in pool if facts.get(each) in a.entry.get("territories", ())] for each in fields]
            elif wish.startswith("tags:"):
                named = [[a for a in pool if wish[5:] in a.entry.get("tags", ())]]
            pool = next((some for some in named if some), pool)
        return pool

    def _takers(self, members: dict, route: dict[str, Any], facts: dict[str, Any], there: set[Agent]) -> list[Agent]:
        require, by_tier = route.get("require", []), route.get("by") == "priority"
        pool = [agent for agent in members if agent in there and self._fulfils(agent, facts, require)]
        for near in range(3) if "language" in require else [None]:
            close = pool if near is None else [a for a in pool if self._speaks(a, facts["language"], near)]
            takers = [a for a in self._preferred(close, facts, route.get("prefer", [])) if members[a]["weight"]]
            if takers:
                first = min(members[agent]["tier"] for agent in takers)
                return [agent for agent in takers if not by_tier or members[agent]["tier"] == first]
        return []

    def _is_worth_waiting(self, members: dict, route: dict[str, Any], facts: dict[str, Any], at: datetime) -> bool:
        require = route.get("require", [])
        waited_for = [
            agent
            for agent, member in members.items()
            if agent.is_active
            and member["weight"]
            and self._fulfils(agent, facts, require)
            and ("language" not in require or self._speaks(agent, facts["language"], 2))
        ]
        quarters = [_quarter(at) + step * QUARTER for step in range(14 * 96)]
        return any(agent.is_there(quarter) for agent in waited_for for quarter in quarters)

    # deciding

    def _decide(self, lead: Lead, at: datetime) -> Decision:
        decision = self._walk(lead, at)
        if decision.ledger and decision.takers:
            ledger = self.ledgers[decision.ledger]
            if lead.had_turn:  # a lead never pays twice
                decision.agent = ledger.copy().take_turn(decision.takers, decision.away)
            else:
                decision.agent = ledger.take_turn(decision.takers, decision.away)
                lead.had_turn = True
        return decision

    def _walk(self, lead: Lead, at: datetime) -> Decision:
        facts = self._facts_at(lead, at)
        rules = [rule for rule in self.rules if self._holds(rule.get("when"), facts)]
        had = lead.person.agent if self.workspace["returning"] == "same_agent" else None
        to_queue = rules and rules[0]["route"]["to"] == "queue"
        if had and not to_queue and had.is_available(at) and self._has_channel(had, facts):
            return Decision("assigned", "returning", "", had)
        name = ""
        for rule in rules:
            name = rule["name"]
            if found := self._ask(name, rule["route"], lead, facts, at):
                return found
        on_call = [a for a in self.agents.values() if a.is_available(at, ON_CALL) and self._has_channel(a, facts)]
        if on_call:
            return Decision("assigned", ON_CALL, name, ledger="(on call)", takers=dict.fromkeys(on_call, 1))
        if self.fallback:
            return Decision("fallback", "fallback", name, self.fallback)
        return Decision("held", "nobody", name, target=set(self.agents.values()), waits_for_anybody=True)

    def _ask(
        self, name: str, route: dict[str, Any], lead: Lead, facts: dict[str, Any], at: datetime
    ) -> Decision | None:
        if route["to"] == "queue":
            return Decision("queued", "direct", name)
        team = route["to"].get("team")
        members = self.teams[team] if team else {self.agents[route["to"]["agent"]]: {"weight": 1, "tier": 1}}
        by, if_nobody = route.get("by", "round_robin"), route.get("if_nobody", "next_rule")
        for kind in (REGULAR, ON_CALL) if if_nobody == ON_CALL else (REGULAR,):
            there = {agent for agent in members if agent.is_available(at, kind)}
            takers = self._takers(members, route, facts, there)
            if not takers:
                continue
            if team is None:
                return Decision("assigned", "direct" if kind == REGULAR else ON_CALL, name, takers[0])
            if kind == REGULAR and by == "least_busy":
                return Decision("assigned", by, name, self._least_busy(takers))
            if kind == REGULAR and by == "claim" and not lead.was_offered:
                return Decision("held", by, name)
            would_be_there = {agent for agent in members if agent.is_available(at, kind, whatever_leave=True)} - there
            away = [a for a in would_be_there if a in self._takers(members, route, facts, there | {a})]
            return Decision(
                "assigned",
                by if kind == REGULAR else ON_CALL,
                name,
                ledger=team,
                takers={agent: members[agent]["weight"] for agent in takers},
                away={agent: members[agent]["weight"] for agent in away},
            )
        if if_nobody == "queue":
            return Decision("queued", "nobody", name)
        if if_nobody == "fallback" and self.fallback:
            return Decision("fallback", "fallback", name, self.fallback)
        if if_nobody == "hold" and self._is_worth_waiting(members, route, facts, at):
            return Decision("held", "nobody", name, target=set(members))
        return None

    def _least_busy(self, takers: list[Agent]) -> Agent:
        relative = all("open" in agent.caps for agent in takers)
        return min(
            takers,
            key=lambda a: (Fraction(a.open, a.caps["open"] if relative else 1), a.last_assigned_at, a.number),
        )

    # what happens

    def _run(self, rows: list[dict[str, str]]) -> None:
        arrivals = [(datetime.fromisoformat(row["received_at"]).astimezone(UTC), row) for row in rows]
        end = arrivals[-1][0] + timedelta(days=31)
        now = arrivals[0][0]
        self._look(now)
        while arrivals or any(lead.is_held for lead in self.leads):
            instants = [at for at, _ in arrivals[:1]]
            open_leads = [lead for lead in self.leads if not lead.is_closed]
            instants += [lead.closed_at for lead in open_leads if lead.closed_at]
            if any(lead.is_held for lead in open_leads):
                instants += [_quarter(now) + QUARTER]
                instants += [lead.offered_until for lead in open_leads if lead.is_held and lead.offered_until]
            now = min(instants)
            if not arrivals and now > end:
                return
            self._pass(now)
            while arrivals and arrivals[0][0] == now:
                self._arrive(arrivals.pop(0)[1], now)
                self._pass(now)

    def _pass(self, now: datetime) -> None:
        for lead in self.leads:
            if lead.closed_at and lead.closed_at <= now and not lead.is_closed:
                lead.is_closed, lead.is_held = True, False
                if lead.agent:
                    lead.agent.open -= 1
        self._keep_told()
        self._release(now)
        self._keep_told()

    def _look(self, at: datetime) -> None:
        """Who is there, and whom only a cap keeps away: on regular shift, and on any."""
        people = self.agents.values()
        self.there = {kind: {a for a in people if a.is_available(at, kind)} for kind in (REGULAR, ON_CALL)}
        self.capped = {kind: {a for a in people if a.is_only_capped(at, kind)} for kind in (REGULAR, ON_CALL)}

    def _release(self, now: datetime) -> None:
        before, capped = self.there, self.capped
        self._look(now)
        on_shift = self.there[REGULAR] - before[REGULAR]
        anybody = (self.there[REGULAR] | self.there[ON_CALL]) - (before[REGULAR] | before[ON_CALL])
        for lead in self.leads:
            if not lead.is_held:
                continue
            if lead.offered_until:
                if lead.offered_until <= now:
                    lead.was_offered = True
                    self._try_again(lead, now, None)
                continue
            came = anybody & lead.target if lead.waits_for_anybody else on_shift & lead.target
            if any(a.is_available(now) or (lead.waits_for_anybody and a.is_available(now, ON_CALL)) for a in came):
                kept = capped[REGULAR] | capped[ON_CALL] if lead.waits_for_anybody else capped[REGULAR]
                self._try_again(lead, now, kept)
        self._look(now)

    def _try_again(self, lead: Lead, now: datetime, capped: set[Agent] | None) -> None:
        decision = self._decide(lead, now)
        lead.reason, lead.rule = decision.reason, decision.rule
        if decision.outcome == "held":
            self._hold(lead, decision, now)
        elif decision.agent:
            if capped is not None and decision.outcome == "assigned":
                lead.reason = "cap_freed" if decision.agent in capped else "shift_started"
            self._assign(lead, decision, now)
        else:
            lead.outcome, lead.is_held = decision.outcome, False

    def _hold(self, lead: Lead, decision: Decision, now: datetime) -> None:
        lead.is_held, lead.target, lead.waits_for_anybody = True, decision.target, decision.waits_for_anybody
        lead.offered_until = now + OFFER if decision.reason == "claim" else None

    def _assign(self, lead: Lead, decision: Decision, now: datetime) -> None:
        assert decision.agent
        if lead.agent:
            lead.agent.open -= 1
        agent = lead.agent = decision.agent
        lead.is_held, lead.assigned_at, agent.last_assigned_at = False, now, now.timestamp()
        agent.open += 1
        for period in agent.periods(now).items():
            agent.counts[period] += 1
        self.got[agent] += 1

    def _person(self, row: dict[str, str]) -> tuple[Person, bool]:
        keys = [key for key in (row["visitor_id"] and "visitor " + row["visitor_id"], row["email"].lower()) if key]
        known = next((self.people[key] for key in keys if key in self.people), None)
        person = known or Person()
        for key in keys:
            self.people.setdefault(key, person)
        return person, known is not None

    def _arrive(self, row: dict[str, str], now: datetime) -> None:
        person, is_known = self._person(row)
        window = timedelta(hours=self.workspace["join_window"])
        facts = self._facts(row)
        last = person.leads[-1] if person.leads else None
        if last and not last.is_closed and now - last.received_at < window:
            self._join(last, facts, now)
            self.told.append((last, True, None))
            return
        closed_at = datetime.fromisoformat(row["closed_at"]).astimezone(UTC) if row["closed_at"] else None
        lead = Lead(len(self.leads), now, closed_at, facts | {"returning": is_known}, person)
        self.leads.append(lead)
        person.leads.append(lead)
        decision = self._decide(lead, now)
        self._settle(lead, decision, now)
        self.told.append((lead, False, None))

    def _join(self, lead: Lead, facts: dict[str, Any], now: datetime) -> None:
        agent, was_held, offered_until = lead.agent, lead.is_held, lead.offered_until
        if "channel" not in facts or (agent and self._has_channel(agent, facts)):
            return
        lead.facts = facts | {"returning": lead.facts["returning"]}
        lead.was_offered = lead.was_offered and was_held
        decision = self._decide(lead, now)
        if agent and decision.agent in (None, agent):
            return  # better somebody who cannot answer there than nobody
        self._settle(lead, decision, now)
        if was_held and decision.agent:
            lead.outcome = "held"
        if was_held and lead.offered_until and offered_until:
            lead.offered_until = offered_until

    def _settle(self, lead: Lead, decision: Decision, now: datetime) -> None:
        lead.outcome, lead.reason, lead.rule, lead.is_held = decision.outcome, decision.reason, decision.rule, False
        if decision.agent:
            self._assign(lead, decision, now)
        elif decision.outcome == "held":
            self._hold(lead, decision, now)

    def _state(self, lead: Lead) -> tuple[str, str, str, str, datetime | None]:
        if lead.is_held or not lead.agent:
            return lead.outcome, "", lead.rule, lead.reason, None
        return lead.outcome, lead.agent.slug, lead.rule, lead.reason, lead.assigned_at

    def _keep_told(self) -> None:
        """A row is final as soon as its lead waits no more."""
        for place, (lead, joined, kept) in enumerate(self.told):
            if kept is None and not lead.is_held:
                self.told[place] = (lead, joined, self._state(lead))
