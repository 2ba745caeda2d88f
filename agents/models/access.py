"""Doors into a workspace: sites for visitors, API keys for servers."""

import hashlib
import secrets
from collections.abc import Sequence
from typing import Self
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from agents import channels
from agents.scoping import TenantQuerySet
from agents.validators import check_texts, validate_one_line

_DEFAULT_PORTS = {"https": 443, "http": 80}
_LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1"})


def make_site_key() -> str:
    """144 random bits, safe in an address and on a command line: it begins with no hyphen."""
    while (key := secrets.token_urlsafe(18))[0] in "-_":
        pass
    return key


class Site(models.Model):
    """A website that carries the widget. Its key is public; the origin of a request must be on its list."""

    workspace = models.ForeignKey("agents.Workspace", models.CASCADE, related_name="sites")
    name = models.CharField(_("name"), max_length=120, validators=[validate_one_line])
    key = models.CharField(_("key"), max_length=40, unique=True, default=make_site_key, editable=False)
    origins = models.JSONField(
        _("origins"),
        default=list,
        blank=True,
        help_text=_("Where the widget may run, such as https://www.example.com."),
    )
    channels = models.JSONField(
        _("channels"), default=list, blank=True, help_text=_("Offered in this order. A form is always offered.")
    )
    is_active = models.BooleanField(_("active"), default=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name = _("site")
        verbose_name_plural = _("sites")
        constraints = [models.UniqueConstraint(fields=["workspace", "id"], name="site_of_workspace")]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        errors = {}
        try:
            origins = [valid_origin(origin) for origin in check_texts(self.origins)]
            self.origins = list(dict.fromkeys(origins))
        except ValidationError as error:
            errors["origins"] = error
        try:
            ids = [channels.channel_named(name).id for name in check_texts(self.channels)]
            self.channels = list(dict.fromkeys(ids))
        except ValidationError as error:
            errors["channels"] = error
        except ValueError as error:
            errors["channels"] = ValidationError(str(error))
        if errors:
            raise ValidationError(errors)

    def allows_origin(self, origin: str) -> bool:
        """Whether this Origin header is one of the list: the same scheme, host and port, and nothing like them."""
        normal = normal_origin(origin)
        return normal is not None and normal in self.origins


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
            _now(
                "“%(origin)s” is not an origin. Write scheme and host, without path or wildcard, such as"
                " https://www.example.com."
            )
            % {"origin": text},
            code="origin",
        )
    if normal.startswith("http:") and urlsplit(normal).hostname not in _LOCAL_HOSTS:
        raise ValidationError(
            _now("“%(origin)s” is not encrypted. Write https://; http:// is for localhost and 127.0.0.1.")
            % {"origin": text},
            code="origin",
        )
    return normal


class Scope(models.TextChoices):
    """What an API key may be used for."""

    LEADS_WRITE = "leads:write", _("Hand in and change leads")
    LEADS_READ = "leads:read", _("Read leads")
    REPORTS_READ = "reports:read", _("Read reports")


class ApiKeyQuerySet(TenantQuerySet):
    def find(self, key: str) -> "ApiKey | None":
        """The row of this key with its workspace, None for one that is unknown or revoked."""
        return self.filter(hash=hash_of(key), revoked_at=None).select_related("workspace").first()


class ApiKey(models.Model):
    """A server's key. Only its hash is stored: 256 random bits need no slow one."""

    workspace = models.ForeignKey("agents.Workspace", models.CASCADE, related_name="api_keys")
    name = models.CharField(_("name"), max_length=120, blank=True, validators=[validate_one_line])
    hash = models.CharField(max_length=64, unique=True, editable=False)
    prefix = models.CharField(_("begins with"), max_length=12, editable=False)
    scopes = models.JSONField(_("scopes"), default=list)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True, editable=False)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        constraints = [models.UniqueConstraint(fields=["workspace", "id"], name="api_key_of_workspace")]

    def __str__(self) -> str:
        return f"{self.prefix}… {self.name}".strip()

    def clean(self) -> None:
        unknown = [scope for scope in check_texts(self.scopes) if scope not in Scope.values]
        if unknown or not self.scopes:
            raise ValidationError(
                {"scopes": _("Choose from these scopes: %(scopes)s.") % {"scopes": ", ".join(Scope.values)}}
            )

    @classmethod
    def issue(cls, *, workspace: "models.Model", name: str, scopes: Sequence[str]) -> tuple[Self, str]:
        """Make a key. Returns the row and the key itself, which nobody sees again. Raises ValidationError."""
        key = f"sy_{secrets.token_urlsafe(32)}"
        row = cls(workspace=workspace, name=name, hash=hash_of(key), prefix=key[:9], scopes=list(dict.fromkeys(scopes)))
        row.full_clean()
        row.save()
        return row, key

    def allows(self, scope: str) -> bool:
        return scope in self.scopes


def hash_of(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
