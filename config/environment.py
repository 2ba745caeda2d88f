"""Reads settings out of the environment. A value that cannot work is refused with a sentence that says what to set."""

import ipaddress
import os
import re
import secrets
from dataclasses import dataclass
from email.utils import parseaddr
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import validate_email

_PERIODS_S = {"s": 1, "sec": 1, "min": 60, "h": 3600, "hour": 3600, "d": 86400, "day": 86400}
_RATE = re.compile(r"(\d+)\s*/\s*([a-z]+)")
_VAPID_KEY = re.compile(r"[A-Za-z0-9_-]{43}=?")
_TELEGRAM_TOKEN = re.compile(r"[0-9]{3,20}:[A-Za-z0-9_-]{20,80}")
_LOOPBACK_HOSTS = ["localhost", "127.0.0.1", "[::1]"]

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Mode(StrEnum):
    """How much the installation may assume: see `mode_of`."""

    EMBEDDED = "embedded"
    DEVELOPMENT = "development"
    PRODUCTION = "production"


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `limit` requests in any period of `seconds`."""

    limit: int
    seconds: int


def flag(name: str) -> bool:
    """True or False from the environment; absent and empty are False."""
    text = os.environ.get(name, "").strip().lower()
    if text in {"1", "true", "yes", "on"}:
        return True
    if text in {"", "0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name} is {text!r}: set it to true or false.")


def mode_of(*, debug: bool, database_url: str) -> Mode:
    """A database named for an installation that is not being developed makes it production."""
    if debug:
        return Mode.DEVELOPMENT
    return Mode.PRODUCTION if database_url else Mode.EMBEDDED


def port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        raise ImproperlyConfigured(f"PORT is {text!r}: set it to a number from 1 to 65535, such as 8000.")
    return int(text)


def database(url: str, *, var_dir: Path) -> dict:
    """Django's settings for the database of `url`; where that is empty, for the embedded one in `var_dir`."""
    if not url:
        return _sqlite(var_dir / "switchyard.sqlite3")
    wanted = "set DATABASE_URL to something like postgres://user:password@host:5432/name, or to sqlite:////path/to/file"
    if urlsplit(url).scheme not in {"postgres", "postgresql", "sqlite"}:
        raise ImproperlyConfigured(f"DATABASE_URL names no database that Switchyard knows: {wanted}.")
    try:
        parsed = environ.Env.db_url_config(url)
    except Exception as problem:  # whatever is wrong with it, the sentence must not repeat the password
        raise ImproperlyConfigured(f"DATABASE_URL cannot be read: {wanted}.") from problem
    if not parsed["NAME"]:
        raise ImproperlyConfigured(f"DATABASE_URL names no database: {wanted}.")
    if parsed["ENGINE"] == "django.db.backends.sqlite3":
        return _sqlite(parsed["NAME"])
    return {
        **parsed,
        "CONN_MAX_AGE": None,  # without persistent connections every request costs four times as much
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": 5, **parsed.get("OPTIONS", {})},
    }


def _sqlite(path: Path | str) -> dict:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            # SQLite ignores select_for_update silently: IMMEDIATE's single writer is what protects the turn ledgers.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=20000;",
        },
    }


def redis_url(url: str) -> str:
    if url and urlsplit(url).scheme not in {"redis", "rediss"}:
        raise ImproperlyConfigured("REDIS_URL is no Redis address: set it to something like redis://127.0.0.1:6379/0.")
    return url


def email(url: str) -> dict:
    """Django's EMAIL_* settings for a URL such as `smtp+tls://user:password@host:587`."""
    try:
        return environ.Env.email_url_config(url)
    except Exception as problem:  # as for the database: no password in the sentence
        raise ImproperlyConfigured(
            "EMAIL_URL cannot be read: set it to something like smtp+tls://user:password@mail.example.com:587."
        ) from problem


def email_from(text: str, *, public_url: str) -> str:
    """Whom our mail comes from, as `Name <address>`. Unset: an address at PUBLIC_URL's host, if that has a name."""
    if not text:
        host = urlsplit(public_url).hostname or ""
        return f"Switchyard <switchyard@{host if re.search('[.][a-z]', host) else 'localhost'}>"
    try:
        validate_email(parseaddr(text)[1])
    except ValidationError:
        raise ImproperlyConfigured(
            f"EMAIL_FROM is {text!r}: set it to the sender of our mail, such as Acme leads <leads@example.com>."
        ) from None
    return text


def vapid_private_key(text: str) -> str:
    """The key that web push is signed with: 32 bytes in URL-safe Base64. Empty: made from SECRET_KEY."""
    if text and not _VAPID_KEY.fullmatch(text):
        raise ImproperlyConfigured(
            "VAPID_PRIVATE_KEY is no key: set it to 32 bytes in URL-safe Base64 (43 characters), as web push tools "
            "print it, or unset it."
        )
    return text.rstrip("=")


def whatsapp(*, token: str, phone_number_id: str) -> tuple[str, str]:
    """Both or neither; the token stays out of the sentence."""
    if bool(token) != bool(phone_number_id) or not re.fullmatch("[0-9]{0,32}", phone_number_id):
        raise ImproperlyConfigured(
            "WhatsApp needs WHATSAPP_TOKEN and WHATSAPP_PHONE_NUMBER_ID (a number): set both as Meta shows them for "
            "your Cloud API account, or neither."
        )
    return token, phone_number_id


