"""What a change of the roster costs the next decision of another process.

One of 10,000 agents pauses, saved as the admin saves; another process, which has decided before, takes the next lead.
`roster_change` is what that decision waits and computes until it obeys: the statement that brings the change, the
patched snapshot, and the decision. That there is a change costs no look-up of its own: versions come with the key's.
Wall time, the best of several medians.
"""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from statistics import median
from time import perf_counter
from typing import IO, Any

from tests.bench import figure, repeat, say
from tests.bench.installation import ROOT, manage, on_servers

AGENTS = 10_000
TEAM_OF = 20
ROUNDS, CHANGES = 5, 9
MONDAY = datetime(2026, 3, 2, 12, tzinfo=UTC)


def run() -> None:
    with on_servers() as environment:
        manage(environment, "migrate", "--verbosity", "0")
        driver = [sys.executable, "-m", "tests.bench.roster", "change"]
        said = subprocess.run(driver, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True)
        repeat(said.stdout)


def change() -> None:
    """Make the people, pause one after the other, each of another team, and ask the other process each time."""
    from agents.models import Agent

    workspace_id, agents = _people()
    command = [sys.executable, "-m", "tests.bench.roster", "decide", str(workspace_id)]
    other = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert other.stdin is not None
    assert other.stdout is not None
    with other:
        compiled, *_ = (_asked(other.stdin, other.stdout, team=0, agent=0) for _ in range(2))
        medians, unchanged = [], []
        for round_ in range(ROUNDS):
            found = []
            for team in range(round_ * CHANGES, (round_ + 1) * CHANGES):
                agent = Agent.objects.get(pk=agents[team * TEAM_OF])
                agent.is_paused = True
                agent.save()
                found.append(_asked(other.stdin, other.stdout, team, agent.pk))
                unchanged.append(_asked(other.stdin, other.stdout, team, agent.pk))
            medians.append(median(found))
        other.stdin.close()
    say(f"{AGENTS} agents in teams of {TEAM_OF}: {compiled:.0f} ms where nothing is kept, {median(unchanged):.2f} ms")
    say(f"where nothing changed; medians after a change {', '.join(f'{each:.2f}' for each in medians)} ms")
    figure("roster_change", min(medians), "ms")


def _asked(into: IO[str], out: IO[str], team: int, agent: int) -> float:
    """Milliseconds that the other process took for a lead of a team, having seen that somebody of it is paused."""
    into.write(f"{team} {agent}\n")
    into.flush()
    took, seen = out.readline().split()
    if seen == "chosen":
        raise RuntimeError("the other process gave a lead to somebody who had paused")
    return float(took)


def decide_for_others(workspace_id: int) -> None:
    """The other process: takes leads for as long as it is asked."""
    from agents.models import Workspace
    from routing.engine import Facts, Request, decide
    from routing.facts import language_tag
    from routing.snapshots import snapshot

    for line in sys.stdin:
        team, agent = map(int, line.split())
        request = Request(Facts({"attributes.team": str(team), "channel": "form"}, language_tag("en")))
        # They come with the look-up of the site's key, whether anything has changed or not.
        versions = Workspace.objects.values("policy_version", "roster_version").get(pk=workspace_id)
        started = perf_counter()
        decision = decide(request, snapshot(workspace_id=workspace_id, **versions), {}, {}, MONDAY)
        took = (perf_counter() - started) * 1000
        seen = {candidate.agent: candidate.verdict for candidate in decision.candidates}
        print(took, seen.get(agent, "elsewhere"), flush=True)


def _people() -> tuple[int, list[int]]:
    """A workspace of so many people, with rules that send a lead to the team it names."""
    from agents.models import Agent, Handle, Shift, Team, TeamMember, Workspace
    from agents.roster import one_change
    from routing.publishing import publish, replace_draft, roster_names
    from routing.rulebook import normalise_policy

    def rows(model: Any, found: list[dict[str, Any]]) -> list[Any]:
        return model.objects.bulk_create([model(workspace=workspace, **row) for row in found], batch_size=1_000)

    with one_change():
        workspace = Workspace.objects.create(slug="big", name="Big", plan="scale", languages=["en"])
        agents = rows(Agent, [{"slug": f"a{n}", "name": f"A{n}", "languages": ["en"]} for n in range(AGENTS)])
        teams = rows(Team, [{"slug": f"t{n}", "name": f"T{n}"} for n in range(AGENTS // TEAM_OF)])
        rows(TeamMember, [{"team": teams[n // TEAM_OF], "agent": agent} for n, agent in enumerate(agents)])
        rows(Handle, [{"agent": agent, "channel": "email", "value": "a@acme.test"} for agent in agents])
        hours = {"weekday": 0, "start_minute": 480, "end_minute": 1080}
        rows(Shift, [{"agent": agent, **hours} for agent in agents])
    rules = [
        {
            "name": f"To {team.slug}",
            "when": {"all": [{"field": "attributes.team", "op": "is", "value": str(number)}]},
            "route": {"to": {"team": team.slug}},
        }
        for number, team in enumerate(teams)
    ]
    document = normalise_policy({"rules": rules}, roster_names=roster_names(workspace))
    replace_draft(workspace, document)
    publish(workspace=workspace, by=None, at=MONDAY)
    return workspace.pk, [agent.pk for agent in agents]


if __name__ == "__main__":
    import django

    django.setup()
    if sys.argv[1] == "change":
        change()
    else:
        decide_for_others(int(sys.argv[2]))
