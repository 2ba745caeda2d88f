"""The environment decides; what cannot work or is unsafe is refused with a sentence that says what to set."""

import ipaddress
import os
import runpy
import stat
import subprocess
import sys
import zoneinfo
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.environment import Mode, Rate, secret_key

ROOT = Path(__file__).resolve().parents[2]
SECRET = "kZ8vT2qLx7RwNf4jHs9pBd3mYc6gUa1eXoQiW5tVnPzKbJ0rMl"
PRODUCTION = {
    "DATABASE_URL": "postgres://switchyard:hunter2@db.example.com:5432/switchyard",
    "SECRET_KEY": SECRET,
    "ALLOWED_HOSTS": "leads.example.com",
    "PUBLIC_URL": "https://leads.example.com",
}


@pytest.fixture
def load(monkeypatch, tmp_path):
    """Reads the settings under an environment that holds nothing else of ours."""
    names = [line.split("=")[0].strip("# ") for line in (ROOT / ".env.example").read_text().splitlines() if "=" in line]

    def load(**environment):
        for name in names:
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("VAR_DIR", str(tmp_path / "var"))
        monkeypatch.setenv("ENV_FILE", os.devnull)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(ROOT / "config" / "settings.py"))

    return load


def refusal(load, **environment):
    with pytest.raises(ImproperlyConfigured) as refused:
        load(**environment)
    return str(refused.value)


class TestEmbedded:
    def test_needs_no_environment(self, load, tmp_path):
        settings = load()

        assert settings["MODE"] is Mode.EMBEDDED
        assert settings["DATABASES"]["default"]["NAME"] == tmp_path / "var" / "switchyard.sqlite3"
        assert settings["CELERY_BROKER_URL"].startswith("filesystem://")
        assert settings["PUBLIC_URL"] == "http://127.0.0.1:8000"
        assert settings["DEBUG"] is False

    def test_serves_this_machine_alone(self, load):
        settings = load(PORT="8123")

        assert settings["BIND_ADDRESS"] == "127.0.0.1"
        assert settings["ALLOWED_HOSTS"] == ["localhost", "127.0.0.1", "[::1]"]
        assert settings["PUBLIC_URL"] == "http://127.0.0.1:8123"

    def test_keeps_its_secret_and_lets_nobody_else_read_it(self, load, tmp_path):
        first, second = load()["SECRET_KEY"], load()["SECRET_KEY"]

        assert first == second
        assert len(first) > 50
        assert stat.S_IMODE((tmp_path / "var" / "secret_key").stat().st_mode) == 0o600
        assert stat.S_IMODE((tmp_path / "var").stat().st_mode) == 0o700

    def test_agrees_on_one_secret_though_many_start_at_once(self, tmp_path):
        with ThreadPoolExecutor(8) as threads:
            secrets = list(threads.map(lambda _: secret_key("", mode=Mode.EMBEDDED, var_dir=tmp_path), range(8)))

        assert len(set(secrets)) == 1
        assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]

    def test_sqlite_admits_one_writer_at_a_time_and_waits_for_them(self, load):
        options = load()["DATABASES"]["default"]["OPTIONS"]

        assert options["transaction_mode"] == "IMMEDIATE"
        assert options["timeout"] == 20
        assert "journal_mode=WAL" in options["init_command"]
        assert "synchronous=NORMAL" in options["init_command"]


class TestDevelopment:
    def test_is_on_whatever_database_is_named(self, load):
        settings = load(DEBUG="true", DATABASE_URL="postgres://postgres@127.0.0.1/dev")

        assert settings["MODE"] is Mode.DEVELOPMENT
        assert settings["DATABASES"]["default"]["NAME"] == "dev"
        assert settings["BIND_ADDRESS"] == "127.0.0.1"

    def test_false_is_not_debugging(self, load):
        assert load(DEBUG="false")["MODE"] is Mode.EMBEDDED
        assert load(DEBUG="0", **PRODUCTION)["MODE"] is Mode.PRODUCTION

    def test_a_debug_that_is_neither_is_refused(self, load):
        assert "set it to true or false" in refusal(load, DEBUG="maybe")


