"""The four trials. Each hands in leads while something is taken away, and holds what came of it to its promise."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from django.db import connection

from tests.chaos.audit import check_leads, check_ledgers, check_mails, check_told, untold
from tests.chaos.figures import Figures, percentile
from tests.chaos.installation import Installation
from tests.chaos.mailbox import Mailbox
from tests.chaos.rush import Rush
from tests.chaos.servers import Postgres, Redis

TOLD_WITHIN_S = 120.0
ANSWERED_WITHIN_S = 1.0
_TICK_S = 0.02
_POSTGRES_AWAY_S = 1.0


@dataclass(frozen=True, slots=True)
class Scale:
    """How much of everything. `patience_s` bounds each trial; `is_full` False: nothing is said about speed."""

    leads: int
    kills: int
    whole_kills: int
    leads_without_redis: int
    leads_over_restarts: int
    restarts: int
    patience_s: float
    is_full: bool


FULL = Scale(2_000, 50, 10, 500, 600, 4, 600.0, is_full=True)
TENTH = Scale(200, 5, 1, 50, 60, 2, 120.0, is_full=False)
SHORT = Scale(100, 2, 1, 25, 40, 1, 60.0, is_full=False)
SCALES = {"full": FULL, "tenth": TENTH, "short": SHORT}


@dataclass(frozen=True, slots=True)
class Bench:
    """What a trial works with, and the rushes there have been."""

    scale: Scale
    figures: Figures
    installation: Installation
    postgres: Postgres
    redis: Redis
    mailbox: Mailbox
    api_key: str
    rushes: list[Rush] = field(default_factory=list)

    def rush(self, name: str, *, leads: int, clients: int) -> Rush:
        rush = Rush(name=name, port=self.installation.port, api_key=self.api_key, leads=leads, clients=clients)
        self.rushes.append(rush)
        return rush

    def watch(self, rush: Rush, *acts: Act) -> float:
        """Until every lead is taken and every act done as often as it is due. Returns how long it took, in seconds."""
        began = time.monotonic()
        rush.start()
        try:
            deadline = began + self.scale.patience_s
            while (rush.is_running or any(act.is_left for act in acts)) and time.monotonic() < deadline:
                for act in acts:
                    act.do_if_due(rush.progress)
                self.installation.tend()
                time.sleep(_TICK_S)
        finally:
            rush.stop()
        return time.monotonic() - began

    def say_answers(self, rush: Rush, took_s: float) -> None:
        name = rush.name
        self.figures.say(f"{name}_took", took_s, "s")
        self.figures.exactly(f"{name}_taken", len(rush.taken), "leads", wanted=rush.leads)
        self.figures.say(
            f"{name}_repeated_requests", sum(rush.statuses.values()) + rush.broken - len(rush.taken), "requests"
        )
        for status, count in sorted(rush.statuses.items()):
            self.figures.say(f"{name}_answers_{status}", count, "answers")
        self.figures.exactly(f"{name}_answers_that_explain_nothing", sum(rush.refused.values()), "answers", wanted=0)


@dataclass
class Act:
    """Something done `times` times, spread evenly over the leads. `do` says whether it could be done."""

    times: int
    do: Callable[[], bool]
    done: int = 0

    @property
    def is_left(self) -> bool:
        return self.done < self.times

    def do_if_due(self, progress: float) -> None:
        if self.is_left and progress >= (self.done + 0.5) / self.times * 0.95 and self.do():
            self.done += 1


def kills(bench: Bench) -> None:
    """Nothing is lost and nothing doubled, whoever is killed."""
    scale, figures, installation = bench.scale, bench.figures, bench.installation
    web = Act(scale.kills, installation.kill_web_worker)
    children = Act(scale.kills, installation.kill_celery_child)
    whole = Act(scale.whole_kills, installation.kill_whole_worker)
    rush = bench.rush("kills", leads=scale.leads, clients=32)

    took_s = bench.watch(rush, web, children, whole)

    bench.say_answers(rush, took_s)
    figures.say("kills_requests_cut_off", rush.broken, "requests")
    figures.exactly("kills_of_web_workers", web.done, "kills", wanted=scale.kills)
    figures.exactly("kills_of_celery_children", children.done, "kills", wanted=scale.kills)
    figures.exactly("kills_of_whole_workers", whole.done, "kills", wanted=scale.whole_kills)
    check_leads(figures, rush)
    check_ledgers(figures)


def postgres_restarts(bench: Bench) -> None:
    """No 2xx without a row; meanwhile clients are told to come back."""
    scale, figures, postgres = bench.scale, bench.figures, bench.postgres
    stops = [postgres.crash, postgres.shut_down] * scale.restarts

    def restart() -> bool:
        stops.pop()()
        time.sleep(_POSTGRES_AWAY_S)
        postgres.start()
        return True

    restarts = Act(scale.restarts, restart)
    rush = bench.rush("postgres", leads=scale.leads_over_restarts, clients=16)

    took_s = bench.watch(rush, restarts)
    connection.close()  # our own was cut, too

    bench.say_answers(rush, took_s)
    figures.exactly("postgres_restarts", restarts.done, "restarts", wanted=scale.restarts)
    figures.at_least("postgres_told_to_come_back", rush.statuses[503], "answers", limit=scale.restarts)
    figures.exactly("postgres_without_retry_after", rush.without_retry_after, "answers", wanted=0)
    figures.exactly("postgres_requests_cut_off", rush.broken, "requests", wanted=0)
    check_leads(figures, rush)
    check_ledgers(figures)


def kills_and_restarts(bench: Bench) -> None:
    """Both at once: web workers die in the middle of their writes while PostgreSQL is restarted in between."""
    scale, figures, postgres, installation = bench.scale, bench.figures, bench.postgres, bench.installation
    stops = [postgres.crash, postgres.shut_down] * scale.restarts

    def restart() -> bool:
        stops.pop()()
        postgres.start()
        return True

    restarts = Act(scale.restarts, restart)
    web = Act(scale.kills // 2, installation.kill_web_worker)
    rush = bench.rush("both", leads=scale.leads_over_restarts, clients=16)

    took_s = bench.watch(rush, restarts, web)
    connection.close()

    bench.say_answers(rush, took_s)
    figures.exactly("both_restarts", restarts.done, "restarts", wanted=scale.restarts)
    figures.exactly("both_kills_of_web_workers", web.done, "kills", wanted=scale.kills // 2)
    check_leads(figures, rush)
    check_ledgers(figures)


def redis_away(bench: Bench) -> None:
    """Leads are answered as ever, with an agent, who is told when Redis is back."""
    scale, figures, redis = bench.scale, bench.figures, bench.redis
    bench.watch(bench.rush("before", leads=40, clients=8))  # an installation at work, not one that just began
    redis.stop()
    rush = bench.rush("redis", leads=scale.leads_without_redis, clients=4)

    took_s = bench.watch(rush)

    bench.say_answers(rush, took_s)
    with_agent = sum(taken.status == 201 and taken.has_agent for taken in rush.taken)
    figures.exactly("redis_answered_201_with_agent", with_agent, "leads", wanted=rush.leads)
    p99 = percentile([taken.seconds for taken in rush.taken], 0.99)
    if scale.is_full:
        figures.below("redis_answer_p99", p99, "s", limit=ANSWERED_WITHIN_S)
    else:
        figures.say("redis_answer_p99", p99, "s")
    figures.say("redis_untold_while_away", untold("redis"), "leads")

    redis.start()
    back = time.monotonic()
    _until_told(bench, "redis")
    figures.below("redis_told_after", time.monotonic() - back, "s", limit=TOLD_WITHIN_S)
    check_leads(figures, rush)
    check_ledgers(figures)
    check_told(figures, rush, bench.mailbox.snapshot())


def settle(bench: Bench) -> None:
    """What whoever was killed had in hand is told, too, once their lease is over."""
    for rush in bench.rushes:
        _until_told(bench, rush.name)
    received = bench.mailbox.snapshot()
    for rush in bench.rushes:
        if rush.name != "redis":
            check_told(bench.figures, rush, received)
    check_mails(bench.figures, received)


def _until_told(bench: Bench, name: str) -> None:
    deadline = time.monotonic() + TOLD_WITHIN_S
    while untold(name) and time.monotonic() < deadline:
        bench.installation.tend()
        time.sleep(0.2)


TRIALS = {"kills": kills, "postgres": postgres_restarts, "both": kills_and_restarts, "redis": redis_away}