def telegram_bot_token(text: str) -> str:
    if text and not _TELEGRAM_TOKEN.fullmatch(text):
        raise ImproperlyConfigured(
            "TELEGRAM_BOT_TOKEN is no token of a bot: set it as BotFather shows it, such as 123456:ABC-DEF…, "
            "or unset it."
        )
    return text


def loopback_webhooks(*, allowed: bool, mode: Mode) -> bool:
    """Whether users may have webhooks call this very machine, over plain HTTP, too."""
    if allowed and mode is Mode.PRODUCTION:
        raise ImproperlyConfigured(
            "ALLOW_LOOPBACK_WEBHOOKS lets users reach what runs on this machine: set it to false in production."
        )
    return allowed


def secret_key(text: str, *, mode: Mode, var_dir: Path) -> str:
    """The given secret; outside production one made up on the first start and kept in `var_dir`."""
    if not text and mode is not Mode.PRODUCTION:
        return _kept_secret(var_dir / "secret_key")
    if not text:
        raise ImproperlyConfigured(
            "with DATABASE_URL set this is a production installation, and those need SECRET_KEY: set it to at least "
            "50 random characters, such as the output of "
            "`python3 -c 'import secrets; print(secrets.token_urlsafe(50))'` "
            "(or set DEBUG=true if you are developing)."
        )
    if mode is Mode.PRODUCTION and (len(text) < 32 or len(set(text)) < 8):
        raise ImproperlyConfigured("SECRET_KEY can be guessed: set it to at least 50 random characters.")
    return text


def _kept_secret(path: Path) -> str:
    """Reads the secret, made on first use. Processes that start together agree on one: the link succeeds once."""
    if not path.exists():
        draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(50))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()


def allowed_hosts(names: list[str], *, mode: Mode) -> list[str]:
    if mode is not Mode.PRODUCTION:
        return names or _LOOPBACK_HOSTS
    if not names:
        raise ImproperlyConfigured(
            "a production installation needs ALLOWED_HOSTS: set it to the host names that browsers use, "
            "such as leads.example.com."
        )
    if "*" in names:
        raise ImproperlyConfigured(
            "ALLOWED_HOSTS=* lets anybody choose the host name: set it to your own host names, "
            "such as leads.example.com."
        )
    return [*names, *_LOOPBACK_HOSTS]  # health probes come from this machine and know no name


def public_url(text: str, *, mode: Mode, port: int) -> str:
    """Scheme, host and port under which browsers reach this installation, without a slash at the end."""
    if not text and mode is not Mode.PRODUCTION:
        return f"http://127.0.0.1:{port}"
    example = "set PUBLIC_URL to the address that browsers use, such as https://leads.example.com"
    if not text:
        raise ImproperlyConfigured(f"a production installation needs PUBLIC_URL: {example}.")
    try:
        parts = urlsplit(text)
        complete = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        complete = False
    if not complete or parts.path not in {"", "/"} or parts.query or parts.fragment or parts.username:
        raise ImproperlyConfigured(f"PUBLIC_URL is {text!r}: {example} (no path).")
    return f"{parts.scheme}://{parts.netloc.lower()}"


def networks(name: str, texts: list[str]) -> list[Network]:
    """Networks in CIDR notation; a plain address is a network of one."""
    found = []
    for text in texts:
        try:
            network = ipaddress.ip_network(text.strip())
        except ValueError:
            raise ImproperlyConfigured(
                f"{name} holds {text!r}, which is no network: set it to networks in CIDR notation separated by "
                "commas, such as 10.0.0.0/8,192.168.1.7/32."
            ) from None
        if network.prefixlen == 0:
            raise ImproperlyConfigured(
                f"{name} holds {text!r}, which trusts everybody: set it to the networks of your own proxies."
            )
        found.append(network)
    return found


def rates(name: str, text: str, *, count: int) -> tuple[Rate, ...] | None:
    """`count` rates such as `30/min`, separated by commas; None where `off` switches the limit off."""
    if text.strip().lower() == "off":
        return None
    parts = [_RATE.fullmatch(part.strip().lower()) for part in text.split(",")]
    if len(parts) != count or any(part is None or part[2] not in _PERIODS_S or int(part[1]) < 1 for part in parts):
        example = ",".join(["30/min", "600/min"][-count:])
        raise ImproperlyConfigured(
            f"{name} is {text!r}: set it to {'two rates' if count == 2 else 'one rate'} such as {example} "
            "(s, min, h or day), or to off."
        )
    return tuple(Rate(limit=int(part[1]), seconds=_PERIODS_S[part[2]]) for part in parts if part)


def readable_file(name: str, text: str) -> Path | None:
    """A file named by the operator. It may be replaced while we run, but has to be there at the start."""
    if not text:
        return None
    if not os.access(text, os.R_OK) or not Path(text).is_file():
        raise ImproperlyConfigured(f"{name} is {text!r}, which is no readable file: correct the path or unset it.")
    return Path(text)


def writable_folder(name: str, text: str | Path) -> Path:
    """Made where it is missing, and closed to other users: it holds the database, a secret and queued work."""
    folder = Path(text).absolute()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as problem:
        raise ImproperlyConfigured(
            f"{name} is {str(folder)!r}, which cannot be made ({problem.strerror}): set it to a folder that "
            "Switchyard may write."
        ) from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ImproperlyConfigured(
            f"{name} is {str(folder)!r}, which Switchyard may not write: set it to a folder that it may write."
        )
    return folder