class TestProduction:
    def test_starts_with_everything_set(self, load):
        settings = load(**PRODUCTION)

        assert settings["MODE"] is Mode.PRODUCTION
        assert settings["BIND_ADDRESS"] == "0.0.0.0"
        assert settings["DATABASES"]["default"]["CONN_MAX_AGE"] is None
        assert settings["DATABASES"]["default"]["CONN_HEALTH_CHECKS"] is True

    @pytest.mark.parametrize("name", ["SECRET_KEY", "ALLOWED_HOSTS", "PUBLIC_URL"])
    @pytest.mark.parametrize("left", ["unset", "empty"])
    def test_refuses_to_start_without(self, load, name, left):
        environment = {key: value for key, value in PRODUCTION.items() if key != name}
        if left == "empty":
            environment[name] = ""

        assert f"{name}: set it to" in refusal(load, **environment) or f"set {name} to" in refusal(load, **environment)

    def test_is_production_on_sqlite_too(self, load):
        assert "SECRET_KEY" in refusal(load, DATABASE_URL="sqlite:////tmp/leads.sqlite3")

    @pytest.mark.parametrize("secret", ["secret", "a" * 60])
    def test_refuses_a_secret_that_can_be_guessed(self, load, secret):
        assert "can be guessed" in refusal(load, **{**PRODUCTION, "SECRET_KEY": secret})

    def test_refuses_every_host(self, load):
        assert "ALLOWED_HOSTS" in refusal(load, **{**PRODUCTION, "ALLOWED_HOSTS": "leads.example.com,*"})

    def test_answers_to_its_own_names_and_to_probes_on_this_machine(self, load):
        assert load(**PRODUCTION)["ALLOWED_HOSTS"] == ["leads.example.com", "localhost", "127.0.0.1", "[::1]"]

    def test_sends_cookies_over_https_only_where_that_is_the_address(self, load):
        assert load(**PRODUCTION)["SESSION_COOKIE_SECURE"] is True
        assert load(**PRODUCTION)["CSRF_COOKIE_SECURE"] is True
        assert load(**{**PRODUCTION, "PUBLIC_URL": "http://leads.example.com"})["SESSION_COOKIE_SECURE"] is False


class TestValues:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("PORT", "http"),
            ("PORT", "0"),
            ("PORT", "70000"),
            ("PUBLIC_URL", "leads.example.com"),
            ("PUBLIC_URL", "ftp://leads.example.com"),
            ("PUBLIC_URL", "https://leads.example.com/path"),
            ("PUBLIC_URL", "https://leads.example.com:port"),
            ("REDIS_URL", "localhost:6379"),
            ("DATABASE_URL", "leads"),
            ("DATABASE_URL", "mysql://db/leads"),
            ("DATABASE_URL", "postgres://db.example.com"),
            ("DATABASE_URL", "postgres://switchyard:hunter2@db:port/leads"),
            ("EMAIL_URL", "mail.example.com"),
            ("TRUSTED_PROXIES", "10.0.0.0/8,proxy"),
            ("TRUSTED_PROXIES", "10.1.2.3/8"),
            ("TRUSTED_PROXIES", "0.0.0.0/0"),
            ("TRUSTED_PROXIES", "::/0"),
            ("THROTTLE_WIDGET", "30/min"),
            ("THROTTLE_WIDGET", "30,600"),
            ("THROTTLE_WIDGET", "0/min,600/min"),
            ("THROTTLE_WIDGET", "30/min,600/fortnight"),
            ("THROTTLE_API", "fast"),
            ("THROTTLE_API", "-1/min"),
            ("GEOIP_CITY_DB", "/no/such/file.mmdb"),
            ("GEOIP_COUNTRY_DB", "/no/such/file.mmdb"),
            ("VAR_DIR", "/dev/null/var"),
        ],
    )
    def test_that_cannot_work_are_refused_by_name(self, load, name, value):
        sentence = refusal(load, **{name: value})

        assert name in sentence
        assert "set" in sentence
        assert "hunter2" not in sentence

    def test_proxies_are_networks(self, load):
        settings = load(TRUSTED_PROXIES="10.0.0.0/8, 192.168.1.7,2001:db8::/32")

        assert settings["TRUSTED_PROXIES"] == [
            ipaddress.ip_network("10.0.0.0/8"),
            ipaddress.ip_network("192.168.1.7/32"),
            ipaddress.ip_network("2001:db8::/32"),
        ]
        assert load()["TRUSTED_PROXIES"] == []

    def test_limits_have_defaults_and_can_be_switched_off(self, load):
        settings = load()
        assert settings["THROTTLE_WIDGET"] == (Rate(30, 60), Rate(600, 60))
        assert settings["THROTTLE_API"] == (Rate(600, 60),)

        settings = load(THROTTLE_WIDGET="5/s,1000/h", THROTTLE_API="off")
        assert settings["THROTTLE_WIDGET"] == (Rate(5, 1), Rate(1000, 3600))
        assert settings["THROTTLE_API"] is None

    def test_mail_goes_where_the_url_says(self, load):
        settings = load(EMAIL_URL="smtp+tls://me:hunter2@mail.example.com:587")

        assert settings["EMAIL_HOST"] == "mail.example.com"
        assert settings["EMAIL_USE_TLS"] is True

    def test_come_from_the_env_file_where_the_environment_has_none(self, load, tmp_path):
        (tmp_path / "env").write_text("PORT=8111\nTHROTTLE_API=off\n")

        settings = load(ENV_FILE=str(tmp_path / "env"), PORT="8222")

        assert settings["PORT"] == 8222
        assert settings["THROTTLE_API"] is None
        os.environ.pop("THROTTLE_API")

    def test_all_stand_in_the_example(self):
        example = (ROOT / ".env.example").read_text()
        read = (ROOT / "config" / "settings.py").read_text()

        names = {part.split('"')[1] for part in read.split("env.")[1:] if part.startswith(("str(", "list("))}
        assert {"DATABASE_URL", "SECRET_KEY", "TRUSTED_PROXIES"} <= names
        assert [name for name in sorted(names | {"DEBUG"}) if f"{name}=" not in example] == []


