"""Web origins: what a browser says a page comes from."""

from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

_DEFAULT_PORTS = {"https": 443, "http": 80}
_LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1"})


def normal_origin(text: str) -> str | None:
    """`HTTPS://Example.com:443` as `https://example.com`; None for what is no web origin."""
    if not text.isascii() or any(c <= " " or c in "\\\x7f" for c in text):
        return None
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return None
    host = parts.hostname
    if parts.scheme not in _DEFAULT_PORTS or not host or text.count("/") != 2 or set(text) & set("?#@*"):
        return None
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}" + (f":{port}" if port and port != _DEFAULT_PORTS[parts.scheme] else "")


def valid_origin(text: str) -> str:
    """The origin in its normal form. Raises a ValidationError that says what to write instead."""
    text = text.strip()
    normal = normal_origin(text)
    if normal is None:
        raise ValidationError(
            _(
                "“%(origin)s” is not an origin. Write scheme and host, without path or wildcard, such as"
                " https://www.example.com."
            )
            % {"origin": text},
            code="origin",
        )
    if normal.startswith("http:") and urlsplit(normal).hostname not in _LOCAL_HOSTS:
        raise ValidationError(
            _("“%(origin)s” is not encrypted. Write https://; http:// is for localhost and 127.0.0.1.")
            % {"origin": text},
            code="origin",
        )
    return normal
