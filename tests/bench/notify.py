"""How long an agent waits for the notification of their lead: from the commit to the mail server having the message.

Leads come at a steady pace, as the sites of many customers send them; worker and beat are those of `make run`. The
mail server is one on this machine that takes everything.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import AbstractContextManager
from statistics import median, quantiles

from aiosmtpd.controller import Controller

from tests.bench import figure, say
from tests.bench.installation import ROOT, embedded, manage, on_servers, running

LEADS_A_SECOND = 20
SECONDS = 60
WARM_UP_S = 5  # the first leads wake processes that have just started
AGENTS = 100
LATE_AFTER_S = 60.0


class _Mailbox:
    """Keeps when each message came, by its Message-ID."""

    def __init__(self) -> None:
        self.came_at: dict[str, float] = {}
        self.repeated = 0
        self._lock = threading.Lock()

    async def handle_DATA(self, server: object, session: object, envelope: object) -> str:  # noqa: N802 - aiosmtpd's
        now = time.time()
        for line in bytes(envelope.content).split(b"\r\n\r\n", 1)[0].splitlines():  # type: ignore[attr-defined]
            if line.lower().startswith(b"message-id:"):
                name = line.split(b":", 1)[1].strip(b" <>").split(b"@")[0].decode()
                with self._lock:
                    self.repeated += name in self.came_at
                    self.came_at.setdefault(name, now)
        return "250 OK"


def run() -> None:
    _measure("redis", on_servers(), workers=2)
    _measure("embedded", embedded(), workers=1)


def _measure(name: str, installation: AbstractContextManager[dict[str, str]], *, workers: int) -> None:
    mailbox = _Mailbox()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    mail = Controller(mailbox, hostname="127.0.0.1", port=port, ready_timeout=30)
    mail.start()
    try:
        with installation as environment:
            environment = environment | {"EMAIL_URL": f"smtp://127.0.0.1:{port}"}
            manage(environment, "migrate", "--verbosity", "0")
            with running(environment, workers=workers):
                driver = [sys.executable, "-m", "tests.bench.notify"]
                sent = subprocess.run(driver, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
                committed = json.loads(sent.stdout.splitlines()[-1])
                deadline = time.monotonic() + LATE_AFTER_S
                while not mailbox.came_at.keys() >= committed.keys() and time.monotonic() < deadline:
                    time.sleep(0.1)
    finally:
        mail.stop()
    waits = [mailbox.came_at[row] - at for row, at in committed.items() if row in mailbox.came_at]
    missing = len(committed) - len(waits)
    say(f"{name}: {len(waits)} messages, {missing} missing, {mailbox.repeated} repeated, median {median(waits):.2f} s")
    figure(f"notify_p95_{name}", quantiles(waits, n=20)[18], "s")
    figure(f"notify_missing_{name}", missing, "messages")


def drive() -> dict[str, float]:
    """Hand in leads at the pace, in the installation of this environment. When each message was committed."""
    import django

    django.setup()
    from django.db import connection
    from django.utils import timezone

    from leads.models import Outbox
    from tests.leads.world import make_world, person

    world = make_world(*(person(f"p{number}", email=f"p{number}@acme.test") for number in range(AGENTS)))
    door = world.door()
    committed: dict[str, float] = {}
    started = time.monotonic()
    for number in range(LEADS_A_SECOND * SECONDS):
        due = started + number / LEADS_A_SECOND
        time.sleep(max(0.0, due - time.monotonic()))
        accepted = world.send(at=timezone.now(), door=door, email=f"v{number}@mail.test", message="Hello")
        if time.monotonic() - started > WARM_UP_S:
            committed[str(accepted.lead_id)] = time.time()
    late = time.monotonic() - started - SECONDS
    sys.stderr.write(f"# {LEADS_A_SECOND * SECONDS} leads in {SECONDS + late:.1f} s on {connection.vendor}\n")
    rows = Outbox.objects.filter(kind="assigned").values_list("payload", "message_id")
    ids = {payload["lead"]: str(message_id) for payload, message_id in rows}
    return {ids[lead]: at for lead, at in committed.items()}


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    print(json.dumps(drive()))
