"""What a hundred servers that hang cost everybody else: how late the webhooks of those that answer are."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from statistics import median, quantiles

from tests.bench import figure, say
from tests.bench.installation import ROOT, embedded, manage

ENDPOINTS = 100  # that hang, and as many that answer
LEADS = 20
LEADS_A_SECOND = 0.5
AT_MOST_S = 120


def run() -> None:
    with embedded() as environment:
        environment = environment | {"ALLOW_LOOPBACK_WEBHOOKS": "true"}
        manage(environment, "migrate", "--verbosity", "0")
        for name, hung in (("alone", 0), ("beside_hung", ENDPOINTS)):
            driver = [sys.executable, "-m", "tests.bench.hung", str(hung)]
            said = subprocess.run(driver, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
            waits = json.loads(said.stdout.splitlines()[-1])
            say(f"{name}: {len(waits)} of {LEADS * ENDPOINTS} delivered, median {median(waits):.2f} s")
            figure(f"webhook_p95_{name}", quantiles(waits, n=20)[18], "s")


@contextmanager
def _answering(came: dict[str, float]) -> Iterator[int]:
    class Taking(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            came.setdefault(self.headers["webhook-id"], time.time())
            self.send_response(204)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 256

    server = Server(("127.0.0.1", 0), Taking)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()


@contextmanager
def _hanging() -> Iterator[int]:
    """Takes every connection, and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=1_024) as listening:
        held: list[socket.socket] = []

        def take() -> None:
            while True:
                try:
                    held.append(listening.accept()[0])
                except OSError:
                    return

        threading.Thread(target=take, daemon=True).start()
        yield listening.getsockname()[1]


def drive(hung: int) -> list[float]:
    """Sweeps as beat does while leads come in. How long after its lead each delivery that arrived did."""
    import django

    django.setup()
    from django.utils import timezone

    from leads import outbox
    from leads.models import Outbox
    from leads.notifying import webhooks
    from leads.tasks import PATIENCE_S
    from tests.leads.world import make_world, person

    came: dict[str, float] = {}
    world = make_world(person("ana"), slug=f"acme-{hung}")
    with _answering(came) as well_port, _hanging() as hung_port:
        # Those that hang come first, so that they are first in line, too.
        for port, count in ((hung_port, hung), (well_port, ENDPOINTS)):
            for number in range(count):
                url = f"http://127.0.0.1:{port}/{number}"
                at = timezone.now()
                webhooks.make_endpoint(workspace=world.workspace, url=url, events=["lead.assigned"], at=at)
        door, sent, started = world.door(), 0, time.monotonic()
        while len(came) < LEADS * ENDPOINTS and time.monotonic() - started < AT_MOST_S:
            swept = time.monotonic()
            while sent < min(LEADS, (swept - started) * LEADS_A_SECOND):
                world.send(at=timezone.now(), door=door, email=f"v{sent}@mail.test")
                sent += 1
            webhooks.expand(at=timezone.now())
            outbox.drain(at=timezone.now(), patience_s=PATIENCE_S)
            time.sleep(max(0.0, swept + 1 - time.monotonic()))
        rows = Outbox.objects.filter(kind=webhooks.KIND, workspace=world.workspace)
        happened = {f"msg_{row.message_id.hex}": row.payload["happened_at"] for row in rows}
    return [at - datetime.fromisoformat(happened[name]).timestamp() for name, at in came.items()]


if __name__ == "__main__":
    print(json.dumps(drive(int(sys.argv[1]))), flush=True)
    os._exit(0)  # those that hang still hold threads; nobody waits for them
