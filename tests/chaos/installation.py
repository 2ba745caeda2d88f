"""The real web, worker and beat of this checkout, as in production, on loopback."""

from __future__ import annotations

import http.client
import os
import secrets
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from tests.chaos.processes import Process, free_port, kill

_START_S = 90.0
_STARTING_S = 4.0  # a worker that loses a child while it starts gives up, and would never get as far as a task
_UNSET = ("DEBUG", "EMAIL_FROM", "TRUSTED_PROXIES", "GEOIP_CITY_DB", "GEOIP_COUNTRY_DB", "VAPID_PRIVATE_KEY",
          "WHATSAPP_TOKEN", "WHATSAPP_PHONE_NUMBER_ID", "WHATSAPP_TEMPLATE", "TELEGRAM_BOT_TOKEN",
          "ALLOW_LOOPBACK_WEBHOOKS", "THROTTLE_WIDGET")  # fmt: skip

WORKSPACE = """
workspace: {slug: chaos, name: Chaos, timezone: Europe/Madrid, plan: scale, languages: [en, es], fallback_agent: a0}
agents:
"""
TEAMS = """
teams:
  - {slug: english, agents: [a0, a1, {agent: a2, weight: 2}, a3, a4]}
  - {slug: spanish, agents: [{agent: a3, weight: 3}, a4, a5, a6, a7]}
rules:
  - name: Spanish
    when: {all: [{field: language, op: is, value: es}]}
    route: {to: {team: spanish}}
  - name: Everybody else
    route: {to: {team: english}}
"""
AGENT = """\
  - slug: {slug}
    name: Agent {slug}
    email: {slug}@agents.test
    languages: [en, es]
    shifts: [{{days: [mon, tue, wed, thu, fri, sat, sun], start: 00:00, end: 24:00}}]
"""


def configure(*, folder: Path, database_url: str, redis_url: str, mail_port: int, web_workers: int) -> None:
    """Settings for this process and for those it starts: a production installation, nothing of the caller's."""
    port = free_port()
    os.environ.update(dict.fromkeys(_UNSET, ""))
    os.environ.update(
        {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "ENV_FILE": os.devnull,
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "VAR_DIR": str(folder),
            "SECRET_KEY": secrets.token_urlsafe(50),
            "ALLOWED_HOSTS": "chaos.test",
            "PUBLIC_URL": f"http://127.0.0.1:{port}",
            "PORT": str(port),
            "EMAIL_URL": f"smtp://127.0.0.1:{mail_port}",
            "THROTTLE_API": "off",
            "WEB_CONCURRENCY": str(web_workers),
        }
    )
    import django

    django.setup()


def furnish() -> str:
    """Migrate, load a workspace with two teams that share agents, always on shift. Returns an API key."""
    from django.core.management import call_command

    from agents.models import ApiKey, Workspace

    call_command("migrate", verbosity=0, interactive=False)
    agents = "".join(AGENT.format(slug=f"a{number}") for number in range(8))
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file, open(os.devnull, "w") as nowhere:
        file.write(WORKSPACE + agents + TEAMS)
        file.flush()
        call_command("load_workspace", file.name, stdout=nowhere)
    workspace = Workspace.objects.get(slug="chaos")
    return ApiKey.issue(workspace=workspace, name="chaos", scopes=["leads:write"])[1]


class Installation:
    """Web, worker and beat. Who was killed whole is started again by `tend`, as an operator's supervisor would."""

    def __init__(self, log: Path) -> None:
        from django.conf import settings

        from config.management.commands.run import commands

        settings.BIND_ADDRESS = "127.0.0.1"  # production serves the network; this run nobody else
        self.port: int = settings.PORT
        self.processes: Mapping[str, Process] = {
            name: Process(name, command, log) for name, command in commands().items()
        }
        self.web, self.worker = self.processes["web"], self.processes["worker"]

    def start(self) -> None:
        """Returns when the web answers and worker and beat have swept once."""
        for process in self.processes.values():
            process.start()
        deadline = time.monotonic() + _START_S
        while not self._is_ready():
            if time.monotonic() > deadline:
                raise RuntimeError(f"web, worker and beat were not ready within {_START_S:.0f} s")
            self.tend()
            time.sleep(0.2)

    def tend(self) -> int:
        """Start again what has ended; returns how many that were."""
        ended = [process for process in self.processes.values() if not process.is_running]
        for process in ended:
            process.kill()  # what it left behind
            process.start()
        return len(ended)

    def kill_web_worker(self) -> bool:
        """The oldest, which surely serves already. False: there is none."""
        workers = self.web.children
        return bool(workers) and kill(workers[0])

    def kill_celery_child(self) -> bool:
        children = self.worker.children if self.worker.age_s > _STARTING_S else []
        return bool(children) and kill(children[0])

    def kill_whole_worker(self) -> bool:
        if self.worker.age_s <= _STARTING_S:
            return False
        self.worker.kill()
        return True

    def stop(self) -> None:
        for process in self.processes.values():
            process.stop()

    def _is_ready(self) -> bool:
        web = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            web.request("GET", "/readyz")
            return web.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            web.close()
