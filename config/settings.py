"""All settings, from the environment; `.env` (or ENV_FILE) is read if present, `.env.example` lists everything.

DEBUG and DATABASE_URL unset: embedded, on this machine alone. DEBUG set: development, on whatever database is named.
DATABASE_URL set and not DEBUG: production, which does not start on settings that are unsafe.
"""

import os
import zoneinfo
from datetime import timedelta
from pathlib import Path
from typing import Any

import django_countries
import environ
from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE

from config import environment
from config.environment import Mode
from config.logs import one_line
from config.unfold import UNFOLD as UNFOLD

# Zones come from the pinned tzdata package: the system's data differ from machine to machine.
os.environ["PYTHONTZPATH"] = ""
zoneinfo.reset_tzpath(to=[])
zoneinfo.ZoneInfo.clear_cache()

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
_env_file = Path(os.environ.get("ENV_FILE", BASE_DIR / ".env"))
if _env_file.is_file():
    env.read_env(_env_file)

# The installation

DEBUG = environment.flag("DEBUG")
DATABASE_URL = env.str("DATABASE_URL", default="")
REDIS_URL = environment.redis_url(env.str("REDIS_URL", default=""))
MODE = environment.mode_of(debug=DEBUG, database_url=DATABASE_URL)
EMBEDDED_DATABASE = not DATABASE_URL
VAR_DIR = environment.writable_folder("VAR_DIR", env.str("VAR_DIR", default="") or BASE_DIR / "var")
PORT = environment.port(env.str("PORT", default="") or "8000")
BIND_ADDRESS = "0.0.0.0" if MODE is Mode.PRODUCTION else "127.0.0.1"  # noqa: S104 - production serves the network

SECRET_KEY = environment.secret_key(env.str("SECRET_KEY", default=""), mode=MODE, var_dir=VAR_DIR)
ALLOWED_HOSTS = environment.allowed_hosts([h for h in env.list("ALLOWED_HOSTS", default=[]) if h], mode=MODE)
PUBLIC_URL = environment.public_url(env.str("PUBLIC_URL", default=""), mode=MODE, port=PORT)

# Only these peers may say, in X-Forwarded-For, whom they speak for.
TRUSTED_PROXIES = environment.networks("TRUSTED_PROXIES", [n for n in env.list("TRUSTED_PROXIES", default=[]) if n])
# (per address, per site) and (per API key,), or None where switched off.
THROTTLE_WIDGET = environment.rates(
    "THROTTLE_WIDGET", env.str("THROTTLE_WIDGET", default="") or "30/min,600/min", count=2
)
THROTTLE_API = environment.rates("THROTTLE_API", env.str("THROTTLE_API", default="") or "600/min", count=1)

GEOIP_CITY_DB = environment.readable_file("GEOIP_CITY_DB", env.str("GEOIP_CITY_DB", default=""))
GEOIP_COUNTRY_DB = environment.readable_file("GEOIP_COUNTRY_DB", env.str("GEOIP_COUNTRY_DB", default=""))

# The application

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",  # before the admin, whose templates it replaces
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "config.apps.SwitchyardAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_filters",
    "django_htmx",
    "csp",
    "config",
    "agents",
    "routing",
    "leads",
    "widget",
]

MIDDLEWARE = [
    "config.deep_calls.RoomForCalls",  # around all others
    "django.middleware.security.SecurityMiddleware",
    "config.csp.ContentSecurityPolicy",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "agents.middleware.ActiveWorkspaceMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# The database, the cache

DATABASES = {"default": environment.database(DATABASE_URL, var_dir=VAR_DIR)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES: dict[str, dict[str, Any]]
if REDIS_URL:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}
else:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
            "LOCATION": VAR_DIR / "cache",
        }
    }

# Tasks. The database knows what is due and each act is claimed there, so a message that is lost or doubled is harmless.

CELERY_BROKER_URL = REDIS_URL or "filesystem://localhost"
CELERY_BROKER_TRANSPORT = None if REDIS_URL else "config.embedded_broker:Transport"
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any]
if REDIS_URL:
    # Longer than any task may take, or Redis would hand a running task to a second worker.
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "visibility_timeout": 900,
        "socket_connect_timeout": 2,
        "socket_timeout": 30,
        "socket_keepalive": True,
    }
else:
    _broker = VAR_DIR / "broker"
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(_broker / "messages"),
        "data_folder_out": str(_broker / "messages"),
        "control_folder": str(_broker / "control"),
        "store_processed": False,
        "polling_interval": 0.1,
    }
    for _folder in ("messages", "control"):
        (_broker / _folder).mkdir(mode=0o700, parents=True, exist_ok=True)

