"""What a decision costs, and finding the first rule that holds, beside two rule engines that people would pick.

All figures are CPU time of this one process, which computes and waits for nothing: what else the machine does shows
less. Each is the least of several rounds' medians, over leads none of which comes twice in a round.
"""

from __future__ import annotations

import gc
import json
import resource
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import version
from statistics import median
from time import process_time
from typing import Any, TypeVar

from routing.engine import EVEN, Ledger, Load, Outcome, Snapshot, decide
from tests.bench import figure, say
from tests.bench.installation import ROOT
from tests.bench.worlds import AT, conditions_of, leads_of, request_of, world_of

T = TypeVar("T")

COUNTS = (10, 100, 1_000, 10_000)
LEADS = 2_000
ROUNDS = 60
RIVALS = {"zen_table": 300, "rule_engine": 30}  # leads that each is asked about


def run() -> None:
    say(f"zen-engine {version('zen-engine')}, rule-engine {version('rule-engine')}")
    say(f"{LEADS} leads, of 10,000 agents in teams of 20; rules of 2 to 4 conditions; CPU time")
    ours: list[int | None] = []
    for count in COUNTS:
        rules = conditions_of(count)
        leads = leads_of(rules, LEADS)
        world, spent, grown = _built(lambda rules=rules: world_of(rules))  # type: ignore[misc]
        say(f"{count} rules: compiled in {spent:.2f} s, {grown:.0f} MB with the people")
        figure(f"match_{count}", match_us := _matching(world, leads), "us")
        if count in (COUNTS[0], COUNTS[-1]):
            figure(f"decide_{count}", _deciding(world, leads), "us")
        ours = [_first(world, lead) for lead in leads]
    for name, asked in RIVALS.items():
        theirs = _rival(name, asked)
        wrong = sum(one != other for one, other in zip(theirs["answers"], ours, strict=False))
        say(f"{name}: built in {theirs['built_s']:.1f} s, {theirs['grown_mb']:.0f} MB, {wrong} mismatches in {asked}")
        if wrong:
            raise AssertionError(f"{name} and we do not agree on {wrong} of {asked} leads")
        figure(f"{name}_10000", theirs["us"], "us")
        figure(f"match_10000_vs_{name}", theirs["us"] / match_us, "x")


def _matching(world: Snapshot, leads: Sequence[dict[str, str]]) -> float:
    """Microseconds to the first rule that holds, from the lead's plain values."""
    matching = world.policy.matching
    asked = [(request.facts.values, request.facts.language) for request in map(request_of, leads)]
    return _least(lambda: [next(matching(values, language)) for values, language in asked], len(asked))


def _deciding(world: Snapshot, leads: Sequence[dict[str, str]]) -> float:
    """Microseconds for a whole decision: every rule that matched, everybody asked with their reason, and the turn."""
    requests = [request_of(lead) for lead in leads]
    loads: dict[int, Load] = {}
    ledgers: dict[int, Ledger] = {}
    for request in requests:  # so that turns have a past, and loads something in them
        decision = decide(request, world, loads, ledgers, AT)
        if decision.turn is not None and decision.ledger is not None and decision.agent is not None:
            ledgers[decision.ledger] = ledgers.get(decision.ledger, EVEN).after(decision.turn)
            agent = world.roster.spec.agents[decision.agent]
            keys = world.roster.period_keys(agent.id, AT)
            loads[agent.id] = loads.get(agent.id, Load()).with_assignment(keys, AT)
    decisions = [decide(request, world, loads, ledgers, AT) for request in requests]
    people = [len(decision.candidates) for decision in decisions]
    given = sum(decision.outcome is Outcome.ASSIGNED for decision in decisions)
    say(f"decide: {given} of {len(decisions)} assigned, {sum(people) / len(people):.1f} people with their reasons")
    return _least(lambda: [decide(request, world, loads, ledgers, AT) for request in requests], len(requests))


def _first(world: Snapshot, lead: dict[str, str]) -> int | None:
    request = request_of(lead)
    rule = next(world.policy.matching(request.facts.values, request.facts.language))
    return None if rule is world.policy.rules[-1] else rule.position


def _least(work: Callable[[], Iterable[object]], times: int) -> float:
    """Microseconds of one of so many: the best round, after one that is not counted."""
    found = []
    gc.collect()
    for _ in range(ROUNDS + 1):
        started = process_time()
        work()
        found.append((process_time() - started) / times * 1e6)
    return min(found[1:])


def _built(build: Callable[[], T]) -> tuple[T, float, float]:
    """What was built, in how many seconds, and by how many MB the process grew."""
    before, started = _resident_mb(), process_time()
    built = build()
    return built, process_time() - started, _resident_mb() - before


def _resident_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _rival(name: str, asked: int) -> dict[str, Any]:
    """Ask another engine in a process of its own, so that its memory is its own."""
    command = [sys.executable, "-m", "tests.bench.engine", name, str(asked)]
    said = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    answer: dict[str, Any] = json.loads(said.stdout)
    return answer


def ask_rival(name: str, asked: int) -> dict[str, Any]:
    from tests.bench import rivals

    rules = conditions_of(COUNTS[-1])
    leads = leads_of(rules, LEADS)[:asked]
    build = {"zen_table": rivals.zen_table, "rule_engine": rivals.rule_engine_list}[name]
    first, spent, grown = _built(lambda: build(rules))
    answers, times = [], []
    for lead in leads:
        started = process_time()
        answers.append(first(lead))
        times.append((process_time() - started) * 1e6)
    return {"answers": answers, "us": median(times), "built_s": spent, "grown_mb": grown}


if __name__ == "__main__":
    print(json.dumps(ask_rival(sys.argv[1], int(sys.argv[2]))))
