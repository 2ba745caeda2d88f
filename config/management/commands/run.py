"""Everything that an installation on one machine needs, in one command."""

import http.client
import io
import os
import socket
import sys

from django.apps import apps
from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command
from django.db import OperationalError, connections

from config.environment import Mode
from config.supervisor import Supervisor

DEMO_LOGINS = {"manager@demo.test": "/admin/", "agent@demo.test": "/inbox/", "ops@demo.test": "/reports/"}
PAGES = {"Admin": "/admin/", "Inbox": "/inbox/", "Demo page": "/demo/", "API": "/api/v1/docs/"}


class Command(BaseCommand):
    help = "Migrates, loads the demo into an empty embedded database, and runs web, worker and beat until Ctrl-C."
    requires_system_checks = ()  # migrate and the processes run them

    def handle(self, *args: object, **options: object) -> None:
        try:
            self._prepare()
            Supervisor(commands(), say=self._say).run(poll=Welcome(self._say))
        except CommandError as refusal:
            self.stderr.write(str(refusal))
            sys.exit(refusal.returncode)
        except KeyboardInterrupt:
            sys.exit(130)
        self._say("Switchyard has stopped.")

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()

    def _prepare(self) -> None:
        require_free_port()
        where = f"data in {os.path.relpath(settings.VAR_DIR)}" if settings.EMBEDDED_DATABASE else "on your database"
        self._say(f"Switchyard ({settings.MODE}, {where})")
        try:
            call_command("migrate", verbosity=0, interactive=False)
        except OperationalError as problem:
            raise CommandError(
                f"The database does not answer: {str(problem).strip()}\nIs it running, and is DATABASE_URL right?",
                returncode=2,
            ) from None
        if settings.EMBEDDED_DATABASE and settings.BIND_ADDRESS == "127.0.0.1":
            self._show_demo()
        connections.close_all()

    def _show_demo(self) -> None:
        workspaces = apps.get_model("agents", "Workspace").objects
        if not workspaces.exists():
            self._say("Loading the demo workspace ...")
            call_command("load_demo", stdout=io.StringIO())
        elif workspaces.filter(slug="demo").exists():
            call_command("load_demo", stdout=io.StringIO())  # another PORT than last time is another origin
        password = settings.VAR_DIR / "demo_password"
        if password.exists():
            for email, path in DEMO_LOGINS.items():
                self._say(f"login {email} {password.read_text().strip()} {settings.PUBLIC_URL}{path}")


class Welcome:
    """Says once, as soon as the web process answers, where to find everything."""

    def __init__(self, say) -> None:
        self.say = say
        self.is_said = False

    def __call__(self) -> None:
        if self.is_said:
            return
        web = http.client.HTTPConnection("127.0.0.1", settings.PORT, timeout=1)
        try:
            web.request("GET", "/healthz")
            web.getresponse()
        except (OSError, http.client.HTTPException):
            return
        finally:
            web.close()
        self.is_said = True
        self.say("")
        for name, path in PAGES.items():
            self.say(f"  {name:<10} {settings.PUBLIC_URL}{path}")
        self.say(f"\nSwitchyard serves on http://{settings.BIND_ADDRESS}:{settings.PORT} (Ctrl-C stops it)")


def require_free_port() -> None:
    """Raises CommandError where the port is taken: gunicorn would try for a while, and say it in its log."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.BIND_ADDRESS, settings.PORT))
        except OSError as problem:
            raise CommandError(
                f"Port {settings.PORT} cannot be used ({problem.strerror}): "
                f"stop what uses it, or choose another one, as in PORT={settings.PORT + 1} make run.",
                returncode=2,
            ) from None


def commands() -> dict[str, list[str]]:
    """The command line of each process."""
    # Containers run everything as root, and celery would scold at every start.
    celery = [
        sys.executable,
        "-W",
        "ignore::UserWarning:celery.platforms",
        "-m",
        "celery",
        "--quiet",
        "-A",
        "config",
    ]
    embedded = settings.MODE is not Mode.PRODUCTION
    web = [
        *(sys.executable, "-m", "gunicorn", "config.wsgi:application"),
        *("--bind", f"{settings.BIND_ADDRESS}:{settings.PORT}"),
        *("--worker-class", "config.web_worker.BalancedThreadWorker", "--threads", "12"),
        *("--workers", os.environ.get("WEB_CONCURRENCY", "2")),
        *("--keep-alive", "15", "--graceful-timeout", "8", "--log-level", "warning", "--no-control-socket"),
        *("--forwarded-allow-ips", ",".join(str(network) for network in settings.TRUSTED_PROXIES)),
    ]
    worker = [
        *(*celery, "worker", "--loglevel", "warning", "--concurrency", "1" if embedded else "2"),
        *("--without-gossip", "--without-mingle", "--without-heartbeat"),
    ]
    beat = [*celery, "beat", "--loglevel", "warning", "--pidfile="]
    return {"web": web, "worker": worker, "beat": beat}