class TestTasks:
    def test_survive_a_killed_worker(self, load):
        settings = load(REDIS_URL="redis://127.0.0.1:6379/0")

        assert settings["CELERY_TASK_ACKS_LATE"] is True
        assert settings["CELERY_TASK_REJECT_ON_WORKER_LOST"] is True
        assert settings["CELERY_WORKER_PREFETCH_MULTIPLIER"] == 1

    def test_end_before_the_broker_hands_them_to_another_worker(self, load):
        settings = load(REDIS_URL="redis://127.0.0.1:6379/0")

        visible_again_s = settings["CELERY_BROKER_TRANSPORT_OPTIONS"]["visibility_timeout"]
        assert settings["CELERY_TASK_SOFT_TIME_LIMIT"] < settings["CELERY_TASK_TIME_LIMIT"] < visible_again_s

    def test_sweep_every_second_and_do_not_pile_up(self, load):
        entry = load()["CELERY_BEAT_SCHEDULE"]["sweep"]

        assert entry["task"] == "leads.tasks.sweep"
        assert entry["schedule"].total_seconds() == 1
        assert entry["options"]["expires"] < 10


def test_a_refusal_is_one_sentence_without_a_traceback():
    environment = {"PATH": os.environ["PATH"], "ENV_FILE": os.devnull, "DATABASE_URL": "postgres://db/leads"}

    done = subprocess.run(
        [sys.executable, "manage.py", "check"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    assert done.stderr.startswith("Switchyard cannot start: ")
    assert done.stderr.count("\n") == 1
    assert "SECRET_KEY" in done.stderr


def test_zones_come_from_the_pinned_package():
    assert zoneinfo.TZPATH == ()
    assert zoneinfo.ZoneInfo("Europe/Madrid").key == "Europe/Madrid"


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_the_lock_pins_by_hash_and_names_no_address(name):
    lines = (ROOT / name).read_text().splitlines()
    pinned = [line for line in lines if not line.startswith(" ")]

    assert len(pinned) > 30
    assert all("==" in line and line.endswith("\\") for line in pinned)
    assert all(line.strip().startswith("--hash=sha256:") for line in lines if line.startswith(" "))
    assert "://" not in "\n".join(lines)


def test_the_runtime_lock_is_part_of_the_one_for_development():
    def pins(name):
        return {line.split(" ")[0] for line in (ROOT / name).read_text().splitlines() if not line.startswith(" ")}

    assert pins("requirements.lock") <= pins("requirements-dev.lock")
    assert any(pin.startswith("gunicorn==") for pin in pins("requirements.lock"))
