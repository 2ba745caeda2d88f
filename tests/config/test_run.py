"""`manage.py run`, the command behind `make run`: one installation on one machine."""

import contextlib
import http.client
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import CommandError

from config.environment import Mode
from config.management.commands import run

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 90


@pytest.fixture
def taken_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class TestCommands:
    def test_serve_this_machine_alone_unless_in_production(self, settings):
        assert "127.0.0.1:8000" in run.commands()["web"]

        settings.MODE, settings.BIND_ADDRESS = Mode.PRODUCTION, "0.0.0.0"
        assert "0.0.0.0:8000" in run.commands()["web"]

    def test_believe_no_proxy_that_is_not_named(self, settings):
        def believed():
            web = run.commands()["web"]
            return web[web.index("--forwarded-allow-ips") + 1]

        assert believed() == ""
        settings.TRUSTED_PROXIES = ["10.0.0.0/8", "192.168.1.7/32"]
        assert believed() == "10.0.0.0/8,192.168.1.7/32"


def test_a_port_that_is_taken_is_refused_with_a_way_out(settings, taken_port):
    settings.PORT = taken_port

    with pytest.raises(
        CommandError, match=f"Port {taken_port} cannot be used.*PORT={taken_port + 1} make run"
    ) as refused:
        run.require_free_port()
    assert refused.value.returncode == 2


@pytest.fixture
def installation(tmp_path, free_port):
    """A running `manage.py run` of its own, whose lines can be read; its port; and its database."""
    environment = {
        "PATH": os.environ["PATH"],
        "ENV_FILE": os.devnull,
        "VAR_DIR": str(tmp_path / "var"),
        "PORT": str(free_port),
        "WEB_CONCURRENCY": "1",
        "PYTHONUNBUFFERED": "1",
    }
    process = subprocess.Popen(
        [sys.executable, "manage.py", "run"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    )
    stuck = threading.Timer(LIMIT_S, process.kill)  # what it started ends with it
    stuck.start()
    yield process, free_port, tmp_path / "var" / "switchyard.sqlite3"
    stuck.cancel()
    process.kill()
    process.wait()
    process.stdout.close()


def get(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response.status, body


def test_starts_a_whole_installation_from_nothing_and_stops_it_again(installation):
    process, port, database = installation
    lines = []
    for line in process.stdout:
        lines.append(line.rstrip())
        if "Ctrl-C stops it" in line:
            break

    logins = [line.split() for line in lines if line.startswith("login ")]
    assert [(email, url) for _, email, _, url in logins] == [
        ("manager@demo.test", f"http://127.0.0.1:{port}/admin/"),
        ("agent@demo.test", f"http://127.0.0.1:{port}/inbox/"),
        ("ops@demo.test", f"http://127.0.0.1:{port}/reports/"),
    ]
    assert len({password for _, _, password, _ in logins}) == 1
    assert f"  Admin      http://127.0.0.1:{port}/admin/" in lines
    assert get(port, "/healthz") == (200, b'{"status": "ok"}')
    assert get(port, "/admin/login/")[0] == 200
    while (ready := get(port, "/readyz"))[0] != 200:  # ends with the installation, at the latest
        assert json.loads(ready[1])["checks"]["database"]["status"] == "ok"
        threading.Event().wait(0.2)

    process.send_signal(signal.SIGINT)

    assert process.stdout.read().endswith("Switchyard has stopped.\n")
    assert process.wait() == 0
    with pytest.raises(ConnectionRefusedError):
        get(port, "/healthz")
    assert_tables_are_those_of_the_models(database)


def assert_tables_are_those_of_the_models(database):
    """To change a table, SQLite makes it anew; what a migration does not know of is lost."""
    with contextlib.closing(sqlite3.connect(database)) as found:
        made = dict(found.execute("SELECT tbl_name, group_concat(sql, ';') FROM sqlite_master GROUP BY tbl_name"))
    lost = [
        (model._meta.label, name)
        for model in apps.get_models(include_auto_created=True)
        for name in (
            *(column.column for column in model._meta.local_concrete_fields),
            *(rule.name for rule in (*model._meta.constraints, *model._meta.indexes)),
        )
        if f'"{name}"' not in made[model._meta.db_table]
    ]
    assert lost == []
