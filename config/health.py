"""Is this process alive, and is the installation doing its work? For load balancers and for whoever watches."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from config.celery import app

# The sweeper works every second; rows are done within seconds of being due. Later than this and somebody should look.
HEARTBEAT_LIMIT = timedelta(seconds=30)
OVERDUE_LIMIT = timedelta(seconds=60)
# The watchdog looks every few minutes.
WATCHDOG_LIMIT = timedelta(minutes=15)

log = logging.getLogger(__name__)


class Failing(Exception):
    """A part of the installation does not do its work; says which and how, for an operator to read."""


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """This process answers. Asks nothing of the database, so that a database restart does not restart the web."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 where every part works, else 503 with the parts that do not.

    Leads are taken as long as the database answers: do not let a load balancer turn visitors away
    because of the broker or the sweeper.
    """
    now = timezone.now()
    checks: dict[str, Callable[[], dict]] = {
        "database": _database,
        "broker": _broker,
        "sweeper": lambda: _sweeper(now),
        "due": lambda: _due(now),
        "watchdog": lambda: _watchdog(now),
    }
    report = {}
    for name, check in checks.items():
        try:
            report[name] = {"status": "ok", **check()}
        except Failing as failing:
            report[name] = {"status": "failing", "detail": str(failing)}
        except Exception as exc:
            log.warning("The %s check failed: %s", name, exc)
            report[name] = {"status": "failing", "detail": f"no answer ({type(exc).__name__})"}
    ready = all(part["status"] == "ok" for part in report.values())
    return JsonResponse({"status": "ok" if ready else "failing", "checks": report}, status=200 if ready else 503)


def _database() -> dict:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return {}


def _broker() -> dict:
    with app.connection_for_write() as broker:
        broker.ensure_connection(max_retries=1, interval_start=0, timeout=2)
    return {}


def _sweeper(now: datetime) -> dict:
    from leads import selectors

    beat_at = selectors.sweeper_heartbeat_at()
    if beat_at is None:
        raise Failing("the sweeper has not run yet: are worker and beat running?")
    age = max(now - beat_at, timedelta())
    if age > HEARTBEAT_LIMIT:
        raise Failing(f"the sweeper last ran {age.total_seconds():.0f} s ago: are worker and beat running?")
    return {"age_s": round(age.total_seconds(), 1)}


def _due(now: datetime) -> dict:
    from leads import selectors

    due_at = selectors.oldest_due_at()
    age = max(now - due_at, timedelta()) if due_at else timedelta()
    if age > OVERDUE_LIMIT:
        raise Failing(f"the oldest due row has waited {age.total_seconds():.0f} s")
    return {"oldest_s": round(age.total_seconds(), 1)}


def _watchdog(now: datetime) -> dict:
    from leads import watchdog

    looked_at = watchdog.looked_at()
    if looked_at is None:
        raise Failing("the watchdog has not looked yet: are worker and beat running?")
    age = max(now - looked_at, timedelta())
    if age > WATCHDOG_LIMIT:
        raise Failing(f"the watchdog last looked {age.total_seconds():.0f} s ago: are worker and beat running?")
    if found := watchdog.harm_done():
        raise Failing(f"{found} leads are not where they must be: see the findings, flagged for managers")
    return {"age_s": round(age.total_seconds(), 1)}
