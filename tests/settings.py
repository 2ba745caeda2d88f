"""The product's settings, as a development installation whose files live and die with the test run."""

import atexit
import os
import shutil
import tempfile

from tests import services  # noqa: F401 - reads REDIS_URL before it is taken away

os.environ["ENV_FILE"] = os.devnull  # a developer's own .env must not decide what is tested
os.environ["DEBUG"] = "true"
for _name in ("SECRET_KEY", "ALLOWED_HOSTS", "PUBLIC_URL", "PORT", "TRUSTED_PROXIES", "EMAIL_URL", "REDIS_URL",
              "GEOIP_CITY_DB", "GEOIP_COUNTRY_DB", "THROTTLE_WIDGET", "THROTTLE_API", "EMAIL_FROM", "VAPID_PRIVATE_KEY",
              "WHATSAPP_TOKEN", "WHATSAPP_PHONE_NUMBER_ID", "WHATSAPP_TEMPLATE", "TELEGRAM_BOT_TOKEN",
              "ALLOW_LOOPBACK_WEBHOOKS"):  # fmt: skip
    os.environ.pop(_name, None)
if "PYTEST_XDIST_WORKER" not in os.environ:  # its workers share the controller's folder
    os.environ["VAR_DIR"] = tempfile.mkdtemp(prefix="switchyard-tests-")
    atexit.register(shutil.rmtree, os.environ["VAR_DIR"], ignore_errors=True)

from config.settings import *  # noqa: E402, F403

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):  # noqa: F405
    # A file, as in production: in memory, threads would share what they must fight for.
    DATABASES["default"]["TEST"] = {  # noqa: F405
        "NAME": VAR_DIR / f"test-{os.getpid()}.sqlite3",  # noqa: F405
        "MIGRATE": "TABLES_FROM_MODELS" not in os.environ,
    }
else:
    # Tests outlive no power failure, and in tables of a few rows nothing is worth compiling.
    DATABASES["default"].setdefault("OPTIONS", {})["options"] = "-c synchronous_commit=off -c jit=off"  # noqa: F405
DATABASES["default"]["CONN_MAX_AGE"] = 0  # noqa: F405 - threads of a live server would keep theirs past the run
SECRET_KEY = "for tests only, and long enough to sign with"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
CELERY_BROKER_URL = "memory://"
CELERY_BROKER_TRANSPORT_OPTIONS: dict = {}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