CELERY_TASK_DEFAULT_QUEUE = "switchyard"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True  # with acks_late alone, a killed worker still loses what it held
CELERY_TASK_SOFT_TIME_LIMIT = 240
CELERY_TASK_TIME_LIMIT = 300
CELERY_TASK_PUBLISH_RETRY = False  # a wake-up that cannot be sent is not missed: the sweep finds the row
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "beat-schedule")
CELERY_BEAT_SCHEDULE = {
    "sweep": {
        "task": "leads.tasks.sweep",
        "schedule": timedelta(seconds=1),
        "options": {"expires": 5},  # while no worker runs, sweeps must not pile up
    },
    "forget-past-counts": {
        "task": "widget.tasks.forget_past_counts",
        "schedule": timedelta(minutes=10),
        "options": {"expires": 60},
    },
}

# People and sessions

AUTH_USER_MODEL = "agents.User"
LOGIN_URL = "/admin/login/"
LOGIN_REDIRECT_URL = "/"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

_https = PUBLIC_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
SECURE_HSTS_SECONDS = 31_536_000 if _https else 0
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000  # a team of 1,000 has six fields a member

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
# What the admin's theme cannot do without; config.csp allows it under /admin/ and nowhere else.
CONTENT_SECURITY_POLICY_ADMIN = {
    "script-src": [SELF, UNSAFE_EVAL],
    "style-src": [SELF, UNSAFE_INLINE],
    "img-src": [SELF, "data:", "https:"],  # agents' photos lie wherever their managers keep them
}

# Languages and time

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]  # only what has a whole catalogue: half a page in each language helps nobody
LOCALE_PATHS = [BASE_DIR / "config" / "locale"]
FORMAT_MODULE_PATH = ["config.formats"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# Static files: served by the application itself, straight from the source tree, so that nothing has to be collected.

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static", ("flags", Path(django_countries.__file__).parent / "static" / "flags")]
STATIC_ROOT = environment.writable_folder("VAR_DIR", VAR_DIR / "static")
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
WHITENOISE_MAX_AGE = 0 if DEBUG else 300

# Telling people: mail, phones, chats, webhooks

if env.str("EMAIL_URL", default=""):
    vars().update(environment.email(env.str("EMAIL_URL")))
else:
    EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
EMAIL_TIMEOUT = 10  # s
DEFAULT_FROM_EMAIL = environment.email_from(env.str("EMAIL_FROM", default=""), public_url=PUBLIC_URL)
VAPID_PRIVATE_KEY = environment.vapid_private_key(env.str("VAPID_PRIVATE_KEY", default=""))
WHATSAPP_TOKEN, WHATSAPP_PHONE_NUMBER_ID = environment.whatsapp(
    token=env.str("WHATSAPP_TOKEN", default=""), phone_number_id=env.str("WHATSAPP_PHONE_NUMBER_ID", default="")
)
WHATSAPP_TEMPLATE = env.str("WHATSAPP_TEMPLATE", default="") or "switchyard_notice"
TELEGRAM_BOT_TOKEN = environment.telegram_bot_token(env.str("TELEGRAM_BOT_TOKEN", default=""))
ALLOW_LOOPBACK_WEBHOOKS = environment.loopback_webhooks(allowed=environment.flag("ALLOW_LOOPBACK_WEBHOOKS"), mode=MODE)

# The API

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],  # what forgets to open stays shut
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "config.problems.handle",
    "UNAUTHENTICATED_USER": None,
    "UNAUTHENTICATED_TOKEN": None,
    "URL_FORMAT_OVERRIDE": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Switchyard API",
    "DESCRIPTION": "Hand in leads, learn who takes them, and report what became of them.",
    "VERSION": "1",
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {"ClosedAs": "leads.models.ClosedAs.values"},
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

# Logs go to standard error. Bodies, headers and query strings stay out of them: they hold keys and people's data.

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"one_line": {"()": lambda: one_line}},
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "agents": {"level": "INFO"},
        "config": {"level": "INFO"},
        "leads": {"level": "INFO"},
        "routing": {"level": "INFO"},
        "widget": {"level": "INFO"},
        "celery.beat": {"filters": ["one_line"]},
        "django": {"handlers": [], "level": "WARNING", "propagate": True},
        # A visitor's mistakes (4xx) are answered, not logged.
        "django.request": {"level": "ERROR"},
        "django.security.DisallowedHost": {"level": "CRITICAL"},
    },
}
